"""PostgreSQL for the read models: transactions on pooled connections. It knows no table.

Reads, bulk work and projectors have pools of their own, so that a report cannot starve a payment.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from typing import Any, Self

import psycopg
from psycopg.adapt import Dumper
from psycopg.rows import dict_row, tuple_row
from psycopg_pool import ConnectionPool, PoolTimeout

from infra.connections import is_loss
from infra.errors import Unavailable
from infra.settings import Limits

Connection = psycopg.Connection[Any]
Row = dict[str, Any]
Parameters = Mapping[str, Any] | Sequence[Any]


class ArrayDumper(Dumper):
    """Writes a list as the text of an SQL array, whose type the statement says.

    psycopg's own looks for a dumper for each element, which took a fifth of a projector's time.
    """

    oid = 0

    def dump(self, obj: Sequence[object]) -> bytes:
        """Write texts, integers, dates and NULLs. Raises TypeError for anything else."""
        return b"{%s}" % ",".join(map(_element, obj)).encode()


def _element(value: object) -> str:
    match value:
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case int() if not isinstance(value, bool):
            return str(value)
        case date():
            return value.isoformat()
        case None:
            return "NULL"
        case _:
            raise TypeError(f"no array holds {type(value).__name__}")


class PostgresDatabase:
    """`projections.ports.Database` on one connection; the transaction is the caller's."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Parameters = ()) -> int:
        """Run a statement and return how many rows it touched."""
        return self._connection.execute(sql.encode(), parameters).rowcount

    def script(self, sql: str) -> None:
        """Run several statements without parameters."""
        self._connection.execute(sql.encode())

    def rows(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """Fetch all rows by column name."""
        with self._connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(sql.encode(), parameters, binary=True).fetchall()

    def row(self, sql: str, parameters: Parameters = ()) -> Row | None:
        """Fetch the first row by column name; None: there is none."""
        with self._connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(sql.encode(), parameters, binary=True).fetchone()

    def tuples(self, sql: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """Fetch all rows as tuples."""
        with self._connection.cursor(row_factory=tuple_row) as cursor:
            return cursor.execute(sql.encode(), parameters, binary=True).fetchall()

    def copy_in(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Bring many rows in with COPY. Lists are SQL arrays; JSON comes as text."""
        statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
        with (
            self._connection.cursor() as cursor,
            cursor.copy(statement.encode()) as copy,
        ):
            for row in rows:
                copy.write_row(row)

    def copy_csv(self, table: str, columns: Sequence[str], lines: bytes) -> None:
        """Bring rows in that are CSV already: `null` is NULL, a backslash goes before a quote."""
        options = r"FORMAT csv, NULL 'null', ESCAPE '\'"
        statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN ({options})"
        with self._connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            copy.write(lines)

    def pages(
        self, sql: str, parameters: Parameters = (), *, rows_max: int
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Read the rows of a query of any size page by page, from one snapshot."""
        with self._connection.cursor(name="pages", row_factory=tuple_row) as cursor:
            cursor.execute(sql.encode(), parameters, binary=True)
            while page := cursor.fetchmany(rows_max):
                yield page


class DatabasePool:
    """A bounded number of connections; a transaction borrows one. Threads share the pool."""

    def __init__(
        self,
        dsn: str,
        *,
        connections_max: int,
        name: str,
        statement_seconds_max: float | None = None,
        limits: Limits | None = None,
    ) -> None:
        """`statement_seconds_max` None: no limit, for bulk work."""
        self._limits = limits or Limits()
        self._seconds = statement_seconds_max
        self._pool = ConnectionPool(
            dsn,
            min_size=1,
            max_size=connections_max,
            kwargs={"connect_timeout": self._limits.connect_timeout_seconds},
            configure=self._configure,
            check=ConnectionPool.check_connection,
            timeout=self._limits.connect_timeout_seconds,
            name=name,
            open=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connections."""
        self._pool.close()

    def transaction(self) -> AbstractContextManager[PostgresDatabase]:
        """Borrow a connection for one transaction: commits at the end, rolls back on an error.

        Raises Unavailable when the database is away.
        """
        return self._transaction()

    @contextmanager
    def _transaction(self) -> Generator[PostgresDatabase]:
        try:
            with self._pool.connection() as connection:
                yield PostgresDatabase(connection)
        except PoolTimeout as error:
            raise Unavailable(f"no connection: {error}") from error
        except psycopg.Error as error:
            if is_loss(error):
                raise Unavailable(f"the database was lost: {error}") from error
            raise

    def _configure(self, connection: Connection) -> None:
        milliseconds = round(self._seconds * 1000) if self._seconds else 0
        connection.execute(
            "SELECT set_config('TimeZone', 'UTC', false),"
            " set_config('synchronous_commit', 'on', false),"
            " set_config('statement_timeout', %s, false)",
            (str(milliseconds),),
        )
        connection.commit()
        connection.adapters.register_dumper(list, ArrayDumper)


def read_pool(dsn: str, limits: Limits | None = None) -> DatabasePool:
    """Connections for queries of the surfaces, each bounded by QUERY_SECONDS_MAX."""
    limits = limits or Limits()
    return DatabasePool(
        dsn,
        connections_max=limits.read_connections_max,
        name="queries",
        statement_seconds_max=limits.query_seconds_max,
        limits=limits,
    )


def bulk_pool(dsn: str, limits: Limits | None = None) -> DatabasePool:
    """Connections for projectors, the close of day and rebuilds; statements are not bounded."""
    limits = limits or Limits()
    return DatabasePool(
        dsn, connections_max=limits.bulk_connections_max, name="bulk", limits=limits
    )
