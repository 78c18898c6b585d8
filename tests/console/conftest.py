"""The console over a small real book, visited by people with tokens."""

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from api.parts import Parts
from consumers.daily_close import CloseOfDay
from consumers.lending_club import days_of, import_day
from consumers.log_feed import LogFeed
from consumers.projector import Projector
from consumers.real_book.dataset import PublishedLoan, PublishedStatus, read_published
from consumers.real_book.life import loan_id_of
from consumers.real_book.snapshot import SNAPSHOT_ON
from domain.commands import application as ca
from domain.commands import servicing as cs
from domain.envelope import StreamId
from domain.events.application import Decision
from domain.loan.state import Loan
from domain.service import Service
from infra.database import DatabasePool, bulk_pool
from infra.settings import Settings
from infra.store import PostgresEventStore
from projections.ports import Database
from tests.api.conftest import Api, api_on, token_of, write_tokens
from tests.support.book import BANK, Book
from tests.support.html import Node, read
from tests.support.postgres import Server

T = TypeVar("T")

WANTED = {
    PublishedStatus.LATE_31: 3,
    PublishedStatus.LATE_16: 2,
    PublishedStatus.IN_GRACE: 1,
    PublishedStatus.CHARGED_OFF: 1,
    PublishedStatus.FULLY_PAID: 1,
    PublishedStatus.CURRENT: 6,
}
FIRST_CLOSED = SNAPSHOT_ON - timedelta(days=34)
PAGES = (
    "/console/portfolio",
    "/console/portfolio?by=purpose",
    "/console/queue",
    "/console/loans",
    "/console/audit",
    "/console/audit/overrides",
    "/console/audit/four-eyes",
    "/console/audit/refusals",
    "/console/audit/proof",
    "/console/report",
    "/console/report?period=week",
)


@dataclass
class Visitor:
    """Somebody with a browser that only knows HTTP; it keeps cookies and follows nothing."""

    http: httpx.Client

    def get(self, path: str, *, expect: int = 200, **query: str) -> Node:
        """Look at a page."""
        answer = self.http.get(path, params=query or None)
        assert answer.status_code == expect, f"{answer.status_code} {answer.text}"
        return read(answer.text)

    def send(self, form: Node, **more: str) -> httpx.Response:
        """Send a form as it stands on a page, with more fields or other values."""
        fields = {
            node.get("name"): node.get("value") for node in form.all("input") if node.get("name")
        }
        for select in form.all("select"):
            fields[select.get("name")] = select.all("option")[0].get("value")
        return self.http.post(form.get("action"), data=fields | more)


@dataclass
class Console:
    """The running console and what stands behind it."""

    api: Api
    pool: DatabasePool
    published: list[PublishedLoan]
    visitors: list[httpx.Client] = field(default_factory=list[httpx.Client])

    @property
    def address(self) -> str:
        return str(self.api.http.base_url)

    @property
    def parts(self) -> Parts:
        return self.api.parts

    def visitor(self) -> Visitor:
        """Somebody who has not signed in."""
        client = httpx.Client(base_url=self.address, timeout=60)
        self.visitors.append(client)
        return Visitor(client)

    def say_goodbye(self) -> None:
        """Let all visitors go."""
        for client in self.visitors:
            client.close()
        self.visitors.clear()

    def signed_in(self, who: str, **headers: str) -> Visitor:
        visitor = self.visitor()
        visitor.http.headers.update(headers)
        answer = visitor.http.post("/console/sign-in", data={"token": token_of(who)})
        assert answer.status_code == 303, answer.text
        return visitor

    def loan_with(self, status: PublishedStatus) -> str:
        return next(loan_id_of(loan.row) for loan in self.published if loan.status is status)

    def ask(self, question: Callable[[Database], T]) -> T:
        """Ask the read models."""
        with self.pool.transaction() as db:
            return question(db)

    def loan(self, loan_id: str) -> Loan:
        return self.parts.service.state(StreamId(f"loan-{loan_id}")).state


def chosen() -> list[PublishedLoan]:
    """The first few real loans of every status."""
    left = dict(WANTED)
    taken: list[PublishedLoan] = []
    for loan in read_published():
        if left[loan.status] > 0:
            left[loan.status] -= 1
            taken.append(loan)
    return taken


def real_book(store: PostgresEventStore, pool: DatabasePool, loans: list[PublishedLoan]) -> None:
    """Import real loans whole, then close the last weeks before the snapshot day by day."""
    service = Service(store)
    for day in days_of(loans):
        import_day(service, day)
    projector = Projector(pool, LogFeed(pool))

    def catch_up() -> None:
        projector.catch_up(store.head())

    close = CloseOfDay(service=service, database=pool, catch_up=catch_up)
    close.close_until(SNAPSHOT_ON, first=FIRST_CLOSED)
    told_otherwise(store)
    catch_up()


def told_otherwise(store: PostgresEventStore) -> None:
    """Two loans on the next day to which things happen that the real book does not have."""
    book = Book(store)
    book.today = date(2018, 3, 1)
    for loan_id in ("restated", "plain"):
        book.open_loan(loan_id, amount=1_200_000, instalments=12)
    first = book.state("restated").rows[0]
    for month in (4, 5):
        book.today = date(2018, month, 1)
        book.pay("restated", first.unpaid_minor)
    book.today = SNAPSHOT_ON + timedelta(days=1)
    back = book.pay("restated", 5_000, date(2018, 4, 15))
    assert back.refusal is None
    timeline = book.state("restated").timeline
    assert timeline is not None
    assert timeline.newest is not None
    reverse: dict[str, Any] = {"loan_id": "restated", "effective_on": book.today}
    book.do(cs.ReversePayment(**reverse, payment_id=timeline.newest.id, cause="bounced"), BANK)
    refused = book.pay("restated", 0)
    assert refused.refusal is not None
    declined: dict[str, Any] = {"loan_id": "declined", "effective_on": book.today}
    terms: dict[str, Any] = {"amount_minor": 500_000, "currency": "USD", "instalments": 12}
    model: dict[str, Any] = {"model_id": "m", "model_version": "1", "features_hash": "f"}
    said = [
        book.do(ca.ApplyForLoan(**declined, **terms, customer_id="c", product_code="P")),
        book.do(
            ca.RecordModelScore(
                **declined, **model, score=Decimal("0.9"), recommends=Decision.APPROVED
            )
        ),
        book.do(ca.ReviewLoan(**declined, decision=Decision.DECLINED, reasons=("debts",))),
    ]
    assert [outcome.refusal for outcome in said] == [None] * 3


@contextmanager
def following(api: Api) -> Generator[None]:
    """Keep the read models up with the record, as the projector's process does."""
    done = threading.Event()
    projector = threading.Thread(target=api.projector.run, args=(done.is_set,))
    projector.start()
    try:
        yield
    finally:
        done.set()
        projector.join()


@pytest.fixture(scope="session")
def opened_console(
    postgres_server: Server, read_models_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Console]:
    """One console for all tests that only look, or that leave cases as they were."""
    folder = tmp_path_factory.mktemp("console")
    loans = chosen()
    with postgres_server.fresh(read_models_template) as dsn, bulk_pool(dsn) as pool:
        with PostgresEventStore(dsn) as store:
            real_book(store, pool, loans)
        with api_on(dsn, Settings(tokens_file=write_tokens(folder))) as api, following(api):
            yield Console(api=api, pool=pool, published=loans)


@pytest.fixture
def console(opened_console: Console) -> Iterator[Console]:
    yield opened_console
    opened_console.say_goodbye()


@pytest.fixture
def boss(console: Console) -> Visitor:
    return console.signed_in("boss")


@pytest.fixture
def database(database_with_read_models: str) -> str:
    return database_with_read_models


@pytest.fixture
def empty(database: str, tmp_path: Path) -> Iterator[Console]:
    """A console over a book in which nothing has happened."""
    with (
        api_on(database, Settings(tokens_file=write_tokens(tmp_path))) as api,
        bulk_pool(database) as pool,
    ):
        console = Console(api=api, pool=pool, published=[])
        yield console
        console.say_goodbye()
