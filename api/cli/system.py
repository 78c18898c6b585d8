"""Puts the embedded system together for a command: Postgres, migrations, store, read models.

One of the two places where parts are wired. It decides nothing.
"""

import os
import pwd
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property

from api.cli.servers import database
from consumers.close_helpers import CloseHelpers, Workplace
from consumers.daily_close import CloseOfDay
from consumers.log_feed import LogFeed
from consumers.projector import Projector
from domain.actors import Actor, ActorKind
from domain.service import Service
from infra.calendars import read_calendars
from infra.database import DatabasePool, bulk_pool, read_pool
from infra.migrate import migrate
from infra.settings import Settings
from infra.store import PostgresEventStore
from projections import schema


@dataclass(frozen=True, kw_only=True)
class System:
    """The parts that commands of the command line use."""

    settings: Settings
    dsn: str
    store: PostgresEventStore
    service: Service
    reads: DatabasePool
    bulk: DatabasePool
    helpers: CloseHelpers

    @cached_property
    def projector(self) -> Projector:
        """A projector in this process, from where the read models stand when it is first needed."""
        limits = self.settings.limits
        return Projector(self.bulk, LogFeed(self.bulk, limits=limits), limits=limits)

    def catch_up(self) -> None:
        """Bring the read models up to the last recorded event."""
        self.projector.catch_up(self.store.head())

    def close_of_day(self, catch_up: Callable[[], None] | None = None) -> CloseOfDay:
        """Wire the close of business days; `catch_up` None: this process projects itself."""
        catch_up = catch_up or self.catch_up
        return CloseOfDay(
            service=self.service, database=self.bulk, catch_up=catch_up, helpers=self.helpers
        )


@contextmanager
def opened(settings: Settings | None = None) -> Generator[System]:
    """Open everything, migrated and with read models installed; close it at the end."""
    settings = settings or Settings()
    with ExitStack() as stack:
        dsn = stack.enter_context(database(settings))
        migrate(dsn)
        store = stack.enter_context(PostgresEventStore(dsn, limits=settings.limits))
        reads = stack.enter_context(read_pool(dsn, settings.limits))
        bulk = stack.enter_context(bulk_pool(dsn, settings.limits))
        with bulk.transaction() as db:
            schema.install(db)
        workplace = Workplace(
            dsn=dsn, limits=settings.limits, calendars_file=settings.calendars_file
        )
        helpers = stack.enter_context(CloseHelpers(workplace, (os.cpu_count() or 1) - 1))
        yield System(
            settings=settings,
            dsn=dsn,
            store=store,
            service=Service(store, calendars=read_calendars(settings.calendars_file)),
            reads=reads,
            bulk=bulk,
            helpers=helpers,
        )


def operator() -> Actor:
    """Name the person at the terminal, as the operating system knows them."""
    return Actor(kind=ActorKind.HUMAN, id=f"cli:{pwd.getpwuid(os.getuid()).pw_name}")
