"""A collection case: who works on a late loan. One case a loan, on a stream of its own."""

from domain.events.registry import Event, event


@event("case.opened.v1")
class CaseOpened(Event):
    """A loan fell into arrears and needs somebody's attention."""

    loan_id: str
    tier: str


@event("case.claimed.v1")
class CaseClaimed(Event):
    """One person took the case; nobody else may until it is released."""

    loan_id: str
    claimed_by: str  # actor id


@event("case.released.v1")
class CaseReleased(Event):
    """The case went back to the queue."""

    loan_id: str
    released_by: str
    cause: str


@event("case.closed.v1")
class CaseClosed(Event):
    """The arrears are gone, or the loan left the book."""

    loan_id: str
    how: str  # cured, settled, charged_off
