"""What a product may say of the charges that it computes; each refusal has its code and field.

Sources: domain rules 9.8 F-03 to F-12, 5.7. Loans are not judged here.
"""

from decimal import Decimal

from domain.errors import Rejected
from domain.loan.charge_rules import AGREED_TIMES, ChargeRule
from domain.loan.terms import Conditions, RepaymentMethod
from domain.money import AMOUNT_MINOR_MAX
from domain.servicing.values import ChargeBasis, ChargeTime, Component, Unit

FIELD = "charge_rules"
RULES_MAX = 20
PERCENT_MAX = Decimal(100)
DAYS_MAX = 366  # to wait, or units between two charges
CHARGEABLE = frozenset({Component.FEE, Component.PENALTY})
TIMES = AGREED_TIMES | {ChargeTime.SPECIFIED_DUE_DATE, ChargeTime.OVERDUE}
MONTHS = 12
DAYS_OF_A_MONTH = 31
UNITS = frozenset({Unit.DAYS, Unit.WEEKS, Unit.MONTHS})
_OF_OVERDUE = {"wait_days": 0, "every": None, "cap_minor": None}


def require_sound_charge_rules(conditions: Conditions) -> None:
    """Refuse rules that the cost table could not list, or that compute nothing."""
    rules = conditions.charge_rules
    if len(rules) > RULES_MAX:
        raise Rejected("bad_bounds", f"at most {RULES_MAX}", FIELD)
    codes = [rule.code for rule in rules] + [fee.code for fee in conditions.payout_fees]
    for rule in rules:
        if codes.count(rule.code) > 1:
            raise Rejected("charge_repeated", f"{rule.code}: each charge once", FIELD)
        if rule.code not in conditions.charges:
            raise Rejected("unknown_charge", f"{rule.code} is no charge of it", FIELD)
        if rule.component not in CHARGEABLE:
            raise Rejected("not_chargeable", f"{rule.code}: a fee or a penalty", FIELD)
        _require_offered(rule, conditions)
        _require_sound_amount(rule)
        _require_sound_turns(rule)


def _require_offered(rule: ChargeRule, conditions: Conditions) -> None:
    """Refuse a time that is another's, and a basis that the time does not have.

    With instalments there are fees only: a penalty is for what went wrong.
    """
    agreed = rule.time in AGREED_TIMES
    yearly = rule.time is ChargeTime.YEARLY
    disbursed = rule.basis is ChargeBasis.PERCENT_OF_DISBURSED
    of_an_instalment = not disbursed and rule.basis is not ChargeBasis.FLAT
    if rule.time not in TIMES or (disbursed and not agreed) or (of_an_instalment and yearly):
        raise Rejected("not_offered", f"{rule.code}: {rule.time}, {rule.basis}", FIELD)
    if agreed and conditions.method is RepaymentMethod.REVOLVING:
        raise Rejected("not_offered", f"{rule.code}: statements are no instalments", FIELD)
    if agreed and rule.component is not Component.FEE:
        raise Rejected("not_chargeable", f"{rule.code}: with instalments, a fee", FIELD)
    _require_sound_day(rule, yearly=yearly)


def _require_sound_day(rule: ChargeRule, *, yearly: bool) -> None:
    """Refuse a day that no year has, half of one, or one that nothing would look at."""
    if rule.month is None and rule.day is None:
        return
    if not yearly:
        raise Rejected("not_used", f"{rule.code}: month and day are of yearly fees", FIELD)
    known = 1 <= (rule.month or 0) <= MONTHS and 1 <= (rule.day or 0) <= DAYS_OF_A_MONTH
    if not known:
        raise Rejected("bad_bounds", f"{rule.code}: a month and a day of it", FIELD)


def _require_sound_amount(rule: ChargeRule) -> None:
    """Refuse what is neither a positive amount nor a share within its own bounds."""
    if (rule.basis is ChargeBasis.FLAT) != (rule.percent is None):
        raise Rejected("bad_bounds", f"{rule.code}: a flat amount, or a share of a basis", FIELD)
    most = AMOUNT_MINOR_MAX if rule.max_minor is None else rule.max_minor
    if rule.percent is None:
        plain = rule.min_minor == 0 and rule.max_minor is None
        sound = plain and 0 < rule.amount_minor <= AMOUNT_MINOR_MAX
    else:
        within = 0 <= rule.min_minor <= most <= AMOUNT_MINOR_MAX
        sound = within and rule.amount_minor == 0 and 0 < rule.percent <= PERCENT_MAX
    if rule.tax_percent is not None:
        sound = sound and 0 < rule.tax_percent <= PERCENT_MAX
    if not sound:
        raise Rejected("bad_bounds", f"{rule.code}: an amount, or a share", FIELD)


def _require_sound_turns(rule: ChargeRule) -> None:
    """Refuse a wait, a frequency or a cap that cannot be, or that nothing would look at."""
    if rule.time is not ChargeTime.OVERDUE:
        for name, unused in _OF_OVERDUE.items():
            if getattr(rule, name) != unused:
                raise Rejected("not_used", f"{rule.code}: {name} is of overdue charges", FIELD)
        return
    if not 0 <= rule.wait_days <= DAYS_MAX:
        raise Rejected("bad_bounds", f"{rule.code}: wait 0 to {DAYS_MAX} days", FIELD)
    if rule.every is not None and not 1 <= rule.every <= DAYS_MAX:
        raise Rejected("bad_bounds", f"{rule.code}: every 1 to {DAYS_MAX}", FIELD)
    if rule.every_unit not in UNITS:
        raise Rejected("not_offered", f"{rule.code}: every {rule.every_unit}", FIELD)
    if rule.cap_minor is not None and not 0 < rule.cap_minor <= AMOUNT_MINOR_MAX:
        raise Rejected("bad_bounds", f"{rule.code}: a cap is positive", FIELD)
