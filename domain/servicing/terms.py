"""The terms an account is served under: every value the engine reads, refused when unsound."""

import decimal
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property, lru_cache

from domain.calendar import BusinessDayRule, HolidayCalendar
from domain.daycount import DayCount, ReferencePeriods
from domain.servicing.conventions import (
    DayInclusion,
    Factors,
    FirstPeriod,
    InstalmentRounding,
    Residue,
    RoundingPlace,
)
from domain.servicing.floating import FloatingRate
from domain.servicing.penalty import PenaltyTerms
from domain.servicing.term_parts import CustomInstalment, RateStep, Refusal
from domain.servicing.values import (
    Accounting,
    AccrualBasis,
    AdvancePayment,
    Amortisation,
    ChargeBasis,
    ChargeKind,
    ChargeOffBehaviour,
    ChargeTime,
    Component,
    DaysInMonth,
    DaysInYear,
    Direction,
    DueClass,
    FutureRule,
    InterestMethod,
    InterestPeriod,
    Kind,
    LeapYear,
    MonthEnd,
    OverdueInterest,
    PartialPeriod,
    PreClose,
    Recalculation,
    RestFrequency,
    ScheduleType,
    StartFrom,
    Strategy,
    Unit,
    YearBoundary,
)

PRINCIPAL_MINOR_MAX = 10**15  # above it a balance no longer fits the store's bigint with interest
INSTALMENTS_MAX = 1_200  # a hundred years of months; more is a typing error
RATE_ANNUAL_MAX = Decimal(100)  # 10,000 % a year; above it the annuity loses its precision
PRECISION_RANGE = range(9, 41)


@dataclass(frozen=True, kw_only=True)  # without slots: how it is read is kept
class AllocationRule:
    """Order of the twelve buckets for one kind of payment; `kind` None is the default rule."""

    kind: Kind | None
    order: tuple[tuple[DueClass, Component], ...]
    future: FutureRule = FutureRule.NEXT_INSTALMENT
    direction: Direction | None = None  # None: the product's
    name: str | None = None  # None: the kind's, or "default"

    @cached_property
    def groups(self) -> tuple[tuple[DueClass, tuple[Component, ...]], ...]:
        """The components of each due class, as they come in the order."""
        groups: dict[DueClass, list[Component]] = {}
        for due, component in self.order:
            groups.setdefault(due, []).append(component)
        return tuple((due, tuple(components)) for due, components in groups.items())

    @cached_property
    def bucket_names(self) -> dict[tuple[DueClass, Component], str]:
        """What a part that a bucket takes is explained by."""
        name = self.name or self.kind or "default"
        return {(due, part): f"{name}:{due}:{part}" for due, part in self.order}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeTerms:
    """A charge as a product defines it. `amount_minor` for FLAT, `percent` for the others."""

    code: str
    kind: ChargeKind
    time: ChargeTime
    basis: ChargeBasis
    amount_minor: int = 0
    percent: Decimal = Decimal(0)
    min_minor: int = 0  # of a share on an instalment
    max_minor: int | None = None  # of a share on an instalment; None: without limit
    month: int | None = None  # of a yearly fee
    day: int | None = None  # of a yearly fee, of its month; None: anniversaries of the start


@dataclass(frozen=True, slots=True, kw_only=True)
class DownPayment:
    """Share of each disbursement that is due on its day, in percent."""

    percent: Decimal
    automatic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tranche:
    """A disbursement that is expected."""

    expected_on: date
    amount_minor: int


STANDARD_ORDER = tuple(
    (due, component)
    for due in DueClass
    for component in (Component.PENALTY, Component.FEE, Component.INTEREST, Component.PRINCIPAL)
)


@dataclass(frozen=True, kw_only=True)  # without slots: what is asked of every fact is kept
class LoanTerms:
    """Amounts in minor units, rates as a fraction a year, periods in `repayment_unit`s."""

    principal_minor: int
    rate_annual: Decimal
    instalments: int
    expected_disbursement_on: date
    submitted_on: date | None = None
    schedule_type: ScheduleType = ScheduleType.PROGRESSIVE
    repayment_every: int = 1
    repayment_unit: Unit = Unit.MONTHS
    interest_method: InterestMethod = InterestMethod.DECLINING_BALANCE
    amortisation: Amortisation = Amortisation.EQUAL_INSTALMENTS
    interest_period: InterestPeriod = InterestPeriod.DAILY
    partial_period: PartialPeriod = PartialPeriod.FROM_ITS_DAY
    days_in_year: DaysInYear = DaysInYear.ACTUAL
    days_in_month: DaysInMonth = DaysInMonth.ACTUAL
    leap_year: LeapYear = LeapYear.WHOLE_YEAR
    year_boundary: YearBoundary = YearBoundary.DECEMBER_31
    start_from: StartFrom = StartFrom.DISBURSEMENT
    month_end: MonthEnd = MonthEnd.LAST_DAY_OF_MONTH
    fixed_length: int | None = None
    explicit_periods: tuple[tuple[date, date], ...] = ()
    instalment_multiple_minor: int | None = None
    grace_on_principal: int = 0
    grace_on_interest: int = 0
    interest_free_periods: int = 0
    down_payment: DownPayment | None = None
    multiple_disbursements: bool = False
    full_term_tranches: bool = False
    expected_tranches: tuple[Tranche, ...] = ()
    strategy: Strategy = Strategy.ADVANCED
    allocation: tuple[AllocationRule, ...] = (AllocationRule(kind=None, order=STANDARD_ORDER),)
    direction: Direction = Direction.HORIZONTAL
    chargeback_order: tuple[Component, ...] = ()
    recalculation: Recalculation = Recalculation.NONE
    overdue_interest: OverdueInterest = OverdueInterest.EARNS
    rest: RestFrequency = RestFrequency.DAILY
    pre_close: PreClose = PreClose.TILL_PRE_CLOSE_DATE
    advance_payment: AdvancePayment = AdvancePayment.ADJUST_LAST_UNPAID
    interest_refund_kinds: frozenset[Kind] = field(default_factory=frozenset[Kind])
    charge_off: ChargeOffBehaviour = ChargeOffBehaviour.REGULAR
    product_charges: tuple[ChargeTerms, ...] = ()
    accounting: Accounting = Accounting.ACCRUAL_PERIODIC
    accrual_basis: AccrualBasis = AccrualBasis.EXACT
    accrual_activity: bool = False
    capitalised_income_type: Component = Component.INTEREST
    buy_down_income_type: Component = Component.INTEREST
    precision: int = 19
    rounding: str = decimal.ROUND_HALF_EVEN  # inside: the last of `precision` digits
    day_count: DayCount | None = None  # None: proportional, by days_in_month and days_in_year
    factors: Factors = Factors.EXACT
    residue: Residue = Residue.LAST_ABSORBS
    interest_rounding: str = decimal.ROUND_HALF_UP  # to minor units
    rounding_place: RoundingPlace = RoundingPlace.PER_PERIOD
    instalment_rounding: InstalmentRounding = InstalmentRounding.NEAREST
    day_inclusion: DayInclusion = DayInclusion.FIRST_NOT_LAST
    rate_steps: tuple[RateStep, ...] = ()  # known from the start; instalments are solved at each
    floating: FloatingRate | None = None  # `rate_annual` is the rate fixed at signing
    first_due_on: date | None = None  # None: one regular period after the start
    due_day: int | None = None  # day of the month; None: the day of the start
    first_period: FirstPeriod = FirstPeriod.LONG  # with `due_day`: a stub joins the first month
    matures_on: date | None = None  # due date of the last instalment; None: a regular one
    business_days: BusinessDayRule = BusinessDayRule.NONE
    calendar: HolidayCalendar | None = None
    instalment_minor: int | None = None  # of FIXED_INSTALMENT; `instalments` is the most allowed
    custom: tuple[CustomInstalment, ...] = ()  # of CUSTOM
    penalty: PenaltyTerms | None = None  # 罚息, 复利
    instalment_fees: tuple[ChargeTerms, ...] = ()  # of the contract: on every instalment, or yearly
    non_performing_order: tuple[tuple[DueClass, Component], ...] = ()  # 先本后息; () as else

    def __hash__(self) -> int:
        """Tell loans apart by what differs most; to hash seventy fields takes ten times as long."""
        return hash((self.principal_minor, self.rate_annual, self.expected_disbursement_on))

    @cached_property
    def cumulative(self) -> bool:
        """Whether the loan has a schedule of the cumulative family."""
        return self.schedule_type is ScheduleType.CUMULATIVE

    @cached_property
    def recalculates(self) -> bool:
        """Whether the progressive plan follows payments: only a declining balance can."""
        return (
            self.recalculation is not Recalculation.NONE
            and not self.cumulative
            and self.interest_method is InterestMethod.DECLINING_BALANCE
            and self.interest_bearing
        )

    @property
    def interest_bearing(self) -> bool:
        """Whether the loan earns at all, now or after a step."""
        return self.rate_annual > 0 or any(step.rate_annual > 0 for step in self.rate_steps)

    def counts_from(self, on: date) -> date:
        """Return the start of the stretch of days that begins with a day."""
        inclusive = self.day_inclusion is DayInclusion.FIRST_NOT_LAST
        return on if inclusive else on - timedelta(days=1)

    def counts_until(self, on: date) -> date:
        """Return the end of the stretch of days that ends with a day."""
        inclusive = self.day_inclusion is DayInclusion.FIRST_NOT_LAST
        return on + timedelta(days=1) if inclusive else on

    @property
    def period_units(self) -> int:
        """Repayment units of a regular period; a bullet has one period, the whole term."""
        bullet = self.amortisation is Amortisation.BULLET
        return self.repayment_every * (self.instalments if bullet else 1)

    @property
    def fixes_principal(self) -> bool:
        """Whether each instalment's principal is fixed and not the instalment."""
        if self.cumulative:
            return False
        if self.amortisation is Amortisation.CUSTOM:
            return any(row.principal_minor is not None for row in self.custom)
        return self.amortisation in FIXES_PRINCIPAL

    @property
    def instalment_mode(self) -> str:
        """Decimal mode that instalments are rounded by."""
        directed = {
            InstalmentRounding.UP: decimal.ROUND_CEILING,
            InstalmentRounding.DOWN: decimal.ROUND_FLOOR,
        }
        return directed.get(self.instalment_rounding, self.interest_rounding)

    @property
    def amortisation_when_re_aged(self) -> Amortisation:
        """How the new instalments are solved: what had its own amounts or dates becomes level."""
        kept = (Amortisation.EQUAL_PRINCIPAL, Amortisation.INTEREST_ONLY)
        return self.amortisation if self.amortisation in kept else Amortisation.EQUAL_INSTALMENTS

    def reference_periods(self, start: date) -> ReferencePeriods | None:
        """Return the regular periods ACT/ACT ICMA measures by; None for other day counts."""
        if self.day_count is not DayCount.ACT_ACT_ICMA:
            return None
        return ReferencePeriods(anchor=start, months=_months(self))

    def arithmetic(self) -> decimal.Context:
        """The decimal context to work in under these terms; it rounds money to minor units."""
        return _context(self.precision, self.interest_rounding)

    def inner_arithmetic(self) -> decimal.Context:
        """The decimal context of what comes before money is rounded."""
        return _context(self.precision, self.rounding)

    def rule_for(self, kind: Kind | None) -> AllocationRule:
        """Return the rule of a kind of payment, else the default rule (domain rules A-02)."""
        default = self.allocation[0]
        for rule in self.allocation:
            if rule.kind is kind:
                return rule
            if rule.kind is None:
                default = rule
        return default

    @property
    def non_performing_rule(self) -> AllocationRule | None:
        """The rule of payments into a non-performing loan, bucket by bucket (domain rules, 5.5)."""
        if not self.non_performing_order:
            return None
        return AllocationRule(
            kind=None,
            order=self.non_performing_order,
            future=self.rule_for(None).future,
            direction=Direction.VERTICAL,
            name="non_performing",
        )

    def validate(self) -> tuple[Refusal, ...]:
        """Return every reason these terms must be refused; empty if they are sound."""
        from domain.servicing.soundness import refusals  # noqa: PLC0415 - it reads these terms

        return tuple(refusals(self))


@lru_cache(maxsize=32)
def _context(precision: int, rounding: str) -> decimal.Context:
    traps = [
        decimal.InvalidOperation,
        decimal.DivisionByZero,
        decimal.Overflow,
        decimal.FloatOperation,
    ]
    return decimal.Context(prec=precision, rounding=rounding, traps=traps)


FIXES_PRINCIPAL = frozenset(
    {
        Amortisation.EQUAL_PRINCIPAL,
        Amortisation.INTEREST_ONLY,
        Amortisation.BULLET,
        Amortisation.EQUAL_AMORTISATION,
        Amortisation.REVOLVING,
    }
)
MONTHS_A_UNIT = {Unit.MONTHS: 1, Unit.QUARTERS: 3, Unit.YEARS: 12}


def _months(terms: LoanTerms) -> int:
    return MONTHS_A_UNIT.get(terms.repayment_unit, 0) * terms.repayment_every
