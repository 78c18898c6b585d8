"""Write own.json with exact fractions and formulas of its own: loans the other files lack.

It imports nothing of Loanbook: that is its whole use. `python compute_own.py` prints the file.
"""

import calendar
import json
import sys
from datetime import date
from fractions import Fraction
from typing import Any

Vector = dict[str, Any]
START = date(2024, 1, 15)
FIGURES = "computed by tests/golden/vectors/compute_own.py"
PBC = "银发[2003]251号, article 3"


def cents(value: Fraction) -> int:
    """Round half up to a cent; all values here are positive."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def yuan(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


def months_after(start: date, months: int) -> date:
    year, month0 = divmod(start.year * 12 + start.month - 1 + months, 12)
    last = calendar.monthrange(year, month0 + 1)[1]
    return date(year, month0 + 1, min(start.day, last))


def dues(start: date, count: int, every: int = 1) -> list[date]:
    return [months_after(start, every * number) for number in range(1, count + 1)]


def earned(minor: int, percent: str, start: date, end: date) -> Fraction:
    """Interest on ACT/360, the first day counting and the last not."""
    return Fraction(minor) * Fraction(percent) / 100 * (end - start).days / 360


def vector(key: str, rule: str, terms: dict[str, Any], steps: list[dict[str, Any]]) -> Vector:
    common = {
        "schedule_type": "PROGRESSIVE",
        "number_of_repayments": 12,
        "repayment_every": 1,
        "repayment_frequency": "MONTHS",
        "expected_disbursement_on": START.isoformat(),
        "submitted_on": START.isoformat(),
        "accounting": "NONE",
        "rounding": {"mode": "HALF_UP", "math_context_precision": 19},
        "interest_calculation_period": "DAILY",
        "allow_partial_period_interest": True,
    }
    own = {"factors": "exact", "residue": "last_absorbs", "day_inclusion": "first_not_last"}
    own |= terms.pop("loanbook", {})
    return {
        "id": f"own-{key}",
        "source": {"kind": "own", "rule": rule, "figures": FIGURES},
        "features": ["own", key],
        "terms": common | terms | {"loanbook": own},
        "steps": steps,
    }


def business_date(on: date) -> dict[str, Any]:
    return {"op": "set_business_date", "date": on.isoformat()}


def disburse(minor: int, on: date = START) -> list[dict[str, Any]]:
    paid_out = {"op": "disburse", "date": on.isoformat(), "amount": yuan(minor)}
    return [business_date(on), paid_out]


def plan(start: date, due: list[date], parts: list[tuple[int, int]]) -> dict[str, Any]:
    rows: list[dict[str, str | int]] = []
    balance, before = sum(principal for principal, _ in parts), start
    for number, (on, (principal, interest)) in enumerate(zip(due, parts, strict=True), 1):
        balance -= principal
        rows.append(
            {
                "n": number,
                "due_date": on.isoformat(),
                "days": (on - before).days,
                "principal": yuan(principal),
                "interest": yuan(interest),
                "due": yuan(principal + interest),
                "balance": yuan(balance),
            }
        )
        before = on
    return {"check": "schedule", "rows": rows}


def annuity() -> Vector:
    lent, rate, count = 100_000_00, Fraction(6, 1200), 12
    growth = (1 + rate) ** count
    level = cents(lent * rate * growth / (growth - 1))
    parts: list[tuple[int, int]] = []
    balance = lent
    for number in range(1, count + 1):
        interest = cents(balance * rate)
        principal = balance if number == count else level - interest
        balance -= principal
        parts.append((principal, interest))
    terms = {
        "principal": yuan(lent),
        "annual_rate_percent": "6",
        "interest_calculation_period": "SAME_AS_REPAYMENT_PERIOD",
    }
    steps = [*disburse(lent), plan(START, dues(START, count), parts)]
    return vector("annuity", "等额本息: domain rules, 5.1", terms, steps)


def equal_principal() -> Vector:
    lent, rate, count = 120_000_00, Fraction(49, 12_000), 12
    each = lent // count
    parts = [(each, cents((lent - each * number) * rate)) for number in range(count)]
    terms = {
        "principal": yuan(lent),
        "annual_rate_percent": "4.9",
        "amortization": "EQUAL_PRINCIPAL_PAYMENTS",
        "interest_calculation_period": "SAME_AS_REPAYMENT_PERIOD",
    }
    steps = [*disburse(lent), plan(START, dues(START, count), parts)]
    return vector("equal-principal", "等额本金: domain rules, 5.1", terms, steps)


def interest_then_principal() -> Vector:
    lent, percent, count = 200_000_00, "4.35", 12
    due = dues(START, count)
    parts = [
        (lent if end == due[-1] else 0, cents(earned(lent, percent, begin, end)))
        for begin, end in zip([START, *due[:-1]], due, strict=True)
    ]
    terms = {
        "principal": yuan(lent),
        "annual_rate_percent": percent,
        "loanbook": {"amortisation": "interest_only", "day_count": "act/360"},
    }
    steps = [*disburse(lent), plan(START, due, parts)]
    return vector("interest-then-principal", "先息后本: domain rules, 5.1", terms, steps)


def bullet() -> Vector:
    lent, percent = 80_000_00, "5"
    due = dues(START, 1, every=12)
    terms = {
        "principal": yuan(lent),
        "annual_rate_percent": percent,
        "loanbook": {"amortisation": "bullet", "day_count": "act/360"},
    }
    steps = [
        *disburse(lent),
        plan(START, due, [(lent, cents(earned(lent, percent, START, due[0])))]),
    ]
    return vector("bullet", "到期一次性还本付息: domain rules, 5.1", terms, steps)


AGREED = {
    "amortisation": "interest_only",
    "day_count": "act/360",
    "penalty": {"overdue_markup": "0.50", "misuse_markup": "1.00"},
}


def penalty() -> Vector:
    """All overdue: 罚息 on principal and 复利 on interest, both at 1.5 times the rate."""
    lent, percent, due = 100_000_00, "6", dues(START, 1)[0]
    late = date(2024, 3, 16)
    interest = cents(earned(lent, percent, START, due))
    on_principal = cents(earned(lent, "9", due, late))
    on_interest = cents(earned(interest, "9", due, late))
    owed = lent + interest + on_principal + on_interest
    row = {"n": 1, "interest": yuan(interest), "penalties": yuan(on_principal + on_interest)}
    steps = [
        *disburse(lent),
        business_date(late),
        {"op": "run_cob"},
        {"check": "schedule", "rows": [row]},
        {"check": "outstanding", "amount": yuan(owed)},
        {"op": "pay_off", "date": late.isoformat(), "expected_amount": yuan(owed)},
        {"check": "closed_obligations_met"},
    ]
    terms = {
        "principal": yuan(lent),
        "annual_rate_percent": percent,
        "number_of_repayments": 1,
        "loanbook": AGREED,
    }
    return vector("penalty-interest", f"罚息: {PBC}; domain rules, 5.4", terms, steps)


def compound() -> Vector:
    """Interest alone is overdue: 复利 on it, and nothing on principal that is not due."""
    lent, percent, due = 100_000_00, "6", dues(START, 3)
    late = date(2024, 3, 6)
    interest = [
        cents(earned(lent, percent, begin, end))
        for begin, end in zip([START, *due[:-1]], due, strict=True)
    ]
    on_interest = cents(earned(interest[0], "9", due[0], late))
    rows = [
        {"n": n, "interest": yuan(x), "penalties": yuan(on_interest if n == 1 else 0)}
        for n, x in enumerate(interest, 1)
    ]
    steps = [
        *disburse(lent),
        business_date(late),
        {"op": "run_cob"},
        {"check": "schedule", "rows": rows},
        {"check": "outstanding", "amount": yuan(lent + sum(interest) + on_interest)},
    ]
    terms = {
        "principal": yuan(lent),
        "annual_rate_percent": percent,
        "number_of_repayments": 3,
        "loanbook": AGREED,
    }
    return vector("compound-interest", f"复利: {PBC}; domain rules, 5.4", terms, steps)


def revolving() -> Vector:
    """Drawn twice, repaid in part: every day earns on its balance, asked for by statement."""
    percent, due = "18.25", dues(START, 3)
    second, back = date(2024, 1, 25), date(2024, 2, 20)
    first = cents(
        earned(10_000_00, percent, START, due[0]) + earned(5_000_00, percent, second, due[0])
    )
    left = earned(15_000_00, percent, due[0], due[1]) - earned(6_000_00, percent, back, due[1])
    last = earned(9_000_00, percent, due[1], due[2])
    rows = [
        {"n": 1, "principal": "0.00", "interest": yuan(first), "paid": yuan(first)},
        {"n": 2, "principal": "0.00", "interest": yuan(cents(left))},
        {"n": 3, "principal": "15000.00", "interest": yuan(cents(last)), "paid": "6000.00"},
    ]
    repaid = {"op": "transaction", "type": "REPAYMENT"}
    steps = [
        *disburse(10_000_00),
        *disburse(5_000_00, second),
        business_date(due[0]),
        repaid | {"date": due[0].isoformat(), "amount": yuan(first)},
        business_date(back),
        repaid | {"date": back.isoformat(), "amount": "6000.00"},
        {"check": "schedule", "rows": rows},
    ]
    order = [
        f"{due_class}_{part}"
        for due_class in ("PAST_DUE", "DUE", "IN_ADVANCE")
        for part in ("PENALTY", "FEE", "PRINCIPAL", "INTEREST")
    ]
    rule = {
        "transaction_type": "DEFAULT",
        "future_installment_rule": "LAST_INSTALLMENT",
        "order": order,
    }
    terms = {
        "principal": "50000.00",
        "annual_rate_percent": percent,
        "number_of_repayments": 3,
        "multi_disburse": True,
        "payment_allocation": [rule],
        "interest_recalculation": {"enabled": True},
        "loanbook": {"amortisation": "revolving", "day_count": "act/360"},
    }
    return vector("revolving", "按日计息、随借随还: domain rules, 5.1", terms, steps)


def floating() -> Vector:
    """LPR 3.45 % and 50 points until the new year, then 3.10 % and 50 points."""
    lent, start = 100_000_00, date(2024, 11, 15)
    due, new_year = dues(start, 3), date(2025, 1, 1)
    interest = [
        cents(earned(lent, "3.95", start, due[0])),
        cents(earned(lent, "3.95", due[0], new_year) + earned(lent, "3.6", new_year, due[1])),
        cents(earned(lent, "3.6", due[1], due[2])),
    ]
    parts = [(lent if on == due[-1] else 0, x) for on, x in zip(due, interest, strict=True)]
    published = {"date": "2024-12-20", "reference": "LPR-1Y", "value_percent": "3.10"}
    steps = [
        *disburse(lent, start),
        business_date(date(2024, 12, 20)),
        {"op": "publish_reference_rate"} | published,
        business_date(date(2025, 1, 2)),
        {"op": "run_cob"},
        plan(start, due, parts),
    ]
    terms = {
        "principal": yuan(lent),
        "annual_rate_percent": "3.95",
        "number_of_repayments": 3,
        "expected_disbursement_on": start.isoformat(),
        "submitted_on": start.isoformat(),
        "loanbook": {
            "amortisation": "interest_only",
            "day_count": "act/360",
            "floating": {"reference": "LPR-1Y", "spread_bps": 50, "reset": "new_year"},
        },
    }
    return vector("floating-rate", "LPR + spread: domain rules, 5.6", terms, steps)


def own_vectors() -> str:
    """Return the file's text."""
    loans = (
        annuity,
        equal_principal,
        interest_then_principal,
        bullet,
        penalty,
        compound,
        revolving,
        floating,
    )
    said = {"schema": "loan-golden-vectors/1", "vectors": [loan() for loan in loans]}
    return json.dumps(said, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    sys.stdout.write(own_vectors())
