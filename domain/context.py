"""The circumstances of a command, given by the surface that took it.

Actor, business date, reasons, ids.
"""

from dataclasses import dataclass
from datetime import date, datetime

from domain.actors import Actor, Approval
from domain.calendar import HolidayCalendar
from domain.envelope import Envelope
from domain.loan.terms import Conditions
from domain.policies import STANDARD, Policies
from domain.servicing.floating import Publication


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductVersion:
    """A product's version as it stands in the catalogue."""

    code: str
    version: int
    conditions: Conditions


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Who asks, on which business date, and why.

    `product` and `publications` are looked up for commands that need them: the product an
    application names, the values of the reference that a loan's rate follows, by day, and the
    calendar whose working days a product keeps.
    """

    actor: Actor
    business_date: date
    reason_code: str | None = None
    on_behalf_of: str | None = None
    approvals: tuple[Approval, ...] = ()
    command_id: str | None = None
    causation_id: str | None = None
    correlation_id: str | None = None
    source_recorded_at: datetime | None = None
    policies: Policies = STANDARD
    product: ProductVersion | None = None
    publications: tuple[Publication, ...] = ()
    calendar: HolidayCalendar | None = None

    def envelope(self) -> Envelope:
        """Return what is stored around every event of this command."""
        return Envelope(
            actor=self.actor,
            reason_code=self.reason_code,
            on_behalf_of=self.on_behalf_of,
            approvals=self.approvals,
            policy_versions=self.policies.versions,
            command_id=self.command_id,
            causation_id=self.causation_id,
            correlation_id=self.correlation_id,
            source_recorded_at=self.source_recorded_at,
        )
