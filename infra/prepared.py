"""One prepared statement, called by the C library itself, and arrays in the form it takes.

psycopg's own way waits in steps. Each step would take its turn behind all other threads of the
process: behind the callers that an append has woken, and for a load once for every few rows.
"""

import struct
from collections.abc import Sequence
from typing import Any
from weakref import WeakSet

import psycopg
from psycopg.adapt import Transformer
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGresult

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
        if connection not in self._known:
            made = connection.pgconn.prepare(self._name, self._sql, self._types)
            _require(connection, made, ExecStatus.COMMAND_OK)
            self._known.add(connection)
        called = connection.pgconn.exec_prepared(
            self._name,
            parameters,  # pyright: ignore[reportArgumentType] - None is NULL
            [_BINARY] * len(parameters),
            _BINARY,
        )
        _require(connection, called, ExecStatus.TUPLES_OK)
        transformer = Transformer(connection)
        transformer.set_pgresult(called)
        return transformer.load_rows(0, called.ntuples, tuple)


def array(element_oid: int, fields: Sequence[bytes]) -> bytes:
    """Write a whole PostgreSQL array of packed fields in its binary form."""
    if not fields:
        return _EMPTY.pack(0, 0, element_oid)
    has_nulls = int(NULL_FIELD in fields)
    header = _HEADER.pack(1, has_nulls, element_oid, len(fields), 1)
    return header + b"".join(fields)


def _require(connection: psycopg.Connection[Any], done: PGresult, status: ExecStatus) -> None:
    if connection.pgconn.status != ConnStatus.OK:
        raise psycopg.OperationalError("the connection was lost")
    if done.status != status:
        raise psycopg.errors.error_from_result(done)
