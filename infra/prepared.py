"""One prepared statement, called by the C library itself, and arrays in the form it takes.

psycopg's own way waits in steps. Each step would take its turn behind all other threads of the
process: behind the callers that an append has woken, and for a load once for every few rows. Where
many rows come, the steps are worth it: the server works on the next as the client reads the first.
"""

import select
import struct
from collections.abc import Iterator, Sequence
from typing import Any
from weakref import WeakSet

import psycopg
from psycopg import abc
from psycopg.adapt import Transformer
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGconn, PGresult

from infra.chain import NULL_FIELD

BIGINT_OID, TEXT_OID, BYTEA_OID, DATE_OID = 20, 25, 17, 1082
ARRAY_OIDS = {BIGINT_OID: 1016, TEXT_OID: 1009, BYTEA_OID: 1001, DATE_OID: 1182}
_HEADER = struct.Struct("!iiIii")  # dimensions, has nulls, element type, elements, lower bound
_EMPTY = struct.Struct("!iiI")
_BINARY = 1


class Prepared:
    """A statement that a connection prepares when it is first called on it."""

    def __init__(self, name: str, sql: str, types: Sequence[int]) -> None:
        """`sql` numbers its parameters ($1); `types` are their OIDs."""
        self._name = name.encode()
        self._sql = sql.encode()
        self._types = types
        self._known: WeakSet[psycopg.Connection[Any]] = WeakSet()

    def call(
        self, connection: psycopg.Connection[Any], parameters: Sequence[bytes | None]
    ) -> list[tuple[Any, ...]]:
        """Run it with parameters in binary form, and return its rows. Raises psycopg.Error."""
        self._prepare(connection)
        called = connection.pgconn.exec_prepared(
            self._name,
            parameters,  # pyright: ignore[reportArgumentType] - None is NULL
            [_BINARY] * len(parameters),
            _BINARY,
        )
        _require(connection, called, ExecStatus.TUPLES_OK)
        return _rows(Transformer(connection), called)

    def rows(
        self, connection: psycopg.Connection[Any], parameters: Sequence[bytes]
    ) -> Iterator[tuple[Any, ...]]:
        """Run it as `call` does, and yield each row while the server makes the next ones.

        The connection is busy until the last row; left before, it cannot be used again.
        """
        self._prepare(connection)
        pgconn, transformer = connection.pgconn, Transformer(connection)
        formats = [_BINARY] * len(parameters)
        pgconn.send_query_prepared(self._name, parameters, formats, _BINARY)
        pgconn.set_single_row_mode()
        while (part := _received(pgconn)) is not None:
            _require(connection, part, ExecStatus.SINGLE_TUPLE, ExecStatus.TUPLES_OK)
            yield from _rows(transformer, part)

    def _prepare(self, connection: psycopg.Connection[Any]) -> None:
        if connection not in self._known:
            made = connection.pgconn.prepare(self._name, self._sql, self._types)
            _require(connection, made, ExecStatus.COMMAND_OK)
            self._known.add(connection)


def array(element_oid: int, fields: Sequence[bytes]) -> bytes:
    """Write a whole PostgreSQL array of packed fields in its binary form."""
    if not fields:
        return _EMPTY.pack(0, 0, element_oid)
    has_nulls = int(NULL_FIELD in fields)
    header = _HEADER.pack(1, has_nulls, element_oid, len(fields), 1)
    return header + b"".join(fields)


def _received(pgconn: PGconn) -> PGresult | None:
    """Return the next result, None after the last. `get_result` would hold up all other threads.

    To wait first, even for what has come, gives the server the time to send many rows at once.
    """
    if pgconn.is_busy():
        arrived = select.poll()
        arrived.register(pgconn.socket, select.POLLIN)
        while pgconn.is_busy():
            arrived.poll()
            pgconn.consume_input()
    return pgconn.get_result()


def _rows(transformer: abc.Transformer, result: PGresult) -> list[tuple[Any, ...]]:
    transformer.set_pgresult(result)
    return transformer.load_rows(0, result.ntuples, tuple)


def _require(connection: psycopg.Connection[Any], done: PGresult, *statuses: ExecStatus) -> None:
    if connection.pgconn.status != ConnStatus.OK:
        raise psycopg.OperationalError("the connection was lost")
    if done.status not in statuses:
        raise psycopg.errors.error_from_result(done)
