"""Why terms are refused when a product is defined: every reason, with its field and code."""

from collections.abc import Iterator

from domain.servicing.terms import (
    INSTALMENTS_MAX,
    PRECISION_RANGE,
    PRINCIPAL_MINOR_MAX,
    RATE_ANNUAL_MAX,
    LoanTerms,
    Refusal,
)
from domain.servicing.values import Strategy


def refusals(terms: LoanTerms) -> Iterator[Refusal]:
    """Return the reasons one by one."""
    yield from _amount_refusals(terms)
    yield from _period_refusals(terms)
    if terms.precision not in PRECISION_RANGE:
        yield Refusal(field="precision", code="precision_out_of_range", reason="9 to 40 digits")
    if terms.strategy is Strategy.ADVANCED and not any(r.kind is None for r in terms.allocation):
        yield Refusal(
            field="allocation", code="default_rule_missing", reason="no rule for other kinds"
        )
    for rule in terms.allocation:
        if len(rule.order) != len(set(rule.order)):
            yield Refusal(field="allocation", code="bucket_repeated", reason=f"{rule.kind}")


def _amount_refusals(terms: LoanTerms) -> Iterator[Refusal]:
    if not 0 < terms.principal_minor <= PRINCIPAL_MINOR_MAX:
        yield Refusal(
            field="principal_minor", code="amount_out_of_range", reason="must be positive"
        )
    if not 0 <= terms.rate_annual <= RATE_ANNUAL_MAX:
        yield Refusal(field="rate_annual", code="rate_out_of_range", reason="0 to 100 a year")
    if terms.instalment_multiple_minor is not None and terms.instalment_multiple_minor < 1:
        yield Refusal(
            field="instalment_multiple_minor", code="amount_out_of_range", reason="at least 1"
        )
    if terms.down_payment and not 0 < terms.down_payment.percent < 100:  # noqa: PLR2004
        yield Refusal(field="down_payment", code="percent_out_of_range", reason="0 to 100")


def _period_refusals(terms: LoanTerms) -> Iterator[Refusal]:
    if not 1 <= terms.instalments <= INSTALMENTS_MAX:
        yield Refusal(field="instalments", code="count_out_of_range", reason="1 to 1200")
    if terms.repayment_every < 1:
        yield Refusal(field="repayment_every", code="count_out_of_range", reason="at least 1")
    if terms.grace_on_principal >= terms.instalments > 0:
        yield Refusal(
            field="grace_on_principal", code="grace_too_long", reason="no instalment amortises"
        )
    if terms.grace_on_interest >= terms.instalments > 0:
        yield Refusal(
            field="grace_on_interest", code="grace_too_long", reason="interest is never collected"
        )
    if min(terms.grace_on_principal, terms.grace_on_interest, terms.interest_free_periods) < 0:
        yield Refusal(field="grace", code="count_out_of_range", reason="not negative")
