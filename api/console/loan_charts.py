"""The two pictures of a loan: its events on a strip of days, and its principal over its life."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from api.console.charts import Chart, Frame, Scale, Series, lines, tenths
from api.console.formats import short_money, tone
from api.console.loan_standing import Standing
from domain.loan.state import Loan
from projections.ports import Row

STRIP: Final = Frame(width=1240, height=64, left=10, right=10, top=8, bottom=24)
MIDDLE, STACKED = 220, 100
"""Where the dots of a day stand on the strip and how far apart, in tenths."""
LIFE: Final = Frame(width=760, height=220, left=56, right=16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """Events of one kind and day on the strip; `seen`: they count at the moment shown."""

    x: str
    y: str
    kind: str
    on: date
    text: str
    seen: bool


def life_strip(entries: Sequence[Row], standing: Standing) -> dict[str, Any]:
    """Place the events between the first value date and the last, for picking a day."""
    days = [entry["effective_on"] for entry in entries]
    scale = Scale(
        frame=STRIP,
        first=min(days, default=standing.on),
        last=max([*days, standing.on]),
        highest=1,
    )
    return {
        "frame": STRIP,
        "first": scale.first,
        "last": scale.last,
        "cursor": tenths(scale.x(max(standing.on, scale.first))),
        "dots": _dots(entries, scale),
    }


def _dots(entries: Sequence[Row], scale: Scale) -> list[Dot]:
    """Make a dot of the events of each day and kind; those of one day stand over one another."""
    days: dict[date, dict[str, list[Row]]] = {}
    for entry in entries:
        kinds = days.setdefault(entry["effective_on"], {})
        kinds.setdefault(tone(entry["topic"]), []).append(entry)
    return [
        Dot(
            x=tenths(scale.x(day)),
            y=tenths(MIDDLE + (2 * place - len(kinds) + 1) * STACKED // 2),
            kind=kind,
            on=day,
            text="; ".join(entry["summary"] for entry in events),
            seen=any(entry["seen"] for entry in events),
        )
        for day, kinds in sorted(days.items())
        for place, (kind, events) in enumerate(kinds.items())
    ]


def life_chart(
    loan: Loan, days: Sequence[Row], on: date, *, labels: tuple[str, str], language: str
) -> Chart | None:
    """Draw the principal owed by day, and as the schedule of that moment plans it."""
    if loan.disbursed_on is None or not loan.rows:
        return None
    owed = [(day["business_date"], day["principal_minor"]) for day in days]
    left = sum(row.principal_minor for row in loan.rows)
    planned = [(loan.rows[0].from_on, left)]
    for row in loan.rows:
        left -= row.principal_minor
        planned.append((row.due_on, left))
    return lines(
        [
            Series(name=labels[0], values=planned, steps=True),
            Series(name=labels[1], values=owed, steps=True),
        ],
        LIFE,
        label=lambda minor: short_money(minor, loan.currency, language),
        marks=[(on, on.isoformat())],
    )
