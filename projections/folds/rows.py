"""Folds a loan's events into `instalments`: published rows with the value dates they hold for."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from projections.folds.money import MoneyFold
from projections.instalments import TABLE, InstalmentVersion
from projections.loan_summary import LoanSummary
from projections.narrow import Instalment
from projections.ports import Database
from projections.reading import Entry
from projections.tables import STILL
from projections.transactions import Transaction

FOR_GOOD = date.fromisoformat(STILL)
ALL_ROWS = 2**31 - 1
TOPICS = frozenset(
    {
        "loan.disbursed.v1",
        "loan.disbursement_returned.v1",
        "loan.payment_allocated.v1",
        "loan.schedule_changed.v1",
        "loan.allocations_restated.v1",
    }
)
"""Topics that publish rows of a schedule, or end them."""

FACTS = frozenset(
    {
        "loan.disbursed.v1",
        "loan.tranche_disbursed.v1",
        "loan.payment_received.v1",
        "loan.recovery_received.v1",
        "loan.charge_assessed.v1",
        "loan.charge_waived.v1",
        "loan.credit_balance_refunded.v1",
        "loan.goodwill_credited.v1",
        "loan.refund_received.v1",
        "loan.interest_refunded.v1",
        "loan.charge_adjusted.v1",
        "loan.charged_back.v1",
        "loan.income_capitalised.v1",
        "loan.capitalised_income_adjusted.v1",
        "loan.buy_down_fee_recorded.v1",
        "loan.buy_down_fee_adjusted.v1",
        "loan.rate_changed.v1",
        "loan.rate_repriced.v1",
        "loan.interest_paused.v1",
        "loan.term_extended.v1",
        "loan.grace_granted.v1",
        "loan.due_date_moved.v1",
        "loan.payment_deferred.v1",
        "loan.reaged.v1",
        "loan.reamortized.v1",
        "loan.restructured.v1",
        "loan.charged_off.v1",
        "loan.contract_terminated.v1",
        "loan.written_off.v1",
        "loan.use_of_funds_breached.v1",
        "loan.misuse_ended.v1",
        "loan.classified.v1",
        "loan.penalty_interest_charged.v1",
    }
)
"""Topics with a place on the loan's time line; a reversal takes one away and has none itself."""

VERSIONS = "WHERE t.loan_id = ANY(%(loans)s) AND t.valid_to > t.valid_from"
END = """
UPDATE instalments i SET valid_to = GREATEST(i.valid_from, e.ends_on)
FROM unnest(%(loans)s::text[], %(firsts)s::bigint[], %(lasts)s::bigint[], %(ends)s::date[])
    AS e (loan_id, first, last, ends_on)
WHERE i.loan_id = e.loan_id AND i.number BETWEEN e.first AND e.last AND i.valid_to > e.ends_on
"""
NEXT_DUE = f"""
SELECT l.loan_id, n.number, n.due_on, n.unpaid
FROM unnest(%(loans)s::text[]) AS l (loan_id)
LEFT JOIN LATERAL (
    SELECT i.number, i.due_on, i.principal_minor - i.principal_paid_minor
        + i.interest_minor - i.interest_paid_minor - i.interest_waived_minor
        + i.fee_minor - i.fee_paid_minor - i.fee_waived_minor
        + i.penalty_minor - i.penalty_paid_minor - i.penalty_waived_minor AS unpaid
    FROM instalments i
    WHERE i.loan_id = l.loan_id AND i.valid_to = '{STILL}' AND i.met_on IS NULL
    ORDER BY i.number LIMIT 1
) AS n ON true
"""

NextDue = tuple[int | None, date | None, int | None]
"""Number, due date and unpaid amount of the oldest open row; all None: there is none."""


class RowsFold:
    """The versions that a batch publishes, and the ends of older ones."""

    def __init__(self, *, whole_streams: bool = False) -> None:
        """`whole_streams`: the batch brings each loan's whole history; nothing is stored yet."""
        self._whole = whole_streams
        self._now: dict[str, dict[int, InstalmentVersion]] = {}
        self._known: dict[str, dict[int, list[InstalmentVersion]]] = {}
        self._ends: dict[tuple[str, int, int], date] = {}
        self.published: list[InstalmentVersion] = []
        self.loans: set[str] = set()

    def load(
        self, db: Database, entries: Iterable[Entry], loans: Mapping[str, LoanSummary]
    ) -> None:
        """Read the versions of loans with a backdated fact; `loans` are the rows before."""
        backdated = _backdated(entries, loans)
        if backdated:
            for row in TABLE.load(db, VERSIONS, {"loans": sorted(backdated)}):
                self._remember(row)

    def apply(self, entry: Entry, loan: LoanSummary, money: MoneyFold) -> None:
        """Apply one event of TOPICS; `loan` is its row as it is afterwards. Raises KeyError."""
        event, on = entry.event, entry.effective_on
        match entry.topic:
            case "loan.disbursed.v1":
                loan.rows_total = len(event.instalments)
                self._publish(entry, loan, event.instalments, on)
            case "loan.disbursement_returned.v1":
                self._end_all(entry.key, 1, on)
            case "loan.payment_allocated.v1":
                self._result(entry, loan, on, money.find(entry.key, event.payment_id))
            case "loan.schedule_changed.v1" | "loan.penalty_interest_charged.v1":
                self._result(entry, loan, on, None)
            case "loan.allocations_restated.v1":
                self._shorten(entry, loan)
                cause = money.find(entry.key, event.cause_id)
                self._restate(entry, loan, event.since_on, cause)
            case _:
                pass

    def _result(self, entry: Entry, loan: LoanSummary, on: date, cause: Transaction | None) -> None:
        self._shorten(entry, loan)
        if entry.event.rows and loan.last_fact_on is not None and on < loan.last_fact_on:
            self._restate(entry, loan, on, cause)
        else:
            self._replace(entry, loan, entry.event.rows, on)

    def _shorten(self, entry: Entry, loan: LoanSummary) -> None:
        """End the rows that the schedule has no more."""
        total = entry.event.rows_total
        if total < loan.rows_total:
            self._end_all(entry.key, total + 1, entry.effective_on)
        loan.rows_total = total

    def _restate(
        self, entry: Entry, loan: LoanSummary, on: date, cause: Transaction | None
    ) -> None:
        """Publish rows as they are after a backdated fact, from its value date on.

        Not only those that changed: a row that payments touched may end up the same and yet have
        stood otherwise in between. And a row that had taken in facts from this date on, by an
        earlier restatement, holds figures of theirs that are no more: it is replaced from its
        beginning. Readers take later facts back out (`projections.loan_day`).
        """
        event = entry.event
        standing = self._now.get(entry.key, {})
        rows = {row.number: row for row in event.rows}
        touched = {line["instalment"] for line in cause.lines} if cause else set[int]()
        for change in getattr(event, "changes", ()):
            touched.update(line.instalment for line in (*change.before, *change.after))
        for number, versions in self._known.get(entry.key, {}).items():
            stale = [
                version.valid_from
                for version in versions
                if version.valid_from < min(on, version.valid_to) and on <= version.seen_until
            ]
            if number in standing and (number in rows or number in touched or stale):
                row = rows.get(number) or _narrow(standing[number])
                self._replace(entry, loan, [row], min([on, *stale]))
        self._replace(entry, loan, [row for n, row in rows.items() if n not in standing], on)

    def _replace(
        self, entry: Entry, loan: LoanSummary, rows: Sequence[Instalment], on: date
    ) -> None:
        for row in rows:
            self._end_range(entry.key, row.number, row.number, on)
        self._publish(entry, loan, rows, on)

    def _end_all(self, loan_id: str, first: int, on: date) -> None:
        self.loans.add(loan_id)
        self._end_range(loan_id, first, ALL_ROWS, on)
        standing = self._now.get(loan_id, {})
        for number in [number for number in standing if number >= first]:
            del standing[number]

    def _end_range(self, loan_id: str, first: int, last: int, on: date) -> None:
        if not self._whole:
            key = (loan_id, first, last)
            self._ends[key] = min(on, self._ends.get(key, on))
        known = self._known.get(loan_id)
        if known is None:
            return
        numbers = (first,) if first == last else [n for n in known if n >= first]
        for number in numbers:
            for version in known.get(number, ()):
                if version.valid_to > on:
                    version.valid_to = max(version.valid_from, on)

    def _publish(
        self, entry: Entry, loan: LoanSummary, rows: Iterable[Instalment], on: date
    ) -> None:
        self.loans.add(entry.key)
        seen_until = loan.last_fact_on or on
        loan_id, published = entry.key, entry.version
        known = self._known.setdefault(loan_id, {})
        now = self._now.setdefault(loan_id, {})
        for row in rows:
            number = row.number
            version = now[number] = InstalmentVersion(
                loan_id,
                number,
                published,
                on,
                FOR_GOOD,
                seen_until,
                row.from_on,
                row.due_on,
                row.principal_minor,
                row.interest_minor,
                row.fee_minor,
                row.penalty_minor,
                row.principal_paid_minor,
                row.interest_paid_minor,
                row.fee_paid_minor,
                row.penalty_paid_minor,
                row.interest_waived_minor,
                row.fee_waived_minor,
                row.penalty_waived_minor,
                row.met_on,
            )
            versions = known.get(number)
            if versions is None:
                known[number] = [version]
            else:
                versions.append(version)
            self.published.append(version)

    def _remember(self, version: InstalmentVersion) -> None:
        known = self._known.setdefault(version.loan_id, {})
        known.setdefault(version.number, []).append(version)
        if version.valid_to == FOR_GOOD:
            self._now.setdefault(version.loan_id, {})[version.number] = version

    def save(self, db: Database) -> None:
        """End older versions, then write the new ones."""
        singles = [key for key in self._ends if key[1] == key[2]]
        if singles:
            self._save_ends(db, singles)
        # An UPDATE takes any one of several matches: ends that overlap need their own statements.
        for key in self._ends:
            if key[1] != key[2]:
                self._save_ends(db, [key])
        TABLE.insert(db, self.published)

    def _save_ends(self, db: Database, keys: Sequence[tuple[str, int, int]]) -> None:
        db.execute(
            END,
            {
                "loans": [loan for loan, _, _ in keys],
                "firsts": [first for _, first, _ in keys],
                "lasts": [last for _, _, last in keys],
                "ends": [self._ends[key] for key in keys],
            },
        )

    def next_due(self, db: Database) -> dict[str, NextDue]:
        """Tell the oldest open row of each loan whose rows changed, after `save`."""
        if self._whole:
            return {loan_id: self._next_due_of(loan_id) for loan_id in self.loans}
        rows = db.tuples(NEXT_DUE, {"loans": list(self.loans)}) if self.loans else []
        return {loan_id: (number, due_on, unpaid) for loan_id, number, due_on, unpaid in rows}

    def _next_due_of(self, loan_id: str) -> NextDue:
        standing = self._now.get(loan_id, {})
        number = min((n for n, row in standing.items() if row.met_on is None), default=None)
        if number is None:
            return None, None, None
        return number, standing[number].due_on, standing[number].unpaid_minor


def _narrow(version: InstalmentVersion) -> Instalment:
    return Instalment(
        number=version.number,
        from_on=version.from_on,
        due_on=version.due_on,
        principal_minor=version.principal_minor,
        interest_minor=version.interest_minor,
        fee_minor=version.fee_minor,
        penalty_minor=version.penalty_minor,
        principal_paid_minor=version.principal_paid_minor,
        interest_paid_minor=version.interest_paid_minor,
        fee_paid_minor=version.fee_paid_minor,
        penalty_paid_minor=version.penalty_paid_minor,
        interest_waived_minor=version.interest_waived_minor,
        fee_waived_minor=version.fee_waived_minor,
        penalty_waived_minor=version.penalty_waived_minor,
        met_on=version.met_on,
    )


def _backdated(entries: Iterable[Entry], loans: Mapping[str, LoanSummary]) -> set[str]:
    """Name the loans with a fact before their newest one, or with a restatement."""
    newest = {loan_id: loan.last_fact_on for loan_id, loan in loans.items()}
    found: set[str] = set()
    for entry in entries:
        if entry.topic == "loan.allocations_restated.v1":
            found.add(entry.key)
        elif entry.topic in FACTS:
            last = newest.get(entry.key)
            if last is not None and entry.effective_on < last:
                found.add(entry.key)
            else:
                newest[entry.key] = entry.effective_on
    return found
