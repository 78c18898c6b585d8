"""Values as people read them: amounts, shares, dates, ids. Computes no figure of its own."""

from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from markupsafe import Markup, escape

from domain.money import exponent_of, format_amount
from domain.policies import US_BUCKETS

NOTHING: Final = "–"
NARROW: Final = "\u00a0"  # keeps a figure and its unit on one line
ID_CHARS_MAX: Final = 13
_CODE: Final = Markup("<code>{}</code>")

# Powers of ten and what people call them, largest first.
_SHORT: Final = {
    "en": ((9, "bn"), (6, "m"), (3, "k")),
    "zh": ((8, "亿"), (4, "万")),
}


def figure(minor: int | None, currency: str) -> str:
    """Write an amount without its currency: 1,234.50; None: a dash."""
    if minor is None:
        return NOTHING
    whole, point, decimals = format_amount(minor, currency).partition(".")
    sign = "−" if whole.startswith("-") else ""
    return f"{sign}{int(whole.lstrip('-')):,}{point}{decimals}"


def money(minor: int | None, currency: str) -> str:
    """Write an amount with its currency: 1,234.50 USD; None: a dash."""
    return NOTHING if minor is None else f"{figure(minor, currency)}{NARROW}{currency}"


def unrounded(minor: Decimal, currency: str) -> str:
    """Write an amount with the digits that rounding takes away, at most four: 83.3333."""
    exponent = exponent_of(currency)
    step = Decimal(1).scaleb(-exponent - 4)
    told = minor.scaleb(-exponent).quantize(step, ROUND_HALF_UP)
    return f"{told:,f}".replace("-", "−")


def short_money(minor: int, currency: str, language: str) -> str:
    """Write an amount roughly, for an axis: 21.2 m; cut, not rounded up."""
    whole = abs(minor) // 10 ** exponent_of(currency)
    sign = "−" if minor < 0 else ""
    for power, name in _SHORT[language]:
        if whole >= 10**power:
            tenths = whole // 10 ** (power - 1)
            text = f"{tenths // 10:,}.{tenths % 10}".removesuffix(".0")
            return f"{sign}{text}{NARROW}{name}"
    return f"{sign}{whole:,}"


def count(number: int | None) -> str:
    """Write a whole number: 9,512; None: a dash."""
    return NOTHING if number is None else f"{number:,}"


def percent(share: Decimal | None, places: int = 2) -> str:
    """Write a fraction as a percentage: 3.41 %; None, a share of nothing: a dash."""
    if share is None:
        return NOTHING
    step = Decimal(1).scaleb(-places)
    return f"{(share * 100).quantize(step, ROUND_HALF_UP):,f}{NARROW}%".replace("-", "−")


def points(change: Decimal | None) -> str:
    """Write a change of a fraction in percentage points, with its sign: +0.35."""
    if change is None:
        return NOTHING
    moved = (change * 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return f"{'−' if moved < 0 else '+' if moved > 0 else ''}{abs(moved)}"


def rate(value: Decimal | None) -> str:
    """Write a yearly rate exactly as agreed, with two decimals or more: 12.99 %."""
    if value is None:
        return NOTHING
    whole, _, decimals = f"{(value * 100).normalize():f}".partition(".")
    return f"{whole}.{decimals:0<2}{NARROW}%"


def day(value: date | None) -> str:
    """Write a date as ISO does; None: a dash."""
    return NOTHING if value is None else value.isoformat()


def moment(value: datetime | None) -> str:
    """Write an instant to the second, in UTC; None: a dash."""
    if value is None:
        return NOTHING
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}{NARROW}UTC"


def short_id(name: str) -> str:
    """Cut a long id to its beginning; the page keeps the whole one in a title."""
    return name if len(name) <= ID_CHARS_MAX else f"{name[:8]}…"


def coded(text: str) -> Markup:
    """Set what stands between backticks as code; everything is escaped."""
    parts = text.split("`")
    made = [
        escape(part) if place % 2 == 0 else _CODE.format(part) for place, part in enumerate(parts)
    ]
    return Markup().join(made)


def human(name: str) -> str:
    """Make words of a code for which the table has none: debt_consolidation."""
    text = name.replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def severity(bucket: str, position: int = 0) -> int:
    """Return a bucket's place from mild to bad; a bucket of another set takes its position."""
    names = [known.name for known in US_BUCKETS.buckets]
    return names.index(bucket) if bucket in names else min(position, len(names) - 1)


GOOD: Final = (
    *("payment_received", "payment_allocated", "arrears_cured", "settled", "recovery"),
    *("goodwill_credited", "refund_received", "interest_refunded", "charge_adjusted"),
    "capitalised_income_adjusted",
)
BAD: Final = (
    *("missed", "bucket_changed", "charged_off", "written_off", "flagged", "breached"),
    *("charged_back", "contract_terminated"),
)
NEUTRAL, MONEY_IN, TROUBLE, DESK = "neutral", "good", "bad", "desk"


def tone(topic: str) -> str:
    """Tell whether an event is good news, bad news, desk work or neither, for its colour."""
    if topic.startswith("case."):
        return DESK
    if any(word in topic for word in GOOD):
        return MONEY_IN
    if any(word in topic for word in BAD):
        return TROUBLE
    return NEUTRAL
