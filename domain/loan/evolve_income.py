"""How events of deferred income change a loan; the other events' changes stand in `evolve`."""

from collections.abc import Callable
from typing import Any, Final

from domain.events import income
from domain.events.registry import Event
from domain.loan.recording import Changes, recorded
from domain.loan.state import Loan


def _capitalised(loan: Loan, event: income.IncomeCapitalised) -> Changes:
    return {"timeline": recorded(loan, event), "incomes": (*loan.incomes, event)}


def _adjusted(loan: Loan, event: income.CapitalisedIncomeAdjusted) -> Changes:
    return {"timeline": recorded(loan, event)}


def _reversed(loan: Loan, event: income.CapitalisedIncomeReversed) -> Changes:
    return {
        "timeline": recorded(loan, event),
        "incomes": tuple(one for one in loan.incomes if one.income_id != event.income_id),
        "taken_back": loan.taken_back | {event.income_id},
    }


def _bought_down(loan: Loan, event: income.BuyDownFeeRecorded) -> Changes:
    return {"timeline": recorded(loan, event), "buy_down_fees": (*loan.buy_down_fees, event)}


def _buy_down_reversed(loan: Loan, event: income.BuyDownFeeReversed) -> Changes:
    return {
        "timeline": recorded(loan, event),
        "buy_down_fees": tuple(x for x in loan.buy_down_fees if x.fee_id != event.fee_id),
        "taken_back": loan.taken_back | {event.fee_id},
    }


def _buy_down_adjusted(loan: Loan, event: income.BuyDownFeeAdjusted) -> Changes:
    adjustments = (*loan.buy_down_adjustments, event)
    return {"timeline": recorded(loan, event), "buy_down_adjustments": adjustments}


def _adjustment_reversed(loan: Loan, event: income.BuyDownAdjustmentReversed) -> Changes:
    gone = event.adjustment_id
    return {
        "timeline": recorded(loan, event),
        "buy_down_adjustments": tuple(
            x for x in loan.buy_down_adjustments if x.adjustment_id != gone
        ),
        "taken_back": loan.taken_back | {gone},
    }


INCOME: Final[dict[type[Event], Callable[[Loan, Any], Changes]]] = {
    income.IncomeCapitalised: _capitalised,
    income.CapitalisedIncomeAdjusted: _adjusted,
    income.CapitalisedIncomeReversed: _reversed,
    income.BuyDownFeeRecorded: _bought_down,
    income.BuyDownFeeReversed: _buy_down_reversed,
    income.BuyDownFeeAdjusted: _buy_down_adjusted,
    income.BuyDownAdjustmentReversed: _adjustment_reversed,
}
