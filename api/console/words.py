"""Every label of the console in English and 中文, from one table: `words.csv`."""

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from api.console.formats import human

LANGUAGES: Final = ("en", "zh")


@cache
def table() -> Mapping[str, tuple[str, str]]:
    """Read the table: key to (English, 中文)."""
    text = files("api.console").joinpath("words.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return MappingProxyType({row["key"]: (row["en"], row["zh"]) for row in rows})


class Words:
    """The table in one language."""

    def __init__(self, language: str) -> None:
        """`language` is one of LANGUAGES."""
        self.language = language
        self._column = LANGUAGES.index(language)

    @property
    def other(self) -> "Words":
        """The same table in the other language."""
        return Words(LANGUAGES[1 - self._column])

    def __call__(self, key: str, **values: object) -> str:
        """Return the label of a key. Raises KeyError: a page must not ask for what is not there."""
        label = table()[key][self._column]
        return label.format(**values) if values else label

    def of(self, kind: str, name: str | None) -> str:
        """Return the label of a value, such as a status; one that is not in the table is read out.

        Values come from outside (purposes, reasons), so the table cannot have them all.
        """
        if name is None:
            return "–"
        known = table().get(f"{kind}.{name}")
        return known[self._column] if known else human(name)


def choose(cookie: str | None, accepted: str | None) -> str:
    """Choose the language: the cookie's, else the first that the browser asks for, else English."""
    if cookie in LANGUAGES:
        return cookie
    for part in (accepted or "").split(",")[:10]:
        language = part.partition(";")[0].strip().lower().partition("-")[0]
        if language in LANGUAGES:
            return language
    return "en"
