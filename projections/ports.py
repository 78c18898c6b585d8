"""What the read models ask of the world: a database in a transaction, and records to fold.

No connection is opened here; `infra/database.py` has the adapter for PostgreSQL.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol

from domain.envelope import Position, StreamId

Row = dict[str, Any]
"""One row of an answer, by column name."""

Parameters = Mapping[str, Any] | Sequence[Any]


class Database(Protocol):
    """One connection inside one transaction; whoever hands it out commits.

    Parameters are psycopg's: `%(name)s` from a mapping or `%s` from a sequence.
    """

    def execute(self, sql: str, parameters: Parameters = ()) -> int:
        """Run a statement and return how many rows it touched."""
        ...

    def script(self, sql: str) -> None:
        """Run several statements without parameters."""
        ...

    def rows(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """Fetch all rows by column name."""
        ...

    def row(self, sql: str, parameters: Parameters = ()) -> Row | None:
        """Fetch the first row by column name; None: there is none."""
        ...

    def tuples(self, sql: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """Fetch all rows as tuples."""
        ...

    def copy_in(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Bring many rows in with COPY. Lists are SQL arrays; JSON comes as text."""
        ...

    def copy_csv(self, table: str, columns: Sequence[str], lines: bytes) -> None:
        """Bring rows in that are CSV already: `null` is NULL, a backslash goes before a quote."""
        ...

    def pages(
        self, sql: str, parameters: Parameters = (), *, rows_max: int
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Read the rows of a query of any size page by page, from one snapshot."""
        ...


class Record(Protocol):
    """One stored event as a feed hands it out. `domain.envelope.RecordedEvent` is one."""

    @property
    def position(self) -> Position:
        """Its place in the shard."""
        ...

    @property
    def stream(self) -> StreamId:
        """Its aggregate's stream."""
        ...

    @property
    def version(self) -> int:
        """Its number in the stream, from 1 without gaps."""
        ...

    @property
    def topic(self) -> str:
        """What it is stored as."""
        ...

    @property
    def effective_on(self) -> date:
        """Its value date."""
        ...

    @property
    def recorded_at(self) -> datetime:
        """When the store learned it."""
        ...

    @property
    def state(self) -> bytes:
        """Envelope and event, UTF-8 JSON."""
        ...
