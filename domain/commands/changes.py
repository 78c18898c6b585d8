"""Commands that change the terms of a loan in service: its rate, its pauses, its length."""

from datetime import date
from decimal import Decimal

from domain.commands.registry import LoanCommand, command


@command("loan.change_rate")
class ChangeRate(LoanCommand):
    """Put another annual rate in force from the value date on; instalments are solved anew."""

    change_id: str
    rate_annual: Decimal  # fraction per year


@command("loan.pause_interest")
class PauseInterest(LoanCommand):
    """Let nothing be earned from the value date on (停息)."""

    change_id: str
    until_on: date  # the last day that earns nothing


@command("loan.extend_term")
class ExtendTerm(LoanCommand):
    """Add instalments at the end; those still open are solved anew (展期)."""

    change_id: str
    instalments: int  # how many are added
