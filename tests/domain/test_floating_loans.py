"""Floating rates of stored loans: the rate at signing, resets, values corrected or late."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from domain.actors import ActorKind
from domain.commands import application as ca
from domain.commands import changes as ch
from domain.commands import ending as ce
from domain.commands.product import DefineProductVersion
from domain.errors import Rejected
from domain.events.application import Decision
from domain.events.changes import RateRepriced
from domain.events.ending import RestructureKind
from domain.events.servicing import AllocationsRestated, ScheduleChanged
from domain.loan.booking import standing_on
from domain.loan.contract import floating_rate, loan_terms
from domain.loan.terms import Conditions, FloatingConditions, ResetRule
from domain.product import decide as decide_product
from domain.servicing.facts import Paid, ReferencePublished
from domain.servicing.floating import Publication
from domain.servicing.timeline import Timeline
from tests.support.lives import (
    CONDITIONS,
    LOAN,
    START,
    Life,
    actor,
    apply_for,
    close,
    context,
    folded_again,
    month,
    pay,
    pay_out,
    ties_to_the_ledger,
)

FLOATING = replace(
    CONDITIONS,
    floating=FloatingConditions(reference="LPR-1Y", reset=ResetRule.NEW_YEAR),
    backdating_days_max=2_000,
)
LPR = (
    Publication(published_on=date(2017, 12, 20), value=Decimal("0.0430")),
    Publication(published_on=date(2018, 11, 20), value=Decimal("0.0420")),
    Publication(published_on=date(2018, 12, 20), value=Decimal("0.0385")),
    Publication(published_on=date(2019, 12, 20), value=Decimal("0.0360")),
)
NEW_YEAR = date(2019, 1, 1)


def approve(spread: int | None = 150, rate: str | None = None) -> ca.ReviewLoan:
    return ca.ReviewLoan(
        loan_id=LOAN,
        effective_on=START,
        decision=Decision.APPROVED,
        spread_bps=spread,
        rate_annual=None if rate is None else Decimal(rate),
    )


def applied(conditions: Conditions = FLOATING, publications: tuple[Publication, ...] = LPR) -> Life:
    return Life(conditions=conditions, publications=publications).when(apply_for())


def floating_loan(conditions: Conditions = FLOATING, spread: int = 150) -> Life:
    life = applied(replace(conditions, four_eyes_from_minor=10**9)).when(approve(spread))
    life.when(ca.AcceptOffer(loan_id=LOAN, effective_on=START))
    return life.when(pay_out())


def reprice(on: date) -> ce.RepriceLoan:
    return ce.RepriceLoan(loan_id=LOAN, effective_on=on)


def pay_up_to(life: Life, number: int) -> Life:
    for row in life.state.rows[:number]:
        if row.met_on is None:
            life.when(pay(life.state.rows[row.number - 1].unpaid_minor, row.due_on))
    return life


def rates(life: Life) -> list[tuple[date, Decimal]]:
    told = [event for event in life.events if isinstance(event, RateRepriced)]
    return [(event.effective_on, event.rate_annual) for event in told]


# --- at signing


def test_the_rate_at_signing_is_the_latest_value_and_the_spread() -> None:
    """Source: domain rules, 5.6 (LPR): the spread is fixed at signing."""
    terms = applied().when(approve()).state.terms
    assert terms is not None
    assert terms.signed is not None
    assert terms.rate_annual == Decimal("0.0580")
    assert (terms.signed.value, terms.signed.published_on) == (LPR[0].value, LPR[0].published_on)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (approve(rate="0.05"), "rate_floats"),
        (approve(spread=None), "spread_missing"),
        (approve(spread=10_001), "spread_out_of_range"),
        (approve(spread=-430), "rate_outside_product"),  # nothing would be earned
        (approve(spread=3_571), "rate_outside_product"),
    ],
)
def test_a_floating_rate_is_agreed_as_a_spread(command: ca.ReviewLoan, code: str) -> None:
    assert applied().refused(command).code == code


def test_a_fixed_rate_takes_no_spread() -> None:
    life = applied(CONDITIONS)
    assert life.refused(approve(rate="0.05")).code == "rate_is_fixed"


def test_without_a_published_value_nothing_is_signed() -> None:
    assert applied(publications=LPR[1:]).refused(approve()).code == "reference_unpublished"


def test_what_the_engine_cannot_let_float_is_refused_when_the_product_is_defined() -> None:
    floating = FloatingConditions(reference="LPR-1Y", floor_annual=Decimal("0.05"))
    bad = replace(floating, cap_annual=Decimal("0.04"))
    command = DefineProductVersion(
        effective_on=START, code="P", name="n", conditions=replace(CONDITIONS, floating=bad)
    )
    with pytest.raises(Rejected) as refused:
        decide_product(None, command, context(START))
    assert (refused.value.code, refused.value.field) == ("floor_above_cap", "floating")


# --- resets


def test_a_loan_reprices_on_its_reset_date_by_the_latest_value_published() -> None:
    """Source: domain rules, 5.6."""
    life = pay_up_to(floating_loan(), 11)
    life.when(reprice(NEW_YEAR)).then(RateRepriced, ScheduleChanged)
    told = life.last[0]
    assert isinstance(told, RateRepriced)
    assert (told.effective_on, told.reference, told.spread_bps) == (NEW_YEAR, "LPR-1Y", 150)
    assert (told.value, told.published_on) == (LPR[2].value, LPR[2].published_on)
    assert (told.rate_annual_before, told.rate_annual) == (Decimal("0.0580"), Decimal("0.0535"))
    assert life.state.rate_annual == Decimal("0.0535")


def test_instalments_are_solved_anew_from_the_reset_and_those_before_stay() -> None:
    """Source: domain rules, 5.6: recalculated on the remaining balance and term."""
    life = pay_up_to(floating_loan(), 11)
    before = life.state.rows
    life.when(reprice(NEW_YEAR))
    after = life.state.rows
    assert after[:11] == before[:11]
    assert all(now.due_minor < then.due_minor for now, then in zip(after, before, strict=True)
               if now.number > 12)  # fmt: skip
    assert sum(row.principal_minor for row in after) == 1_000_000
    ties_to_the_ledger(life)


def test_to_reprice_twice_is_to_reprice_once() -> None:
    life = floating_loan().when(reprice(NEW_YEAR))
    told = len(life.events)
    life.when(reprice(NEW_YEAR)).then()
    life.when(reprice(date(2019, 12, 31))).then()
    assert len(life.events) == told


def test_nothing_is_repriced_before_the_first_reset_date() -> None:
    floating_loan().when(reprice(date(2018, 12, 31))).then()


def test_resets_that_were_not_fixed_in_time_are_fixed_in_order() -> None:
    life = floating_loan().when(reprice(date(2020, 2, 1)))
    assert rates(life) == [
        (NEW_YEAR, Decimal("0.0535")),
        (date(2020, 1, 1), Decimal("0.0510")),
    ]


def test_a_late_reset_restates_the_payments_since() -> None:
    """Source: architecture, section 3: differences, recorded today, true since the value date."""
    life = pay_up_to(floating_loan(), 14)
    life.when(reprice(date(2019, 4, 1))).then(RateRepriced, AllocationsRestated)
    assert life.last[0].effective_on == NEW_YEAR
    ties_to_the_ledger(life)
    folded_again(life)


def test_a_reset_without_any_value_changes_nothing_and_the_next_one_counts() -> None:
    life = floating_loan()
    life.publications = (Publication(published_on=date(2019, 3, 20), value=Decimal("0.0410")),)
    life.when(reprice(date(2019, 6, 1))).then()
    life.when(reprice(date(2020, 1, 2)))
    assert rates(life) == [(date(2020, 1, 1), Decimal("0.0560"))]


@pytest.mark.parametrize(
    ("rule", "first"),
    [
        (ResetRule.NEW_YEAR, NEW_YEAR),
        (ResetRule.ANNIVERSARY, date(2019, 1, 15)),
        (ResetRule.QUARTERLY, date(2018, 4, 15)),
        (ResetRule.MONTHLY, date(2018, 2, 15)),
    ],
)
def test_the_reset_dates_are_those_of_the_product(rule: ResetRule, first: date) -> None:
    """Source: domain rules, 5.6: the cycle is a contract field."""
    floating = FloatingConditions(reference="LPR-1Y", reset=rule)
    life = floating_loan(replace(FLOATING, floating=floating)).when(
        reprice(NEW_YEAR.replace(month=2))
    )
    assert rates(life)[0][0] == first


@pytest.mark.parametrize(
    ("floor", "cap", "rate"),
    [("0.056", None, "0.056"), (None, "0.05", "0.05"), ("0.01", "0.09", "0.0535")],
)
def test_floor_and_cap_bound_reference_and_spread_together(
    floor: str | None, cap: str | None, rate: str
) -> None:
    """Source: domain rules, 5.6; the issue's caps and floors."""
    floating = FloatingConditions(
        reference="LPR-1Y",
        floor_annual=None if floor is None else Decimal(floor),
        cap_annual=None if cap is None else Decimal(cap),
    )
    life = floating_loan(replace(FLOATING, floating=floating)).when(reprice(NEW_YEAR))
    assert rates(life) == [(NEW_YEAR, Decimal(rate))]


def test_a_rate_that_stays_is_a_fact_and_moves_no_instalment() -> None:
    life = pay_up_to(floating_loan(), 11)
    life.publications = LPR[:1]
    before = life.state.rows
    life.when(reprice(NEW_YEAR)).then(RateRepriced, ScheduleChanged)
    assert life.state.rows == before


# --- values that change afterwards


def test_a_corrected_value_is_taken_over_from_the_same_reset_date() -> None:
    """Source: domain rules, 0.2: corrections are new events."""
    life = pay_up_to(floating_loan(), 11).when(reprice(NEW_YEAR))
    wrong = life.state.rows
    life.publications = (*LPR[:2], replace(LPR[2], value=Decimal("0.0395")), LPR[3])
    life.when(reprice(date(2019, 1, 9)))
    assert rates(life) == [(NEW_YEAR, Decimal("0.0535")), (NEW_YEAR, Decimal("0.0545"))]
    straight = floating_loan()
    straight.publications = life.publications
    pay_up_to(straight, 11).when(reprice(NEW_YEAR))
    assert life.state.rows != wrong
    assert life.state.rows == straight.state.rows
    ties_to_the_ledger(life)
    folded_again(life)


def test_a_value_that_came_late_is_taken_over_too() -> None:
    life = floating_loan()
    life.publications = LPR[:2]
    life.when(reprice(NEW_YEAR))
    life.publications = LPR
    life.when(reprice(date(2019, 1, 5)))
    assert rates(life) == [(NEW_YEAR, Decimal("0.0570")), (NEW_YEAR, Decimal("0.0535"))]


def test_an_older_reset_fixed_anew_leaves_the_newer_rate_in_force() -> None:
    life = floating_loan().when(reprice(date(2020, 1, 1)))
    life.publications = (*LPR[:2], replace(LPR[2], value=Decimal("0.0395")), LPR[3])
    life.when(reprice(date(2020, 1, 2)))
    assert rates(life)[-1] == (NEW_YEAR, Decimal("0.0545"))
    assert life.state.rate_annual == Decimal("0.0510")
    assert [one.value for one in life.state.repricings] == [Decimal("0.0395"), LPR[3].value]


# --- beside other changes


def test_a_floating_rate_is_not_changed_by_hand() -> None:
    """It moves on reset dates only; its spread was fixed at signing (domain rules, 5.6)."""
    life = floating_loan()
    rate = ch.ChangeRate(
        loan_id=LOAN, effective_on=month(3), change_id="r-1", rate_annual=Decimal("0.03")
    )
    assert life.refused(rate, reason="relief").code == "rate_floats"
    plan = ce.RestructureLoan(
        loan_id=LOAN,
        effective_on=month(3),
        restructure_id="s-1",
        kind=RestructureKind.RATE_REDUCTION,
        first_due_on=month(4),
        instalments=36,
        rate_annual=Decimal("0.03"),
        financial_difficulty=True,
    )
    assert life.refused(plan, reason="relief").code == "rate_floats"


def test_a_new_plan_begins_with_its_rate_and_follows_the_reference_from_the_next_reset() -> None:
    life = floating_loan()
    plan = ce.RestructureLoan(
        loan_id=LOAN,
        effective_on=date(2019, 1, 10),
        restructure_id="s-1",
        kind=RestructureKind.EXTENSION,
        first_due_on=date(2019, 2, 15),
        instalments=48,
        financial_difficulty=True,
    )
    life.when(plan, reason="relief")
    life.when(reprice(date(2019, 6, 1))).then()
    life.when(reprice(date(2020, 1, 1)))
    assert rates(life) == [(date(2020, 1, 1), Decimal("0.0510"))]
    ties_to_the_ledger(life)


def test_a_contract_that_ended_is_not_repriced() -> None:
    life = floating_loan()
    life.when(ce.TerminateContract(loan_id=LOAN, effective_on=month(3), cause="x"), reason="breach")
    life.when(reprice(NEW_YEAR)).then()
    gone = floating_loan()
    gone.when(ce.ChargeOffLoan(loan_id=LOAN, effective_on=month(5), cause="loss"))
    gone.when(reprice(NEW_YEAR)).then()


def test_a_stored_loan_stands_where_the_engine_alone_would_have_it() -> None:
    """The close tells the loan what the engine's own fold of the publications finds."""
    life = floating_loan()
    terms = life.state.terms
    assert terms is not None
    engine = replace(
        loan_terms(life.state.conditions, terms, from_on=START),
        floating=floating_rate(life.state.conditions, 150),
    )
    assert life.state.timeline is not None
    timeline = Timeline.start(engine)
    for item in LPR:
        on = item.published_on
        timeline = timeline.record(
            ReferencePublished(
                id=f"v:{on}", effective_on=on, entered_on=on, reference="LPR-1Y", value=item.value
            )
        )
    timeline = timeline.record(life.state.timeline.facts[0])
    for on in (*(month(k) for k in range(1, 12)), NEW_YEAR, *(month(k) for k in range(12, 26))):
        if on == NEW_YEAR or on == month(24):
            life.when(reprice(on))
        if on == NEW_YEAR:
            continue
        life.when(pay(30_000, on))
        timeline = timeline.record(
            Paid(
                id=f"p:{on}",
                effective_on=on,
                entered_on=on,
                kind=life.state.timeline.facts[-1].kind,  # type: ignore[union-attr]
                amount_minor=30_000,
            )
        )
        life.when(close(on))
    last = month(25)
    assert life.state.timeline is not None
    assert standing_on(life.state.timeline, last) == standing_on(timeline, last)


def test_a_model_may_not_approve_a_floating_rate_either() -> None:
    life = applied()
    model = actor("scorer", kind=ActorKind.MODEL)
    assert life.refused(approve(), by=model).code == "model_may_not_decide"
