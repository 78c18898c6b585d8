"""What instalments ask for of the contract's fees, as events have told it. It decides nothing."""

from collections.abc import Iterable

from domain.events.servicing import FeeChange

Fees = tuple[FeeChange, ...]


def after(fees: Fees, changes: Iterable[FeeChange]) -> Fees:
    """Return fees by code after changes of them."""
    asked = {fee.code: fee for fee in fees}
    for change in changes:
        before = asked.get(change.code, FeeChange(code=change.code, amount_minor=0))
        asked[change.code] = FeeChange(
            code=change.code,
            amount_minor=before.amount_minor + change.amount_minor,
            tax_minor=before.tax_minor + change.tax_minor,
        )
    return tuple(asked.values())
