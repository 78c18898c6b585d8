"""Folds a loan's events into its row of `loan_summary`. Figures come from the events alone."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from domain.servicing.floating import ResetRule, next_reset
from projections.folds.added_principal import ADDED_PRINCIPAL
from projections.folds.rows import FACTS
from projections.loan_summary import TABLE, LoanSummary, load
from projections.narrow import Balances, Instalment, Line
from projections.ports import Database
from projections.reading import Entry
from projections.shapes import Arrears


class SummaryFold:
    """The rows of the loans of a batch."""

    def __init__(self) -> None:
        self.rows: dict[str, LoanSummary] = {}

    def load(self, db: Database, loan_ids: Collection[str]) -> None:
        """Read the rows as they stand."""
        self.rows = load(db, list(loan_ids))

    def apply(self, entry: Entry) -> None:
        """Apply one event. Raises KeyError for a loan that was never applied for."""
        if entry.topic == "loan.applied.v1":
            self.rows[entry.key] = _applied(entry)
            return
        row = self.rows[entry.key]
        change = _CHANGES.get(entry.topic)
        if change is not None:
            change(row, entry)
        if entry.topic in FACTS:
            _fact(row, entry)
        row.position, row.version = entry.position, entry.version
        row.recorded_at = entry.recorded_at

    def save(self, db: Database, *, fresh: bool) -> None:
        """Write the rows; `fresh`: none of it is there yet."""
        TABLE.save(db, list(self.rows.values()), fresh=fresh)


def _applied(entry: Entry) -> LoanSummary:
    event = entry.event
    segments, floating = event.segments, event.conditions.floating
    bears_penalties = event.conditions.penalty is not None
    tolerated = event.conditions.arrears or Arrears()
    return LoanSummary(
        loan_id=entry.key,
        status="applied",
        customer_id=event.customer_id,
        external_id=event.external_id,
        product_code=event.product_code,
        product_version=event.product_version,
        currency=event.currency,
        method=event.conditions.method,
        grade=segments.grade,
        purpose=segments.purpose,
        region=segments.region,
        channel=segments.channel,
        applied_minor=event.amount_minor,
        amount_minor=None,
        rate_annual=None,
        instalments=event.instalments,
        tolerance_minor=event.conditions.arrears_tolerance_minor,
        tolerance_percent=tolerated.tolerance_percent,
        tolerance_days=tolerated.tolerance_days,
        tolerance_day=tolerated.tolerance_day,
        penalty_counts=tolerated.counted == "all",
        four_eyes_from_minor=event.conditions.four_eyes_from_minor,
        overdue_turns=event.conditions.overdue_turns,
        recalculates=bears_penalties or event.conditions.recalculation != "none",
        bears_penalties=bears_penalties,
        suspends_accrual=event.conditions.non_accrual,
        reference=floating.reference if floating else None,
        reset=floating.reset if floating else None,
        applied_on=entry.effective_on,
        shard=entry.shard,
        position=entry.position,
        version=entry.version,
        recorded_at=entry.recorded_at,
    )


def _scored(row: LoanSummary, entry: Entry) -> None:
    event = entry.event
    row.model_id, row.model_version = event.model_id, event.model_version
    row.model_score, row.recommended = event.score, event.recommends


def _reviewed(row: LoanSummary, entry: Entry) -> None:
    event = entry.event
    row.status = row.decision = event.decision
    row.reviewed_on = entry.effective_on
    row.grade = event.grade or row.grade
    terms = event.terms
    if terms is not None:
        row.amount_minor, row.rate_annual = terms.principal_minor, terms.rate_annual
        row.instalments = terms.instalments
        row.spread_bps = terms.signed.spread_bps if terms.signed else None


def _approved_otherwise(row: LoanSummary, entry: Entry) -> None:
    if row.disbursed_on is None:  # from then on it is what went out
        row.amount_minor = entry.event.amount_minor


def _accepted(row: LoanSummary, entry: Entry) -> None:
    row.status, row.accepted_on = "accepted", entry.effective_on


def _withdrawn(row: LoanSummary, entry: Entry) -> None:
    row.status, row.withdrawn_on = "withdrawn", entry.effective_on


def _balances(row: LoanSummary, balances: Balances) -> None:
    row.principal_minor, row.interest_minor = balances.principal_minor, balances.interest_minor
    row.fee_minor, row.penalty_minor = balances.fee_minor, balances.penalty_minor
    row.overpaid_minor = balances.overpaid_minor


def _fact(row: LoanSummary, entry: Entry) -> None:
    if row.last_fact_on is None or entry.effective_on > row.last_fact_on:
        row.last_fact_on = entry.effective_on


def _planned(row: LoanSummary, rows: Sequence[Instalment], total: int) -> None:
    if rows[-1].number == total:
        row.last_due_on = rows[-1].due_on
    longest = max((planned.due_on - planned.from_on).days for planned in rows)
    row.longest_period_days = max(row.longest_period_days, longest)


def _disbursed(row: LoanSummary, entry: Entry) -> None:
    event = entry.event
    row.status, row.disbursed_on = "active", entry.effective_on
    row.amount_minor = event.amount_minor
    _await_reset(row, entry.effective_on)
    _planned(row, event.instalments, len(event.instalments))
    _balances(row, event.balances)


def _await_reset(row: LoanSummary, after: date) -> None:
    """Note the first reset date later than a day, of a loan whose rate floats."""
    if row.reset is None or row.disbursed_on is None:
        return
    on = next_reset(ResetRule(row.reset), row.disbursed_on, after)
    row.next_reset_on = max(row.next_reset_on or on, on)


def _returned(row: LoanSummary, entry: Entry) -> None:
    row.status, row.returned_on = "returned", entry.effective_on
    row.last_due_on = None
    _balances(row, Balances())


def _received(row: LoanSummary, entry: Entry) -> None:
    row.last_payment_on, row.last_payment_minor = entry.effective_on, entry.event.amount_minor


def add_lines(row: LoanSummary, lines: Iterable[Line], sign: int) -> None:
    """Count the parts of lines into what was paid; `sign` -1 takes them out."""
    for line in lines:
        row.principal_paid_minor += sign * line.principal_minor
        row.interest_paid_minor += sign * line.interest_minor
        row.fee_paid_minor += sign * line.fee_minor
        row.penalty_paid_minor += sign * line.penalty_minor


def _allocated(row: LoanSummary, entry: Entry) -> None:
    event = entry.event
    add_lines(row, event.lines, 1)
    _balances(row, event.balances)
    _no_longer_missed(row, event.rows)


def _restated(row: LoanSummary, entry: Entry) -> None:
    event = entry.event
    for change in event.changes:
        add_lines(row, change.before, -1)
        add_lines(row, change.after, 1)
    _changed(row, entry)


def _no_longer_missed(row: LoanSummary, rows: Iterable[Any]) -> None:
    if row.missed:
        met = {changed.number for changed in rows if changed.met_on is not None}
        row.missed = [number for number in row.missed if number not in met]


def _classified(row: LoanSummary, entry: Entry) -> None:
    if not row.suspends_accrual or not entry.event["non_performing"]:
        row.non_accrual_on = None
    elif row.non_accrual_on is None:
        row.non_accrual_on = entry.effective_on


def _changed(row: LoanSummary, entry: Entry) -> None:
    event = entry.event
    _balances(row, event.balances)
    _no_longer_missed(row, event.rows)
    if event.rows:
        _planned(row, event.rows, event.rows_total)


def _misused(row: LoanSummary, entry: Entry) -> None:
    row.misused_on = entry.effective_on


def _misuse_ended(row: LoanSummary, entry: Entry) -> None:
    del entry
    row.misused_on = None


def _waived(row: LoanSummary, entry: Entry) -> None:
    row.waived_minor += entry.event.amount_minor


def _charged_back(row: LoanSummary, entry: Entry) -> None:
    del entry
    row.recalculates = True


def _missed(row: LoanSummary, entry: Entry) -> None:
    row.in_arrears = True
    row.missed = sorted({*row.missed, entry.event.instalment})


def _cured(row: LoanSummary, entry: Entry) -> None:
    del entry
    row.missed, row.in_arrears, row.days_past_due = [], False, 0


def _bucketed(row: LoanSummary, entry: Entry) -> None:
    event = entry.event
    row.bucket_set, row.bucket = event.bucket_set, event.after
    row.days_past_due = event.days_past_due


def _restructured(row: LoanSummary, entry: Entry) -> None:
    event = entry.event
    row.restructured_on, row.restructure_kind = entry.effective_on, event.kind
    row.restructures += 1
    row.financial_difficulty = row.financial_difficulty or event.financial_difficulty
    row.rate_annual = event.rate_annual
    row.waived_minor += event.waived_interest_minor
    row.missed = []
    _replanned(row, entry)


def _replanned(row: LoanSummary, entry: Entry) -> None:
    row.replanned_on = entry.effective_on
    _await_reset(row, entry.effective_on)


def _re_aged(row: LoanSummary, entry: Entry) -> None:
    _re_amortised(row, entry)
    row.missed = []
    _replanned(row, entry)


def _re_amortised(row: LoanSummary, entry: Entry) -> None:
    row.waived_minor += entry.event.waived_interest_minor
    row.recalculates = True  # rows past due ended on the day: published rows do not tell before it


def _plan_reversed(row: LoanSummary, entry: Entry) -> None:
    row.waived_minor -= entry.event.waived_interest_minor


def _re_ageing_reversed(row: LoanSummary, entry: Entry) -> None:
    _plan_reversed(row, entry)
    row.replanned_on = entry.event.replanned_on
    _await_reset_again(row)


def _termination_reversed(row: LoanSummary, entry: Entry) -> None:
    del entry
    row.terminated_on = None
    _await_reset_again(row)


def _await_reset_again(row: LoanSummary) -> None:
    """Note the first reset date that a floating loan has not taken over, counted anew."""
    row.next_reset_on = None
    after = [on for on in (row.disbursed_on, row.repriced_on, row.replanned_on) if on is not None]
    _await_reset(row, max(after))


def _rate_changed(row: LoanSummary, entry: Entry) -> None:
    row.rate_annual = Decimal(entry.event["rate_annual"])


def _repriced(row: LoanSummary, entry: Entry) -> None:
    """Take over a reset; one of an earlier date leaves the rate of a later one in force."""
    on = entry.effective_on
    if row.repriced_on is None or row.repriced_on <= on:
        row.repriced_on, row.rate_annual = on, entry.event.rate_annual
    _await_reset(row, on)


def _charged_off(row: LoanSummary, entry: Entry) -> None:
    event = entry.event
    row.status, row.charged_off_on = "charged_off", entry.effective_on
    row.recalculates = True  # rows may end on the day: published rows do not tell before it
    row.charged_off_minor = (
        event.principal_minor + event.interest_minor + event.fee_minor + event.penalty_minor
    )


def _charge_off_reversed(row: LoanSummary, entry: Entry) -> None:
    del entry
    row.status, row.charged_off_on, row.charged_off_minor = "active", None, None


def _terminated(row: LoanSummary, entry: Entry) -> None:
    row.terminated_on = entry.effective_on
    row.recalculates = True  # the running row ends on the day: published rows do not tell before it
    row.next_reset_on = None


def _recovered(row: LoanSummary, entry: Entry) -> None:
    event = entry.event
    row.recovered_minor += event.amount_minor
    row.recovery_cost_minor += event.cost_minor
    row.last_payment_on, row.last_payment_minor = entry.effective_on, event.amount_minor


def _written_off(row: LoanSummary, entry: Entry) -> None:
    row.status, row.written_off_on = "written_off", entry.effective_on
    row.written_off_minor = entry.event.amount_minor


def _settled(row: LoanSummary, entry: Entry) -> None:
    row.status, row.settled_on = "settled", entry.effective_on
    row.settled_how = entry.event.how


def _reopened(row: LoanSummary, entry: Entry) -> None:
    del entry
    row.status = "charged_off" if row.charged_off_on else "active"
    row.settled_on = row.settled_how = None


_CHANGES: dict[str, Callable[[LoanSummary, Entry], None]] = {
    "loan.model_scored.v1": _scored,
    "loan.reviewed.v1": _reviewed,
    "loan.approved_amount_changed.v1": _approved_otherwise,
    "loan.offer_accepted.v1": _accepted,
    "loan.application_withdrawn.v1": _withdrawn,
    "loan.disbursed.v1": _disbursed,
    "loan.disbursement_returned.v1": _returned,
    **ADDED_PRINCIPAL,
    "loan.payment_received.v1": _received,
    "loan.payment_allocated.v1": _allocated,
    "loan.allocations_restated.v1": _restated,
    "loan.use_of_funds_breached.v1": _misused,
    "loan.misuse_ended.v1": _misuse_ended,
    "loan.classified.v1": _classified,
    "loan.schedule_changed.v1": _changed,
    "loan.penalty_interest_charged.v1": _changed,
    "loan.charge_waived.v1": _waived,
    "loan.charged_back.v1": _charged_back,
    "loan.payment_missed.v1": _missed,
    "loan.arrears_cured.v1": _cured,
    "loan.delinquency_bucket_changed.v1": _bucketed,
    "loan.rate_changed.v1": _rate_changed,
    "loan.rate_repriced.v1": _repriced,
    "loan.reaged.v1": _re_aged,
    "loan.reamortized.v1": _re_amortised,
    "loan.reaging_reversed.v1": _re_ageing_reversed,
    "loan.reamortization_reversed.v1": _plan_reversed,
    "loan.termination_reversed.v1": _termination_reversed,
    "loan.restructured.v1": _restructured,
    "loan.charged_off.v1": _charged_off,
    "loan.charge_off_reversed.v1": _charge_off_reversed,
    "loan.contract_terminated.v1": _terminated,
    "loan.recovery_received.v1": _recovered,
    "loan.written_off.v1": _written_off,
    "loan.settled.v1": _settled,
    "loan.reopened.v1": _reopened,
}
