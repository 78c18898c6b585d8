"""What a product says about its loans, and what was agreed on one of them.

A loan pins its product's conditions when it is applied for; a later version does not touch it. The
terms are what the review approved on top of them, frozen there. How the servicing engine reads both
is `domain/loan/contract.py`.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from domain.calendar import BusinessDayRule
from domain.loan.charge_rules import ChargeRule, UndueCharge
from domain.loan.income_terms import BuyDownFee, CapitalisedIncome
from domain.servicing.conventions import DayInclusion, FirstPeriod, RoundingPlace
from domain.servicing.floating import ResetRule
from domain.servicing.re_ageing_guard import WindowEdge
from domain.servicing.term_parts import CustomInstalment, RateStep
from domain.servicing.values import (
    ChargeBasis,
    ChargeOffBehaviour,
    ChargeTime,
    Component,
    Direction,
    FutureRule,
    InterestPeriod,
    MonthEnd,
    OverdueInterest,
    PreClose,
    Recalculation,
    RestFrequency,
    Unit,
)

__all__ = [
    "DEFAULT_ALLOCATION",
    "ArrearsConditions",
    "BusinessDayRule",
    "BuyDownFee",
    "CapitalisedIncome",
    "ChargeBasis",
    "ChargeOffBehaviour",
    "ChargeRule",
    "ChargeTime",
    "Component",
    "Compounding",
    "Conditions",
    "CustomInstalment",
    "DayInclusion",
    "Direction",
    "DownPaymentConditions",
    "DueDays",
    "FeeTime",
    "FirstPeriod",
    "FloatingConditions",
    "FutureRule",
    "InterestPeriod",
    "MonthEnd",
    "OverdueInterest",
    "PayoutFee",
    "PayoutPlan",
    "PenaltyConditions",
    "PlannedTranche",
    "PreClose",
    "RateStep",
    "Recalculation",
    "RefundKind",
    "RepaymentMethod",
    "ResetRule",
    "RestFrequency",
    "Rounding",
    "RoundingPlace",
    "ScheduleDayCount",
    "SignedRate",
    "Terms",
    "UndueCharge",
    "Unit",
    "UnpaidParts",
    "WindowEdge",
]


class RepaymentMethod(StrEnum):
    """How principal comes back (domain rules, section 5.1)."""

    ANNUITY = "annuity"  # 等额本息
    EQUAL_PRINCIPAL = "equal_principal"  # 等额本金
    INTEREST_ONLY = "interest_only"  # 先息后本: interest each period, principal with the last
    BULLET = "bullet"  # 到期一次性还本付息: one instalment after all periods
    EQUAL_AMORTISATION = "equal_amortisation"  # an annuity's interest, spread evenly
    REVOLVING = "revolving"  # 随借随还: drawn and repaid at will, interest asked for each period
    FLAT = "flat"  # 等本等息: interest on the first principal, whatever was repaid
    FIXED_INSTALMENT = "fixed_instalment"  # the amount is agreed, the number follows
    CUSTOM = "custom"  # 自定义还款计划: dates and amounts are agreed with each loan


class PayoutPlan(StrEnum):
    """Whether it is planned what goes out when (domain rules, P-53)."""

    NONE = "none"  # each payout as it comes
    TRANCHES = "tranches"  # each payout is a tranche of the loan's plan


class FeeTime(StrEnum):
    """Which payouts a fee is taken from (domain rules, F-01, F-02)."""

    FIRST_PAYOUT = "first_payout"
    EACH_PAYOUT = "each_payout"


class RefundKind(StrEnum):
    """Who gives back what the loan had paid for (domain rules, 9.5 T-19, T-20)."""

    MERCHANT = "merchant"  # goods were returned
    PAYOUT = "payout"  # part of the money paid out came back


class ScheduleDayCount(StrEnum):
    """How a period earns interest. Unqualified "30/360" is a bug (domain rules, section 5.2)."""

    THIRTY_360_PROPORTIONAL = "30/360-proportional"  # a whole month earns a twelfth of the rate
    ACT_360 = "act/360"
    ACT_364 = "act/364"
    ACT_365F = "act/365f"
    ACT_ACT_ISDA = "act/act-isda"
    ACT_ACT_ICMA = "act/act-icma"
    ACT_ACT_FEB_29 = "act/act-feb29"
    THIRTY_360_US = "30/360-us"
    THIRTY_360_BOND = "30/360-bond"
    THIRTY_E_360 = "30e/360"
    THIRTY_E_360_ISDA = "30e/360-isda"


class Rounding(StrEnum):
    """How an amount becomes whole minor units; the values are Python's decimal modes."""

    HALF_UP = "ROUND_HALF_UP"
    HALF_EVEN = "ROUND_HALF_EVEN"
    HALF_DOWN = "ROUND_HALF_DOWN"
    UP = "ROUND_CEILING"
    DOWN = "ROUND_FLOOR"


DEFAULT_ALLOCATION = (
    Component.PENALTY,
    Component.FEE,
    Component.INTEREST,
    Component.PRINCIPAL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatingConditions:
    """The rate is a published reference plus a spread fixed at signing (domain rules, 5.6)."""

    reference: str  # such as LPR-5Y
    reset: ResetRule = ResetRule.NEW_YEAR  # when loans reprice
    floor_annual: Decimal | None = Decimal(0)  # of reference and spread together; None: no floor
    cap_annual: Decimal | None = None  # of reference and spread together; None: no cap


class UnpaidParts(StrEnum):
    """What unpaid makes an instalment overdue (domain rules, 2.1)."""

    ALL = "all"
    WITHOUT_PENALTY = "without_penalty"  # a penalty alone keeps no loan overdue


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrearsConditions:
    """What is tolerated beside an amount before an instalment is overdue (domain rules, 2.1)."""

    tolerance_percent: Decimal = Decimal(0)  # of the outstanding principal, if more than the amount
    tolerance_days: int = 0  # after the due date
    tolerance_day: int | None = None  # of the month: the first one by which it must be paid
    counted: UnpaidParts = UnpaidParts.ALL
    grace_days: int = 0  # past due before a day is delinquent (P-47)


class Compounding(StrEnum):
    """What unpaid bears the penalty rate beside principal (复利; domain rules, 5.4)."""

    NONE = "none"
    INTEREST = "interest"  # unpaid interest; unpaid penalty bears nothing: contested in court
    INTEREST_AND_PENALTY = "interest_and_penalty"  # unpaid penalties too, from a month's end on


@dataclass(frozen=True, slots=True, kw_only=True)
class PenaltyConditions:
    """What overdue principal and misused funds cost above the contract rate (罚息)."""

    overdue_markup: Decimal  # share of the contract rate: 0.5 is half as much again
    misuse_markup: Decimal  # of the whole principal, where funds were misused (挪用)
    day_count: ScheduleDayCount = ScheduleDayCount.ACT_360
    compounds: Compounding = Compounding.INTEREST


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDays:
    """Instalments fall due on a day of the month that is agreed with each loan (固定还款日)."""

    earliest: int = 1  # day of the month
    latest: int = 31  # the last day of a month that is shorter
    first_period: FirstPeriod = FirstPeriod.LONG  # whether a stub joins the first month


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutFee:
    """A fee that is kept back from what goes out: a fixed amount, or a share of the payout."""

    code: str  # one of the product's charges
    taken: FeeTime = FeeTime.EACH_PAYOUT
    amount_minor: int = 0
    percent: Decimal | None = None  # of the payout: 1.5 is 1.5 %; None: the fixed amount
    min_minor: int = 0  # of a share
    max_minor: int | None = None  # of a share; None: without limit
    tax_percent: Decimal | None = None  # inside the fee, on its net: 6 is VAT of 6 %; None: none


@dataclass(frozen=True, slots=True, kw_only=True)
class DownPaymentConditions:
    """A share of each payout is due on its own day (首付; domain rules, P-51)."""

    percent: Decimal  # of the payout: 25 is 25 %; rounded as an instalment is
    automatic: bool = False  # taken with the payout, or to be paid


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRate:
    """How a floating loan's first rate came about."""

    spread_bps: int  # basis points on the reference; negative below it
    value: Decimal  # of the reference, fraction per year
    published_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTranche:
    """A payout that is expected."""

    tranche_id: str
    expected_on: date  # it may go out on another day
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What was agreed: amount, price and number of instalments."""

    currency: str  # ISO 4217
    principal_minor: int
    rate_annual: Decimal  # fraction per year: 0.12 is 12 %; of a floating loan, to the first reset
    instalments: int  # number of repayment periods: of the instalments, but for a bullet
    signed: SignedRate | None = None  # set exactly when the rate floats
    tranches: tuple[PlannedTranche, ...] = ()  # expected at signing, by date
    due_day: int | None = None  # of the month; set exactly when the product has due days
    first_due_on: date | None = None  # None: as agreed with the payout, else one period after it
    instalment_minor: int | None = None  # of a fixed instalment; `instalments` is the most
    custom: tuple[CustomInstalment, ...] = ()  # by date; the last may be open: it takes the rest
    rate_steps: tuple[RateStep, ...] = ()  # rates known from the start, after `rate_annual`


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What a product version says about its loans: conventions and bounds.

    Pinned by the application.
    """

    currency: str
    method: RepaymentMethod = RepaymentMethod.ANNUITY
    repayment_every: int = 1  # units of a repayment period
    repayment_unit: Unit = Unit.MONTHS
    grace_on_principal: int = 0  # first instalments that repay no principal
    grace_on_interest: int = 0  # first instalments that collect no interest; it is earned (宽限期)
    interest_free_periods: int = 0  # first periods that earn nothing (免息期)
    day_count: ScheduleDayCount  # no default: the product must say (domain rules, 0.4)
    interest_rounding: Rounding = Rounding.HALF_UP
    instalment_rounding: Rounding = Rounding.HALF_UP
    allocation: tuple[Component, ...] = DEFAULT_ALLOCATION  # inside an instalment
    recalculation: Recalculation = Recalculation.CONTINUOUS  # whether interest follows payments
    overdue_interest: OverdueInterest = OverdueInterest.EARNS  # where interest follows payments
    amount_min_minor: int = 1
    amount_max_minor: int
    rate_annual_max: Decimal  # fraction per year
    instalments_min: int = 1
    instalments_max: int
    over_applied_minor: int = 0  # how much more than applied for may be approved
    over_applied_percent: Decimal = Decimal(0)  # the same as a share of it: 10 is 10 %
    payouts_max: int = 1  # of one loan, those that came back not counted
    payout_plan: PayoutPlan = PayoutPlan.NONE
    payout_fees: tuple[PayoutFee, ...] = ()  # kept back from what goes out
    full_term_tranches: bool = False  # each payout is repaid over a full term of its own
    outstanding_max_minor: int | None = None  # principal after a payout; None: as approved
    four_eyes_from_minor: int = 0  # payouts of at least this need a maker and a checker
    backdating_days_max: int = 365  # how far before the business date a fact may lie
    arrears_tolerance_minor: int = 0  # an instalment short by no more than this is not overdue
    arrears: ArrearsConditions | None = None  # None: an amount alone is tolerated
    charges: tuple[str, ...] = ()  # charge codes that the cost table may list
    charge_rules: tuple[ChargeRule, ...] = ()  # charges of them that are computed
    interest_refunded_with: tuple[RefundKind, ...] = ()  # refunds that make interest undue
    floating: FloatingConditions | None = None  # None: a rate is fixed with each loan
    calendar: str | None = None  # whose working days, such as CN; None: due dates are not moved
    instalment_multiple_minor: int | None = (
        None  # level instalments are multiples; None: of nothing
    )
    rest: RestFrequency = RestFrequency.DAILY  # when a payment in advance lowers interest
    pre_close: PreClose = PreClose.TILL_PRE_CLOSE_DATE  # to which day a payoff pays interest
    business_days: BusinessDayRule = BusinessDayRule.NONE  # where due dates go that are not worked
    charge_off: ChargeOffBehaviour = ChargeOffBehaviour.REGULAR  # what it does to the schedule
    due_days: DueDays | None = None  # None: due dates are counted from the payout
    first_due_days_min: int = 1  # days from the payout to a first due date of the loan's own
    first_due_days_max: int = 3_660
    rate_steps_max: int = 0  # how many steps of the rate an approval may state
    penalty: PenaltyConditions | None = None  # None: what is overdue bears no penalty rate
    non_performing_allocation: tuple[Component, ...] = ()  # once 不良 (先本后息); (): as before
    non_accrual: bool = False  # once 不良 interest is income when it is paid, not before (非应计)
    interest_period: InterestPeriod = InterestPeriod.DAILY  # by days, or by whole periods (P-19)
    interest_rounding_scope: RoundingPlace = RoundingPlace.PER_PERIOD
    day_inclusion: DayInclusion = DayInclusion.FIRST_NOT_LAST  # 算头不算尾
    month_end: MonthEnd = MonthEnd.LAST_DAY_OF_MONTH  # where a due day goes that its month lacks
    fixed_length: int | None = None  # periods' units from the payout to the last due date (P-41)
    future_instalments: FutureRule = FutureRule.NEXT_INSTALMENT  # what is paid in advance
    allocation_direction: Direction = Direction.HORIZONTAL  # instalment by instalment, or part
    rate_cap_annual: Decimal | None = None  # of all that a loan costs; a charge beyond it is cut
    re_age_window: WindowEdge | None = None  # of limits in rolling months; None: as the policy says
    down_payment: DownPaymentConditions | None = None  # None: nothing is due with a payout
    capitalised_income: CapitalisedIncome | None = None  # None: none is added to principal
    buy_down_fee: BuyDownFee | None = None  # None: the product takes none

    def __hash__(self) -> int:
        """Products differ in these already; to hash all took a part of every load that is felt."""
        return hash((self.currency, self.method, self.amount_max_minor, self.instalments_max))
