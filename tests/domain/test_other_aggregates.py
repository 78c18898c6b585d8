"""Products, collection cases, business days and bucket sets."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from domain import business_day, collection_case, product
from domain.actors import ActorKind
from domain.collection_case import Case
from domain.commands import case as cc
from domain.commands.day import CloseDay
from domain.commands.product import DefineProductVersion
from domain.errors import Rejected
from domain.events.product import ProductVersionDefined
from domain.loan.terms import (
    Recalculation,
    RefundKind,
    RepaymentMethod,
    ScheduleDayCount,
    Unit,
)
from domain.policies import M_SCALE_A, M_SCALE_B, US_BUCKETS, Bucket, BucketSet
from tests.support.lives import CONDITIONS, LOAN, START, actor, context


def _define(**change: object) -> DefineProductVersion:
    conditions = replace(CONDITIONS, **change)  # type: ignore[arg-type]
    return DefineProductVersion(effective_on=START, code="P", name="Plain", conditions=conditions)


def test_a_product_gets_version_after_version() -> None:
    state = None
    for expected, rate in ((1, "0.4"), (2, "0.3")):
        (event,) = product.decide(state, _define(rate_annual_max=Decimal(rate)), context(START))
        state = product.evolve(state, event)
        assert state.current.version == expected
    with pytest.raises(Rejected, match="unchanged"):
        product.decide(state, _define(rate_annual_max=Decimal("0.3")), context(START))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"currency": "XXQ"}, "currency"),
        ({"amount_min_minor": 0}, "amount_min"),
        ({"amount_max_minor": 0}, "amount_min"),
        ({"instalments_max": 601}, "instalments_max"),
        ({"rate_annual_max": Decimal(-1)}, "rate_annual_max"),
        ({"allocation": CONDITIONS.allocation[:3]}, "allocation"),
        ({"allocation": CONDITIONS.allocation[:3] + CONDITIONS.allocation[:1]}, "allocation"),
        ({"backdating_days_max": -1}, "backdating_days_max"),
        ({"interest_refunded_with": (RefundKind.PAYOUT,) * 2}, "interest_refunded_with"),
        (
            {
                "interest_refunded_with": (RefundKind.PAYOUT,),
                "recalculation": Recalculation.NONE,
            },
            "interest_refunded_with",
        ),
    ],
)
def test_bad_conditions_are_refused_with_their_field(change: dict[str, object], field: str) -> None:
    with pytest.raises(Rejected) as no:
        product.decide(None, _define(**change), context(START))
    assert no.value.field == field


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"method": RepaymentMethod.FLAT}, "not_offered", "recalculation"),
        ({"method": RepaymentMethod.EQUAL_AMORTISATION}, "not_offered", "recalculation"),
        ({"grace_on_principal": 1}, "grace_too_long", "grace_on_principal"),
        ({"grace_on_principal": -1}, "count_out_of_range", "grace_on_principal"),
        ({"interest_free_periods": 2}, "grace_too_long", "interest_free_periods"),
        ({"instalments_min": 3, "grace_on_interest": 1}, "not_offered", "grace_on_interest"),
        (
            {"method": RepaymentMethod.BULLET, "instalments_min": 3, "grace_on_principal": 1},
            "grace_too_long",
            "grace_on_principal",
        ),
        (
            {
                "method": RepaymentMethod.EQUAL_PRINCIPAL,
                "recalculation": Recalculation.NONE,
                "instalments_min": 3,
                "grace_on_interest": 1,
            },
            "interest_is_planned",
            "grace_on_interest",
        ),
        ({"instalments_min": 0}, "bad_bounds", "instalments_min"),
        ({"instalments_min": 361}, "bad_bounds", "instalments_min"),
        ({"repayment_every": 0}, "count_out_of_range", "repayment_every"),
        ({"repayment_every": 3}, "term_too_long", "instalments_max"),
        ({"repayment_every": 1_200}, "date_out_of_range", "instalments_max"),
        (
            {"repayment_unit": Unit.WEEKS, "day_count": ScheduleDayCount.ACT_ACT_ICMA},
            "needs_regular_periods",
            "day_count",
        ),
        ({"rate_annual_max": Decimal(101)}, "rate_out_of_range", "rate_annual_max"),
        ({"amount_max_minor": 10**15 + 1}, "amount_out_of_range", "amount_max"),
    ],
)
def test_what_the_engine_cannot_serve_is_refused_when_the_product_is_defined(
    change: dict[str, object], code: str, field: str
) -> None:
    with pytest.raises(Rejected) as no:
        product.decide(None, _define(**change), context(START))
    assert (no.value.code, no.value.field) == (code, field)


@pytest.mark.parametrize(
    "change",
    [
        {"method": RepaymentMethod.FLAT, "recalculation": Recalculation.NONE},
        {"method": RepaymentMethod.INTEREST_ONLY, "instalments_min": 3, "grace_on_interest": 2},
        {"instalments_min": 3, "grace_on_principal": 2},
        {"instalments_min": 2, "interest_free_periods": 2},
        {"repayment_unit": Unit.WEEKS, "repayment_every": 2},
    ],
)
def test_what_the_engine_serves_is_defined(change: dict[str, object]) -> None:
    (event,) = product.decide(None, _define(**change), context(START))
    assert isinstance(event, ProductVersionDefined)
    assert event.conditions == replace(CONDITIONS, **change)  # type: ignore[arg-type]


def _case(*commands: cc.CaseCommand, by: str = "ann") -> Case | None:
    case: Case | None = None
    for command in commands:
        for event in collection_case.decide(case, command, context(START, actor(by))):
            case = collection_case.evolve(case, event)
    return case


OPEN = cc.OpenCase(loan_id=LOAN, effective_on=START, tier="early")
CLAIM = cc.ClaimCase(loan_id=LOAN, effective_on=START)
RELEASE = cc.ReleaseCase(loan_id=LOAN, effective_on=START, cause="holiday")
CLOSE = cc.CloseCase(loan_id=LOAN, effective_on=START, how="cured")


def test_a_case_is_worked_by_one_person_at_a_time() -> None:
    claimed = _case(OPEN, CLAIM)
    for command, who, code in (
        (CLAIM, "bob", "case_claimed"),
        (CLAIM, "ann", "already_yours"),
        (RELEASE, "bob", "not_your_case"),
        (OPEN, "bob", "case_open"),
    ):
        with pytest.raises(Rejected) as no:
            collection_case.decide(claimed, command, context(START, actor(who)))
        assert no.value.code == code
    (released,) = collection_case.decide(claimed, RELEASE, context(START, actor("ann")))
    assert collection_case.evolve(claimed, released).claimed_by is None


def test_a_supervisor_releases_anybodys_case() -> None:
    by = context(START, actor("boss", "supervisor"))
    assert collection_case.decide(_case(OPEN, CLAIM), RELEASE, by)


def test_only_people_work_cases() -> None:
    machine = context(START, actor("bot", kind=ActorKind.MODEL))
    with pytest.raises(Rejected, match="not_a_person"):
        collection_case.decide(_case(OPEN), CLAIM, machine)


def test_a_closed_case_can_be_opened_again() -> None:
    closed = _case(OPEN, CLAIM, CLOSE)
    with pytest.raises(Rejected, match="no_open_case"):
        collection_case.decide(closed, CLAIM, context(START))
    assert collection_case.decide(closed, OPEN, context(START))


def test_a_day_is_closed_once_and_not_before_it_is_over() -> None:
    close = CloseDay(
        effective_on=START,
        shard=0,
        business_date=START,
        loans_open=1,
        loans_acted_on=0,
        loans_parked=0,
        principal_minor_by_currency={"USD": 5},
    )
    with pytest.raises(Rejected, match="effective_in_future"):
        business_day.decide(None, close, context(date(2018, 1, 14)))
    (event,) = business_day.decide(None, close, context(START))
    with pytest.raises(Rejected, match="day_closed"):
        business_day.decide(business_day.evolve(None, event), close, context(START))


@pytest.mark.parametrize(
    ("days", "us", "a", "b"),
    [
        (0, "current", "M0", "M0"),
        (1, "1-29", "M1", "M1"),
        (29, "1-29", "M1", "M1"),
        (30, "30-59", "M2", "M1"),
        (31, "30-59", "M2", "M2"),
        (90, "90-119", "M4", "M3"),
        (180, "180+", "M7", "M6"),
        (5000, "180+", "M7", "M7"),
    ],
)
def test_the_two_m_scales_disagree_on_multiples_of_thirty(
    days: int, us: str, a: str, b: str
) -> None:
    """Domain rules, 2.5."""
    assert (US_BUCKETS.at(days), M_SCALE_A.at(days), M_SCALE_B.at(days)) == (us, a, b)


def test_bucket_sets_have_no_gaps() -> None:
    gap = (
        Bucket(name="a", from_days=0, to_days=0),
        Bucket(name="b", from_days=2, to_days=None),
    )
    with pytest.raises(ValueError, match="must start at 1"):
        BucketSet(name="x", version=1, buckets=gap)
