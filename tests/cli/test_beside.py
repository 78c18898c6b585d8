"""A projector beside an import: it goes as far as it is told, and its end is noticed."""

import multiprocessing

import pytest

from api.cli.beside import projector_beside
from api.cli.children import ChildEnded
from api.cli.system import opened
from infra.settings import Settings
from projections import applied
from tests.support.book import Book


def test_it_catches_up_and_its_end_is_noticed(database: str) -> None:
    settings = Settings.model_validate({"database_url": database})
    with opened(settings) as system, projector_beside(system) as projector:
        book = Book(system.store)
        for loan in ("one", "two"):
            book.open_loan(loan)
            projector.go_on()
        projector.catch_up()
        with system.bulk.transaction() as db:
            assert applied.position(db) == system.store.head()
        (child,) = multiprocessing.active_children()
        child.kill()
        book.open_loan("three")
        with pytest.raises(ChildEnded, match="the projector ended"):
            projector.catch_up()
