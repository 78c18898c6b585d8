"""Translation of a vector's steps into operations. It reads no expected value."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from api.cli.vector_terms import KINDS, UNITS, Json, Unsupported, charge_of, chosen, day, minor
from domain.servicing import operations as op
from domain.servicing.values import ChargeAccrual, Kind, ReAgeInterest, ReAmortiseInterest


def operation_of(step: Json) -> op.Operation:
    """Operation of a step; raises Unsupported if there is none."""
    name = step["op"]
    if name not in OPERATIONS:
        raise Unsupported(name)
    return OPERATIONS[name](step)


def _date(step: Json, key: str = "date") -> date:
    return day(step[key])


def _transact(step: Json) -> op.Operation:
    return op.Transact(
        kind=chosen(KINDS, step["type"], "transaction"),
        on=_date(step),
        amount_minor=minor(step["amount"]),
        refund_interest=step.get("interest_refund_calculation"),
    )


def _kind_named(name: str) -> Kind:
    return chosen(KINDS, name.upper().replace("-", "_").replace(" ", "_"), "transaction type")


def _undo(step: Json) -> op.Operation:
    select = step["select"]
    name, on = select.get("type"), select.get("transaction_date")
    return op.Undo(
        target=op.Reference(
            kind=_kind_named(name) if name else None,
            on=day(on) if on else None,
            nth=int(select.get("nth") or 1),
            last_entered=select.get("which") == "LAST_MADE",
        )
    )


def _charge_back(step: Json) -> op.Operation:
    target = step["target"]
    if target == "LAST_REPAYMENT":
        reference = op.Reference(last_payment=True)
    else:
        name, _, number = target.partition("#")
        reference = op.Reference(
            kind=chosen(KINDS, name, "chargeback target"), nth=int(number or 1), by_entry=True
        )
    return op.ChargeBack(target=reference, amount_minor=minor(step["amount"]))


def _refund_interest(step: Json) -> op.Operation:
    reference = op.Reference(
        kind=_kind_named(step["for_type"]),
        on=day(step["for_date"]),
        nth=int(step.get("nth") or 1),
    )
    return op.RefundInterest(target=reference, amount_minor=minor(step["amount"]))


def _add_charge(step: Json) -> op.Operation:
    due_on = step.get("due_date")
    return op.AddCharge(charge=charge_of(step["charge"]), due_on=day(due_on) if due_on else None)


def _reschedule(step: Json) -> op.Operation:
    rate, due_on, submitted = (
        step.get("new_interest_rate"),
        step.get("new_due_date"),
        step.get("submitted_on"),
    )
    return op.Reschedule(
        from_on=day(step["from"]),
        submitted_on=day(submitted) if submitted else None,
        new_due_on=day(due_on) if due_on else None,
        extra_instalments=int(step["extra_terms"]) if step.get("extra_terms") else None,
        grace_on_principal=int(step["grace_on_principal"] or 0) or None,
        grace_on_interest=int(step["grace_on_interest"] or 0) or None,
        new_rate_annual=None if rate is None else Decimal(str(rate)) / 100,
    )


def _re_age(step: Json) -> op.Operation:
    name = step.get("interest_handling") or "DEFAULT"
    handlings = {
        "DEFAULT": ReAgeInterest.DEFAULT,
        "EQUAL_AMORTIZATION_PAYABLE_INTEREST": ReAgeInterest.EQUAL_AMORTISATION_PAYABLE_INTEREST,
        "EQUAL_AMORTIZATION_FULL_INTEREST": ReAgeInterest.EQUAL_AMORTISATION_FULL_INTEREST,
        "WAIVE_INTEREST": ReAgeInterest.WAIVE_INTEREST,
    }
    return op.ReAge(
        start_on=day(step["start_date"]),
        every=int(step["frequency_number"]),
        unit=chosen(UNITS, step["frequency"], "re_age frequency"),
        instalments=int(step["installments"]),
        interest=chosen(handlings, name, "re_age: interest_handling"),
    )


def _re_amortise(step: Json) -> op.Operation:
    name = step.get("interest_handling") or "DEFAULT"
    handlings = {
        "DEFAULT": ReAmortiseInterest.DEFAULT,
        "EQUAL_AMORTIZATION_INTEREST_SPLIT": ReAmortiseInterest.EQUAL_AMORTISATION_INTEREST_SPLIT,
        "WAIVE_INTEREST": ReAmortiseInterest.WAIVE_INTEREST,
    }
    return op.ReAmortise(interest=chosen(handlings, name, "re_amortize: interest_handling"))


def _set_config(step: Json) -> op.Operation:
    name, value = step["name"], step["value"]
    if name == "charge-accrual-date":
        return op.SetChargeAccrual(
            accrual=chosen(
                {
                    "due-date": ChargeAccrual.DUE_DATE,
                    "submitted-date": ChargeAccrual.SUBMITTED_DATE,
                },
                str(value),
                "charge-accrual-date",
            )
        )
    if name == "enable-immediate-charge-accrual-post-maturity":
        return op.AccrueLateChargesAtOnce(enabled=str(value).lower() in {"true", "enabled", "1"})
    if name in {"is-principal-compounding-disabled-for-overdue-loans", "enable-business-date"}:
        return op.NoEffect()
    raise Unsupported(f"set_config {name}")


def _approve(step: Json) -> op.Operation:
    expected = step.get("expected_disbursement_on")
    return op.Approve(
        amount_minor=minor(step["amount"]),
        expected_disbursement_on=day(expected) if expected else None,
    )


OPERATIONS: dict[str, Callable[[Json], op.Operation]] = {
    "set_business_date": lambda s: op.SetBusinessDate(on=_date(s)),
    "create_loan": lambda _: op.Apply(),
    "approve": _approve,
    "undo_approval": lambda _: op.UndoApproval(),
    "disburse": lambda s: op.Disburse(
        on=_date(s),
        amount_minor=minor(s["amount"]),
        take_down_payment=s.get("auto_down_payment"),
    ),
    "undo_disbursal": lambda _: op.UndoDisbursal(),
    "undo_last_disbursal": lambda _: op.UndoDisbursal(latest_only=True),
    "add_expected_tranche": lambda s: op.ExpectTranche(
        on=_date(s), amount_minor=minor(s["amount"])
    ),
    "transaction": _transact,
    "pay_off": lambda s: op.PayOff(on=_date(s)),
    "undo_transaction": _undo,
    "chargeback": _charge_back,
    "credit_balance_refund": lambda s: op.RefundCredit(
        on=_date(s), amount_minor=minor(s["amount"])
    ),
    "manual_interest_refund": _refund_interest,
    "add_charge": _add_charge,
    "waive_charge": lambda _: op.WaiveCharge(),
    "undo_waive_charge": lambda _: op.UndoWaiveCharge(),
    "charge_adjustment": lambda s: op.AdjustCharge(
        code=s["charge_code"],
        due_on=day(s["charge_due_on"]) if s.get("charge_due_on") else None,
        amount_minor=minor(s["amount"]),
    ),
    "reschedule": _reschedule,
    "change_interest_rate": lambda s: op.ChangeRate(
        on=_date(s), rate_annual=Decimal(s["annual_rate_percent"]) / 100
    ),
    "publish_reference_rate": lambda s: op.PublishReference(
        on=_date(s), reference=s["reference"], value=Decimal(s["value_percent"]) / 100
    ),
    "report_misuse": lambda s: op.ReportMisuse(on=_date(s)),
    "interest_pause": lambda s: op.PauseInterest(start=_date(s, "start"), end=_date(s, "end")),
    "re_age": _re_age,
    "undo_re_age": lambda _: op.UndoLatest(kind=Kind.RE_AGE),
    "re_amortize": _re_amortise,
    "undo_re_amortize": lambda _: op.UndoLatest(kind=Kind.RE_AMORTISE),
    "charge_off": lambda s: op.ChargeOff(on=_date(s)),
    "undo_charge_off": lambda _: op.UndoLatest(kind=Kind.CHARGE_OFF),
    "set_fraud_flag": lambda _: op.NoEffect(),
    "contract_termination": lambda _: op.Terminate(),
    "undo_contract_termination": lambda _: op.UndoLatest(kind=Kind.CONTRACT_TERMINATION),
    "write_off": lambda s: op.WriteOff(on=_date(s)),
    "run_cob": lambda _: op.CloseDays(),
    "run_periodic_accrual_job": lambda _: op.PostAccruals(),
    "set_config": _set_config,
}
