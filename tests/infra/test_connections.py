"""What counts as the loss of a connection, told from what a server has to say."""

import psycopg
import pytest
from psycopg import errors
from psycopg.pq import ExecStatus

from infra.connections import is_loss
from tests.support.postgres import Server


def test_what_libpq_says_itself_is_a_loss(postgres_server: Server) -> None:
    """A server that dies in an answer leaves a result without SQLSTATE, as this one is made."""
    with psycopg.connect(postgres_server.dsn) as connection:
        said = connection.pgconn.make_empty_result(ExecStatus.FATAL_ERROR)
        error = errors.error_from_result(said)
    assert error.sqlstate is None
    assert not isinstance(error, psycopg.OperationalError)
    assert is_loss(error)


def test_a_session_that_was_ended_is_a_loss(postgres_server: Server) -> None:
    with (
        psycopg.connect(postgres_server.dsn) as one,
        psycopg.connect(postgres_server.dsn, autocommit=True) as other,
    ):
        other.execute("SELECT pg_terminate_backend(%s)", [one.info.backend_pid])
        with pytest.raises(psycopg.Error) as ended:
            one.execute("SELECT 1")
    assert is_loss(ended.value)


@pytest.mark.parametrize("statement", ["SELEKT", "SELECT 1 / 0", "SELECT nothing", "SELECT %s"])
def test_what_a_statement_did_wrong_is_none(postgres_server: Server, statement: str) -> None:
    with psycopg.connect(postgres_server.dsn) as connection, pytest.raises(psycopg.Error) as wrong:
        connection.execute(statement.encode()).fetchall()
    assert not is_loss(wrong.value)
