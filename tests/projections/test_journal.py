"""The journal balances and ties to the loans, whatever happens to them, on any closed day."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import msgspec
import pytest

from consumers.daily_close import CloseOfDay
from consumers.log_feed import LogFeed
from consumers.projector import Projector
from consumers.reconcile import ledger_ties
from domain.events import TOPICS
from domain.loan.terms import Component
from domain.postings import Account, postings, postings_of_topic
from infra.codec import Codec
from infra.database import DatabasePool
from infra.store import PostgresEventStore
from projections import journal
from projections.shapes import SHAPES
from tests.support.book import Book
from tests.support.golden_events import golden_path, stored_bytes


@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_a_shape_posts_what_its_event_posts(topic: str) -> None:
    state = stored_bytes(golden_path(topic))
    _, event = Codec().decode(topic, state)
    shape = msgspec.convert(msgspec.json.decode(state)["event"], SHAPES[topic])
    if hasattr(event, "component"):  # the sample's last component is one that no charge has
        event = replace(event, component=Component.FEE)
        shape = msgspec.structs.replace(shape, component="fee")
    for charged_off in (False, True):
        expected = postings(event, charged_off=charged_off)
        assert postings_of_topic(topic, shape, charged_off=charged_off) == expected


@pytest.mark.parametrize("seed", [3, 11])
def test_the_ledger_ties_to_the_loans_at_every_close(
    database: str, pool: DatabasePool, seed: int
) -> None:
    # Given a book where payments, charges, waivers, restructurings, losses and reversals happen
    with PostgresEventStore(database) as store:
        book = Book(store, seed=seed)
        projector = Projector(pool, LogFeed(pool))
        close = CloseOfDay(
            service=book.service,
            database=pool,
            catch_up=lambda: projector.catch_up(store.head()),
        )
        past: dict[str, object] = {}
        for round_ in range(4):
            if round_ == 0:
                book.live(8, 3)
            else:
                book.go_on(days=8)
            # When its days are closed, then the trial balance is the sum over the loans
            close.close_until(book.today)
            projector.catch_up(store.head())
            check = ledger_ties(pool, book.today)
            assert check.ok, check.exceptions
            with pool.transaction() as db:
                known = store.head().number
                past[f"{book.today}/{known}"] = journal.trial_balance(db, book.today)
        # and what was answered for a past day at a past position is answered again
        with pool.transaction() as db:
            for key, rows in past.items():
                on, _, known = key.partition("/")
                assert journal.trial_balance(db, date.fromisoformat(on), known=int(known)) == rows


def test_a_loans_entries_come_in_pages_and_each_balances(database: str, pool: DatabasePool) -> None:
    with PostgresEventStore(database) as store:
        book = Book(store)
        loan_id = book.open_loan("loan0000", amount=120_000)
        for _ in range(3):
            book.today += timedelta(days=30)
            book.pay(loan_id, 12_345)
        projector = Projector(pool, LogFeed(pool))
        projector.catch_up(store.head())
    balance: Counter[str] = Counter()
    cursor, pages = "", 0
    with pool.transaction() as db:
        while True:
            page = journal.entries(db, f"loan-{loan_id}", limit=2, cursor=cursor)
            pages += 1
            for row in page.rows:
                assert sum(row["amounts_minor"]) == 0
                balance.update(dict(zip(row["accounts"], row["amounts_minor"], strict=True)))
            if page.cursor is None:
                break
            cursor = page.cursor
    assert pages == 2
    assert balance[Account.FUND_SOURCE] == 3 * 12_345 - 120_000
