"""Plans and ends of the contract that were taken back. Both events stay visible."""

from datetime import date

from domain.events.registry import Event, event


@event("loan.reaging_reversed.v1")
class ReagingReversed(Event):
    """A re-ageing is taken back: instalments are due as if it had never been."""

    re_age_id: str
    waived_interest_minor: int  # that it had given up, and that is owed again
    replanned_on: date | None  # of the plan that is in force again; None: the first one
    cause: str


@event("loan.reamortization_reversed.v1")
class ReamortizationReversed(Event):
    """A re-amortisation is taken back: what was past due is past due again."""

    re_amortisation_id: str
    waived_interest_minor: int  # that it had given up, and that is owed again
    cause: str


@event("loan.termination_reversed.v1")
class TerminationReversed(Event):
    """The contract runs on, with what is owed on the day."""

    principal_minor: int
    interest_minor: int
    fee_minor: int
    penalty_minor: int
    cause: str
