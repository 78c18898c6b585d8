"""Cuts charges to what a cap on the loan's cost a year allows (利率上限), and says so.

The cap is decided when a charge is put: it is not decided again when money is dated back. Interest
is never cut: a product whose rates alone could exceed the cap is refused (domain rules, 5.4).
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from domain.errors import Rejected
from domain.events.registry import Event
from domain.events.servicing import ChargeAssessed, ChargeCapped
from domain.loan.charge_rules import agreed_fees, tax_in
from domain.loan.state import Loan
from domain.loan.terms import Conditions
from domain.servicing.penalty import Capped, RateCap, cap_charge
from domain.servicing.terms import RATE_ANNUAL_MAX
from domain.servicing.timeline import Timeline
from domain.servicing.total_cost import allowed_minor, charged_minor


def within_cap(
    loan: Loan, told: ChargeAssessed, tax_percent: Decimal | None
) -> tuple[ChargeAssessed | None, list[Event]]:
    """Return a charge as far as the cap allows it, and what is said of the cut.

    None: nothing of it may be charged.
    """
    rate = loan.conditions.rate_cap_annual
    if rate is None or loan.timeline is None:
        return told, []
    cut = _cut(loan, loan.timeline, RateCap(rate_annual=rate), told.amount_minor, told.effective_on)
    if cut.capped_minor == cut.uncapped_minor:
        return told, []
    said = ChargeCapped(
        effective_on=told.effective_on,
        charge_id=told.charge_id,
        code=told.code,
        component=told.component,
        instalment=told.instalment,
        due_on=told.due_on,
        uncapped_minor=cut.uncapped_minor,
        capped_minor=cut.capped_minor,
        rate_cap_annual=rate,
        time=told.time,
    )
    if not cut.capped_minor:
        return None, [said]
    tax = tax_in(cut.capped_minor, tax_percent)
    return replace(told, amount_minor=cut.capped_minor, tax_minor=tax), [said]


def _cut(loan: Loan, timeline: Timeline, cap: RateCap, amount_minor: int, on: date) -> Capped:
    """Say what of a further cost the cap allows on a day.

    Fees kept back from payouts count as charged.
    """
    account = timeline.account_as_of(on)
    payouts = [loan.fees_taken, *(tranche.fees for tranche in loan.tranches_out)]
    kept_back = sum(fee.amount_minor for fees in payouts for fee in fees)
    charged = max(0, charged_minor(account, on) + kept_back)
    return cap_charge(amount_minor, charged, allowed_minor(account, cap, on))


def require_within_cap(loan: Loan, amount_minor: int, on: date) -> None:
    """Refuse a cost that would be above the cap: it is agreed whole, and not cut."""
    rate = loan.conditions.rate_cap_annual
    if rate is None or loan.timeline is None:
        return
    cut = _cut(loan, loan.timeline, RateCap(rate_annual=rate), amount_minor, on)
    if cut.capped_minor < amount_minor:
        raise Rejected("above_rate_cap", f"{cut.capped_minor} are within {rate} a year", "amount")


def require_sound_cap(conditions: Conditions) -> None:
    """Refuse a cap that rates alone could exceed: it would cut charges and never be kept.

    Nor is a fee cut that the contract asks for with its instalments. Raises Rejected: `bad_bounds`,
    `not_offered`, `rate_above_cap`.
    """
    cap, penalty = conditions.rate_cap_annual, conditions.penalty
    if cap is None:
        return
    if not cap.is_finite() or not 0 < cap <= RATE_ANNUAL_MAX:
        raise Rejected(
            "bad_bounds", f"above 0, at most {RATE_ANNUAL_MAX} a year", "rate_cap_annual"
        )
    if agreed_fees(conditions.charge_rules):
        detail = "fees that the contract asks for with its instalments are not cut"
        raise Rejected("not_offered", detail, "rate_cap_annual")
    rates = {"rate_annual_max": conditions.rate_annual_max}
    if conditions.floating is not None:
        ceiling = conditions.floating.cap_annual
        rates["floating"] = RATE_ANNUAL_MAX if ceiling is None else ceiling
    if penalty is not None:
        heaviest = max(penalty.overdue_markup, penalty.misuse_markup)
        rates["penalty"] = max(rates.values()) * (1 + heaviest)
    for field, rate in rates.items():
        if rate > cap:
            detail = f"{rate} a year is above the cap of {cap}"
            raise Rejected("rate_above_cap", detail, field)
