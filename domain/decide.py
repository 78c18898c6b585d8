"""The only dispatch: which aggregate decides on a command, and by which rule."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Any

from domain import business_day, collection_case, product, reference
from domain.commands import application as ca
from domain.commands import changes as ch
from domain.commands import crediting as cr
from domain.commands import disbursement as cd
from domain.commands import ending as ce
from domain.commands import income as ci
from domain.commands import servicing as cs
from domain.commands import undoing as cu
from domain.commands.registry import Command, LoanCommand, MoneyCommand
from domain.context import Context
from domain.decisions import (
    application,
    arrears,
    buying_down,
    capitalising,
    changes,
    charging_back,
    conduct,
    crediting,
    delinquency,
    disbursement,
    ending,
    instalment_fees,
    limits,
    penalties,
    replanning,
    repricing,
    servicing,
    tranches,
    undoing,
)
from domain.decisions.guards import require_currency
from domain.envelope import StreamId
from domain.errors import Rejected
from domain.events.registry import Event
from domain.loan import evolve as loan_evolve
from domain.loan.state import Loan

Rule = Callable[[Loan, Any, Context], list[Event]]

LOAN_RULES: dict[type[LoanCommand], Rule] = {
    ca.SubmitDocument: application.submit_document,
    ca.VerifyDocument: application.verify_document,
    ca.FlagDocument: application.flag_document,
    ca.RecordBureauReport: application.record_bureau_report,
    ca.AssessCredit: application.assess_credit,
    ca.RecordPolicyEvaluation: application.record_policy_evaluation,
    ca.RecordModelScore: application.record_model_score,
    ca.ReviewLoan: application.review,
    ca.ChangeApprovedAmount: limits.change_approved_amount,
    ca.DiscloseCost: application.disclose_cost,
    ca.AcceptOffer: application.accept_offer,
    ca.WithdrawApplication: application.withdraw,
    cd.PrepareDisbursement: disbursement.prepare,
    cd.CheckDisbursement: disbursement.check,
    cd.DisburseLoan: disbursement.disburse,
    cd.ReturnDisbursement: disbursement.return_disbursement,
    cd.PlanTranches: tranches.plan_tranches,
    cd.DeclareUseOfFunds: disbursement.declare_use,
    cd.RecordUseEvidence: disbursement.record_use,
    cd.ReportMisuse: conduct.report_misuse,
    cd.EndMisuse: conduct.end_misuse,
    cs.ClassifyLoan: conduct.classify,
    cs.PauseDelinquency: delinquency.pause_delinquency,
    cs.ReceivePayment: servicing.receive_payment,
    cs.ReversePayment: servicing.reverse_payment,
    cs.AssessCharge: servicing.assess_charge,
    cs.Waive: servicing.waive,
    cs.RefundCreditBalance: servicing.refund_credit_balance,
    cr.CreditGoodwill: crediting.credit_goodwill,
    cr.ReceiveRefund: crediting.receive_refund,
    cr.AdjustCharge: crediting.adjust_charge,
    cr.ChargeBack: charging_back.charge_back,
    cr.ReverseChargeback: charging_back.reverse_chargeback,
    ci.CapitaliseIncome: capitalising.capitalise_income,
    ci.AdjustCapitalisedIncome: capitalising.adjust_capitalised_income,
    ci.ReverseCapitalisedIncome: capitalising.reverse_capitalised_income,
    ci.RecordBuyDownFee: buying_down.record_buy_down_fee,
    ci.AdjustBuyDownFee: buying_down.adjust_buy_down_fee,
    ci.ReverseBuyDownFee: buying_down.reverse_buy_down_fee,
    ci.ReverseBuyDownAdjustment: buying_down.reverse_buy_down_adjustment,
    ch.ChangeRate: changes.change_terms,
    ch.PauseInterest: changes.change_terms,
    ch.ExtendTerm: changes.change_terms,
    ch.MoveDueDate: changes.change_terms,
    ch.DeferPayments: changes.change_terms,
    ch.GrantGrace: changes.change_terms,
    ch.ReAgeLoan: replanning.re_age,
    ch.ReAmortiseLoan: replanning.re_amortise,
    cu.ReverseReAgeing: undoing.reverse_re_ageing,
    cu.ReverseReAmortisation: undoing.reverse_re_amortisation,
    cu.ReverseTermination: undoing.reverse_termination,
    ce.RepriceLoan: repricing.reprice,
    ce.CloseLoanDay: arrears.close_day,
    ce.RestructureLoan: ending.restructure,
    ce.ChargeOffLoan: ending.charge_off,
    ce.ReverseChargeOff: ending.reverse_charge_off,
    ce.TerminateContract: ending.terminate,
    ce.RecordRecovery: ending.record_recovery,
    ce.WriteOffLoan: ending.write_off,
}


def decide_loan(loan: Loan | None, command: Command, context: Context) -> list[Event]:
    """Decide on a loan. Raises Rejected when a rule says no."""
    application.require_no_model(command, context)
    if isinstance(command, ca.ApplyForLoan):
        if loan is not None:
            raise Rejected("loan_exists", "a loan with this id was applied for", "loan_id")
        return application.apply(command, context)
    if not isinstance(command, LoanCommand):
        raise TypeError(f"{type(command).__name__} is no command to a loan")
    if loan is None:
        raise Rejected("unknown_loan", "there is no loan with this id", "loan_id")
    if isinstance(command, MoneyCommand) and command.currency is not None:
        require_currency(loan, command.currency)
    rule = LOAN_RULES[type(command)]
    if loan.conditions.penalty is not None:
        events = penalties.with_penalties(rule, loan, command, context)
    else:
        events = rule(loan, command, context)
    if instalment_fees.bears_instalment_fees(loan.conditions):
        return instalment_fees.with_instalment_fees(loan, command, events)
    return events


@dataclass(frozen=True, slots=True)
class Decider:
    """An aggregate's functions: `decide` may refuse, `evolve` may not.

    `fold` is `evolve` of one event after the other.
    """

    decide: Callable[[Any, Command, Context], list[Event]]
    evolve: Callable[[Any, Event], Any]
    fold: Callable[[Any, Iterable[Event]], Any]


def _step_by_step(
    decide: Callable[[Any, Command, Context], list[Event]], evolve: Callable[[Any, Event], Any]
) -> Decider:
    return Decider(decide, evolve, lambda state, events: reduce(evolve, events, state))


DECIDERS: dict[str, Decider] = {
    "loan": Decider(decide_loan, loan_evolve.evolve, loan_evolve.fold),
    "case": _step_by_step(collection_case.decide, collection_case.evolve),
    "product": _step_by_step(product.decide, product.evolve),
    "reference": _step_by_step(reference.decide, reference.evolve),
    "day": _step_by_step(business_day.decide, business_day.evolve),
}
"""Kind of stream, its id up to the first hyphen, to decider."""


def decider_of(stream: StreamId) -> Decider:
    """Return the decider of a stream. Raises KeyError for an unknown kind."""
    return DECIDERS[stream.partition("-")[0]]
