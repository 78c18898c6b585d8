"""How the servicing engine reads a loan: a product's conditions and agreed terms as `LoanTerms`."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache

from domain.calendar import HolidayCalendar
from domain.daycount import DayCount
from domain.loan.charge_rules import ChargeRule, agreed_fees
from domain.loan.terms import (
    Compounding,
    Conditions,
    CustomInstalment,
    DownPaymentConditions,
    PenaltyConditions,
    RefundKind,
    RepaymentMethod,
    Rounding,
    ScheduleDayCount,
    Terms,
)
from domain.servicing.conventions import FirstPeriod, InstalmentRounding
from domain.servicing.floating import FloatingRate
from domain.servicing.penalty import PenaltyPolicy, PenaltyTerms
from domain.servicing.terms import AllocationRule, ChargeTerms, DownPayment, LoanTerms
from domain.servicing.values import (
    AccrualBasis,
    Amortisation,
    ChargeKind,
    Component,
    DaysInMonth,
    DaysInYear,
    Direction,
    DueClass,
    FutureRule,
    InterestMethod,
    Kind,
    Recalculation,
)

_AMORTISATION = {
    RepaymentMethod.ANNUITY: Amortisation.EQUAL_INSTALMENTS,
    RepaymentMethod.EQUAL_PRINCIPAL: Amortisation.EQUAL_PRINCIPAL,
    RepaymentMethod.INTEREST_ONLY: Amortisation.INTEREST_ONLY,
    RepaymentMethod.BULLET: Amortisation.BULLET,
    RepaymentMethod.EQUAL_AMORTISATION: Amortisation.EQUAL_AMORTISATION,
    RepaymentMethod.REVOLVING: Amortisation.REVOLVING,
    RepaymentMethod.FLAT: Amortisation.EQUAL_INSTALMENTS,
    RepaymentMethod.FIXED_INSTALMENT: Amortisation.FIXED_INSTALMENT,
    RepaymentMethod.CUSTOM: Amortisation.CUSTOM,
}
_INTEREST = {RepaymentMethod.FLAT: InterestMethod.FLAT}
REFUND_KINDS = {
    RefundKind.MERCHANT: Kind.MERCHANT_ISSUED_REFUND,
    RefundKind.PAYOUT: Kind.PAYOUT_REFUND,
}
_FIELDS = len(fields(LoanTerms))
_DIRECTION = {Rounding.UP: InstalmentRounding.UP, Rounding.DOWN: InstalmentRounding.DOWN}


def loan_terms(
    conditions: Conditions,
    terms: Terms,
    *,
    from_on: date,
    first_due_on: date | None = None,
    closed_days: Sequence[date] = (),
) -> LoanTerms:
    """Return what the engine needs of a loan whose first payout is on a day.

    `first_due_on` None: one period later. `closed_days`: those that due dates meet and are moved
    off; every other day counts as worked. What is not named here is as `LoanTerms` has it.
    """
    agreed = object.__new__(LoanTerms)
    vars(agreed).update(
        _said_by(conditions),
        principal_minor=terms.principal_minor,
        rate_annual=terms.rate_annual,
        instalments=terms.instalments,
        expected_disbursement_on=from_on,
        first_due_on=first_due_on,
        due_day=terms.due_day,
        instalment_minor=terms.instalment_minor,
        custom=_open_last(terms.custom),
        rate_steps=terms.rate_steps,
        calendar=_calendar(conditions, closed_days),
    )
    assert len(vars(agreed)) == _FIELDS, "a term was set that there is not"
    return agreed


@lru_cache(maxsize=64)
def _said_by(conditions: Conditions) -> Mapping[str, object]:
    """Return all terms by name, those of a loan still empty.

    Kept, as many loans are of one product: to read its conditions for each took a tenth of a load.
    """
    proportional = conditions.day_count is ScheduleDayCount.THIRTY_360_PROPORTIONAL
    planned = conditions.recalculation is Recalculation.NONE
    due_days = conditions.due_days
    capitalised, bought_down = conditions.capitalised_income, conditions.buy_down_fee
    terms = LoanTerms(
        principal_minor=0,
        rate_annual=Decimal(0),
        instalments=0,
        expected_disbursement_on=date.min,
        first_period=FirstPeriod.LONG if due_days is None else due_days.first_period,
        repayment_every=conditions.repayment_every,
        repayment_unit=conditions.repayment_unit,
        grace_on_principal=conditions.grace_on_principal,
        grace_on_interest=conditions.grace_on_interest,
        interest_free_periods=conditions.interest_free_periods,
        amortisation=_AMORTISATION[conditions.method],
        interest_method=_INTEREST.get(conditions.method, InterestMethod.DECLINING_BALANCE),
        day_count=None if proportional else DayCount(conditions.day_count),
        days_in_month=DaysInMonth.D30 if proportional else DaysInMonth.ACTUAL,
        days_in_year=DaysInYear.D360 if proportional else DaysInYear.ACTUAL,
        interest_period=conditions.interest_period,
        day_inclusion=conditions.day_inclusion,
        month_end=conditions.month_end,
        fixed_length=conditions.fixed_length,
        interest_rounding=conditions.interest_rounding,
        rounding_place=conditions.interest_rounding_scope,
        instalment_rounding=_DIRECTION.get(
            conditions.instalment_rounding, InstalmentRounding.NEAREST
        ),
        instalment_multiple_minor=conditions.instalment_multiple_minor,
        full_term_tranches=conditions.full_term_tranches,
        down_payment=_down_payment(conditions.down_payment),
        allocation=_allocation(conditions),
        non_performing_order=_non_performing(conditions.non_performing_allocation),
        penalty=_penalty(conditions.penalty),
        instalment_fees=_instalment_fees(conditions.charge_rules),
        recalculation=conditions.recalculation,
        overdue_interest=conditions.overdue_interest,
        rest=conditions.rest,
        pre_close=conditions.pre_close,
        interest_refund_kinds=frozenset(
            REFUND_KINDS[kind] for kind in conditions.interest_refunded_with
        ),
        business_days=conditions.business_days,
        charge_off=conditions.charge_off,
        accrual_basis=AccrualBasis.PRORATED_PERIOD_INTEREST if planned else AccrualBasis.EXACT,
        capitalised_income_type=Component.INTEREST if capitalised is None else capitalised.income,
        buy_down_income_type=Component.INTEREST if bought_down is None else bought_down.income,
    )
    return vars(terms)


def _open_last(rows: tuple[CustomInstalment, ...]) -> tuple[CustomInstalment, ...]:
    """Leave the last principal open: it was seen to add up, and less may go out than agreed."""
    if not rows or rows[-1].principal_minor is None:
        return rows
    return (*rows[:-1], replace(rows[-1], principal_minor=None))


def _calendar(conditions: Conditions, closed_days: Sequence[date]) -> HolidayCalendar | None:
    """Return what a loan keeps of a calendar: the closed days that its due dates meet."""
    if conditions.calendar is None:
        return None
    return HolidayCalendar(
        name=conditions.calendar, weekend=frozenset(), holidays=frozenset(closed_days)
    )


def floating_rate(conditions: Conditions, spread_bps: int) -> FloatingRate | None:
    """Return how a product's rate follows its reference; None: it does not."""
    floating = conditions.floating
    if floating is None:
        return None
    return FloatingRate(
        reference=floating.reference,
        spread_bps=spread_bps,
        reset=floating.reset,
        cap_annual=floating.cap_annual,
        floor_annual=floating.floor_annual,
    )


def _down_payment(agreed: DownPaymentConditions | None) -> DownPayment | None:
    return agreed and DownPayment(percent=agreed.percent, automatic=agreed.automatic)


def _allocation(conditions: Conditions) -> tuple[AllocationRule, ...]:
    order, future = conditions.allocation, conditions.future_instalments
    rules = _rules(order, future, conditions.allocation_direction)
    return rules if conditions.down_payment is None else (*rules, _first_due(order, future))


@lru_cache(maxsize=64)
def _first_due(order: tuple[Component, ...], future: FutureRule) -> AllocationRule:
    """Let a down payment go to what is due on its day, then to what is past due (T-24)."""
    classes = (DueClass.DUE, DueClass.PAST_DUE, DueClass.IN_ADVANCE)
    buckets = tuple((due, component) for due in classes for component in order)
    return AllocationRule(
        kind=Kind.DOWN_PAYMENT, order=buckets, future=future, direction=Direction.HORIZONTAL
    )


@lru_cache(maxsize=64)
def _rules(
    order: tuple[Component, ...], future: FutureRule, direction: Direction
) -> tuple[AllocationRule, ...]:
    """Past due, then due, then in advance; inside each the product's order (domain rules, 5.5)."""
    buckets = tuple((due, component) for due in DueClass for component in order)
    return (AllocationRule(kind=None, order=buckets, future=future, direction=direction),)


@lru_cache(maxsize=64)
def _non_performing(order: tuple[Component, ...]) -> tuple[tuple[DueClass, Component], ...]:
    """All that is due of one component before the next, then in advance (domain rules, 5.5)."""
    asked = (DueClass.PAST_DUE, DueClass.DUE)
    due = [(when, component) for component in order for when in asked]
    return (*due, *((DueClass.IN_ADVANCE, component) for component in order))


@lru_cache(maxsize=64)
def _instalment_fees(rules: tuple[ChargeRule, ...]) -> tuple[ChargeTerms, ...]:
    return tuple(
        ChargeTerms(
            code=rule.code,
            kind=ChargeKind(rule.component),
            time=rule.time,
            basis=rule.basis,
            amount_minor=rule.amount_minor,
            percent=rule.percent or Decimal(0),
            min_minor=rule.min_minor,
            max_minor=rule.max_minor,
            month=rule.month,
            day=rule.day,
        )
        for rule in agreed_fees(rules)
    )


def _penalty(agreed: PenaltyConditions | None) -> PenaltyTerms | None:
    if agreed is None:
        return None
    proportional = agreed.day_count is ScheduleDayCount.THIRTY_360_PROPORTIONAL
    return PenaltyTerms(
        overdue_markup=agreed.overdue_markup,
        misuse_markup=agreed.misuse_markup,
        # Either is refused with the product: their days do not add up.
        day_count=DayCount.THIRTY_360_US if proportional else DayCount(agreed.day_count),
        compounds=agreed.compounds is not Compounding.NONE,
        policy=PenaltyPolicy(
            compound_on_penalty=agreed.compounds is Compounding.INTEREST_AND_PENALTY
        ),
    )
