"""Three folds of the record agree on every loan, and a difference is found and named."""

import pytest

from consumers.log_feed import LogFeed
from consumers.projector import Projector
from consumers.states import states_fold
from domain.envelope import StreamId
from infra.database import DatabasePool
from infra.store import PostgresEventStore
from projections import schema
from projections.shapes import SHAPES
from projections.standing import CHANGES
from tests.consumers.test_projector import corrupt
from tests.support.book import Book


@pytest.fixture
def book(pool: DatabasePool, store: PostgresEventStore) -> Book:
    book = Book(store, seed=5)
    book.live(12, 25)
    Projector(pool, LogFeed(pool)).catch_up(store.head())
    return book


def test_record_read_model_and_domain_agree_on_every_loan(book: Book, pool: DatabasePool) -> None:
    check = states_fold(pool, domain_share=1)
    assert check.ok, check.exceptions
    assert check.expected == f"{len(book.loans)} loans, {len(book.loans)} of them by the domain too"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("principal_minor = principal_minor + 1", "principal_minor"),
        ("status = 'written_off'", "status written_off instead of"),
        ("missed = '{99}'", "missed frozenset({99})"),
        ("loan_id = 'nobody'", "not in the read model"),
    ],
)
def test_a_row_that_says_something_else_is_found(
    book: Book, pool: DatabasePool, change: str, told: str
) -> None:
    with pool.transaction() as db:
        schema.enter_current(db)
        db.execute(f"UPDATE loan_summary SET {change} WHERE loan_id = %s", [book.loans[3]])  # noqa: S608
    check = states_fold(pool)
    assert not check.ok
    assert (check.exceptions[0].id, told in check.exceptions[0].reason) == (book.loans[3], True)


def test_a_stream_that_cannot_be_read_is_named(
    book: Book, pool: DatabasePool, database: str
) -> None:
    stream = StreamId(f"loan-{book.loans[2]}")
    corrupt(database, stream, 3, b'{"event": {"decision": 7}}')
    check = states_fold(pool)
    assert [finding.id for finding in check.exceptions] == [book.loans[2]]


def test_every_topic_that_changes_a_figure_exists() -> None:
    assert CHANGES.keys() <= SHAPES.keys()
