"""Rows of a checkpoint as the vectors write them, from the engine's views."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from domain.servicing.account import ChargeView, Instalment, Transaction
from domain.servicing.simulation import Stage, State
from domain.servicing.values import ChargeBasis, ChargeKind, ChargeTime, Kind, Status

Row = dict[str, Any]

TYPE_NAMES: Mapping[Kind, str] = {
    Kind.DISBURSEMENT: "Disbursement",
    Kind.REPAYMENT_AT_DISBURSEMENT: "Repayment (at time of disbursement)",
    Kind.REPAYMENT: "Repayment",
    Kind.DOWN_PAYMENT: "Down Payment",
    Kind.GOODWILL_CREDIT: "Goodwill Credit",
    Kind.MERCHANT_ISSUED_REFUND: "Merchant Issued Refund",
    Kind.PAYOUT_REFUND: "Payout Refund",
    Kind.INTEREST_PAYMENT_WAIVER: "Interest Payment Waiver",
    Kind.INTEREST_REFUND: "Interest Refund",
    Kind.CHARGE_ADJUSTMENT: "Charge Adjustment",
    Kind.CASH_REFUND: "Refund",
    Kind.CHARGEBACK: "Chargeback",
    Kind.CREDIT_BALANCE_REFUND: "Credit Balance Refund",
    Kind.CAPITALISED_INCOME: "Capitalized Income",
    Kind.CAPITALISED_INCOME_ADJUSTMENT: "Capitalized Income Adjustment",
    Kind.CAPITALISED_INCOME_AMORTISATION: "Capitalized Income Amortization",
    Kind.CAPITALISED_INCOME_AMORTISATION_ADJUSTMENT: "Capitalized Income Amortization Adjustment",
    Kind.BUY_DOWN_FEE: "Buy Down Fee",
    Kind.BUY_DOWN_FEE_ADJUSTMENT: "Buy Down Fee Adjustment",
    Kind.BUY_DOWN_FEE_AMORTISATION: "Buy Down Fee Amortization",
    Kind.BUY_DOWN_FEE_AMORTISATION_ADJUSTMENT: "Buy Down Fee Amortization Adjustment",
    Kind.ACCRUAL: "Accrual",
    Kind.ACCRUAL_ADJUSTMENT: "Accrual Adjustment",
    Kind.ACCRUAL_ACTIVITY: "Accrual Activity",
    Kind.RE_AGE: "Re-age",
    Kind.RE_AMORTISE: "Re-amortize",
    Kind.CHARGE_OFF: "Charge-off",
    Kind.CONTRACT_TERMINATION: "Contract Termination",
    Kind.WRITE_OFF: "Close (as written-off)",
    Kind.CHARGE_WAIVER: "Waive loan charges",
    Kind.INTEREST_WAIVER: "Interest waive",
}
CHARGE_NAMES = {
    "LOAN_NSF_FEE": "NSF fee",
    "LOAN_SNOOZE_FEE": "Snooze fee",
    "LOAN_FIXED_RETURNED_PAYMENT_FEE": "Fixed Returned payment fee",
    "LOAN_INSTALLMENT_FEE_FLAT": "Installment flat fee",
    "LOAN_INSTALLMENT_FEE_PERCENTAGE_AMOUNT": "Installment percentage amount fee",
    "LOAN_INSTALLMENT_FEE_PERCENTAGE_INTEREST": "Installment percentage interest fee",
    "LOAN_INSTALLMENT_FEE_PERCENTAGE_AMOUNT_PLUS_INTEREST": (
        "Installment percentage amount + interest fee"
    ),
    "LOAN_DISBURSEMENT_PERCENTAGE_FEE": "Disbursement percentage fee",
    "LOAN_PERCENTAGE_LATE_FEE": "% Late fee",
    "LOAN_PERCENTAGE_LATE_FEE_AMOUNT_PLUS_INTEREST": "% Late fee amount+interest",
}
TIME_NAMES = {
    ChargeTime.SPECIFIED_DUE_DATE: "Specified due date",
    ChargeTime.INSTALMENT: "Installment Fee",
    ChargeTime.DISBURSEMENT: "Disbursement",
    ChargeTime.OVERDUE: "Overdue Fees",
}
BASIS_NAMES = {
    ChargeBasis.FLAT: "Flat",
    ChargeBasis.PERCENT_OF_AMOUNT: "% Amount",
    ChargeBasis.PERCENT_OF_DISBURSED: "% Disbursed",
    ChargeBasis.PERCENT_OF_INTEREST: "% Interest",
    ChargeBasis.PERCENT_OF_AMOUNT_AND_INTEREST: "% Loan Amount + Interest",
}
STATUS_NAMES = {
    Status.ACTIVE: "ACTIVE",
    Status.CLOSED_OBLIGATIONS_MET: "CLOSED_OBLIGATIONS_MET",
    Status.OVERPAID: "OVERPAID",
    Status.CLOSED_WRITTEN_OFF: "CLOSED_WRITTEN_OFF",
}
ACCRUALS = frozenset({Kind.ACCRUAL, Kind.ACCRUAL_ADJUSTMENT})


def money(minor: int) -> str:
    """Decimal string of minor units, two decimals."""
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100}.{abs(minor) % 100:02d}"


def iso(on: date | None) -> str | None:
    """ISO text of a date; None stays None."""
    return None if on is None else on.isoformat()


def instalment_row(row: Instalment) -> Row:
    """Write a row of the schedule."""
    paid = row.paid.total
    return {
        "n": row.number,
        "from": iso(row.from_on),
        "days": row.days,
        "due_date": iso(row.due_on),
        "paid_on": iso(row.met_on),
        "principal": money(row.due.principal),
        "interest": money(row.due.interest),
        "fees": money(row.due.fees),
        "penalties": money(row.due.penalties),
        "due": money(row.due.total),
        "paid": money(paid),
        "in_advance": money(row.paid_in_advance_minor),
        "late": money(row.paid_late_minor),
        "waived": money(row.waived.total),
        "outstanding": money(row.outstanding),
        "balance": money(row.balance_after_minor),
    }


def schedule_rows(state: State) -> list[Row]:
    """Instalment rows in order."""
    return [instalment_row(row) for row in state.account.instalments]


def disbursement_rows(state: State) -> list[Row]:
    """Disbursement rows; fees taken at disbursement stand on the first."""
    rows: list[Row] = []
    for on, amount in state.account.disbursements:
        fees = state.account.disbursement_fees if not rows else 0
        rows.append({"disbursement_on": iso(on), "amount": money(amount), "fees": money(fees)})
    return rows


def totals_row(state: State) -> Row:
    """Column sums; fees taken at disbursement are due and paid."""
    rows = state.account.instalments
    taken = state.account.disbursement_fees
    return {
        "principal": money(sum(r.due.principal for r in rows)),
        "interest": money(sum(r.due.interest for r in rows)),
        "fees": money(sum(r.due.fees for r in rows) + taken),
        "penalties": money(sum(r.due.penalties for r in rows)),
        "due": money(sum(r.due.total for r in rows) + taken),
        "paid": money(sum(r.paid.total for r in rows) + taken),
        "in_advance": money(sum(r.paid_in_advance_minor for r in rows)),
        "late": money(sum(r.paid_late_minor for r in rows)),
        "waived": money(sum(r.waived.total for r in rows)),
        "outstanding": money(sum(r.outstanding for r in rows)),
    }


def transaction_row(t: Transaction) -> Row:
    """Write a transaction."""
    return {
        "date": iso(t.on),
        "type": TYPE_NAMES[t.kind],
        "amount": money(t.amount_minor),
        "principal": money(t.split.principal),
        "interest": money(t.split.interest),
        "fees": money(t.split.fees),
        "penalties": money(t.split.penalties),
        "overpayment": money(t.overpayment_minor),
        "balance": money(t.balance_after_minor),
        "reverted": t.reversed,
        "replayed": t.replayed,
    }


def transaction_rows(state: State, *, ignore_accruals: bool) -> list[Row]:
    """Write all transactions, or all but accruals and their adjustments."""
    return [
        transaction_row(t)
        for t in state.transactions
        if not (ignore_accruals and t.kind in ACCRUALS)
    ]


def charge_row(charge: ChargeView) -> Row:
    """Write a charge."""
    return {
        "name": CHARGE_NAMES.get(charge.code, charge.code),
        "penalty": charge.kind is ChargeKind.PENALTY,
        "time": TIME_NAMES[charge.time],
        "due_on": iso(charge.due_on),
        "calculation": BASIS_NAMES[charge.basis],
        "due": money(charge.amount_minor),
        "paid": money(charge.paid_minor),
        "waived": money(charge.waived_minor),
        "outstanding": money(charge.outstanding),
    }


def charge_rows(state: State) -> list[Row]:
    """All charges."""
    return [charge_row(charge) for charge in state.account.charges]


def status_name(state: State) -> str:
    """Status as the vectors write it."""
    if state.stage is Stage.SUBMITTED:
        return "SUBMITTED_AND_PENDING_APPROVAL"
    if state.stage is Stage.APPROVED:
        return "APPROVED"
    return STATUS_NAMES[state.status]
