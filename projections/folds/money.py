"""Folds a loan's events into `transactions`; a restatement adds a revision."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from projections.folds import fees, income, payouts
from projections.folds.payouts import parts_of
from projections.loan_summary import LoanSummary
from projections.narrow import Line
from projections.ports import Database
from projections.reading import Entry
from projections.transactions import CREDITS, DEFERRING, TABLE, Transaction

RECALLED = (*CREDITS, *DEFERRING)
"""Kinds of which later events speak."""

CURRENT = f"""
JOIN unnest(%(loans)s::text[], %(ids)s::text[]) AS w (loan_id, transaction_id)
    ON w.loan_id = t.loan_id AND w.transaction_id = t.transaction_id
WHERE t.superseded_position IS NULL AND t.kind IN {RECALLED}
"""
BRINGS = {
    "loan.payment_received.v1": "payment_id",
    "loan.recovery_received.v1": "recovery_id",
    "loan.goodwill_credited.v1": "credit_id",
    "loan.refund_received.v1": "refund_id",
    "loan.interest_refunded.v1": "interest_refund_id",
    "loan.charge_adjusted.v1": "adjustment_id",
    "loan.capitalised_income_adjusted.v1": "adjustment_id",
    "loan.income_capitalised.v1": "income_id",
    "loan.buy_down_fee_recorded.v1": "fee_id",
    "loan.buy_down_fee_adjusted.v1": "adjustment_id",
}
"""Topics of what later events speak of, and the field that names the transaction."""

REPAYMENT = "repayment"

ENDS = {
    "loan.charged_off.v1": "charge_off",
    "loan.charge_off_reversed.v1": "charge_off_reversal",
    "loan.contract_terminated.v1": "termination",
    "loan.termination_reversed.v1": "termination_reversal",
}


class MoneyFold:
    """The transactions of a batch, and the standing revisions of older ones that it changes."""

    def __init__(self) -> None:
        self._money: dict[tuple[str, str], Transaction] = {}
        self._changed: dict[tuple[str, str, str, int], Transaction] = {}

    def load(self, db: Database, entries: Iterable[Entry]) -> None:
        """Read the standing revisions of payments that the batch speaks of and does not bring."""
        wanted: dict[tuple[str, str], None] = {}
        brought: set[tuple[str, str]] = set()
        for entry in entries:
            if entry.topic in BRINGS:
                brought.add((entry.key, getattr(entry.event, BRINGS[entry.topic])))
            else:
                wanted.update(dict.fromkeys((entry.key, name) for name in _mentions(entry)))
        pairs = [pair for pair in wanted if pair not in brought]
        self._money = {}
        if pairs:
            loans, ids = zip(*pairs, strict=True)
            for row in TABLE.load(db, CURRENT, {"loans": list(loans), "ids": list(ids)}):
                self._money[row.loan_id, row.transaction_id] = row

    def standing(self, loan_id: str, payment_id: str) -> Transaction:
        """Return the standing revision of a payment or recovery. Raises KeyError."""
        return self._money[loan_id, payment_id]

    def find(self, loan_id: str, transaction_id: str) -> Transaction | None:
        """Return the standing revision of a payment or recovery; None: it is none."""
        return self._money.get((loan_id, transaction_id))

    def apply(self, entry: Entry, loan: LoanSummary) -> None:
        """Apply one event of TOPICS; `loan` is its row as it was before. Raises KeyError."""
        _CHANGES[entry.topic](self, entry, loan)

    def save(self, db: Database, *, fresh: bool) -> None:
        """Write what changed; `fresh`: none of it is there yet."""
        TABLE.save(db, self.changed, fresh=fresh)

    @property
    def changed(self) -> list[Transaction]:
        """What was added or changed, by key."""
        return list(self._changed.values())

    def _put(self, row: Transaction) -> None:
        self._changed[row.loan_id, row.transaction_id, row.kind, row.revision] = row
        if row.kind in RECALLED:
            self._money[row.loan_id, row.transaction_id] = row

    def take_back(self, entry: Entry, transaction_id: str) -> Transaction:
        """Say on a transaction's standing revision that an event takes it back; return it."""
        row = self.standing(entry.key, transaction_id)
        row.reversed_on = entry.effective_on
        self._put(row)
        return row

    def add(self, entry: Entry, loan: LoanSummary, **fields: Any) -> None:  # noqa: ANN401 - the row's own
        """Add the transaction that an event tells; `fields` are its row's own."""
        self._put(
            Transaction(
                loan_id=entry.key,
                revision=0,
                version=entry.version,
                shard=entry.shard,
                position=entry.position,
                effective_on=entry.effective_on,
                recorded_at=entry.recorded_at,
                currency=loan.currency,
                **fields,
            )
        )

    def received(self, entry: Entry, loan: LoanSummary) -> None:
        """A payment; its parts come with the next event."""
        event = entry.event
        self.add(
            entry,
            loan,
            transaction_id=event.payment_id,
            kind="payment",
            amount_minor=event.amount_minor,
            channel=event.channel,
            code=None if event.kind == REPAYMENT else event.kind,
        )

    def recovered(self, entry: Entry, loan: LoanSummary) -> None:
        """A recovery; on a loan that is not written off its parts come with the next event."""
        event = entry.event
        self.add(
            entry,
            loan,
            transaction_id=event.recovery_id,
            kind="recovery",
            amount_minor=event.amount_minor,
            cost_minor=event.cost_minor,
        )

    def credited(self, entry: Entry, loan: LoanSummary) -> None:
        """A credit that is no payment; its parts come with the next event."""
        event = entry.event
        kinds = {
            "loan.goodwill_credited.v1": "goodwill",
            "loan.interest_refunded.v1": "interest_refund",
            "loan.charge_adjusted.v1": "charge_adjustment",
            "loan.capitalised_income_adjusted.v1": "capitalised_income_adjustment",
        }
        self.add(
            entry,
            loan,
            transaction_id=getattr(event, BRINGS[entry.topic]),
            kind=kinds.get(entry.topic) or f"{event.kind}_refund",
            amount_minor=event.amount_minor,
            component=getattr(event, "component", None),
        )

    def allocated(self, entry: Entry, loan: LoanSummary) -> None:
        """Where the payment went."""
        del loan
        event = entry.event
        row = self.standing(entry.key, event.payment_id)
        row.source = event.source
        _split(row, event.lines, event.overpaid_minor)
        self._put(row)

    def reversed(self, entry: Entry, loan: LoanSummary) -> None:
        """The payment is taken back; its restatement to nothing comes with the next event."""
        event = entry.event
        row = self.take_back(entry, event.payment_id)
        self.add(
            entry,
            loan,
            transaction_id=event.payment_id,
            kind="reversal",
            amount_minor=row.amount_minor,
            overpaid_minor=row.overpaid_minor,
            cause=event.cause,
            **parts_of(row),
        )

    def restated(self, entry: Entry, loan: LoanSummary) -> None:
        """Payments are split anew: each gets a revision, the one before stays as it was."""
        del loan
        for change in entry.event.changes:
            before = self.standing(entry.key, change.payment_id)
            before.superseded_position = entry.position
            self._put(before)
            after = msgspec.structs.replace(
                before,
                revision=before.revision + 1,
                version=entry.version,
                position=entry.position,
                recorded_at=entry.recorded_at,
                cause_id=entry.event.cause_id,
                superseded_position=None,
            )
            _split(after, change.after, change.overpaid_after_minor)
            self._put(after)

    def _on_instalment(
        self,
        entry: Entry,
        loan: LoanSummary,
        transaction_id: str,
        kind: str,
        **more: Any,  # noqa: ANN401 - the row's own
    ) -> None:
        """Add what changes one component of one instalment by the event's amount."""
        event = entry.event
        self.add(
            entry,
            loan,
            transaction_id=transaction_id,
            kind=kind,
            amount_minor=event.amount_minor,
            component=event.component,
            instalment=event.instalment,
            **{f"{event.component}_minor": event.amount_minor},
            **more,
        )

    def charged(self, entry: Entry, loan: LoanSummary) -> None:
        """A fee or penalty."""
        event = entry.event
        more = {"tax_minor": event.tax_minor, "code": event.code}
        self._on_instalment(entry, loan, event.charge_id, "charge", **more)

    def charge_reversed(self, entry: Entry, loan: LoanSummary) -> None:
        """A charge is taken back, on its own day."""
        event = entry.event
        more = {"tax_minor": event.tax_minor, "cause": event.cause}
        self._on_instalment(entry, loan, event.charge_id, "charge_reversal", **more)

    def waived(self, entry: Entry, loan: LoanSummary) -> None:
        """Something was given up."""
        self._on_instalment(entry, loan, entry.event.waiver_id, "waiver")

    def penalised(self, entry: Entry, loan: LoanSummary) -> None:
        """Penalties that have run; less than nothing: they should not have."""
        amount = entry.event.penalty_minor + entry.event.compound_minor
        self.add(
            entry,
            loan,
            transaction_id=f"v{entry.version}",
            kind="penalty_interest",
            amount_minor=amount,
            penalty_minor=amount,
        )

    def charged_back(self, entry: Entry, loan: LoanSummary) -> None:
        """Part of a payment, `cause_id`, is owed again, or after all is not."""
        event = entry.event
        taken_back = entry.topic == "loan.chargeback_reversed.v1"
        self.add(
            entry,
            loan,
            transaction_id=event.chargeback_id,
            kind="chargeback_reversal" if taken_back else "chargeback",
            amount_minor=event.amount_minor,
            overpaid_minor=event.overpaid_minor,
            cause=event.cause if taken_back else None,
            cause_id=event.payment_id,
            **parts_of(event),
        )

    def restructured(self, entry: Entry, loan: LoanSummary) -> None:
        """A new plan: `principal_minor` was capitalised, `interest_minor` waived."""
        event = entry.event
        self.add(
            entry,
            loan,
            transaction_id=event.restructure_id,
            kind="restructuring",
            amount_minor=loan.principal_minor + event.capitalised_interest_minor,
            principal_minor=event.capitalised_interest_minor,
            interest_minor=event.waived_interest_minor,
            code=event.kind,
        )

    def replanned(self, entry: Entry, loan: LoanSummary) -> None:
        """What was unpaid is planned anew: the parts that moved."""
        event = entry.event
        re_aged = entry.topic == "loan.reaged.v1"
        parts = parts_of(event)
        self.add(
            entry,
            loan,
            transaction_id=event.re_age_id if re_aged else event.re_amortisation_id,
            kind="re_ageing" if re_aged else "re_amortisation",
            amount_minor=sum(parts.values()),
            code=event.interest,
            **parts,
        )

    def plan_reversed(self, entry: Entry, loan: LoanSummary) -> None:
        """A plan is taken back: the interest that it had given up is owed again."""
        event = entry.event
        re_aged = entry.topic == "loan.reaging_reversed.v1"
        self.add(
            entry,
            loan,
            transaction_id=event.re_age_id if re_aged else event.re_amortisation_id,
            kind="re_ageing_reversal" if re_aged else "re_amortisation_reversal",
            amount_minor=event.waived_interest_minor,
            interest_minor=event.waived_interest_minor,
            cause=event.cause,
        )

    def ended(self, entry: Entry, loan: LoanSummary) -> None:
        """Taken to loss or back on the books, or due at once; the debt stands."""
        event = entry.event
        parts = parts_of(event)
        self.add(
            entry,
            loan,
            transaction_id=f"v{entry.version}",
            kind=ENDS[entry.topic],
            amount_minor=sum(parts.values()),
            cause=event.cause,
            **parts,
        )

    def written_off(self, entry: Entry, loan: LoanSummary) -> None:
        """Taken from the books."""
        self.add(
            entry,
            loan,
            transaction_id=f"v{entry.version}",
            kind="write_off",
            amount_minor=entry.event.amount_minor,
            cause=entry.event.cause,
        )


def _mentions(entry: Entry) -> list[str]:
    event = entry.event
    match entry.topic:
        case "loan.payment_allocated.v1" | "loan.payment_reversed.v1":
            return [event.payment_id]
        case topic if topic in income.TAKES_BACK:
            return [getattr(event, income.TAKES_BACK[topic])]
        case "loan.allocations_restated.v1":
            return [event.cause_id, *(change.payment_id for change in event.changes)]
        case _:
            return []


def _split(row: Transaction, lines: Sequence[Line], overpaid_minor: int) -> None:
    principal = interest = fee = penalty = 0
    for line in lines:
        principal += line.principal_minor
        interest += line.interest_minor
        fee += line.fee_minor
        penalty += line.penalty_minor
    row.lines = [msgspec.structs.asdict(line) for line in lines]
    row.principal_minor, row.interest_minor = principal, interest
    row.fee_minor, row.penalty_minor = fee, penalty
    row.overpaid_minor = overpaid_minor


_CHANGES: dict[str, Callable[[MoneyFold, Entry, LoanSummary], None]] = {
    "loan.disbursed.v1": payouts.disbursed,
    "loan.disbursement_returned.v1": payouts.returned,
    "loan.tranche_disbursed.v1": payouts.disbursed,
    "loan.tranche_returned.v1": payouts.returned,
    "loan.payment_received.v1": MoneyFold.received,
    "loan.payment_allocated.v1": MoneyFold.allocated,
    "loan.payment_reversed.v1": MoneyFold.reversed,
    "loan.allocations_restated.v1": MoneyFold.restated,
    "loan.penalty_interest_charged.v1": MoneyFold.penalised,
    "loan.charge_assessed.v1": MoneyFold.charged,
    "loan.charge_reversed.v1": MoneyFold.charge_reversed,
    "loan.instalment_fees_changed.v1": fees.changed,
    "loan.charge_waived.v1": MoneyFold.waived,
    "loan.credit_balance_refunded.v1": payouts.credit_refunded,
    "loan.goodwill_credited.v1": MoneyFold.credited,
    "loan.refund_received.v1": MoneyFold.credited,
    "loan.interest_refunded.v1": MoneyFold.credited,
    "loan.charge_adjusted.v1": MoneyFold.credited,
    "loan.capitalised_income_adjusted.v1": MoneyFold.credited,
    **income.CHANGES,
    "loan.charged_back.v1": MoneyFold.charged_back,
    "loan.chargeback_reversed.v1": MoneyFold.charged_back,
    "loan.restructured.v1": MoneyFold.restructured,
    "loan.reaged.v1": MoneyFold.replanned,
    "loan.reamortized.v1": MoneyFold.replanned,
    "loan.reaging_reversed.v1": MoneyFold.plan_reversed,
    "loan.reamortization_reversed.v1": MoneyFold.plan_reversed,
    **dict.fromkeys(ENDS, MoneyFold.ended),
    "loan.recovery_received.v1": MoneyFold.recovered,
    "loan.written_off.v1": MoneyFold.written_off,
}
TOPICS = frozenset(_CHANGES)
