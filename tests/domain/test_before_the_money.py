"""Application, review, offer and payout: what may happen, who may do it, what is refused."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from domain.actors import ActorKind
from domain.commands import application as ca
from domain.commands import disbursement as cd
from domain.decide import decide_loan
from domain.errors import Rejected
from domain.events import application as ea
from domain.events import disbursement as ed
from domain.loan.state import LoanStatus
from tests.support.lives import (
    LOAN,
    START,
    Life,
    accepted,
    actor,
    apply_for,
    approve,
    check,
    context,
    disbursed,
    pay_out,
    prepare,
)


def test_an_application_pins_the_product_version() -> None:
    life = Life().when(apply_for()).then(ea.LoanApplied)
    applied = life.last[0]
    assert isinstance(applied, ea.LoanApplied)
    assert (applied.product_code, applied.product_version) == ("P", 1)
    assert applied.conditions == life.conditions


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"amount_minor": 0}, "amount_out_of_range", "amount"),
        ({"amount_minor": -5}, "amount_out_of_range", "amount"),
        ({"amount_minor": 5_000_001}, "amount_outside_product", "amount"),
        ({"amount_minor": 10**30}, "amount_out_of_range", "amount"),
        ({"instalments": 0}, "instalments_outside_product", "instalments"),
        ({"instalments": 361}, "instalments_outside_product", "instalments"),
        ({"currency": "EUR"}, "currency_mismatch", "currency"),
    ],
)
def test_an_application_outside_the_product_is_refused(
    change: dict[str, object], code: str, field: str
) -> None:
    no = Life().refused(replace(apply_for(), **change))  # type: ignore[arg-type]
    assert (no.code, no.field) == (code, field)


def test_a_loan_cannot_be_applied_for_twice() -> None:
    assert Life().when(apply_for()).refused(apply_for()).code == "loan_exists"


def test_nothing_can_be_done_to_a_loan_that_does_not_exist() -> None:
    assert Life().refused(approve()).code == "unknown_loan"


def test_an_approval_freezes_the_terms() -> None:
    life = Life().when(apply_for()).when(approve()).then(ea.LoanReviewed)
    terms = life.state.terms
    assert terms is not None
    assert (terms.principal_minor, terms.rate_annual) == (1_000_000, Decimal("0.12"))


def test_an_approval_above_what_was_applied_for_is_refused() -> None:
    no = Life().when(apply_for()).refused(replace(approve(), amount_minor=1_000_001))
    assert no.code == "above_applied"


def test_an_approval_without_a_rate_is_refused() -> None:
    no = Life().when(apply_for()).refused(replace(approve(), rate_annual=None))
    assert (no.code, no.field) == ("rate_missing", "rate_annual")


def test_a_decline_states_its_principal_reasons() -> None:
    decline = replace(approve(), decision=ea.Decision.DECLINED, rate_annual=None)
    life = Life().when(apply_for())
    assert life.refused(decline).code == "reasons_missing"
    life.when(replace(decline, reasons=("income_too_low",))).then(ea.LoanReviewed)
    assert life.state.status is LoanStatus.DECLINED


def _scored(recommends: ea.Decision) -> ca.RecordModelScore:
    return ca.RecordModelScore(
        loan_id=LOAN,
        effective_on=START,
        model_id="m",
        model_version="1",
        score=Decimal("0.31"),
        features_hash="f",
        recommends=recommends,
    )


def test_deciding_against_the_model_is_an_override_and_needs_a_reason() -> None:
    life = Life().when(apply_for()).when(_scored(ea.Decision.DECLINED))
    assert life.refused(approve()).code == "reason_missing"
    life.when(approve(), reason="temporary_shock").then(ea.DecisionOverridden, ea.LoanReviewed)
    override = life.last[0]
    assert isinstance(override, ea.DecisionOverridden)
    assert override.direction == "low_side"


def test_agreeing_with_the_model_is_no_override() -> None:
    Life().when(apply_for()).when(_scored(ea.Decision.APPROVED)).when(approve()).then(
        ea.LoanReviewed
    )


def test_a_model_may_suggest_and_nothing_else() -> None:
    model = actor("gpt", kind=ActorKind.MODEL)
    life = Life().when(apply_for())
    assert life.refused(approve(), model).code == "model_may_not_decide"
    life.when(_scored(ea.Decision.APPROVED), model).then(ea.ModelScored)


def test_documents_are_verified_or_flagged_only_when_they_are_in_the_file() -> None:
    life = Life().when(apply_for())
    verify = ca.VerifyDocument(
        loan_id=LOAN, effective_on=START, document_id="id-card", method="manual"
    )
    assert life.refused(verify).code == "unknown_document"
    submit = ca.SubmitDocument(
        loan_id=LOAN, effective_on=START, document_id="id-card", kind="identity", sha256="ab" * 32
    )
    life.when(submit).then(ea.DocumentSubmitted)
    assert life.refused(submit).code == "already_recorded"
    life.when(verify).then(ea.DocumentVerified)
    flag = ca.FlagDocument(
        loan_id=LOAN, effective_on=START, document_id="id-card", suspicion="ugly"
    )
    assert life.refused(flag).code == "unknown_suspicion"
    life.when(replace(flag, suspicion="altered")).then(ea.DocumentFlagged)


def test_a_cost_table_lists_only_charges_of_the_product() -> None:
    life = Life().when(apply_for()).when(approve())
    table = ca.DiscloseCost(
        loan_id=LOAN,
        effective_on=START,
        annual_cost=Decimal("0.13"),
        method="irr",
        charges=("LATE", "SURPRISE"),
    )
    assert life.refused(table).code == "unknown_charge"


def test_nothing_is_dated_after_the_business_date() -> None:
    tomorrow = replace(apply_for(), effective_on=START + timedelta(days=1))
    with pytest.raises(Rejected) as no:
        decide_loan(None, tomorrow, context(START))
    assert (no.value.code, no.value.field) == ("effective_in_future", "effective_on")


def test_a_payout_needs_a_second_person() -> None:
    life = accepted()
    assert life.refused(pay_out()).code == "not_prepared"
    life.when(prepare(), actor("maker")).then(ed.DisbursementPrepared)
    assert life.refused(pay_out()).code == "not_checked"
    preparation = life.state.preparation
    assert preparation is not None
    same = life.refused(check(preparation.payload_hash), actor("maker", "senior_checker"))
    assert same.code == "checker_is_maker"
    life.when(check(preparation.payload_hash), actor("second", "checker"))
    life.when(pay_out()).then(ed.LoanDisbursed)


def test_the_checker_approves_exactly_what_was_prepared() -> None:
    life = accepted().when(prepare(), actor("maker"))
    assert life.refused(check("0" * 64), actor("second")).code == "payload_changed"


def test_preparing_again_voids_the_check() -> None:
    life = accepted().when(prepare(), actor("maker"))
    preparation = life.state.preparation
    assert preparation is not None
    life.when(check(preparation.payload_hash), actor("second"))
    life.when(replace(prepare(), payee_account_hash="beef"), actor("maker"))
    assert life.refused(pay_out()).code == "not_checked"


def test_the_checker_needs_authority_for_the_amount() -> None:
    life = accepted(amount=5_000_000).when(prepare(5_000_000), actor("maker"))
    preparation = life.state.preparation
    assert preparation is not None
    seen = check(preparation.payload_hash)
    assert life.refused(seen, actor("second", "reader")).code == "no_authority"
    life.when(seen, actor("second", "checker")).then(ed.DisbursementChecked)


def test_a_check_looks_at_every_point_or_rejects() -> None:
    life = accepted().when(prepare(), actor("maker"))
    preparation = life.state.preparation
    assert preparation is not None
    partial = check(preparation.payload_hash, checks=["terms"])
    assert life.refused(partial, actor("second")).code == "checks_incomplete"
    assert isinstance(partial, cd.CheckDisbursement)
    life.when(replace(partial, passed=False), actor("second")).then(ed.DisbursementChecked)
    assert life.refused(pay_out()).code == "not_prepared"


def test_only_the_approved_amount_goes_out() -> None:
    life = accepted()
    assert life.refused(prepare(999_999)).code == "amount_not_approved"


def test_a_returned_payout_ends_the_loan_before_any_payment() -> None:
    life = disbursed()
    back = cd.ReturnDisbursement(
        loan_id=LOAN, effective_on=START, disbursement_id="d-1", cause="account closed"
    )
    life.when(back).then(ed.DisbursementReturned)
    assert life.state.status is LoanStatus.RETURNED
