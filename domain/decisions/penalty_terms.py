"""What a product cannot say about penalties and about loans that are non-performing.

The markups' bands are the engine's to judge (`domain.servicing.penalty`); domain rules, 5.4, 5.5.
"""

from domain.decisions.guards import require_each_component
from domain.errors import Rejected
from domain.loan.terms import Conditions, Recalculation


def require_sound_penalties(conditions: Conditions) -> None:
    """Refuse an allocation that leaves a part out, and days on which nothing would be earned.

    Raises Rejected: `bad_allocation`, `not_offered`.
    """
    if conditions.non_performing_allocation:
        require_each_component(conditions.non_performing_allocation, "non_performing_allocation")
    if conditions.penalty is not None and conditions.recalculation is Recalculation.AT_TRIGGER:
        raise Rejected("not_offered", "penalties run day by day, without a trigger", "penalty")
