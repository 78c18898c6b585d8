"""Every command there is, one module a phase. Importing this package fills the name table."""

from domain.commands import (
    application,
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
from domain.commands.registry import NAMES, Command, LoanCommand, command, name_of

__all__ = [
    "NAMES",
    "Command",
    "LoanCommand",
    "application",
    "case",
    "changes",
    "command",
    "crediting",
    "day",
    "disbursement",
    "ending",
    "income",
    "name_of",
    "product",
    "reference",
    "servicing",
    "undoing",
]
