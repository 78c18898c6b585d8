"""Money: text in and out, the one rounding, the exact split."""

from decimal import (
    ROUND_HALF_EVEN,
    Decimal,
    DivisionByZero,
    FloatOperation,
    InvalidOperation,
    localcontext,
)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Rejected
from domain.money import (
    AMOUNT_MINOR_MAX,
    CURRENCY_EXPONENT,
    INTEREST_CONTEXT,
    format_amount,
    interest_context,
    parse_amount,
    split,
    to_minor,
)

BIGINT_MAX = 2**63 - 1

amounts = st.integers(min_value=0, max_value=AMOUNT_MINOR_MAX)
currencies = st.sampled_from(sorted(CURRENCY_EXPONENT))


@given(amounts, currencies)
def test_an_amount_survives_writing_and_reading(minor: int, currency: str) -> None:
    assert parse_amount(format_amount(minor, currency), currency) == minor


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("0", "CNY", 0),
        ("1", "CNY", 100),
        ("1.5", "CNY", 150),
        ("1234.50", "EUR", 123_450),
        ("007", "USD", 700),
        ("1000", "JPY", 1_000),
        ("0.001", "KWD", 1),
        ("1.2345", "CLF", 12_345),
        ("10000000000000.00", "CNY", AMOUNT_MINOR_MAX),
    ],
)
def test_an_amount_is_read_in_the_decimals_of_its_currency(
    text: str, currency: str, minor: int
) -> None:
    assert parse_amount(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency"), [("1.234", "CNY"), ("1.0", "JPY"), ("0.0001", "KWD"), ("1.100", "USD")]
)
def test_more_decimals_than_the_currency_has_are_an_error_and_no_rounding(
    text: str, currency: str
) -> None:
    with pytest.raises(Rejected) as refusal:
        parse_amount(text, currency)
    assert (refusal.value.code, refusal.value.field) == ("too_many_decimals", "amount")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "1\n",
        "-1",
        "+1",
        "1e3",
        "1E3",
        "NaN",
        "Infinity",
        ".5",
        "5.",
        "1,000",
        "1_000",
        "١٢",
        "1\uff12",  # a full-width digit
        "0x1",
        "1.2.3",
        "9" * 30,
    ],
)
def test_what_is_not_a_plain_decimal_string_is_refused(text: str) -> None:
    with pytest.raises(Rejected) as refusal:
        parse_amount(text, "CNY")
    assert refusal.value.code == "malformed_amount"


@given(st.text(max_size=30))
def test_any_text_is_an_amount_or_a_refusal(text: str) -> None:
    try:
        minor = parse_amount(text, "CNY")
    except Rejected:
        return
    assert 0 <= minor <= AMOUNT_MINOR_MAX


def test_one_minor_unit_above_the_largest_amount_is_refused() -> None:
    with pytest.raises(Rejected) as refusal:
        parse_amount(format_amount(AMOUNT_MINOR_MAX + 1, "CNY"), "CNY")
    assert refusal.value.code == "amount_too_large"


def test_a_thousand_of_the_largest_amounts_sum_inside_a_bigint() -> None:
    assert AMOUNT_MINOR_MAX * 1_000 <= BIGINT_MAX


@pytest.mark.parametrize("currency", ["XXX", "cny", "", "XAU", "人民币"])
def test_an_unknown_currency_is_refused(currency: str) -> None:
    for work in (lambda: parse_amount("1", currency), lambda: format_amount(1, currency)):
        with pytest.raises(Rejected) as refusal:
            work()
        assert refusal.value.code == "unknown_currency"


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (-5, "CNY", "-0.05"),
        (-1, "JPY", "-1"),
        (5, "KWD", "0.005"),
        (0, "CNY", "0.00"),
        (100_000, "CNY", "1000.00"),
    ],
)
def test_an_amount_is_written_with_all_its_decimals(minor: int, currency: str, text: str) -> None:
    assert format_amount(minor, currency) == text


@pytest.mark.parametrize(
    ("value", "half_up", "half_even"),
    [
        ("0.5", 1, 0),
        ("1.5", 2, 2),
        ("2.5", 3, 2),
        ("-0.5", -1, 0),
        ("-2.5", -3, -2),
        ("2.4999", 2, 2),
    ],
)
def test_money_is_rounded_by_the_named_mode(value: str, half_up: int, half_even: int) -> None:
    assert to_minor(Decimal(value)) == half_up
    assert to_minor(Decimal(value), ROUND_HALF_EVEN) == half_even


def test_rounding_keeps_amounts_longer_than_the_context() -> None:
    with localcontext(interest_context(10)):
        assert to_minor(Decimal("12345678901234567890.5")) == 12345678901234567891


@pytest.mark.parametrize("value", ["NaN", "Infinity"])
def test_what_is_no_number_is_never_rounded_to_money(value: str) -> None:
    with pytest.raises((ValueError, OverflowError, InvalidOperation)):
        to_minor(Decimal(value))


def test_the_interest_context_traps_float_and_division_by_zero() -> None:
    with localcontext(INTEREST_CONTEXT):
        assert str(Decimal(1) / 3) == "0.3333333333333333333"
        with pytest.raises(FloatOperation):
            _ = Decimal(1) < 0.1
        with pytest.raises(DivisionByZero):
            _ = Decimal(1) / 0


@pytest.mark.parametrize(
    ("prec", "mode", "code"),
    [
        (9, ROUND_HALF_EVEN, "precision_out_of_range"),
        (51, ROUND_HALF_EVEN, "precision_out_of_range"),
        (19, "ROUND_SIDEWAYS", "unknown_rounding_mode"),
    ],
)
def test_an_impossible_context_is_refused(prec: int, mode: str, code: str) -> None:
    with pytest.raises(Rejected) as refusal:
        interest_context(prec, mode)
    assert refusal.value.code == code


weight_lists = st.lists(st.integers(min_value=0, max_value=10**9), min_size=1, max_size=20).filter(
    any
)


@given(st.integers(min_value=-AMOUNT_MINOR_MAX, max_value=AMOUNT_MINOR_MAX), weight_lists)
def test_a_split_loses_nothing_and_is_fair_to_one_minor_unit(
    amount_minor: int, weights: list[int]
) -> None:
    parts = split(amount_minor, weights)
    total = sum(weights)
    assert sum(parts) == amount_minor
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * total - amount_minor * weight) < total
        assert weight or not part


def test_equal_remainders_favour_the_earlier_part() -> None:
    assert split(100, [1, 1, 1]) == (34, 33, 33)
    assert split(-100, [1, 1, 1]) == (-34, -33, -33)
    assert split(5, [0, 1, 1]) == (0, 3, 2)


@pytest.mark.parametrize("weights", [[], [0, 0], [2, -1]])
def test_an_impossible_split_is_a_programmers_error(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="cannot split"):
        split(1, weights)
