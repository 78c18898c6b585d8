"""Every event there is, one module a phase. Importing this package fills the topic table."""

from domain.events import (
    application,
    arrears,
    case,
    changes,
    crediting,
    day,
    disbursement,
    ending,
    income,
    product,
    reference,
    servicing,
    undoing,
)
from domain.events.registry import TOPICS, Event, event, topic_of

__all__ = [
    "TOPICS",
    "Event",
    "application",
    "arrears",
    "case",
    "changes",
    "crediting",
    "day",
    "disbursement",
    "ending",
    "event",
    "income",
    "product",
    "reference",
    "servicing",
    "topic_of",
    "undoing",
]
