"""Random terms and random operations, for a fuzz and for properties of the engine.

Everything is drawn from a `Random`, so a seed names a life; Hypothesis hands in one that shrinks.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any, TypeVar

from domain.daycount import DayCount
from domain.servicing import operations as op
from domain.servicing.conventions import Factors, FirstPeriod, Residue, RoundingPlace
from domain.servicing.floating import FloatingRate, ResetRule
from domain.servicing.term_parts import CustomInstalment, RateStep
from domain.servicing.terms import (
    STANDARD_ORDER,
    AllocationRule,
    ChargeTerms,
    DownPayment,
    LoanTerms,
    Tranche,
)
from domain.servicing.values import (
    PAYMENT_KINDS,
    Amortisation,
    ChargeAccrual,
    ChargeBasis,
    ChargeKind,
    ChargeOffBehaviour,
    ChargeTime,
    Component,
    DaysInMonth,
    DaysInYear,
    Direction,
    FutureRule,
    InterestMethod,
    InterestPeriod,
    Kind,
    OverdueInterest,
    PartialPeriod,
    PreClose,
    ReAgeInterest,
    ReAmortiseInterest,
    Recalculation,
    RestFrequency,
    ScheduleType,
    Strategy,
    Unit,
)

T = TypeVar("T")
START = date(2024, 1, 15)
DAY = timedelta(days=1)
LENT = 1_000_00
KINDS = sorted(PAYMENT_KINDS)


def sound_terms(r: Random) -> LoanTerms:
    """Draw terms that `validate` has nothing against."""
    while (terms := any_terms(r)).validate():
        pass
    return terms


def any_terms(r: Random) -> LoanTerms:
    """Draw terms, sound or not."""
    instalments = r.randint(1, 7)
    given: dict[str, Any] = {
        "principal_minor": LENT,
        "rate_annual": r.choice([Decimal(0), Decimal("0.07"), Decimal("0.24"), Decimal("0.36")]),
        "instalments": instalments,
        "expected_disbursement_on": START,
        "multiple_disbursements": True,
        "schedule_type": seldom(r, ScheduleType.CUMULATIVE, ScheduleType.PROGRESSIVE),
        "recalculation": r.choice(list(Recalculation)),
        "amortisation": r.choice(list(Amortisation)),
        "interest_method": seldom(r, InterestMethod.FLAT, InterestMethod.DECLINING_BALANCE),
        "precision": r.choice([12, 19]),
        "grace_on_principal": seldom(r, r.randint(1, 2), 0),
        "grace_on_interest": seldom(r, r.randint(1, 2), 0),
        "interest_free_periods": seldom(r, 1, 0),
        "down_payment": seldom(r, DownPayment(percent=Decimal(25), automatic=True), None),
        "full_term_tranches": seldom(r, True, False),  # noqa: FBT003 - a value, drawn
        "instalment_multiple_minor": seldom(r, 1_00, None),
        "expected_tranches": seldom(r, (Tranche(expected_on=START, amount_minor=LENT),), ()),
        **_counting(r),
        **_dates(r, instalments),
        **_paying(r),
        **_following(r),
        **_rates(r, instalments),
    }
    return LoanTerms(**(given | _method(r, given["amortisation"], instalments)))


def seldom(r: Random, rare: T, usual: T) -> T:
    """Draw a rare value one time in six."""
    return rare if r.randint(0, 5) == 1 else usual


def _counting(r: Random) -> dict[str, Any]:
    day_count = r.choice([None, None, *DayCount])
    whole = seldom(r, InterestPeriod.SAME_AS_REPAYMENT_PERIOD, InterestPeriod.DAILY)
    rounded = r.choice(list(Factors))
    return {
        "day_count": day_count,
        "interest_period": InterestPeriod.DAILY if day_count else whole,
        "factors": Factors.EXACT if day_count else rounded,
        "days_in_year": r.choice(list(DaysInYear)),
        "days_in_month": r.choice(list(DaysInMonth)),
        "partial_period": r.choice(list(PartialPeriod)),
        "residue": seldom(r, Residue.SMOOTHED, Residue.LAST_ABSORBS),
        "rounding_place": seldom(r, RoundingPlace.PER_SEGMENT, RoundingPlace.PER_PERIOD),
    }


def _dates(r: Random, instalments: int) -> dict[str, Any]:
    unit = r.choice([Unit.MONTHS, Unit.MONTHS, Unit.WEEKS, Unit.DAYS, Unit.QUARTERS])
    return {
        "repayment_unit": unit,
        "repayment_every": r.choice([7, 15]) if unit is Unit.DAYS else r.choice([1, 2]),
        "due_day": seldom(r, r.randint(1, 31), None),
        "first_period": r.choice(list(FirstPeriod)),
        "first_due_on": seldom(r, START + DAY * r.randint(1, 60), None),
        "fixed_length": seldom(r, instalments, None),
    }


def _paying(r: Random) -> dict[str, Any]:
    order = list(STANDARD_ORDER)
    r.shuffle(order)
    rule = AllocationRule(
        kind=None, order=r.choice([STANDARD_ORDER, tuple(order)]), future=r.choice(list(FutureRule))
    )
    return {
        "strategy": seldom(r, r.choice(list(Strategy)), Strategy.ADVANCED),
        "allocation": (rule,),
        "direction": r.choice(list(Direction)),
        "chargeback_order": r.choice([(), tuple(Component)]),
        "interest_refund_kinds": r.choice([frozenset[Kind](), frozenset({Kind.PAYOUT_REFUND})]),
        "charge_off": r.choice(list(ChargeOffBehaviour)),
        "product_charges": tuple(charge(r) for _ in range(seldom(r, 1, 0))),
        "accrual_activity": r.random() < 0.5,
    }


def _following(r: Random) -> dict[str, Any]:
    return {
        "overdue_interest": seldom(r, OverdueInterest.DOES_NOT_EARN, OverdueInterest.EARNS),
        "rest": seldom(r, RestFrequency.SAME_AS_REPAYMENT, RestFrequency.DAILY),
        "pre_close": seldom(r, PreClose.TILL_REST_FREQUENCY_DATE, PreClose.TILL_PRE_CLOSE_DATE),
    }


def _rates(r: Random, instalments: int) -> dict[str, Any]:
    match r.randint(0, 7):
        case 1 if instalments > 1:
            at = r.randint(1, instalments - 1)
            step = RateStep(after_instalments=at, rate_annual=Decimal("0.12"))
            return {"rate_steps": (step,)}
        case 2:
            rule = r.choice(list(ResetRule))
            return {"floating": FloatingRate(reference="LPR", spread_bps=60, reset=rule)}
        case _:
            return {}


def _method(r: Random, amortisation: Amortisation, instalments: int) -> dict[str, Any]:
    if amortisation is Amortisation.FIXED_INSTALMENT:
        return {"instalment_minor": r.choice([500_00, 700_00])}
    if amortisation is not Amortisation.CUSTOM:
        return {}
    whole = r.random() < 0.5
    amounts = [r.randint(0, LENT // instalments) for _ in range(instalments - 1)]
    dues = [START + DAY * 25 * n for n in range(1, instalments + 1)]
    rows = [
        CustomInstalment(due_on=on, instalment_minor=n)
        if whole
        else CustomInstalment(due_on=on, principal_minor=n)
        for on, n in zip(dues, amounts, strict=False)
    ]
    return {"custom": (*rows, CustomInstalment(due_on=dues[-1])), "due_day": None}


def charge(r: Random) -> ChargeTerms:
    """Draw a charge."""
    basis = r.choice(list(ChargeBasis))
    flat = basis is ChargeBasis.FLAT
    return ChargeTerms(
        code=r.choice(["a", "b"]),
        kind=r.choice(list(ChargeKind)),
        time=r.choice(list(ChargeTime)),
        basis=basis,
        amount_minor=r.randint(1, 50_00) if flat else 0,
        percent=Decimal(0) if flat else Decimal(r.randint(1, 10)),
    )


# --- operations


def operations(r: Random, count: int) -> list[op.Operation]:
    """Draw a life: an opening that makes sense, most times, and anything after it."""
    today = START
    life: list[op.Operation] = [op.SetBusinessDate(on=today)]
    if r.random() < 0.8:
        life += [op.Apply(), op.Approve(amount_minor=LENT)]
    if r.random() < 0.9:
        life.append(op.Disburse(on=today, amount_minor=r.choice([LENT, LENT, 600_00])))
    for _ in range(count):
        if r.random() < 0.6:
            today += DAY * r.choice([0, 1, 5, 17, 31, 60])
            life.append(op.SetBusinessDate(on=today))
        life += any_operation(r, today)
    return life


def near(r: Random, today: date) -> date:
    """Draw today, most times; else a day before or after it."""
    return today + DAY * r.choice([0, 0, 0, 0, -1, -9, -40, 3, 40])


def amount(r: Random) -> int:
    """Draw an amount, also ones that are none."""
    return r.choice([r.randint(1, 300_00), r.randint(1, 1_500_00), 1, 0, -5_00])


def reference(r: Random) -> op.Reference:
    """Draw the name of a transaction that may not be there."""
    match r.randint(0, 3):
        case 0:
            return op.Reference(last_payment=True)
        case 1:
            return op.Reference(last_entered=True)
        case 2:
            return op.Reference(kind=r.choice(list(Kind)), nth=r.choice([1, 1, 2, 0]))
        case _:
            return op.Reference(nth=r.randint(1, 5))


def any_operation(r: Random, today: date) -> Iterator[op.Operation]:
    """Draw an operation; money moves more often than terms do."""
    pick: Sequence[Any] = r.choice([_money, _money, _money, _charges, _changes, _ends, _days])(
        r, today
    )
    yield r.choice(pick)()


def _money(r: Random, today: date) -> list[Any]:
    on = near(r, today)
    pay = [lambda: op.Transact(kind=r.choice(KINDS), on=on, amount_minor=amount(r))]
    repay = [lambda: op.Transact(kind=Kind.REPAYMENT, on=on, amount_minor=amount(r))]
    return [
        *repay * 4,
        *pay * 2,
        lambda: op.Transact(
            kind=r.choice(list(Kind)), on=on, amount_minor=amount(r), refund_interest=True
        ),
        lambda: op.Disburse(on=on, amount_minor=amount(r)),
        lambda: op.PayOff(on=on),
        lambda: op.Undo(target=reference(r)),
        lambda: op.ChargeBack(target=reference(r), amount_minor=amount(r)),
        lambda: op.RefundCredit(on=on, amount_minor=amount(r)),
        lambda: op.RefundInterest(target=reference(r), amount_minor=amount(r)),
    ]


def _charges(r: Random, today: date) -> list[Any]:
    on = r.choice([None, near(r, today)])
    return [
        lambda: op.AddCharge(charge=charge(r), due_on=on),
        lambda: op.AddCharge(charge=charge(r), due_on=near(r, today)),
        op.WaiveCharge,
        op.UndoWaiveCharge,
        lambda: op.AdjustCharge(code="a", due_on=on, amount_minor=amount(r)),
        lambda: op.SetChargeAccrual(accrual=r.choice(list(ChargeAccrual))),
        lambda: op.AccrueLateChargesAtOnce(enabled=r.random() < 0.5),
    ]


def _changes(r: Random, today: date) -> list[Any]:
    on = near(r, today)
    return [
        lambda: op.Reschedule(
            from_on=on,
            new_due_on=r.choice([None, near(r, today)]),
            extra_instalments=r.choice([None, None, 2, 0, -1]),
            grace_on_principal=seldom(r, 1, None),
            grace_on_interest=seldom(r, 1, None),
            new_rate_annual=r.choice([None, Decimal("0.10"), Decimal(-1)]),
        ),
        lambda: op.ChangeRate(on=on, rate_annual=r.choice([Decimal("0.05"), Decimal("0.3")])),
        lambda: op.PauseInterest(start=on, end=on + DAY * r.choice([-1, 0, 5, 40])),
        lambda: op.ReAge(
            start_on=on,
            every=r.choice([1, 1, 0]),
            unit=r.choice(list(Unit)),
            instalments=r.choice([1, 3, 6, 0]),
            interest=r.choice(list(ReAgeInterest)),
        ),
        lambda: op.ReAmortise(interest=r.choice(list(ReAmortiseInterest))),
        lambda: op.UndoLatest(kind=r.choice([Kind.RE_AGE, Kind.RE_AMORTISE])),
        lambda: op.ExpectTranche(on=on, amount_minor=amount(r)),
    ]


def _ends(r: Random, today: date) -> list[Any]:
    on = near(r, today)
    kinds = [Kind.CHARGE_OFF, Kind.CONTRACT_TERMINATION, Kind.WRITE_OFF]
    return [
        lambda: op.ChargeOff(on=on),
        op.Terminate,
        lambda: op.WriteOff(on=on),
        lambda: op.UndoLatest(kind=r.choice(kinds)),
        lambda: op.UndoDisbursal(latest_only=r.random() < 0.7),
        op.UndoApproval,
        lambda: op.Approve(amount_minor=amount(r)),
        op.Apply,
    ]


def _days(_: Random, today: date) -> list[Any]:
    return [
        op.CloseDays,
        op.CloseDays,
        op.PostAccruals,
        op.NoEffect,
        lambda: op.SetBusinessDate(on=today),
    ]
