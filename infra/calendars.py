"""Holiday calendars from the `holidays` package, as values of the domain. Network is not used.

A lender's own days stand in a calendars file, read at the start:

    {"calendars": [{"code": "CN-ACME", "country": "CN", "closed": ["2026-12-31"], "worked": []}]}

A code that a country has too stands for the lender's.
"""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

import holidays
from pydantic import BaseModel, ConfigDict

from domain.calendar import CalendarOverride, HolidayCalendar, override
from domain.errors import Rejected

CALENDAR_YEARS_MAX = 60
"""Widest calendar: the longest loan with room on both sides."""

TRIED_YEAR = 2026
"""Any year does to see whether a country is known, and whether the lender's days agree."""

YEARS_BEFORE = 1
"""A due date on 1 January may move into the year before."""


class DaysOff(StrEnum):
    """Whose days off a calendar holds."""

    PUBLIC = "public"
    BANKS = "bank"  # public holidays, and the banks' own where the country has such


def national_calendar(
    country: str,
    first_year: int,
    last_year: int,
    subdivision: str | None = None,
    days_off: DaysOff = DaysOff.BANKS,
) -> HolidayCalendar:
    """Return a country's public holidays for whole years, with the working days swapped in.

    `country` is ISO 3166 alpha-2 ("CN"), `subdivision` its ISO 3166-2 part; None is the whole
    country. Years whose swapped working days are not yet announced hold the statutory holidays
    only; a lender adds what is announced with `domain.calendar.override`.
    Raises Rejected: `unknown_calendar`, `calendar_years_out_of_range`.
    """
    if not 0 <= last_year - first_year < CALENDAR_YEARS_MAX:
        detail = f"a calendar holds 1 to {CALENDAR_YEARS_MAX} years"
        raise Rejected("calendar_years_out_of_range", detail, "last_year")
    try:
        known = holidays.country_holidays(country, subdiv=subdivision).supported_categories
        found = holidays.country_holidays(
            country,
            subdiv=subdivision,
            years=range(first_year, last_year + 1),
            categories={DaysOff.PUBLIC, days_off}.intersection(known) or None,
        )
    except NotImplementedError as error:
        raise Rejected("unknown_calendar", str(error), "country") from error
    weekend = frozenset(int(day) for day in found.weekend)
    first_on, last_on = date(first_year, 1, 1), date(last_year, 12, 31)
    days = frozenset(day for day in found if first_on <= day <= last_on)
    swapped = frozenset(day for day in found.weekend_workdays if first_on <= day <= last_on)
    return HolidayCalendar(
        name=f"{country}-{subdivision}" if subdivision else country,
        weekend=weekend,
        holidays=days - swapped,
        working_days=swapped,
        first_on=first_on,
        last_on=last_on,
    )


class CalendarsUnreadable(Exception):
    """The calendars file is missing or not as it should be; the message says where."""


class LenderCalendar(BaseModel):
    """One calendar of the lender's own: a country's, with days it closes and days it works."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    country: str
    subdivision: str | None = None
    days_off: DaysOff = DaysOff.BANKS
    closed: frozenset[date] = frozenset()
    worked: frozenset[date] = frozenset()

    def around(self, year: int) -> HolidayCalendar:
        """Return the calendar from the year before on. Raises Rejected."""
        known = _known(self.country, self.subdivision, self.days_off, year)
        change = CalendarOverride(closed=self.closed, worked=self.worked)
        return override(known, self.code, change)


class _CalendarsFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    calendars: tuple[LenderCalendar, ...]


class Calendars:
    """Calendars by code: the lender's own, and those of countries, such as CN or DE-BY."""

    def __init__(self, own: Mapping[str, LenderCalendar] | None = None) -> None:
        self._own = own or {}

    def calendar(self, code: str, on: date) -> HolidayCalendar:
        """Return a calendar that knows the life of a loan paid out on a day.

        Raises Rejected `unknown_calendar`.
        """
        own = self._own.get(code)
        if own is not None:
            return own.around(on.year)
        country, _, subdivision = code.partition("-")
        return _known(country, subdivision or None, DaysOff.BANKS, on.year)


@lru_cache(maxsize=32)
def _known(country: str, subdivision: str | None, days_off: DaysOff, year: int) -> HolidayCalendar:
    first = year - YEARS_BEFORE
    try:
        return national_calendar(
            country, first, first + CALENDAR_YEARS_MAX - 1, subdivision, days_off
        )
    except Rejected as no:
        raise Rejected(no.code, no.detail, "calendar") from no


def read_calendars(path: Path | None) -> Calendars:
    """Read a calendars file; None: countries' calendars only. Raises CalendarsUnreadable.

    Every calendar is tried at once, so that an unknown country shows at the start.
    """
    if path is None:
        return Calendars()
    try:
        file = _CalendarsFile.model_validate_json(path.read_bytes())
        for one in file.calendars:
            one.around(TRIED_YEAR)
    except (OSError, ValueError, Rejected) as error:
        raise CalendarsUnreadable(f"{path}: {error}") from error
    own = {one.code: one for one in file.calendars}
    if len(own) < len(file.calendars):
        raise CalendarsUnreadable(f"{path}: a calendar comes twice")
    return Calendars(own)
