"""What the read models read of the events of a loan in service, up to its end."""

from datetime import date
from decimal import Decimal

from projections.narrow import Balances, Instalment, Line, Narrow


class Received(Narrow):
    """`loan.payment_received.v1`."""

    payment_id: str
    amount_minor: int
    channel: str | None = None
    kind: str = "repayment"


class Allocated(Narrow):
    """`loan.payment_allocated.v1`."""

    payment_id: str
    lines: list[Line]
    overpaid_minor: int
    rows: list[Instalment]
    rows_total: int
    balances: Balances
    source: str
    kind: str = "payment"


class Reversed(Narrow):
    """`loan.payment_reversed.v1`."""

    payment_id: str
    cause: str


class Restatement(Narrow):
    """One payment whose split changed."""

    payment_id: str
    before: list[Line]
    after: list[Line]
    overpaid_before_minor: int = 0
    overpaid_after_minor: int = 0
    kind: str = "payment"


class Restated(Narrow):
    """`loan.allocations_restated.v1`."""

    cause_id: str
    since_on: date
    changes: list[Restatement]
    rows: list[Instalment]
    rows_total: int
    balances: Balances


class Changed(Narrow):
    """`loan.schedule_changed.v1`."""

    cause_id: str
    rows: list[Instalment]
    rows_total: int
    balances: Balances


class Penalised(Narrow):
    """`loan.penalty_interest_charged.v1`."""

    penalty_minor: int
    compound_minor: int
    rows: list[Instalment]
    rows_total: int
    balances: Balances


class Charged(Narrow):
    """`loan.charge_assessed.v1`."""

    charge_id: str
    code: str
    component: str
    amount_minor: int
    instalment: int
    tax_minor: int = 0


class ChargeCapped(Narrow):
    """`loan.charge_capped.v1`."""

    component: str
    code: str
    instalment: int
    uncapped_minor: int
    capped_minor: int


class ChargeReversed(Narrow):
    """`loan.charge_reversed.v1`."""

    charge_id: str
    component: str
    amount_minor: int
    tax_minor: int
    instalment: int
    cause: str


class FeeChange(Narrow):
    """A fee of the contract that instalments ask for more or less of."""

    code: str
    amount_minor: int
    tax_minor: int = 0


class FeesChanged(Narrow):
    """`loan.instalment_fees_changed.v1`."""

    changes: list[FeeChange]


class Waived(Narrow):
    """`loan.charge_waived.v1`."""

    waiver_id: str
    component: str
    amount_minor: int
    instalment: int


class Refunded(Narrow):
    """`loan.credit_balance_refunded.v1`."""

    refund_id: str
    amount_minor: int


class Goodwill(Narrow):
    """`loan.goodwill_credited.v1`."""

    credit_id: str
    amount_minor: int


class RefundReceived(Narrow):
    """`loan.refund_received.v1`."""

    refund_id: str
    kind: str
    amount_minor: int


class InterestRefunded(Narrow):
    """`loan.interest_refunded.v1`."""

    interest_refund_id: str
    refund_id: str
    amount_minor: int


class ChargeAdjusted(Narrow):
    """`loan.charge_adjusted.v1`."""

    adjustment_id: str
    charge_id: str
    component: str
    amount_minor: int


class ChargedBack(Narrow):
    """`loan.charged_back.v1`."""

    chargeback_id: str
    payment_id: str
    amount_minor: int
    principal_minor: int
    interest_minor: int
    fee_minor: int
    penalty_minor: int
    overpaid_minor: int


class ChargebackReversed(ChargedBack):
    """`loan.chargeback_reversed.v1`."""

    cause: str


class IncomeCapitalised(Narrow):
    """`loan.income_capitalised.v1`."""

    income_id: str
    code: str
    income: str
    amount_minor: int
    principal_minor: int
    interest_minor: int
    fee_minor: int
    penalty_minor: int
    overpaid_minor: int


class CapitalisedIncomeReversed(IncomeCapitalised):
    """`loan.capitalised_income_reversed.v1`."""

    cause: str


class CapitalisedIncomeAdjusted(Narrow):
    """`loan.capitalised_income_adjusted.v1`."""

    adjustment_id: str
    income_id: str
    amount_minor: int


class BuyDown(Narrow):
    """`loan.buy_down_fee_recorded.v1`."""

    fee_id: str
    income: str
    merchant_paid: bool
    amount_minor: int


class BuyDownReversed(BuyDown):
    """`loan.buy_down_fee_reversed.v1`."""

    cause: str


class BuyDownAdjusted(BuyDown):
    """`loan.buy_down_fee_adjusted.v1`."""

    adjustment_id: str


class BuyDownAdjustmentReversed(BuyDownAdjusted):
    """`loan.buy_down_adjustment_reversed.v1`."""

    cause: str


class Missed(Narrow):
    """`loan.payment_missed.v1`."""

    instalment: int
    unpaid_minor: int


class Bucketed(Narrow):
    """`loan.delinquency_bucket_changed.v1`."""

    bucket_set: str
    before: str
    after: str
    days_past_due: int


class Repriced(Narrow):
    """`loan.rate_repriced.v1`."""

    reference: str
    value: Decimal
    published_on: date
    spread_bps: int
    rate_annual_before: Decimal
    rate_annual: Decimal


class Restructured(Narrow):
    """`loan.restructured.v1`."""

    restructure_id: str
    kind: str
    instalments: int
    rate_annual: Decimal
    waived_interest_minor: int
    capitalised_interest_minor: int
    financial_difficulty: bool


class ReAged(Narrow):
    """`loan.reaged.v1`."""

    re_age_id: str
    instalments: int
    interest: str
    programme: str
    policy_version: str
    principal_minor: int
    interest_minor: int
    fee_minor: int
    penalty_minor: int
    waived_interest_minor: int


class ReAmortised(Narrow):
    """`loan.reamortized.v1`."""

    re_amortisation_id: str
    interest: str
    principal_minor: int
    interest_minor: int
    waived_interest_minor: int


class ReagingReversed(Narrow):
    """`loan.reaging_reversed.v1`."""

    re_age_id: str
    waived_interest_minor: int
    replanned_on: date | None
    cause: str


class ReamortizationReversed(Narrow):
    """`loan.reamortization_reversed.v1`."""

    re_amortisation_id: str
    waived_interest_minor: int
    cause: str


class Owed(Narrow):
    """A termination of the contract, or one that was reversed."""

    principal_minor: int
    interest_minor: int
    fee_minor: int
    penalty_minor: int
    cause: str


class ChargedOff(Owed):
    """A charge-off, or one that was reversed."""

    deferred_capitalised_minor: int = 0
    deferred_bought_down_minor: int = 0


class Recovered(Narrow):
    """`loan.recovery_received.v1`."""

    recovery_id: str
    amount_minor: int
    cost_minor: int = 0


class WrittenOff(Narrow):
    """`loan.written_off.v1`."""

    amount_minor: int
    cause: str


class Settled(Narrow):
    """`loan.settled.v1`."""

    how: str
