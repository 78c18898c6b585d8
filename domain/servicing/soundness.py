"""Why terms are refused when a product is defined: every reason, with its field and code.

Amounts, counts, dates and the table of payments are judged here; what repayment methods cannot do
stands in `method_soundness`, what rates and day counts cannot do in `rate_soundness`.
"""

from collections.abc import Iterator
from decimal import Decimal

from domain.calendar import BusinessDayRule
from domain.errors import Rejected
from domain.servicing.dates import schedule_periods
from domain.servicing.method_soundness import method_refusals
from domain.servicing.rate_soundness import rate_refusals
from domain.servicing.term_parts import Refusal, Unsound
from domain.servicing.terms import (
    INSTALMENTS_MAX,
    MONTHS_A_UNIT,
    PRECISION_RANGE,
    PRINCIPAL_MINOR_MAX,
    ChargeTerms,
    LoanTerms,
)
from domain.servicing.values import Amortisation, ChargeBasis, ChargeTime, Strategy

AGREED_TIMES = frozenset({ChargeTime.INSTALMENT, ChargeTime.YEARLY})
EVERY_MAX = 1_200  # units of a repayment period; more is a typing error
PERCENT_MAX = Decimal(1_000)
PARTS_MAX = 1_200  # tranches, charges: more is a typing error
YEAR_MAX = 9_998  # a date of the year after is still a date


def refusals(terms: LoanTerms) -> Iterator[Refusal]:
    """Return the reasons one by one."""
    sizes = [*_amount_refusals(terms), *_count_refusals(terms)]
    yield from sizes
    yield from _allocation_refusals(terms)
    yield from _charge_refusals(terms)
    choices = [*_date_refusals(terms), *method_refusals(terms), *rate_refusals(terms)]
    yield from choices
    if not sizes and not choices:
        yield from _schedule_refusals(terms)


def _no(field: str, code: Unsound, reason: str) -> Refusal:
    return Refusal(field=field, code=code, reason=reason)


def _amount_refusals(terms: LoanTerms) -> Iterator[Refusal]:
    if not 0 < terms.principal_minor <= PRINCIPAL_MINOR_MAX:
        yield _no("principal_minor", Unsound.AMOUNT_OUT_OF_RANGE, "must be positive")
    if terms.instalment_multiple_minor is not None and terms.instalment_multiple_minor < 1:
        yield _no("instalment_multiple_minor", Unsound.AMOUNT_OUT_OF_RANGE, "at least 1")
    if terms.down_payment and not 0 < terms.down_payment.percent < 100:  # noqa: PLR2004
        yield _no("down_payment", Unsound.PERCENT_OUT_OF_RANGE, "0 to 100")
    if terms.precision not in PRECISION_RANGE:
        yield _no("precision", Unsound.PRECISION_OUT_OF_RANGE, "9 to 40 digits")
    if any(not 0 < t.amount_minor <= PRINCIPAL_MINOR_MAX for t in terms.expected_tranches):
        yield _no("expected_tranches", Unsound.AMOUNT_OUT_OF_RANGE, "must be positive")


def _count_refusals(terms: LoanTerms) -> Iterator[Refusal]:
    if not 1 <= terms.instalments <= INSTALMENTS_MAX:
        yield _no("instalments", Unsound.COUNT_OUT_OF_RANGE, f"1 to {INSTALMENTS_MAX}")
    if not 1 <= terms.repayment_every <= EVERY_MAX:
        yield _no("repayment_every", Unsound.COUNT_OUT_OF_RANGE, f"1 to {EVERY_MAX}")
    periods = 1 if terms.amortisation is Amortisation.BULLET else terms.instalments
    if terms.grace_on_principal >= periods > 0:
        yield _no("grace_on_principal", Unsound.GRACE_TOO_LONG, "no instalment amortises")
    if terms.grace_on_interest >= periods > 0:
        yield _no("grace_on_interest", Unsound.GRACE_TOO_LONG, "interest is never collected")
    for field in ("grace_on_principal", "grace_on_interest", "interest_free_periods"):
        if getattr(terms, field) < 0:
            yield _no(field, Unsound.COUNT_OUT_OF_RANGE, "not negative")
    if terms.interest_free_periods > periods > 0:
        yield _no("interest_free_periods", Unsound.GRACE_TOO_LONG, "more than there are periods")
    for field in ("expected_tranches", "product_charges", "instalment_fees"):
        if len(getattr(terms, field)) > PARTS_MAX:
            yield _no(field, Unsound.COUNT_OUT_OF_RANGE, f"at most {PARTS_MAX}")


def _allocation_refusals(terms: LoanTerms) -> Iterator[Refusal]:
    if terms.strategy is Strategy.ADVANCED and not any(r.kind is None for r in terms.allocation):
        yield _no("allocation", Unsound.DEFAULT_RULE_MISSING, "no rule for other kinds")
    for rule in terms.allocation:
        if len(rule.order) != len(set(rule.order)):
            yield _no("allocation", Unsound.BUCKET_REPEATED, f"{rule.kind}")
    if len(terms.non_performing_order) != len(set(terms.non_performing_order)):
        yield _no("non_performing_order", Unsound.BUCKET_REPEATED, "a bucket stands there twice")
    if len(terms.chargeback_order) != len(set(terms.chargeback_order)):
        yield _no("chargeback_order", Unsound.BUCKET_REPEATED, "a component stands there twice")


def _charge_refusals(terms: LoanTerms) -> Iterator[Refusal]:
    for charge in terms.product_charges:
        reason = unsound_charge(charge)
        if reason is not None:
            yield _no("product_charges", reason, f"charge {charge.code}")

        elif charge.time is ChargeTime.SPECIFIED_DUE_DATE:
            yield _no("product_charges", Unsound.DUE_DATE_MISSING, f"charge {charge.code}")
        elif charge.time is ChargeTime.YEARLY:  # it is one of the contract's fees
            yield _no("product_charges", Unsound.NOT_OFFERED, f"charge {charge.code}: yearly")
    for fee in terms.instalment_fees:
        reason = unsound_charge(fee)
        if reason is not None:
            yield _no("instalment_fees", reason, f"fee {fee.code}")
        elif fee.time not in AGREED_TIMES or terms.cumulative:
            yield _no("instalment_fees", Unsound.NOT_OFFERED, f"fee {fee.code}: {fee.time}")


def unsound_charge(charge: ChargeTerms) -> Unsound | None:
    """Return why a charge cannot be accepted, wherever it is put; None if it can."""
    if charge.basis is ChargeBasis.FLAT:
        sound = 0 < charge.amount_minor <= PRINCIPAL_MINOR_MAX
        return None if sound else Unsound.AMOUNT_OUT_OF_RANGE
    return None if 0 < charge.percent <= PERCENT_MAX else Unsound.PERCENT_OUT_OF_RANGE


def _due_day_refusals(terms: LoanTerms, due_day: int) -> Iterator[Refusal]:
    if terms.repayment_unit not in MONTHS_A_UNIT:
        yield _no("due_day", Unsound.DUE_DAY_NEEDS_MONTHS, f"not every {terms.repayment_unit}")
    if not 1 <= due_day <= 31:  # noqa: PLR2004 - days of a month
        yield _no("due_day", Unsound.COUNT_OUT_OF_RANGE, "1 to 31")
    if terms.first_due_on is not None:
        yield _no("due_day", Unsound.DATES_GIVEN_TWICE, "first_due_on is given too")


def _date_refusals(terms: LoanTerms) -> Iterator[Refusal]:
    if terms.due_day is not None:
        yield from _due_day_refusals(terms, terms.due_day)
    if terms.matures_on is not None and terms.fixed_length is not None:
        yield _no("matures_on", Unsound.DATES_GIVEN_TWICE, "fixed_length is given too")
    if terms.fixed_length is not None and not 1 <= terms.fixed_length <= EVERY_MAX**2:
        yield _no("fixed_length", Unsound.COUNT_OUT_OF_RANGE, "at least 1")
    if terms.business_days is not BusinessDayRule.NONE and terms.calendar is None:
        yield _no("calendar", Unsound.CALENDAR_MISSING, f"{terms.business_days} asks for one")
    yield from _unoffered_date_refusals(terms)


def _unoffered_date_refusals(terms: LoanTerms) -> Iterator[Refusal]:
    if terms.full_term_tranches:
        for field in ("matures_on", "first_due_on", "fixed_length"):
            if getattr(terms, field) is not None:
                yield _no(field, Unsound.NOT_OFFERED, "each tranche has its own full term")
    if terms.cumulative:
        for field in ("matures_on", "calendar", "due_day", "first_due_on"):
            if getattr(terms, field) is not None:
                yield _no(field, Unsound.NOT_OFFERED, "needs a progressive schedule")


def _schedule_refusals(terms: LoanTerms) -> Iterator[Refusal]:
    """Say what only shows when the periods are made: dates that do not follow, or do not exist."""
    try:
        periods = schedule_periods(terms, terms.expected_disbursement_on)
    except Rejected as no:
        yield Refusal(field=no.field or "instalments", code=no.code, reason=no.detail)
        return
    except OverflowError:
        yield _no("instalments", Unsound.DATE_OUT_OF_RANGE, "the last one is due too late")
        return
    if periods[-1][1].year > YEAR_MAX:
        yield _no("instalments", Unsound.DATE_OUT_OF_RANGE, "the last one is due too late")
    elif terms.amortisation is Amortisation.FIXED_INSTALMENT:
        yield from _repayment_refusals(terms)


def _repayment_refusals(terms: LoanTerms) -> Iterator[Refusal]:
    """Refuse a given instalment that leaves more than itself for the last period (5.1)."""
    from domain.servicing.timeline import Timeline  # noqa: PLC0415 - it needs terms to be sound

    last = Timeline.start(terms).planned().instalments[-1]
    asked = terms.instalment_minor or 0
    if last.due.principal + last.due.interest > asked:
        detail = f"{asked} does not repay {terms.principal_minor} in {terms.instalments} periods"
        yield _no("instalment_minor", Unsound.INSTALMENT_TOO_SMALL, detail)
