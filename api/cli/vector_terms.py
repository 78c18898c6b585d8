"""Translation of a vector's terms and steps into the engine's words. It reads no expected value."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from domain.daycount import DayCount
from domain.servicing.conventions import DayInclusion, Factors, Residue
from domain.servicing.floating import FloatingRate, ResetRule
from domain.servicing.penalty import PenaltyTerms
from domain.servicing.terms import (
    STANDARD_ORDER,
    AllocationRule,
    ChargeTerms,
    DownPayment,
    LoanTerms,
    Tranche,
)
from domain.servicing.values import (
    Accounting,
    AdvancePayment,
    Amortisation,
    ChargeBasis,
    ChargeKind,
    ChargeOffBehaviour,
    ChargeTime,
    Component,
    DaysInMonth,
    DaysInYear,
    Direction,
    DueClass,
    FutureRule,
    InterestMethod,
    InterestPeriod,
    Kind,
    LeapYear,
    MonthEnd,
    OverdueInterest,
    PartialPeriod,
    PreClose,
    Recalculation,
    RestFrequency,
    ScheduleType,
    StartFrom,
    Strategy,
    Unit,
    YearBoundary,
)

Json = Mapping[str, Any]
T = TypeVar("T")
MINOR_PER_MAJOR = 100
MONTHS_A_YEAR = 12


class Unsupported(Exception):
    """The vector needs something the engine does not have; the message says what."""


STRATEGIES = {
    "ADVANCED_PAYMENT_ALLOCATION": Strategy.ADVANCED,
    "PENALTIES_FEES_INTEREST_PRINCIPAL_ORDER": Strategy.PENALTIES_FEES_INTEREST_PRINCIPAL,
    "INTEREST_PRINCIPAL_PENALTIES_FEES_ORDER": Strategy.INTEREST_PRINCIPAL_PENALTIES_FEES,
    "PRINCIPAL_INTEREST_PENALTIES_FEES_ORDER": Strategy.PRINCIPAL_INTEREST_PENALTIES_FEES,
    "DUE_PENALTY_FEE_INTEREST_PRINCIPAL_IN_ADVANCE_PRINCIPAL_PENALTY_FEE_INTEREST": (
        Strategy.DUE_PENALTY_FEE_INTEREST_PRINCIPAL_ADVANCE_PRINCIPAL_FIRST
    ),
    "DUE_PENALTY_INTEREST_PRINCIPAL_FEE_IN_ADVANCE_PENALTY_INTEREST_PRINCIPAL_FEE": (
        Strategy.DUE_PENALTY_INTEREST_PRINCIPAL_FEE
    ),
}
FUTURE_RULES = {
    "NEXT_INSTALLMENT": FutureRule.NEXT_INSTALMENT,
    "LAST_INSTALLMENT": FutureRule.LAST_INSTALMENT,
    "NEXT_LAST_INSTALLMENT": FutureRule.NEXT_LAST_INSTALMENT,
    "REAMORTIZATION": FutureRule.REAMORTISATION,
}
KINDS = {
    "REPAYMENT": Kind.REPAYMENT,
    "DOWN_PAYMENT": Kind.DOWN_PAYMENT,
    "GOODWILL_CREDIT": Kind.GOODWILL_CREDIT,
    "MERCHANT_ISSUED_REFUND": Kind.MERCHANT_ISSUED_REFUND,
    "PAYOUT_REFUND": Kind.PAYOUT_REFUND,
    "INTEREST_PAYMENT_WAIVER": Kind.INTEREST_PAYMENT_WAIVER,
    "INTEREST_REFUND": Kind.INTEREST_REFUND,
    "REFUND_BY_CASH": Kind.CASH_REFUND,
    "CHARGE_ADJUSTMENT": Kind.CHARGE_ADJUSTMENT,
    "CAPITALIZED_INCOME": Kind.CAPITALISED_INCOME,
    "CAPITALIZED_INCOME_ADJUSTMENT": Kind.CAPITALISED_INCOME_ADJUSTMENT,
    "BUY_DOWN_FEE": Kind.BUY_DOWN_FEE,
    "BUY_DOWN_FEE_ADJUSTMENT": Kind.BUY_DOWN_FEE_ADJUSTMENT,
    "CHARGEBACK": Kind.CHARGEBACK,
    "CREDIT_BALANCE_REFUND": Kind.CREDIT_BALANCE_REFUND,
    "DISBURSEMENT": Kind.DISBURSEMENT,
    "ACCRUAL": Kind.ACCRUAL,
    "CHARGE_OFF": Kind.CHARGE_OFF,
    "RE_AGE": Kind.RE_AGE,
    "RE_AMORTIZE": Kind.RE_AMORTISE,
    "WAIVE_LOAN_CHARGES": Kind.CHARGE_WAIVER,
    "REFUND": Kind.CASH_REFUND,
}
ADVANCE = {
    "REDUCE_EMI_AMOUNT": AdvancePayment.REDUCE_INSTALMENT,
    "REDUCE_NUMBER_OF_INSTALLMENTS": AdvancePayment.REDUCE_TERM,
    "RESCHEDULE_NEXT_REPAYMENTS": AdvancePayment.RESCHEDULE_NEXT,
    "ADJUST_LAST_UNPAID_PERIOD": AdvancePayment.ADJUST_LAST_UNPAID,
}
UNITS = {"DAYS": Unit.DAYS, "WEEKS": Unit.WEEKS, "MONTHS": Unit.MONTHS, "YEARS": Unit.YEARS}
BASES = {
    "FLAT": ChargeBasis.FLAT,
    "PERCENT_OF_AMOUNT": ChargeBasis.PERCENT_OF_AMOUNT,
    "PERCENT_OF_DISBURSED": ChargeBasis.PERCENT_OF_DISBURSED,
    "PERCENT_OF_INTEREST": ChargeBasis.PERCENT_OF_INTEREST,
    "PERCENT_OF_AMOUNT_AND_INTEREST": ChargeBasis.PERCENT_OF_AMOUNT_AND_INTEREST,
}
TIMES = {
    "SPECIFIED_DUE_DATE": ChargeTime.SPECIFIED_DUE_DATE,
    "INSTALLMENT_FEE": ChargeTime.INSTALMENT,
    "DISBURSEMENT": ChargeTime.DISBURSEMENT,
    "OVERDUE": ChargeTime.OVERDUE,
}


def minor(text: str) -> int:
    """Minor units of a decimal string; raises Unsupported if it has more than two decimals."""
    amount = Decimal(text) * MINOR_PER_MAJOR
    if amount != int(amount):
        raise Unsupported(f"amount {text} has more than two decimals")
    return int(amount)


def day(text: str) -> date:
    """Date of an ISO text."""
    return date.fromisoformat(text)


def chosen(table: Mapping[str, T], key: str, what: str) -> T:
    """Look a name up; raises Unsupported if the engine has nothing of that name."""
    try:
        return table[key]
    except KeyError:
        raise Unsupported(f"{what} {key}") from None


def section(raw: Json, key: str) -> Json:
    """Part of a vector that is an object; empty if it is not set."""
    value: Json = raw.get(key) or {}
    return value


def items(raw: Json, key: str) -> list[Any]:
    """Part of a vector that is a list; empty if it is not set."""
    value: list[Any] = raw.get(key) or []
    return value


def terms_of(raw: Json) -> LoanTerms:
    """Terms of a vector; raises Unsupported if one of them is not known."""
    submitted = raw.get("submitted_on") or raw.get("schedule_start")
    periods = tuple((day(p["from"]), day(p["due"])) for p in items(raw, "periods"))
    expected = raw.get("expected_disbursement_on") or submitted
    start = day(expected) if expected else periods[0][0]
    rate = Decimal(raw.get("annual_rate_percent") or 0) / 100
    if raw.get("interest_rate_frequency") == "MONTH":
        rate *= MONTHS_A_YEAR
    multiple = raw.get("installment_amount_multiples_of")
    terms = LoanTerms(
        principal_minor=minor(raw["principal"]),
        rate_annual=rate,
        instalments=int(raw.get("number_of_repayments") or len(periods)),
        expected_disbursement_on=start,
        submitted_on=day(submitted) if submitted else None,
        explicit_periods=periods,
        instalment_multiple_minor=None if not multiple else int(multiple) * MINOR_PER_MAJOR,
        **_conventions(raw),
        **_schedule_options(raw),
        **_payment_options(raw),
        **_recalculation(section(raw, "interest_recalculation")),
    )
    terms = replace(terms, **_own(section(raw, "loanbook")))
    refusals = terms.validate()
    if refusals:
        raise Unsupported(f"terms {refusals[0].field}: {refusals[0].reason}")
    return terms


def _own(raw: Json) -> dict[str, Any]:
    """Read what only vectors of our own say: conventions the other files do not know."""
    penalty, floating = section(raw, "penalty"), section(raw, "floating")
    found: dict[str, Any] = {
        name: kind(raw[name]) for name, kind in _OWN_VALUES.items() if name in raw
    }
    if penalty:
        found["penalty"] = PenaltyTerms(
            overdue_markup=Decimal(penalty["overdue_markup"]),
            misuse_markup=Decimal(penalty["misuse_markup"]),
        )
    if floating:
        found["floating"] = FloatingRate(
            reference=floating["reference"],
            spread_bps=int(floating["spread_bps"]),
            reset=ResetRule(floating["reset"]),
        )
    return found


_OWN_VALUES: dict[str, Callable[[str], Any]] = {
    "amortisation": Amortisation,
    "day_count": DayCount,
    "day_inclusion": DayInclusion,
    "factors": Factors,
    "residue": Residue,
}


def _conventions(raw: Json) -> dict[str, Any]:
    boundary = raw.get("interest_recognition_on_disbursement_date")
    partial = raw.get("allow_partial_period_interest")
    feb29 = raw.get("days_in_year_custom_strategy") == "FEB_29_PERIOD_ONLY"
    unit = chosen(UNITS, raw.get("repayment_frequency") or "MONTHS", "repayment_frequency")
    return {
        "schedule_type": ScheduleType((raw.get("schedule_type") or "PROGRESSIVE").lower()),
        "interest_method": InterestMethod(
            (raw.get("interest_type") or "DECLINING_BALANCE").lower()
        ),
        "amortisation": (
            Amortisation.EQUAL_PRINCIPAL
            if raw.get("amortization") == "EQUAL_PRINCIPAL_PAYMENTS"
            else Amortisation.EQUAL_INSTALMENTS
        ),
        "interest_period": InterestPeriod(
            (raw.get("interest_calculation_period") or "DAILY").lower()
        ),
        "partial_period": PartialPeriod.FROM_ITS_DAY if partial else PartialPeriod.WHOLE_PERIOD,
        "days_in_year": DaysInYear(str(raw.get("days_in_year") or "ACTUAL").lower()),
        "days_in_month": DaysInMonth(str(raw.get("days_in_month") or "ACTUAL").lower()),
        "leap_year": LeapYear.FEB_29_PERIOD_ONLY if feb29 else LeapYear.WHOLE_YEAR,
        "year_boundary": YearBoundary.JANUARY_1 if boundary else YearBoundary.DECEMBER_31,
        "repayment_every": int(raw.get("repayment_every") or 1),
        "repayment_unit": unit,
        "precision": int(section(raw, "rounding").get("math_context_precision") or 19),
        "rounding": _mode(raw),
        "interest_rounding": _mode(raw),
        "day_inclusion": DayInclusion.LAST_NOT_FIRST,
        "factors": Factors.ROUNDED,
        "residue": Residue.SMOOTHED,
    }


def _mode(raw: Json) -> str:
    return "ROUND_" + (section(raw, "rounding").get("mode") or "HALF_EVEN")


def _schedule_options(raw: Json) -> dict[str, Any]:
    down = section(raw, "down_payment")
    submission = raw.get("repayment_start_date_type") == "SUBMITTED_ON_DATE"
    return {
        "start_from": (
            StartFrom.SUBMISSION
            if submission or raw.get("schedule_start")
            else StartFrom.DISBURSEMENT
        ),
        "month_end": MonthEnd(
            (raw.get("month_end_due_date_strategy") or "LAST_DAY_OF_MONTH").lower()
        ),
        "fixed_length": raw.get("fixed_length"),
        "grace_on_principal": int(raw.get("grace_on_principal") or 0),
        "grace_on_interest": int(raw.get("grace_on_interest_payment") or 0),
        "interest_free_periods": int(raw.get("interest_free_periods") or 0),
        "down_payment": (
            DownPayment(percent=Decimal(down["percent"]), automatic=bool(down.get("auto")))
            if down.get("enabled")
            else None
        ),
        "multiple_disbursements": bool(raw.get("multi_disburse")),
        "full_term_tranches": bool(raw.get("allow_full_term_for_tranche")),
        "expected_tranches": tuple(
            Tranche(expected_on=day(t["expected_on"]), amount_minor=minor(t["principal"]))
            for t in items(raw, "expected_tranches")
        ),
        "charge_off": ChargeOffBehaviour((raw.get("charge_off_behaviour") or "REGULAR").lower()),
        "product_charges": tuple(charge_of(c) for c in items(raw, "product_charges")),
        "accounting": Accounting((raw.get("accounting") or "ACCRUAL_PERIODIC").lower()),
        "accrual_activity": bool(raw.get("accrual_activity_posting")),
        "capitalised_income_type": _income_type(raw.get("capitalized_income")),
        "buy_down_income_type": _income_type(raw.get("buy_down_fee")),
    }


def _income_type(raw: Json | None) -> Component:
    return Component.FEE if raw and raw.get("income_type") == "FEE" else Component.INTEREST


def _payment_options(raw: Json) -> dict[str, Any]:
    chargeback = [
        rule for rule in items(raw, "credit_allocation") if rule["transaction_type"] == "CHARGEBACK"
    ]
    return {
        "strategy": chosen(
            STRATEGIES,
            raw.get("payment_strategy") or "ADVANCED_PAYMENT_ALLOCATION",
            "payment_strategy",
        ),
        "allocation": tuple(_rule(r) for r in items(raw, "payment_allocation"))
        or (AllocationRule(kind=None, order=STANDARD_ORDER),),
        "direction": Direction((raw.get("schedule_processing") or "HORIZONTAL").lower()),
        "chargeback_order": tuple(
            Component(name.lower()) for rule in chargeback for name in rule["order"]
        ),
        "interest_refund_kinds": frozenset(
            chosen(KINDS, name, "interest_refund_types")
            for name in items(raw, "interest_refund_types")
        ),
    }


def _rule(raw: Json) -> AllocationRule:
    order: list[tuple[DueClass, Component]] = []
    for bucket in raw["order"]:
        due, _, component = bucket.rpartition("_")
        order.append((DueClass(due.lower()), Component(component.lower())))
    name = raw["transaction_type"]
    return AllocationRule(
        kind=None if name == "DEFAULT" else chosen(KINDS, name, "payment_allocation"),
        order=tuple(order),
        future=chosen(FUTURE_RULES, raw["future_installment_rule"], "future_installment_rule"),
    )


def _recalculation(raw: Json) -> dict[str, Any]:
    if not raw.get("enabled"):
        return {}
    if (raw.get("compounding") or "NONE") != "NONE":
        raise Unsupported(f"interest_recalculation compounding {raw['compounding']}")
    past_due = raw.get("disallow_interest_calculation_on_past_due")
    return {
        "recalculation": Recalculation.AT_TRIGGER,
        "overdue_interest": OverdueInterest.DOES_NOT_EARN if past_due else OverdueInterest.EARNS,
        "rest": chosen(
            {
                "DAILY": RestFrequency.DAILY,
                "SAME_AS_REPAYMENT": RestFrequency.SAME_AS_REPAYMENT,
                "SAME_AS_REPAYMENT_PERIOD": RestFrequency.SAME_AS_REPAYMENT,
            },
            raw.get("rest_frequency") or "DAILY",
            "rest_frequency",
        ),
        "pre_close": PreClose((raw.get("pre_close_rule") or "TILL_PRE_CLOSE_DATE").lower()),
        "advance_payment": chosen(
            ADVANCE,
            raw.get("advance_payment_strategy") or "ADJUST_LAST_UNPAID_PERIOD",
            "advance_payment_strategy",
        ),
    }


def charge_of(raw: Json) -> ChargeTerms:
    """A charge; raises Unsupported if its kind of time or calculation is not known."""
    basis = chosen(BASES, raw["calculation"], "charge calculation")
    flat = basis is ChargeBasis.FLAT
    value = raw["amount_or_percent"]
    return ChargeTerms(
        code=raw["code"],
        kind=ChargeKind(raw["kind"].lower()),
        time=chosen(TIMES, raw["time"], "charge time"),
        basis=basis,
        amount_minor=minor(value) if flat else 0,
        percent=Decimal(0) if flat else Decimal(value),
    )
