"""A loan product as an aggregate: versioned conditions. State, evolve and decide together."""

from dataclasses import dataclass, replace
from datetime import date

from domain.calendar import HolidayCalendar
from domain.commands.product import DefineProductVersion
from domain.commands.registry import Command
from domain.context import Context, ProductVersion
from domain.decisions.arrears_terms import require_sound_arrears
from domain.decisions.charge_rules import require_sound_charge_rules
from domain.decisions.convention_terms import require_sound_conventions
from domain.decisions.down_payments import require_sound_down_payment
from domain.decisions.guards import require_each_component
from domain.decisions.income_terms import require_sound_income
from domain.decisions.limits import require_sound_over_applied
from domain.decisions.offering import largest_loans, require_sound_choices
from domain.decisions.payout_fees import require_sound_fees
from domain.decisions.penalty_terms import require_sound_penalties
from domain.decisions.rate_cap import require_sound_cap
from domain.envelope import StreamId
from domain.errors import Rejected
from domain.events.product import ProductVersionDefined
from domain.events.registry import Event
from domain.loan.contract import floating_rate, loan_terms
from domain.loan.terms import (
    BusinessDayRule,
    Conditions,
    PayoutPlan,
    PreClose,
    Recalculation,
    RepaymentMethod,
    RestFrequency,
)
from domain.money import CURRENCY_EXPONENT
from domain.servicing.dates import add_units, closed_days, knowing, schedule_periods

INSTALMENTS_MAX = 600  # fifty years of months: what a schedule may hold
PAYOUTS_MAX = 1_000  # a draw a week for twenty years: what a time line may hold
TERM_DAYS_MAX = 50 * 366  # fifty years, whatever a period is
_FIELDS = {  # of the engine's terms, as a product names them
    "amortisation": "method",
    "interest_method": "method",
    "principal_minor": "amount_max",
    "rate_annual": "rate_annual_max",
    "instalments": "instalments_max",
    "instalment_multiple_minor": "instalment_multiple",
    "due_day": "due_days",
    "custom": "method",
    "rate_steps": "rate_steps_max",
}


def product_stream(code: str) -> StreamId:
    """Name a product's stream."""
    return StreamId(f"product-{code}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A product and its newest version."""

    code: str
    current: ProductVersion


def evolve(product: Product | None, event: Event) -> Product:
    """Apply one event. Raises TypeError for an event that cannot follow."""
    del product
    if not isinstance(event, ProductVersionDefined):
        raise TypeError(f"{type(event).__name__} cannot follow on a product")
    current = ProductVersion(
        code=event.code, version=event.product_version, conditions=event.conditions
    )
    return Product(code=event.code, current=current)


def decide(product: Product | None, command: Command, context: Context) -> list[Event]:
    """Define the next version; bad conditions are refused with the field and the reason."""
    if not isinstance(command, DefineProductVersion):
        raise TypeError(f"{type(command).__name__} is no command to a product")
    _require_sound(command.conditions)
    _require_served(command.conditions, command.effective_on, context.calendar)
    if product is not None and product.current.conditions == command.conditions:
        raise Rejected("unchanged", "these are the conditions in force")
    return [
        ProductVersionDefined(
            effective_on=command.effective_on,
            code=command.code,
            name=command.name,
            product_version=product.current.version + 1 if product else 1,
            conditions=command.conditions,
        )
    ]


def _require_sound(conditions: Conditions) -> None:
    if conditions.currency not in CURRENCY_EXPONENT:
        raise Rejected("unknown_currency", f"{conditions.currency} is no ISO 4217 code", "currency")
    if not 0 < conditions.amount_min_minor <= conditions.amount_max_minor:
        raise Rejected("bad_bounds", "0 < min <= max", "amount_min")
    if not 1 <= conditions.instalments_max <= INSTALMENTS_MAX:
        raise Rejected("bad_bounds", f"1..{INSTALMENTS_MAX}", "instalments_max")
    if not 1 <= conditions.instalments_min <= conditions.instalments_max:
        raise Rejected("bad_bounds", f"1..{conditions.instalments_max}", "instalments_min")
    if conditions.rate_annual_max < 0:
        raise Rejected("bad_bounds", "a rate is not below zero", "rate_annual_max")
    require_each_component(conditions.allocation, "allocation")
    if len(set(conditions.interest_refunded_with)) != len(conditions.interest_refunded_with):
        raise Rejected("bad_refunds", "each kind of refund once", "interest_refunded_with")
    if conditions.interest_refunded_with and conditions.recalculation is Recalculation.NONE:
        raise Rejected(
            "interest_is_planned",
            "interest is refunded where it follows what is paid",
            "interest_refunded_with",
        )
    _require_payouts(conditions)
    require_sound_down_payment(conditions)
    require_sound_fees(conditions)
    require_sound_charge_rules(conditions)
    require_sound_income(conditions)
    require_sound_over_applied(conditions)
    require_sound_choices(conditions)
    require_sound_conventions(conditions)
    require_sound_penalties(conditions)
    require_sound_cap(conditions)
    require_sound_arrears(conditions)
    if conditions.backdating_days_max < 0:
        raise Rejected("bad_bounds", "not below zero", "backdating_days_max")


def _require_payouts(conditions: Conditions) -> None:
    """Refuse a number of payouts, or a cap on what they leave outstanding, that cannot be."""
    if not 1 <= conditions.payouts_max <= PAYOUTS_MAX:
        raise Rejected("bad_bounds", f"1..{PAYOUTS_MAX}", "payouts_max")
    if conditions.method is RepaymentMethod.REVOLVING and conditions.payouts_max == 1:
        raise Rejected("bad_bounds", "a revolving loan is drawn more than once", "payouts_max")
    once = conditions.payouts_max == 1
    if once and conditions.full_term_tranches:
        raise Rejected("not_used", "there is a single payout", "full_term_tranches")
    if conditions.full_term_tranches and conditions.calendar is not None:
        # Dates that a later payout adds would need closed days that nobody had looked up.
        raise Rejected("not_offered", "each tranche adds due dates of its own", "calendar")
    if conditions.payout_plan is PayoutPlan.TRANCHES and (
        once or conditions.method is RepaymentMethod.REVOLVING
    ):
        raise Rejected("not_used", "a plan is of several tranches", "payout_plan")
    cap = conditions.outstanding_max_minor
    if cap is None:
        return
    if once:
        raise Rejected("not_used", "a single payout is the approved amount", "outstanding_max")
    if not 0 < cap <= conditions.amount_max_minor:
        raise Rejected("bad_bounds", "0 < cap <= the largest loan", "outstanding_max")


def _require_served(conditions: Conditions, on: date, calendar: HolidayCalendar | None) -> None:
    """Let the engine judge the product's largest loan, with its fewest and its most instalments.

    Codes and reasons are the engine's (`domain.servicing.soundness`); fields are the product's.
    """
    if conditions.calendar and conditions.business_days is BusinessDayRule.NONE:
        detail = f"where do due dates go on which {conditions.calendar} does not work?"
        raise Rejected("business_days_missing", detail, "business_days")
    for largest in largest_loans(conditions, on):
        served = loan_terms(conditions, largest, from_on=on)
        for no in replace(served, floating=floating_rate(conditions, 0)).validate():
            detail = f"{no.reason} (instalments: {largest.instalments})"
            raise Rejected(no.code, detail, _FIELDS.get(no.field, no.field))
        if calendar is not None:
            closed = closed_days(served, on, calendar)
            schedule_periods(knowing(served, closed), on)
    lengths = {
        "instalments_max": conditions.repayment_every * conditions.instalments_max,
        "fixed_length": conditions.fixed_length or 0,
    }
    for field, length in lengths.items():
        if (add_units(on, conditions.repayment_unit, length) - on).days > TERM_DAYS_MAX:
            raise Rejected("term_too_long", "at most fifty years", field)
    _require_planned_interest_whole(conditions)


def _require_planned_interest_whole(conditions: Conditions) -> None:
    """Refuse what has no meaning where interest is planned, whatever is paid when."""
    if conditions.recalculation is not Recalculation.NONE:
        return
    if conditions.rest is not RestFrequency.DAILY:
        raise Rejected("interest_is_planned", "no payment lowers it before or at a rest", "rest")
    if conditions.pre_close is not PreClose.TILL_PRE_CLOSE_DATE:
        raise Rejected("interest_is_planned", "a payoff pays all of it", "pre_close")
    if conditions.grace_on_interest:
        # A planned row earns by its days: what is earned under grace would not be seen before.
        raise Rejected(
            "interest_is_planned",
            "interest is collected later where it is earned day by day",
            "grace_on_interest",
        )
