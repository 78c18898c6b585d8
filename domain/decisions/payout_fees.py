"""Decisions on fees that are kept back from payouts. Fees on instalments are `servicing`'s.

Sources: domain rules 9.8 F-01, F-02, F-06, F-10, F-11; 5.7 (the cost table).
"""

from decimal import Decimal

from domain.errors import Rejected
from domain.events.disbursement import FeeTaken
from domain.loan.charge_rules import tax_in
from domain.loan.state import Loan, LoanStatus
from domain.loan.terms import Conditions, FeeTime, PayoutFee
from domain.money import AMOUNT_MINOR_MAX, to_minor

FEES_MAX = 20
PERCENT_MAX = Decimal(100)


def fees_of(loan: Loan, amount_minor: int) -> tuple[FeeTaken, ...]:
    """Return what is kept back from a payout of an amount; refuse a fee that was not disclosed."""
    first = loan.status is LoanStatus.ACCEPTED
    due = [
        FeeTaken(code=fee.code, amount_minor=amount, tax_minor=tax_in(amount, fee.tax_percent))
        for fee in loan.conditions.payout_fees
        if first or fee.taken is FeeTime.EACH_PAYOUT
        if (amount := amount_of(fee, amount_minor))
    ]
    for fee in due:
        if fee.code not in (loan.disclosed_charges or ()):
            detail = f"{fee.code} is not on the cost table"
            raise Rejected("charge_not_disclosed", detail, "disbursement_id")
    kept = sum(fee.amount_minor for fee in due)
    if kept >= amount_minor:
        raise Rejected("fees_exceed_payout", f"{kept} would be kept back of it", "amount")
    return tuple(due)


def amount_of(fee: PayoutFee, payout_minor: int) -> int:
    """Return what a fee takes from a payout, minor units: a share is rounded half up, then cut."""
    if fee.percent is None:
        return fee.amount_minor
    share = max(fee.min_minor, to_minor(payout_minor * fee.percent / 100))
    return share if fee.max_minor is None else min(share, fee.max_minor)


def require_sound_fees(conditions: Conditions) -> None:
    """Refuse fees that the cost table could not list, or whose amount says nothing."""
    fees = conditions.payout_fees
    codes = [fee.code for fee in fees]
    if len(codes) > FEES_MAX:
        raise Rejected("bad_bounds", f"at most {FEES_MAX}", "payout_fees")
    if len(set(codes)) < len(codes):
        raise Rejected("fee_repeated", "each charge once", "payout_fees")
    for fee in fees:
        if fee.code not in conditions.charges:
            raise Rejected("unknown_charge", f"{fee.code} is no charge of it", "payout_fees")
        if not _sound(fee):
            raise Rejected("bad_bounds", f"{fee.code}: an amount, or a share", "payout_fees")


def _sound(fee: PayoutFee) -> bool:
    """Whether a fee is a positive amount, or a share within its own bounds, tax in it or none."""
    if fee.tax_percent is not None and not 0 < fee.tax_percent <= PERCENT_MAX:
        return False
    if fee.percent is None:
        plain = fee.min_minor == 0 and fee.max_minor is None
        return plain and 0 < fee.amount_minor <= AMOUNT_MINOR_MAX
    most = AMOUNT_MINOR_MAX if fee.max_minor is None else fee.max_minor
    within = 0 <= fee.min_minor <= most <= AMOUNT_MINOR_MAX
    return within and fee.amount_minor == 0 and 0 < fee.percent <= PERCENT_MAX
