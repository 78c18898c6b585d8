"""Whether a loan may be re-aged: age, payments, and how often in rolling windows. Pure policy.

The limits are a versioned policy of the lender; the defaults are those of the Uniform Retail Credit
Classification for open-end credit (65 FR 36903; OCC bulletin 2000-20). Source: domain rules, 2.7.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from domain.calendar import add_months
from domain.servicing.term_parts import Refusal


class WindowEdge(StrEnum):
    """Whether the same calendar day n months ago is inside a rolling window (domain rules, 0.4)."""

    EXCLUDED = "excluded"  # (date - n months, date]
    INCLUDED = "included"  # [date - n months, date]


class Programme(StrEnum):
    """Why a loan is re-aged: at the borrower's request, or on entering a workout programme."""

    ORDINARY = "ordinary"
    WORKOUT = "workout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """At most so many re-ageings in so many months."""

    months: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReAgeingPolicy:
    """The limits of a lender; closed-end credit has a policy of its own with the same parts."""

    version: str = "65-FR-36903"
    age_months: int = 9
    payments: int = 3
    ordinary: tuple[Window, ...] = (Window(months=12, most=1), Window(months=60, most=2))
    workout: tuple[Window, ...] = (Window(months=60, most=1),)  # beside the ordinary ones
    edge: WindowEdge = WindowEdge.EXCLUDED


@dataclass(frozen=True, slots=True, kw_only=True)
class ReAgeing:
    """A re-ageing that was made."""

    on: date
    programme: Programme = Programme.ORDINARY


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked, and what is known of the loan on that day. Amounts are minor units.

    `consecutive` minimum payments, or what was paid in all since the loan was last current, count;
    money that the lender itself lent for it does not.
    """

    on: date
    opened_on: date
    programme: Programme = Programme.ORDINARY
    before: tuple[ReAgeing, ...] = ()
    consecutive: int = 0
    paid_minor: int = 0
    minimum_minor: int = 0
    lender_funded_minor: int = 0
    willing_and_able: bool = False  # the borrower's renewed willingness and ability, documented


def why_not(request: Request, policy: ReAgeingPolicy) -> Iterator[Refusal]:
    """Return every criterion that fails, by field and stable code; nothing if it may be re-aged."""
    if not request.willing_and_able:
        yield _no("willing_and_able", "willingness_not_shown", "willing and able again, documented")
    if add_months(request.opened_on, policy.age_months) > request.on:
        yield _no("opened_on", "account_too_young", f"younger than {policy.age_months} months")
    if not _paid_enough(request, policy):
        reason = f"{policy.payments} consecutive minimum payments, or as much in all"
        yield _no("consecutive", "too_few_payments", reason)
    for window in _windows(request.programme, policy):
        made = _within(request, window, policy.edge)
        if len(made) >= window.most:
            reason = f"{len(made)} in {window.months} months, the latest on {max(made)}"
            yield _no("before", "re_aged_too_often", reason)


def _no(field: str, code: str, reason: str) -> Refusal:
    return Refusal(field=field, code=code, reason=reason)


def _paid_enough(request: Request, policy: ReAgeingPolicy) -> bool:
    own = request.paid_minor - request.lender_funded_minor
    in_all = request.minimum_minor > 0 and own >= policy.payments * request.minimum_minor
    in_a_row = request.consecutive >= policy.payments and not request.lender_funded_minor
    return in_a_row or in_all


def _windows(programme: Programme, policy: ReAgeingPolicy) -> tuple[Window, ...]:
    return policy.workout if programme is Programme.WORKOUT else policy.ordinary


def _within(request: Request, window: Window, edge: WindowEdge) -> list[date]:
    """Re-ageings of the same programme in a rolling window that ends on the day."""
    start = add_months(request.on, -window.months)
    made = [x.on for x in request.before if x.programme is request.programme]
    if edge is WindowEdge.INCLUDED:
        return [on for on in made if start <= on <= request.on]
    return [on for on in made if start < on <= request.on]
