"""Where each command is found under `/v1`, and the scope it asks for: one line a command."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from api.identity import Scope
from domain.commands import NAMES
from infra.edge import stream_field


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandPlace:
    """One command at one path."""

    command: str
    path: str
    scope: Scope

    @property
    def target_name(self) -> str:
        """Name what the path identifies: loan_id, or the code of a product or reference."""
        return stream_field(NAMES[self.command])

    @property
    def operation_id(self) -> str:
        """Name the operation in the OpenAPI document."""
        return self.command.replace(".", "_")


LOANS: Final = "/v1/loans"
_LOAN: Final = LOANS + "/{loan_id}/"
_CASE: Final = "/v1/cases/{loan_id}/"

_PATHS: Final[Mapping[str, tuple[str, Scope]]] = {
    "loan.receive_payment": (_LOAN + "payments", Scope.SERVICE),
    "loan.apply": (_LOAN + "application", Scope.ORIGINATE),
    "loan.submit_document": (_LOAN + "documents", Scope.ORIGINATE),
    "loan.verify_document": (_LOAN + "document-verifications", Scope.ORIGINATE),
    "loan.flag_document": (_LOAN + "document-flags", Scope.ORIGINATE),
    "loan.record_bureau_report": (_LOAN + "bureau-reports", Scope.ORIGINATE),
    "loan.assess_credit": (_LOAN + "credit-assessments", Scope.ORIGINATE),
    "loan.record_policy_evaluation": (_LOAN + "policy-evaluations", Scope.ORIGINATE),
    "loan.record_model_score": (_LOAN + "model-scores", Scope.SUGGEST),
    "loan.review": (_LOAN + "reviews", Scope.DECIDE),
    "loan.change_approved_amount": (_LOAN + "approved-amounts", Scope.DECIDE),
    "loan.disclose_cost": (_LOAN + "cost-disclosures", Scope.ORIGINATE),
    "loan.accept_offer": (_LOAN + "offer-acceptances", Scope.ORIGINATE),
    "loan.withdraw_application": (_LOAN + "withdrawals", Scope.ORIGINATE),
    "loan.prepare_disbursement": (_LOAN + "disbursement-preparations", Scope.PAY_OUT),
    "loan.check_disbursement": (_LOAN + "disbursement-checks", Scope.CHECK),
    "loan.disburse": (_LOAN + "disbursements", Scope.PAY_OUT),
    "loan.return_disbursement": (_LOAN + "disbursement-returns", Scope.PAY_OUT),
    "loan.plan_tranches": (_LOAN + "tranche-plans", Scope.PAY_OUT),
    "loan.declare_use_of_funds": (_LOAN + "use-of-funds", Scope.ORIGINATE),
    "loan.record_use_evidence": (_LOAN + "use-evidence", Scope.ORIGINATE),
    "loan.report_misuse": (_LOAN + "misuse-reports", Scope.SERVICE),
    "loan.end_misuse": (_LOAN + "misuse-ends", Scope.SERVICE),
    "loan.classify": (_LOAN + "classifications", Scope.SERVICE),
    "loan.pause_delinquency": (_LOAN + "delinquency-pauses", Scope.SERVICE),
    "loan.reverse_payment": (_LOAN + "payment-reversals", Scope.SERVICE),
    "loan.assess_charge": (_LOAN + "charges", Scope.SERVICE),
    "loan.waive": (_LOAN + "waivers", Scope.SERVICE),
    "loan.refund_credit_balance": (_LOAN + "credit-refunds", Scope.SERVICE),
    "loan.credit_goodwill": (_LOAN + "goodwill-credits", Scope.SERVICE),
    "loan.receive_refund": (_LOAN + "refunds", Scope.SERVICE),
    "loan.adjust_charge": (_LOAN + "charge-adjustments", Scope.SERVICE),
    "loan.charge_back": (_LOAN + "chargebacks", Scope.SERVICE),
    "loan.reverse_chargeback": (_LOAN + "chargeback-reversals", Scope.SERVICE),
    "loan.capitalise_income": (_LOAN + "capitalised-incomes", Scope.SERVICE),
    "loan.adjust_capitalised_income": (_LOAN + "capitalised-income-adjustments", Scope.SERVICE),
    "loan.reverse_capitalised_income": (_LOAN + "capitalised-income-reversals", Scope.SERVICE),
    "loan.record_buy_down_fee": (_LOAN + "buy-down-fees", Scope.SERVICE),
    "loan.adjust_buy_down_fee": (_LOAN + "buy-down-fee-adjustments", Scope.SERVICE),
    "loan.reverse_buy_down_fee": (_LOAN + "buy-down-fee-reversals", Scope.SERVICE),
    "loan.reverse_buy_down_adjustment": (_LOAN + "buy-down-adjustment-reversals", Scope.SERVICE),
    "loan.change_rate": (_LOAN + "rate-changes", Scope.SERVICE),
    "loan.pause_interest": (_LOAN + "interest-pauses", Scope.SERVICE),
    "loan.extend_term": (_LOAN + "term-extensions", Scope.SERVICE),
    "loan.move_due_date": (_LOAN + "due-date-moves", Scope.SERVICE),
    "loan.defer_payments": (_LOAN + "payment-deferrals", Scope.SERVICE),
    "loan.grant_grace": (_LOAN + "grace-periods", Scope.SERVICE),
    "loan.re_age": (_LOAN + "re-ageings", Scope.SERVICE),
    "loan.re_amortise": (_LOAN + "re-amortisations", Scope.SERVICE),
    "loan.reverse_re_ageing": (_LOAN + "re-ageing-reversals", Scope.SERVICE),
    "loan.reverse_re_amortisation": (_LOAN + "re-amortisation-reversals", Scope.SERVICE),
    "loan.reverse_termination": (_LOAN + "contract-termination-reversals", Scope.SERVICE),
    "loan.reprice": (_LOAN + "repricings", Scope.CONFIGURE),
    "loan.close_day": (_LOAN + "day-closes", Scope.CONFIGURE),
    "loan.restructure": (_LOAN + "restructurings", Scope.SERVICE),
    "loan.charge_off": (_LOAN + "charge-offs", Scope.SERVICE),
    "loan.reverse_charge_off": (_LOAN + "charge-off-reversals", Scope.SERVICE),
    "loan.terminate_contract": (_LOAN + "contract-terminations", Scope.SERVICE),
    "loan.record_recovery": (_LOAN + "recoveries", Scope.COLLECT),
    "loan.write_off": (_LOAN + "write-offs", Scope.SERVICE),
    "case.open": (_CASE + "open", Scope.COLLECT),
    "case.claim": (_CASE + "claim", Scope.COLLECT),
    "case.release": (_CASE + "release", Scope.COLLECT),
    "case.close": (_CASE + "close", Scope.COLLECT),
    "product.define_version": ("/v1/products/{code}/versions", Scope.CONFIGURE),
    "reference.publish_value": ("/v1/references/{code}/values", Scope.CONFIGURE),
    "reference.correct_value": ("/v1/references/{code}/corrections", Scope.CONFIGURE),
}

PLACES: Final[Mapping[str, CommandPlace]] = MappingProxyType(
    {
        command: CommandPlace(command=command, path=path, scope=scope)
        for command, (path, scope) in _PATHS.items()
    }
)
"""A command's public name to its place."""
