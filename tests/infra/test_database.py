"""Lists as SQL arrays: what PostgreSQL reads is what was given."""

from collections.abc import Generator
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.database import DatabasePool
from tests.support.postgres import Server

# PostgreSQL's text holds no NUL, and UTF-8 no lone surrogates.
TEXTS = st.text(st.characters(exclude_characters="\x00", codec="utf-8"), max_size=8)
ARRAYS = st.one_of(
    st.tuples(st.just("text"), st.lists(st.none() | TEXTS | st.just("NULL"))),
    st.tuples(st.just("bigint"), st.lists(st.none() | st.integers(-(2**63), 2**63 - 1))),
    st.tuples(st.just("date"), st.lists(st.none() | st.dates())),
)


@pytest.fixture(scope="module")
def pool(postgres_server: Server) -> Generator[DatabasePool]:
    with DatabasePool(postgres_server.dsn, connections_max=1, name="arrays") as pool:
        yield pool


@given(ARRAYS)
def test_an_array_comes_back_as_it_was_given(
    pool: DatabasePool, array: tuple[str, list[object]]
) -> None:
    kind, values = array
    with pool.transaction() as db:
        assert db.tuples(f"SELECT %s::{kind}[]", [values]) == [(values,)]


def test_an_array_without_a_type_takes_that_of_the_column(pool: DatabasePool) -> None:
    with pool.transaction() as db:
        assert db.tuples("SELECT 7::bigint = ANY(%s)", [[5, 7]]) == [(True,)]
        assert db.tuples("SELECT 'b'::text = ANY(%s)", [[]]) == [(False,)]


@pytest.mark.parametrize("value", [True, 1.5, b"bytes", ["nested"]])
def test_what_no_array_is_made_of_is_refused(pool: DatabasePool, value: object) -> None:
    with pool.transaction() as db, pytest.raises(TypeError, match="no array holds"):
        db.tuples("SELECT %s::text[]", [[value]])


def test_dates_are_written_for_any_style_of_the_server(pool: DatabasePool) -> None:
    with pool.transaction() as db:
        db.execute("SET LOCAL datestyle = 'SQL, DMY'")
        assert db.tuples("SELECT ARRAY[DATE '2026-03-04'] = %s::date[]", [[date(2026, 3, 4)]]) == [
            (True,)
        ]
