"""The named conventions of a loan: every choice a product makes is a value here, never a flag."""

from enum import StrEnum

ENGINE_VERSION = 3
"""Stands in every result; a change of what the engine computes raises it."""


class ScheduleType(StrEnum):
    """Which schedule family a product belongs to."""

    PROGRESSIVE = "progressive"
    CUMULATIVE = "cumulative"


class InterestMethod(StrEnum):
    """What interest is earned on: the balance, or all that was paid out."""

    DECLINING_BALANCE = "declining_balance"
    FLAT = "flat"


class Amortisation(StrEnum):
    """How principal comes back (domain rules, 5.1)."""

    EQUAL_INSTALMENTS = "equal_instalments"  # 等额本息
    EQUAL_PRINCIPAL = "equal_principal"  # 等额本金
    INTEREST_ONLY = "interest_only"  # 先息后本
    BULLET = "bullet"  # 到期一次性还本付息: one instalment over the whole term
    EQUAL_AMORTISATION = "equal_amortisation"  # an annuity's interest, spread evenly
    FIXED_INSTALMENT = "fixed_instalment"  # the amount is given, the number follows
    CUSTOM = "custom"  # dates and amounts of the loan's own
    REVOLVING = "revolving"  # 随借随还: interest on statement days, principal at maturity


class InterestPeriod(StrEnum):
    """Whether interest is counted by days or by whole repayment periods."""

    DAILY = "daily"
    SAME_AS_REPAYMENT_PERIOD = "same_as_repayment_period"


class DaysInYear(StrEnum):
    """Denominator of a day's interest."""

    D360 = "360"
    D364 = "364"
    D365 = "365"
    ACTUAL = "actual"


class DaysInMonth(StrEnum):
    """Whether a whole month counts 30 days or its own."""

    D30 = "30"
    ACTUAL = "actual"


class LeapYear(StrEnum):
    """Which periods of an ACTUAL year have 366 days under them."""

    WHOLE_YEAR = "whole_year"
    FEB_29_PERIOD_ONLY = "feb_29_period_only"


class YearBoundary(StrEnum):
    """The day on which interest passes to the new year."""

    DECEMBER_31 = "december_31"
    JANUARY_1 = "january_1"


class Unit(StrEnum):
    """Unit of a repayment frequency."""

    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"
    QUARTERS = "quarters"
    YEARS = "years"


class MonthEnd(StrEnum):
    """Where a due day goes that its month does not have."""

    LAST_DAY_OF_MONTH = "last_day_of_month"
    FIRST_DAY_OF_NEXT_MONTH = "first_day_of_next_month"


class StartFrom(StrEnum):
    """Which day the periods are counted from."""

    DISBURSEMENT = "disbursement"
    SUBMISSION = "submission"


class PartialPeriod(StrEnum):
    """Whether money paid out inside a period earns from its day or from the period's start."""

    FROM_ITS_DAY = "from_its_day"
    WHOLE_PERIOD = "whole_period"


class Recalculation(StrEnum):
    """Whether the plan follows what is paid; and if so, when overdue interest is evaluated."""

    NONE = "none"
    CONTINUOUS = "continuous"
    AT_TRIGGER = "at_trigger"


class OverdueInterest(StrEnum):
    """Whether overdue principal goes on earning."""

    EARNS = "earns"
    DOES_NOT_EARN = "does_not_earn"


class RestFrequency(StrEnum):
    """How often recalculated interest rests."""

    DAILY = "daily"
    SAME_AS_REPAYMENT = "same_as_repayment"


class PreClose(StrEnum):
    """Up to which day a payment in advance pays interest."""

    TILL_PRE_CLOSE_DATE = "till_pre_close_date"
    TILL_REST_FREQUENCY_DATE = "till_rest_frequency_date"


class AdvancePayment(StrEnum):
    """What a payment in advance changes in the plan."""

    ADJUST_LAST_UNPAID = "adjust_last_unpaid"
    REDUCE_INSTALMENT = "reduce_instalment"
    REDUCE_TERM = "reduce_term"
    RESCHEDULE_NEXT = "reschedule_next"


class Component(StrEnum):
    """The four parts of a debt."""

    PRINCIPAL = "principal"
    INTEREST = "interest"
    FEE = "fee"
    PENALTY = "penalty"


class DueClass(StrEnum):
    """An instalment's due date compared with the payment's value date."""

    PAST_DUE = "past_due"
    DUE = "due"
    IN_ADVANCE = "in_advance"


class FutureRule(StrEnum):
    """Which future instalment a payment in advance goes to."""

    NEXT_INSTALMENT = "next_instalment"
    LAST_INSTALMENT = "last_instalment"
    NEXT_LAST_INSTALMENT = "next_last_instalment"
    REAMORTISATION = "reamortisation"


class Strategy(StrEnum):
    """How payments are allocated: by a table of buckets, or by one of the legacy orders."""

    ADVANCED = "advanced"
    PENALTIES_FEES_INTEREST_PRINCIPAL = "penalties_fees_interest_principal"
    INTEREST_PRINCIPAL_PENALTIES_FEES = "interest_principal_penalties_fees"
    PRINCIPAL_INTEREST_PENALTIES_FEES = "principal_interest_penalties_fees"
    DUE_PENALTY_FEE_INTEREST_PRINCIPAL_ADVANCE_PRINCIPAL_FIRST = (
        "due_penalty_fee_interest_principal_advance_principal_penalty_fee_interest"
    )
    DUE_PENALTY_INTEREST_PRINCIPAL_FEE = "due_penalty_interest_principal_fee"


class Direction(StrEnum):
    """Instalment by instalment, or bucket by bucket across instalments."""

    HORIZONTAL = "horizontal"
    VERTICAL = "vertical"


class Kind(StrEnum):
    """Kind of a transaction on the account."""

    DISBURSEMENT = "disbursement"
    REPAYMENT_AT_DISBURSEMENT = "repayment_at_disbursement"
    REPAYMENT = "repayment"
    DOWN_PAYMENT = "down_payment"
    GOODWILL_CREDIT = "goodwill_credit"
    MERCHANT_ISSUED_REFUND = "merchant_issued_refund"
    PAYOUT_REFUND = "payout_refund"
    INTEREST_PAYMENT_WAIVER = "interest_payment_waiver"
    INTEREST_REFUND = "interest_refund"
    CHARGE_ADJUSTMENT = "charge_adjustment"
    CAPITALISED_INCOME_ADJUSTMENT = "capitalised_income_adjustment"
    RECOVERY = "recovery"
    CASH_REFUND = "cash_refund"
    CHARGEBACK = "chargeback"
    CREDIT_BALANCE_REFUND = "credit_balance_refund"
    CAPITALISED_INCOME = "capitalised_income"
    CAPITALISED_INCOME_AMORTISATION = "capitalised_income_amortisation"
    CAPITALISED_INCOME_AMORTISATION_ADJUSTMENT = "capitalised_income_amortisation_adjustment"
    BUY_DOWN_FEE = "buy_down_fee"
    BUY_DOWN_FEE_ADJUSTMENT = "buy_down_fee_adjustment"
    BUY_DOWN_FEE_AMORTISATION = "buy_down_fee_amortisation"
    BUY_DOWN_FEE_AMORTISATION_ADJUSTMENT = "buy_down_fee_amortisation_adjustment"
    ACCRUAL = "accrual"
    ACCRUAL_ADJUSTMENT = "accrual_adjustment"
    ACCRUAL_ACTIVITY = "accrual_activity"
    RE_AGE = "re_age"
    RE_AMORTISE = "re_amortise"
    RESTRUCTURE = "restructure"
    CHARGE_OFF = "charge_off"
    CONTRACT_TERMINATION = "contract_termination"
    WRITE_OFF = "write_off"
    CHARGE_WAIVER = "charge_waiver"
    INTEREST_WAIVER = "interest_waiver"


class DeferredKind(StrEnum):
    """Income that is taken at once and recognised by the day (domain rules, 9.9 S-27, S-28)."""

    CAPITALISED_INCOME = "capitalised_income"
    BUY_DOWN_FEE = "buy_down_fee"


PAYMENT_KINDS = frozenset(
    {
        Kind.REPAYMENT,
        Kind.DOWN_PAYMENT,
        Kind.GOODWILL_CREDIT,
        Kind.MERCHANT_ISSUED_REFUND,
        Kind.PAYOUT_REFUND,
        Kind.INTEREST_PAYMENT_WAIVER,
        Kind.INTEREST_REFUND,
        Kind.CHARGE_ADJUSTMENT,
        Kind.CAPITALISED_INCOME_ADJUSTMENT,
    }
)


class ChargeKind(StrEnum):
    """A fee or a penalty: the kind decides the bucket."""

    FEE = "fee"
    PENALTY = "penalty"


class ChargeTime(StrEnum):
    """When a charge falls due."""

    DISBURSEMENT = "disbursement"
    SPECIFIED_DUE_DATE = "specified_due_date"
    INSTALMENT = "instalment"
    YEARLY = "yearly"  # on a day of each year, with the instalment whose period holds it (年费)
    OVERDUE = "overdue"


class ChargeBasis(StrEnum):
    """What a charge is computed from."""

    FLAT = "flat"
    PERCENT_OF_AMOUNT = "percent_of_amount"
    PERCENT_OF_DISBURSED = "percent_of_disbursed"  # 按初始本金收费, whatever was repaid since
    PERCENT_OF_INTEREST = "percent_of_interest"
    PERCENT_OF_AMOUNT_AND_INTEREST = "percent_of_amount_and_interest"


class ChargeAccrual(StrEnum):
    """From which day a charge is accrued."""

    DUE_DATE = "due_date"
    SUBMITTED_DATE = "submitted_date"


class ChargeOffBehaviour(StrEnum):
    """What a charge-off does to the schedule."""

    REGULAR = "regular"
    ZERO_INTEREST = "zero_interest"
    ACCELERATE_MATURITY = "accelerate_maturity"


class ReAgeInterest(StrEnum):
    """What re-ageing does with interest that is not paid."""

    DEFAULT = "default"
    EQUAL_AMORTISATION_PAYABLE_INTEREST = "equal_amortisation_payable_interest"
    EQUAL_AMORTISATION_FULL_INTEREST = "equal_amortisation_full_interest"
    WAIVE_INTEREST = "waive_interest"


class ReAmortiseInterest(StrEnum):
    """What re-amortising does with interest that is past due."""

    DEFAULT = "default"
    EQUAL_AMORTISATION_INTEREST_SPLIT = "equal_amortisation_interest_split"
    WAIVE_INTEREST = "waive_interest"


class AccrualBasis(StrEnum):
    """What interest to a day inside a period is (domain rules 5.3)."""

    EXACT = "exact"
    PRORATED_PERIOD_INTEREST = "prorated_period_interest"


class Accounting(StrEnum):
    """Whether earned income is accrued periodically."""

    ACCRUAL_PERIODIC = "accrual_periodic"
    NONE = "none"


class Status(StrEnum):
    """Where an account stands."""

    PLANNED = "planned"
    ACTIVE = "active"
    CLOSED_OBLIGATIONS_MET = "closed_obligations_met"
    OVERPAID = "overpaid"
    CLOSED_WRITTEN_OFF = "closed_written_off"
