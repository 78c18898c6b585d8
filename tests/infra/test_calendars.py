"""Calendars of the holidays package as values of the domain."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from domain.errors import Rejected
from infra.calendars import (
    Calendars,
    CalendarsUnreadable,
    DaysOff,
    national_calendar,
    read_calendars,
)
from tests.domain.quantlib import ql, to_ql

QL_CALENDARS = {
    "CN": ql.China(ql.China.IB),  # with the worked weekends (调休)
    "GB": ql.UnitedKingdom(),
    "JP": ql.Japan(),
}


@pytest.mark.parametrize(("country", "subdivision"), [("CN", None), ("GB", "ENG"), ("JP", None)])
def test_a_country_works_and_rests_as_its_banks_do(country: str, subdivision: str | None) -> None:
    """QuantLib's calendars are the oracle; its Chinese one starts to hold worked days in 2008."""
    ours, theirs = national_calendar(country, 2008, 2025, subdivision), QL_CALENDARS[country]
    differ = [
        day
        for day in (date(2008, 1, 1) + timedelta(days=k) for k in range(18 * 365 + 5))
        if ours.is_working(day) != theirs.isBusinessDay(to_ql(day))
    ]
    assert differ == []


def test_banks_may_rest_when_the_country_works() -> None:
    day = date(2024, 12, 31)
    assert not national_calendar("JP", 2024, 2024).is_working(day)
    assert national_calendar("JP", 2024, 2024, days_off=DaysOff.PUBLIC).is_working(day)


def test_china_works_on_the_swapped_sunday_before_national_day_2024() -> None:
    china = national_calendar("CN", 2024, 2024)
    assert china.is_working(date(2024, 9, 29))
    assert not china.is_working(date(2024, 10, 7))


def test_a_region_has_holidays_of_its_own() -> None:
    bavaria, germany = (
        national_calendar("DE", 2024, 2024, "BY"),
        national_calendar("DE", 2024, 2024),
    )
    assert germany.is_working(date(2024, 1, 5))
    assert not bavaria.is_working(date(2024, 1, 6))
    assert bavaria.name == "DE-BY"
    assert bavaria.holidays > germany.holidays


@pytest.mark.parametrize(("country", "subdivision"), [("XX", None), ("CN", "XX")])
def test_an_unknown_country_is_refused(country: str, subdivision: str | None) -> None:
    with pytest.raises(Rejected) as refusal:
        national_calendar(country, 2024, 2024, subdivision)
    assert refusal.value.code == "unknown_calendar"


@pytest.mark.parametrize(("first", "last"), [(2024, 2023), (2000, 2060)])
def test_a_calendar_of_no_or_too_many_years_is_refused(first: int, last: int) -> None:
    with pytest.raises(Rejected) as refusal:
        national_calendar("CN", first, last)
    assert refusal.value.code == "calendar_years_out_of_range"


def test_a_calendar_is_found_by_its_code_and_knows_the_life_of_a_loan() -> None:
    on = date(2024, 1, 15)
    assert not Calendars().calendar("CN", on).is_working(date(2024, 10, 7))
    assert not Calendars().calendar("DE-BY", on).is_working(date(2054, 1, 6))
    with pytest.raises(Rejected) as refusal:
        Calendars().calendar("XX", on)
    assert (refusal.value.code, refusal.value.field) == ("unknown_calendar", "calendar")


def written(folder: Path, *calendars: object) -> Path:
    path = folder / "calendars.json"
    path.write_text(json.dumps({"calendars": calendars}))
    return path


def test_a_lenders_own_days_win_over_the_countrys(tmp_path: Path) -> None:
    own = {"code": "CN-ACME", "country": "CN", "closed": ["2024-12-31"], "worked": ["2024-10-07"]}
    acme = read_calendars(written(tmp_path, own)).calendar("CN-ACME", date(2024, 1, 15))
    assert acme.name == "CN-ACME"
    assert not acme.is_working(date(2024, 12, 31))
    assert acme.is_working(date(2024, 10, 7))
    assert not acme.is_working(date(2024, 10, 4))


@pytest.mark.parametrize(
    "calendars",
    [
        [{"code": "A", "country": "XX"}],
        [{"code": "A", "country": "CN", "closed": ["soon"]}],
        [{"code": "A", "country": "CN", "closed": ["2024-01-02"], "worked": ["2024-01-02"]}],
        [{"code": "A", "country": "CN"}, {"code": "A", "country": "JP"}],
        [{"code": "A"}],
    ],
)
def test_a_calendars_file_that_is_wrong_is_refused_at_the_start(
    tmp_path: Path, calendars: list[object]
) -> None:
    with pytest.raises(CalendarsUnreadable):
        read_calendars(written(tmp_path, *calendars))


def test_a_calendars_file_that_is_missing_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(CalendarsUnreadable):
        read_calendars(tmp_path / "none.json")
