"""Amounts of money: minor units, their text, the one rounding, the exact split. No rates."""

import re
from collections.abc import Mapping, Sequence
from decimal import (
    ROUND_05UP,
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    InvalidOperation,
    Overflow,
)
from types import MappingProxyType

from domain.errors import Rejected

_CURRENCIES_BY_EXPONENT = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF
        CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD
        HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA
        MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN
        QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP
        TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
    """,
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}

CURRENCY_EXPONENT: Mapping[str, int] = MappingProxyType(
    {
        currency: exponent
        for exponent, currencies in _CURRENCIES_BY_EXPONENT.items()
        for currency in currencies.split()
    }
)
"""Decimals of each currency (ISO 4217). A currency that is not here cannot be lent."""

AMOUNT_MINOR_MAX = 10**15
"""Largest amount: thousands of them sum inside bigint, and any JSON reader keeps it (2^53)."""

PRECISION_MIN, PRECISION_MAX = 10, 50
"""Significant digits a product may choose; fewer would show in the cents (domain rules, 5)."""

ROUNDING_MODES = frozenset(
    {
        ROUND_05UP,
        ROUND_CEILING,
        ROUND_DOWN,
        ROUND_FLOOR,
        ROUND_HALF_DOWN,
        ROUND_HALF_EVEN,
        ROUND_HALF_UP,
        ROUND_UP,
    }
)

_AMOUNT = re.compile(
    r"([0-9]{1,24})(?:\.([0-9]{1,24}))?"
)  # ASCII digits only; bounded for hostile input


def interest_context(prec: int = 19, mode: str = ROUND_HALF_EVEN) -> Context:
    """Make a context for interest arithmetic: `prec` significant digits, rounded by `mode` inside.

    It traps float, so a rate that went through binary fractions fails at once.
    Raises Rejected: `precision_out_of_range`, `unknown_rounding_mode`.
    """
    if not PRECISION_MIN <= prec <= PRECISION_MAX:
        detail = f"precision must be {PRECISION_MIN} to {PRECISION_MAX} digits, not {prec}"
        raise Rejected("precision_out_of_range", detail, "precision")
    if mode not in ROUNDING_MODES:
        raise Rejected("unknown_rounding_mode", f"{mode!r} is not a rounding mode", "rounding_mode")
    traps = [InvalidOperation, DivisionByZero, Overflow, FloatOperation]
    return Context(prec=prec, rounding=mode, traps=traps)


INTEREST_CONTEXT = interest_context()
"""The default context of interest arithmetic; enter it with `localcontext`, which copies it."""

WIDE_CONTEXT = interest_context(40)
"""For what comes before that: amount x rate x days fits without loss, and a factor cut off here
still gives half a cent as half a cent when its product is rounded to 19 digits."""


def exponent_of(currency: str) -> int:
    """Return the number of decimals of an ISO 4217 currency. Raises Rejected `unknown_currency`."""
    try:
        return CURRENCY_EXPONENT[currency]
    except KeyError:
        detail = f"{currency!r} is not a currency this book knows"
        raise Rejected("unknown_currency", detail, "currency") from None


def parse_amount(text: str, currency: str) -> int:
    """Read a decimal string such as "1234.50" as minor units of `currency`.

    Nothing is rounded and nothing guessed: no sign, no exponent, no grouping, ASCII digits only.
    Raises Rejected: `malformed_amount`, `too_many_decimals`, `amount_too_large`,
    `unknown_currency`.
    """
    exponent = exponent_of(currency)
    match = _AMOUNT.fullmatch(text)
    if match is None:
        detail = 'an amount is written with digits and at most one point, such as "1234.50"'
        raise Rejected("malformed_amount", detail, "amount")
    whole, decimals = match[1], match[2] or ""
    if len(decimals) > exponent:
        detail = f"{currency} has {exponent} decimals, the amount has {len(decimals)}"
        raise Rejected("too_many_decimals", detail, "amount")
    minor = int(whole + decimals.ljust(exponent, "0"))
    if minor > AMOUNT_MINOR_MAX:
        largest = format_amount(AMOUNT_MINOR_MAX, currency)
        raise Rejected("amount_too_large", f"the largest amount is {largest} {currency}", "amount")
    return minor


def format_amount(minor: int, currency: str) -> str:
    """Write minor units as a decimal string with all decimals of `currency`; negative with a minus.

    Raises Rejected `unknown_currency`.
    """
    exponent = exponent_of(currency)
    sign = "-" if minor < 0 else ""
    digits = str(abs(minor)).rjust(exponent + 1, "0")
    if exponent == 0:
        return sign + digits
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}"


def to_minor(value: Decimal, mode: str = ROUND_HALF_UP) -> int:
    """Round an intermediate amount in minor units to whole ones: the one rounding of money.

    Raises decimal.InvalidOperation or an ArithmeticError for NaN and infinity, which are our bug.
    """
    return int(value.to_integral_value(rounding=mode))


def split(amount_minor: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Divide an amount in proportion to `weights`, by largest remainder; the parts sum to it.

    Equal remainders favour the earlier part (domain rules, 5.3). A negative amount mirrors the
    positive one. Raises ValueError for no weights, a negative weight, or all weights zero.
    """
    total = sum(weights)
    if total <= 0 or min(weights) < 0:
        raise ValueError(f"cannot split by {weights!r}")
    if amount_minor < 0:
        return tuple(-part for part in split(-amount_minor, weights))
    shares = [divmod(amount_minor * weight, total) for weight in weights]
    left = amount_minor - sum(whole for whole, _ in shares)
    by_remainder = sorted(range(len(shares)), key=lambda k: -shares[k][1])  # stable: earlier first
    lucky = frozenset(by_remainder[:left])
    return tuple(whole + (k in lucky) for k, (whole, _) in enumerate(shares))
