"""Holiday calendars from the `holidays` package, as values of the domain. Network is not used."""

from datetime import date
from enum import StrEnum

import holidays

from domain.calendar import HolidayCalendar
from domain.errors import Rejected

CALENDAR_YEARS_MAX = 60
"""Widest calendar: the longest loan with room on both sides."""


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
