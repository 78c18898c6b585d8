"""What the surfaces are made of, wired once a process. It holds parts and does nothing."""

from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

from api.business_date import BusinessDate
from api.desk import Desk
from api.identity import Tokens, read_tokens
from api.metrics import Metrics
from api.reads import Reads
from api.workshop import Workshop
from domain.service import Service
from infra.calendars import read_calendars
from infra.database import read_pool
from infra.migrate import migrate
from infra.settings import Limits, Settings
from infra.store import PostgresEventStore
from projections import schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything that HTTP routes and console pages use."""

    settings: Settings
    limits: Limits
    store: PostgresEventStore
    service: Service
    reads: Reads  # queries: await parts.reads.run(lambda db: ...)
    desk: Desk  # commands: await parts.desk.carry_out(caller, order)
    tokens: Tokens  # whom a bearer token stands for
    business_date: BusinessDate
    metrics: Metrics
    workshop: Workshop  # simulations


@contextmanager
def opened(settings: Settings, dsn: str) -> Generator[Parts]:
    """Open the parts on a database, migrated and with read models; close them at the end.

    Raises TokensUnreadable, CalendarsUnreadable, MigrationFailed, Unavailable.
    """
    limits = settings.limits
    tokens = read_tokens(settings)
    with ExitStack() as stack:
        migrate(dsn)
        store = stack.enter_context(PostgresEventStore(dsn, limits=limits))
        pool = stack.enter_context(read_pool(dsn, limits))
        with pool.transaction() as db:
            schema.install(db)
        reads = stack.enter_context(closing(Reads(pool, limits)))
        service = Service(store, calendars=read_calendars(settings.calendars_file))
        business_date = BusinessDate(reads)
        yield Parts(
            settings=settings,
            limits=limits,
            store=store,
            service=service,
            reads=reads,
            desk=stack.enter_context(closing(Desk(store, service, business_date, limits))),
            tokens=tokens,
            business_date=business_date,
            metrics=Metrics(store.waiting, store.waiting_seconds),
            workshop=stack.enter_context(closing(Workshop(limits))),
        )
