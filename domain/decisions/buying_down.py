"""Decisions on buy-down fees: recorded, given back, taken back. The borrower owes nothing of them.

Sources: domain rules 9.2 P-73; 9.5 T-35; 9.9 S-28. No cost table lists what the borrower does not
pay.
"""

from domain.commands import income as c
from domain.context import Context
from domain.decisions.guards import (
    require_amount,
    require_contract,
    require_new_fact,
    require_on_book,
    require_reason,
    require_reversal_date,
    require_status,
    require_value_date,
)
from domain.decisions.payouts import require_not_matured
from domain.errors import Rejected
from domain.events import income as e
from domain.events.registry import Event
from domain.loan.deferring import bought_down_minor, buy_down_given_back
from domain.loan.state import Loan, LoanStatus
from domain.loan.terms import BuyDownFee


def record_buy_down_fee(loan: Loan, command: c.RecordBuyDownFee, context: Context) -> list[Event]:
    """Record a fee that is earned until maturity; the borrower's schedule stays as it is."""
    agreed = loan.conditions.buy_down_fee
    if agreed is None:
        raise Rejected("no_buy_down_fee", "the product takes no buy-down fee")
    require_status(loan, (LoanStatus.ACTIVE,))
    require_contract(loan)
    require_amount(command.amount_minor)
    require_value_date(loan, command.effective_on, context)
    require_new_fact(loan, command.fee_id, "fee_id")
    require_not_matured(loan, command.effective_on)
    _require_bounded(loan, agreed, command.amount_minor)
    return [
        e.BuyDownFeeRecorded(
            effective_on=command.effective_on,
            fee_id=command.fee_id,
            income=agreed.income,
            merchant_paid=agreed.merchant_paid,
            amount_minor=command.amount_minor,
        )
    ]


def _require_bounded(loan: Loan, agreed: BuyDownFee, amount_minor: int) -> None:
    most, so_far = agreed.total_max_minor, bought_down_minor(loan)
    if most is None:
        most = loan.paid_out_minor
    if so_far + amount_minor > most:
        raise Rejected("above_income_max", f"{so_far} were taken of at most {most}", "amount")


def adjust_buy_down_fee(loan: Loan, command: c.AdjustBuyDownFee, context: Context) -> list[Event]:
    """Give part of a fee back: what was given back of it before counts."""
    require_on_book(loan)
    require_amount(command.amount_minor)
    require_reason(context)
    on = command.effective_on
    require_value_date(loan, on, context)
    require_new_fact(loan, command.adjustment_id, "adjustment_id")
    fee = _fee(loan, command.fee_id)
    if on < fee.effective_on:
        raise Rejected("before_fee", f"the fee counts from {fee.effective_on}", "effective_on")
    left = fee.amount_minor - buy_down_given_back(loan, fee.fee_id)
    if command.amount_minor > left:
        raise Rejected("more_than_paid", f"{left} minor units of the fee are left", "amount")
    return [
        e.BuyDownFeeAdjusted(
            effective_on=on,
            fee_id=fee.fee_id,
            income=fee.income,
            merchant_paid=fee.merchant_paid,
            amount_minor=command.amount_minor,
            adjustment_id=command.adjustment_id,
        )
    ]


def reverse_buy_down_fee(loan: Loan, command: c.ReverseBuyDownFee, context: Context) -> list[Event]:
    """Take a fee back, from its own day on: nothing of it is earned."""
    require_on_book(loan)
    fee = _fee(loan, command.fee_id)
    if buy_down_given_back(loan, fee.fee_id):
        raise Rejected("income_adjusted", "reverse its adjustments first", "fee_id")
    require_reversal_date(fee.effective_on, command.effective_on, context, "its fee")
    return [
        e.BuyDownFeeReversed(
            effective_on=command.effective_on,
            fee_id=fee.fee_id,
            income=fee.income,
            merchant_paid=fee.merchant_paid,
            amount_minor=fee.amount_minor,
            cause=command.cause,
        )
    ]


def reverse_buy_down_adjustment(
    loan: Loan, command: c.ReverseBuyDownAdjustment, context: Context
) -> list[Event]:
    """Take an adjustment back, from its own day on: the whole fee is earned."""
    require_on_book(loan)
    found = (one for one in loan.buy_down_adjustments if one.adjustment_id == command.adjustment_id)
    adjusted = next(found, None)
    if adjusted is None:
        raise Rejected("unknown_adjustment", "no such adjustment stands on it", "adjustment_id")
    require_reversal_date(adjusted.effective_on, command.effective_on, context, "its adjustment")
    return [
        e.BuyDownAdjustmentReversed(
            effective_on=command.effective_on,
            fee_id=adjusted.fee_id,
            income=adjusted.income,
            merchant_paid=adjusted.merchant_paid,
            amount_minor=adjusted.amount_minor,
            adjustment_id=adjusted.adjustment_id,
            cause=command.cause,
        )
    ]


def _fee(loan: Loan, fee_id: str) -> e.BuyDownFeeRecorded:
    found = next((one for one in loan.buy_down_fees if one.fee_id == fee_id), None)
    if found is None:
        raise Rejected("unknown_fee", "no such buy-down fee stands on this loan", "fee_id")
    return found
