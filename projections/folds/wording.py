"""One English line a person can read for every event. No rules and no rows here."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from domain.errors import Rejected
from domain.money import format_amount
from projections.reading import Entry
from projections.servicing_shapes import Allocated, FeesChanged, Received, Repriced, Restructured
from projections.shapes import Checked, Disbursed, Overridden, Reviewed, Terms, Tranche

Money = Callable[[int], str]


def in_words(entry: Entry, currency: str | None) -> str:
    """Say what happened; amounts in `currency` where the event names none."""

    def money(minor: int) -> str:
        if currency is None:
            return f"{minor} minor units"
        try:
            return f"{format_amount(minor, currency)} {currency}"
        except Rejected:  # a currency that this version does not know: still an amount
            return f"{minor} minor units of {currency}"

    return WORDS[entry.topic](entry.event, money)


def _late(days: int) -> str:
    return f"{days} {'day' if days == 1 else 'days'} past due"


def _plain(code: str) -> str:
    return code.replace("_", " ")


def _reviewed(e: Reviewed, money: Money) -> str:
    if e.terms is None:
        return f"Reviewed: {e.decision}"
    rate = f"{e.terms.rate_annual.normalize():f}"
    return (
        f"Reviewed: {e.decision}, {money(e.terms.principal_minor)} at {rate} a year"
        f" in {e.terms.instalments} instalments{_agreed(e.terms, money)}"
    )


def _agreed(terms: Terms, money: Money) -> str:
    """Say what else was agreed of the loan's own."""
    told: list[str] = []
    if terms.instalment_minor is not None:
        told.append(f"{money(terms.instalment_minor)} each")
    if terms.custom:
        told.append(f"on dates of its own, {terms.custom[0].due_on} to {terms.custom[-1].due_on}")
    told += [
        f"{_percent(step.rate_annual)} after {step.after_instalments} instalments"
        for step in terms.rate_steps
    ]
    if terms.due_day is not None:
        told.append(f"due on day {terms.due_day} of the month")
    if terms.first_due_on is not None:
        told.append(f"first due on {terms.first_due_on}")
    return "".join(f", {one}" for one in told)


def _overridden(e: Overridden, money: Money) -> str:
    del money
    return f"Decided {e.decided} against the recommendation {e.recommended} ({e.direction})"


def _checked(e: Checked, money: Money) -> str:
    del money
    verdict = "passed" if e.passed else "did not pass"
    return f"Payout {e.disbursement_id} checked by {e.checked_by}: {verdict}"


def _tranches_planned(e: dict[str, Any], money: Money) -> str:
    told = [f"{money(one['amount_minor'])} on {one['expected_on']}" for one in e["tranches"]]
    return f"Still to be paid out: {', '.join(told) or 'nothing'}"


def _allocated(e: Allocated, money: Money) -> str:
    principal = interest = fees = penalties = 0
    for line in e.lines:
        principal += line.principal_minor
        interest += line.interest_minor
        fees += line.fee_minor
        penalties += line.penalty_minor
    parts = (
        (principal, "principal"),
        (interest, "interest"),
        (fees, "fees"),
        (penalties, "penalties"),
        (e.overpaid_minor, "overpaid"),
    )
    told = ", ".join([f"{money(minor)} {name}" for minor, name in parts if minor])
    return f"{_plain(e.kind).capitalize()} {e.payment_id} allocated: {told or 'nothing'}"


def _at_once(e: Disbursed | Tranche, money: Money) -> str:
    return f", {money(e.down_payment_minor)} of it due at once" if e.down_payment_minor else ""


def _paid(e: Received) -> str:
    return "Payment" if e.kind == "repayment" else _plain(e.kind).capitalize()


def _percent(rate: Decimal) -> str:
    return f"{(rate * 100).normalize():f} %"


def _repriced(e: Repriced, money: Money) -> str:
    del money
    return (
        f"Repriced: {e.reference} {_percent(e.value)} of {e.published_on} and {e.spread_bps} basis"
        f" points, {_percent(e.rate_annual_before)} to {_percent(e.rate_annual)} a year"
    )


def _fees_changed(e: FeesChanged, money: Money) -> str:
    told = [
        f"{money(abs(fee.amount_minor))} {'more' if fee.amount_minor > 0 else 'less'} of {fee.code}"
        for fee in e.changes
    ]
    return f"Instalments ask for {', '.join(told)}"


def _restructured(e: Restructured, money: Money) -> str:
    return (
        f"Restructured ({e.kind}) into {e.instalments} instalments at"
        f" {e.rate_annual.normalize():f} a year, {money(e.capitalised_interest_minor)} capitalised"
    )


WORDS: dict[str, Callable[[Any, Money], str]] = {
    "loan.applied.v1": lambda e, m: (
        f"Applied for {m(e.amount_minor)} in {e.instalments} instalments, product"
        f" {e.product_code} version {e.product_version}"
    ),
    "loan.document_submitted.v1": lambda e, _: f"Document {e['document_id']} ({e['kind']}) came in",
    "loan.document_verified.v1": lambda e, _: (
        f"Document {e['document_id']} verified by {e['method']}"
    ),
    "loan.document_flagged.v1": lambda e, _: (
        f"Document {e['document_id']} flagged as {e['suspicion']}"
    ),
    "loan.bureau_report_received.v1": lambda e, _: f"Bureau report {e['report_id']} received",
    "loan.credit_profile_assessed.v1": lambda _e, _m: "Credit portrait assessed",
    "loan.policy_evaluated.v1": lambda e, _: (
        f"Policy {e['policy']} version {e['policy_version']} evaluated,"
        f" {len(e.get('rule_hits', ()))} rule hits"
    ),
    "loan.model_scored.v1": lambda e, _: (
        f"Model {e.model_id} {e.model_version} scored {e.score},"
        f" recommends {e.recommends or 'nothing'}"
    ),
    "loan.terms_recommended.v1": lambda _e, _m: "Terms recommended",
    "loan.reviewed.v1": _reviewed,
    "loan.approved_amount_changed.v1": lambda e, m: (
        f"Approved amount changed from {m(e.before_minor)} to {m(e.amount_minor)}"
    ),
    "loan.decision_overridden.v1": _overridden,
    "loan.cost_disclosed.v1": lambda e, _: (
        f"All-in cost of {e['annual_cost']} a year disclosed ({e['method']})"
    ),
    "loan.offer_accepted.v1": lambda _e, _m: "Offer accepted",
    "loan.application_withdrawn.v1": lambda _e, _m: "Application withdrawn",
    "loan.disbursement_prepared.v1": lambda e, m: (
        f"Payout {e.disbursement_id} of {m(e.amount_minor)} prepared by {e.prepared_by}"
    ),
    "loan.disbursement_checked.v1": _checked,
    "loan.disbursed.v1": lambda e, m: (
        f"Paid out {m(e.amount_minor)} in {len(e.instalments)} instalments{_at_once(e, m)}"
    ),
    "loan.disbursement_returned.v1": lambda e, _: (
        f"Payout {e.disbursement_id} came back: {e.cause}"
    ),
    "loan.tranches_planned.v1": _tranches_planned,
    "loan.tranche_disbursed.v1": lambda e, m: f"Paid out {m(e.amount_minor)} more{_at_once(e, m)}",
    "loan.tranche_returned.v1": lambda e, _: f"Payout {e.disbursement_id} came back: {e.cause}",
    "loan.use_of_funds_declared.v1": lambda e, _: f"Use of funds declared: {e['use']}",
    "loan.use_evidence_recorded.v1": lambda e, m: (
        f"Use of {m(e['amount_minor'])} evidenced by {e['kind']} {e['evidence_id']}"
    ),
    "loan.use_of_funds_breached.v1": lambda e, _: f"Use of funds breached: {e['category']}",
    "loan.misuse_ended.v1": lambda e, _: f"Misuse of funds ended: {e['cause']}",
    "loan.classified.v1": lambda e, _: (
        f"Classified as {_plain(e['loan_class'])}, before {_plain(e['before'] or 'not classified')}"
    ),
    "loan.payment_received.v1": lambda e, m: f"{_paid(e)} {e.payment_id}: {m(e.amount_minor)}",
    "loan.payment_allocated.v1": _allocated,
    "loan.payment_reversed.v1": lambda e, _: f"Payment {e.payment_id} reversed: {e.cause}",
    "loan.allocations_restated.v1": lambda e, _: (
        f"{len(e.changes)} allocations restated because of {e.cause_id}"
    ),
    "loan.schedule_changed.v1": lambda e, _: f"{len(e.rows)} instalments changed by {e.cause_id}",
    "loan.penalty_interest_charged.v1": lambda e, m: (
        f"Penalty interest of {m(e.penalty_minor)} and compound interest of {m(e.compound_minor)}"
    ),
    "loan.charge_assessed.v1": lambda e, m: (
        f"{e.component.capitalize()} {e.code} of {m(e.amount_minor)} on instalment {e.instalment}"
    ),
    "loan.charge_capped.v1": lambda e, m: (
        f"{e.component.capitalize()} {e.code} of {m(e.uncapped_minor)} on instalment {e.instalment}"
        f" cut to {m(e.capped_minor)}: the cap on what the loan may cost"
    ),
    "loan.charge_reversed.v1": lambda e, m: (
        f"{e.component.capitalize()} of {m(e.amount_minor)} taken back: {e.cause}"
    ),
    "loan.instalment_fees_changed.v1": _fees_changed,
    "loan.charge_waived.v1": lambda e, m: (
        f"{m(e.amount_minor)} {e.component} waived on instalment {e.instalment}"
    ),
    "loan.credit_balance_refunded.v1": lambda e, m: f"Overpaid {m(e.amount_minor)} paid back",
    "loan.goodwill_credited.v1": lambda e, m: f"Goodwill credit {e.credit_id}: {m(e.amount_minor)}",
    "loan.refund_received.v1": lambda e, m: (
        f"{e.kind.capitalize()} refund {e.refund_id}: {m(e.amount_minor)}"
    ),
    "loan.interest_refunded.v1": lambda e, m: (
        f"Interest of {m(e.amount_minor)} refunded with {e.refund_id}"
    ),
    "loan.charge_adjusted.v1": lambda e, m: (
        f"{m(e.amount_minor)} of charge {e.charge_id} given back"
    ),
    "loan.charged_back.v1": lambda e, m: (
        f"{m(e.amount_minor)} of payment {e.payment_id} charged back"
    ),
    "loan.chargeback_reversed.v1": lambda e, _: f"Chargeback {e.chargeback_id} reversed: {e.cause}",
    "loan.income_capitalised.v1": lambda e, m: (
        f"{m(e.amount_minor)} of {e.code} added to principal ({e.income})"
    ),
    "loan.capitalised_income_reversed.v1": lambda e, m: (
        f"{m(e.amount_minor)} of {e.code} taken back from principal: {e.cause}"
    ),
    "loan.capitalised_income_adjusted.v1": lambda e, m: (
        f"{m(e.amount_minor)} of capitalised income {e.income_id} given back"
    ),
    "loan.buy_down_fee_recorded.v1": lambda e, m: (
        f"Buy-down fee {e.fee_id} of {m(e.amount_minor)},"
        f" paid by the {'merchant' if e.merchant_paid else 'lender'} ({e.income})"
    ),
    "loan.buy_down_fee_reversed.v1": lambda e, _: f"Buy-down fee {e.fee_id} reversed: {e.cause}",
    "loan.buy_down_fee_adjusted.v1": lambda e, m: (
        f"{m(e.amount_minor)} of buy-down fee {e.fee_id} given back"
    ),
    "loan.buy_down_adjustment_reversed.v1": lambda e, m: (
        f"{m(e.amount_minor)} of buy-down fee {e.fee_id} not given back after all: {e.cause}"
    ),
    "loan.payment_missed.v1": lambda e, m: (
        f"Instalment {e.instalment} missed, {m(e.unpaid_minor)} unpaid"
    ),
    "loan.arrears_cured.v1": lambda e, _: f"Arrears cured after {_late(e['days_past_due_before'])}",
    "loan.delinquency_bucket_changed.v1": lambda e, _: (
        f"Bucket {e.before} to {e.after} at {_late(e.days_past_due)} ({e.bucket_set})"
    ),
    "loan.delinquency_paused.v1": lambda e, _: f"Delinquency paused until {e['until_on']}",
    "loan.warning_raised.v1": lambda e, _: f"Warning {e['level']}: {e['indicator']}",
    "loan.warning_closed.v1": lambda e, _: f"Warning {e['warning_id']} closed: {e['disposition']}",
    "loan.rate_changed.v1": lambda e, _: (
        f"Rate {e['rate_annual_before']} to {e['rate_annual']} a year"
    ),
    "loan.rate_repriced.v1": _repriced,
    "loan.interest_paused.v1": lambda e, _: f"No interest until {e['until_on']}",
    "loan.term_extended.v1": lambda e, _: f"{e['instalments']} instalments added",
    "loan.grace_granted.v1": lambda e, _: (
        f"Grace from instalment {e['instalment']} on: {e['principal']} without principal,"
        f" {e['interest']} without interest"
    ),
    "loan.due_date_moved.v1": lambda e, _: (
        f"Instalment {e['instalment']} moved from {e['due_on_before']} to {e['due_on']}"
    ),
    "loan.payment_deferred.v1": lambda e, _: (
        f"Payments deferred by {e['months']} {'month' if e['months'] == 1 else 'months'}:"
        f" instalment {e['instalment']} due on {e['due_on']}"
    ),
    "loan.reaged.v1": lambda e, m: (
        f"Re-aged ({e.programme}) into {e.instalments} instalments:"
        f" {m(e.principal_minor)} principal, {m(e.waived_interest_minor)} interest waived"
    ),
    "loan.reamortized.v1": lambda e, m: (
        f"{m(e.principal_minor)} principal past due spread over the instalments to come,"
        f" {m(e.waived_interest_minor)} interest waived"
    ),
    "loan.reaging_reversed.v1": lambda e, _: f"Re-ageing {e.re_age_id} reversed: {e.cause}",
    "loan.reamortization_reversed.v1": lambda e, _: (
        f"Re-amortisation {e.re_amortisation_id} reversed: {e.cause}"
    ),
    "loan.termination_reversed.v1": lambda e, _: f"The contract runs on: {e.cause}",
    "loan.restructured.v1": _restructured,
    "loan.charged_off.v1": lambda e, m: (
        f"Charged off {m(e.principal_minor)} principal and {m(e.interest_minor)} interest:"
        f" {e.cause}"
    ),
    "loan.charge_off_reversed.v1": lambda e, m: (
        f"Charge-off reversed, {m(e.principal_minor)} principal back on the books: {e.cause}"
    ),
    "loan.contract_terminated.v1": lambda e, m: (
        f"Contract terminated: {m(e.principal_minor)} principal and {m(e.interest_minor)}"
        f" interest due at once ({e.cause})"
    ),
    "loan.recovery_received.v1": lambda e, m: f"Recovery {e.recovery_id}: {m(e.amount_minor)}",
    "loan.written_off.v1": lambda e, m: f"Written off {m(e.amount_minor)}: {e.cause}",
    "loan.settled.v1": lambda e, _: f"Settled: {_plain(e.how)}",
    "loan.reopened.v1": lambda e, _: f"Reopened because of {e['cause_id']}",
    "case.opened.v1": lambda e, _: f"Collection case opened, tier {e.tier}",
    "case.claimed.v1": lambda e, _: f"Case claimed by {e.claimed_by}",
    "case.released.v1": lambda e, _: f"Case released: {_plain(e.cause)}",
    "case.closed.v1": lambda e, _: f"Case closed: {_plain(e.how)}",
    "day.interest_accrued.v1": lambda e, _: f"Interest posted for {len(e.accruals)} products",
    "day.deferred_income_recognised.v1": lambda e, _: (
        f"Deferred income recognised for {len(e.recognitions)} products"
    ),
    "day.closed.v1": lambda e, _: (
        f"Business day {e['business_date']} closed: {e['loans_open']} loans open,"
        f" {e['loans_acted_on']} acted on, {e['loans_parked']} parked"
    ),
    "product.version_defined.v1": lambda e, _: (
        f"Product {e['code']} version {e['product_version']} defined: {e['name']}"
    ),
    "reference.value_published.v1": lambda e, _: f"{e.code} published: {_percent(e.value)}",
    "reference.value_corrected.v1": lambda e, _: (
        f"{e.code} corrected from {_percent(e.value_before)} to {_percent(e.value)}"
    ),
}
"""Topic to its line. A test holds the topics equal to the domain's."""
