"""The real application on a real port over a real PostgreSQL, and people with tokens."""

import json
import socket
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from time import sleep
from typing import Any
from uuid import uuid4

import httpx
import pytest
import uvicorn

from api.app import create_app
from api.joined import JoinedProtocol
from api.parts import Parts, opened
from consumers.daily_close import CloseOfDay
from consumers.log_feed import LogFeed
from consumers.projector import Projector
from domain.decisions.disbursement import REQUIRED_CHECKS
from infra import log
from infra.database import bulk_pool
from infra.settings import Settings
from tests.support.postgres import Server

PEOPLE = {
    "ann": ["underwriter", "servicer"],
    "bob": ["checker", "senior_checker"],
    "cal": ["collector"],
    "dee": ["collector"],
    "sue": ["supervisor"],
    "aud": ["auditor"],
    "boss": ["admin"],
    "rita": ["reader"],
}
ON = "2018-01-15"
BOOK_TEMPLATE = "loanbook_api_book_template"
FIRST_CLOSED, LAST_CLOSED = date(2018, 6, 16), date(2018, 6, 20)
CONDITIONS = {
    "currency": "USD",
    "day_count": "30/360-proportional",
    "amount_max": "50000.00",
    "rate_annual_max": "0.40",
    "instalments_max": 360,
    "charges": ["LATE"],
}


def token_of(name: str) -> str:
    return f"secret-of-{name}-0123456789"


@dataclass
class Api:
    """A client of the running application; `as_` whom it calls."""

    parts: Parts
    projector: Projector
    http: httpx.Client
    who: str = "boss"
    loans: list[str] = field(default_factory=list[str])

    def as_(self, who: str) -> "Api":
        return Api(self.parts, self.projector, self.http, who, self.loans)

    def post(
        self,
        path: str,
        body: object = None,
        *,
        key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Send a command under a key of its own, or the one given; "" sends none."""
        sent = {"Authorization": f"Bearer {token_of(self.who)}"}
        if key != "":
            sent["Idempotency-Key"] = key or uuid4().hex
        return self.http.post(path, json=body or {}, headers=sent | (headers or {}))

    def done(self, path: str, body: object = None, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - as `post`
        """Send a command that must be carried out; its answer."""
        answer = self.post(path, body, **more)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def preview(self, path: str, body: object = None) -> list[dict[str, Any]]:
        """Decide as ever and store nothing; the events that would be recorded."""
        answer = self.post(f"{path}?preview=true", body, key="")
        assert answer.status_code == 200, answer.text
        return answer.json()["events"]

    def refused(self, path: str, body: object, *, status: int = 409) -> tuple[str, str | None]:
        """Send a command that must be refused; the code and the field at fault."""
        answer = self.post(path, body)
        assert answer.status_code == status, answer.text
        problem = answer.json()
        return problem["code"], problem.get("field")

    def get(
        self,
        path: str,
        query: Mapping[str, object] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Any:  # noqa: ANN401 - JSON
        """Ask; the answer must be 200."""
        answer = self.ask(path, query, headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ask(
        self,
        path: str,
        query: Mapping[str, object] | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Ask, and take any answer."""
        sent = {"Authorization": f"Bearer {token_of(self.who)}"} | (headers or {})
        asked = {name: str(value) for name, value in (query or {}).items()}
        return self.http.get(path, params=asked, headers=sent)

    def topics(self, loan: str, after: int = 0) -> list[str]:
        """The topics of a loan's events after a version."""
        rows = self.get(f"/v1/loans/{loan}/events", {"limit": 500})["rows"]
        return [row["topic"] for row in rows if row["version"] > after]

    def accounts(self) -> dict[str, Decimal]:
        """What stands on each account of the ledger that is not even, debit positive."""
        rows = self.get("/v1/ledger/trial-balance")["rows"]
        stands = {row["account"]: Decimal(row["debit"]) - Decimal(row["credit"]) for row in rows}
        return {account: balance for account, balance in stands.items() if balance}

    def catch_up(self) -> None:
        """Bring the read models up to all that is recorded."""
        self.projector.catch_up(self.parts.store.head())

    def open_loan(
        self,
        amount: str = "10000.00",
        instalments: int = 12,
        on: str = ON,
        **agreed: object,
    ) -> str:
        """Bring a loan from its application to its payout, the check by another person.

        `agreed`: what the review says beside its rate.
        """
        ann = self.as_("ann")
        loan = self.apply(amount, instalments, on)
        at = f"/v1/loans/{loan}"
        review = {"effective_on": on, "decision": "approved", "rate_annual": "0.12"}
        ann.done(f"{at}/reviews", review | agreed)
        disclosed = {"annual_cost": "0.13", "method": "irr", "charges": ["LATE"]}
        ann.done(f"{at}/cost-disclosures", {"effective_on": on} | disclosed)
        ann.done(f"{at}/offer-acceptances", {"effective_on": on})
        money = {"effective_on": on, "amount": amount, "currency": "USD", "disbursement_id": "d-1"}
        ann.done(f"{at}/disbursement-preparations", money | {"payee_account_hash": "f00d"})
        check = {
            "effective_on": on,
            "disbursement_id": "d-1",
            "payload_hash": self.payload_hash(loan),
            "checks": sorted(REQUIRED_CHECKS),
        }
        self.as_("bob").done(f"{at}/disbursement-checks", check)
        ann.done(f"{at}/disbursements", money)
        return loan

    def apply(self, amount: str = "10000.00", instalments: int = 12, on: str = ON) -> str:
        body = {
            "effective_on": on,
            "customer_id": "c-1",
            "product_code": "P",
            "amount": amount,
            "currency": "USD",
            "instalments": instalments,
            "segments": {"grade": "B", "purpose": "car", "region": "CA"},
        }
        loan = self.as_("ann").done("/v1/loans", body)["loan_id"]
        self.loans.append(loan)
        return loan

    def payload_hash(self, loan: str) -> str:
        """What the checker looks at: the preparation's hash, from the loan's own state."""
        return self.get(f"/v1/loans/{loan}/state")["preparation"]["payload_hash"]

    def pay(self, loan: str, amount: str, on: str, payment_id: str | None = None) -> dict[str, Any]:
        body = {
            "effective_on": on,
            "payment_id": payment_id or f"p-{on}-{amount}",
            "amount": amount,
            "currency": "USD",
        }
        return self.as_("ann").done(f"/v1/loans/{loan}/payments", body)

    def define_product(self, code: str = "P", **changes: object) -> None:
        conditions = CONDITIONS | {"backdating_days_max": 4000} | changes
        body = {"effective_on": ON, "name": "Loans", "conditions": conditions}
        self.as_("boss").done(f"/v1/products/{code}/versions", body)


def write_tokens(folder: Path) -> Path:
    """Write a tokens file with everybody in it."""
    holders = [
        {"token": token_of(name), "kind": "human", "id": name, "roles": roles}
        for name, roles in PEOPLE.items()
    ]
    scorer = {"token": token_of("robot"), "kind": "model", "id": "robot", "roles": ["scorer"]}
    path = folder / "tokens.json"
    path.write_text(json.dumps({"tokens": [*holders, scorer]}))
    return path


@contextmanager
def served(parts: Parts) -> Generator[str]:
    """Serve the application on a free port; its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(parts),
            http=JoinedProtocol,
            log_level="critical",
            access_log=False,
            lifespan="on",
        )
    )
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def api_on(dsn: str, settings: Settings) -> Generator[Api]:
    """Run the application on a database; its log lines stay out of the way."""
    log.configure(Settings(log_level="CRITICAL"))
    with (
        opened(settings, dsn) as parts,
        bulk_pool(dsn) as pool,
        served(parts) as address,
        httpx.Client(base_url=address, timeout=30) as http,
    ):
        yield Api(parts, Projector(pool, LogFeed(pool)), http)


@pytest.fixture(scope="session")
def book_template(
    postgres_server: Server, read_models_template: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, list[str]]:
    """Name of the database with a book that has a life in it, closed up to LAST_CLOSED; its loans.

    A copy takes a tenth of making it.
    """
    tokens = write_tokens(tmp_path_factory.mktemp("tokens"))
    postgres_server.drop(BOOK_TEMPLATE)
    dsn = postgres_server.create(BOOK_TEMPLATE, read_models_template)
    with api_on(dsn, Settings(tokens_file=tokens)) as running, bulk_pool(dsn) as pool:
        running.define_product()
        good, late, lost = (running.open_loan() for _ in range(3))
        for month in ("02", "03", "04", "05", "06"):
            running.pay(good, "888.49", f"2018-{month}-15")
        running.pay(late, "888.49", "2018-02-15")
        running.apply("700.00")
        running.catch_up()
        close = CloseOfDay(service=running.parts.service, database=pool, catch_up=running.catch_up)
        close.close_until(FIRST_CLOSED, first=FIRST_CLOSED)
        running.parts.business_date.forget()
        running.done(f"/v1/loans/{lost}/charge-offs", {"cause": "hopeless"})
        close.close_until(LAST_CLOSED)
        running.catch_up()
        return BOOK_TEMPLATE, running.loans


@pytest.fixture(scope="module")
def book(
    postgres_server: Server,
    book_template: tuple[str, list[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Api]:
    """The application on a copy of the book for this module; tests only ask."""
    template, loans = book_template
    tokens = write_tokens(tmp_path_factory.mktemp("tokens"))
    with (
        postgres_server.fresh(template) as dsn,
        api_on(dsn, Settings(tokens_file=tokens)) as running,
    ):
        running.loans.extend(loans)
        yield running


@pytest.fixture
def database(database_with_read_models: str) -> str:
    return database_with_read_models


@pytest.fixture
def api(database: str, tmp_path: Path) -> Iterator[Api]:
    """The application on an empty book, with a product P."""
    with api_on(database, Settings(tokens_file=write_tokens(tmp_path))) as running:
        running.define_product()
        yield running
