"""Commands on income that is taken at once and recognised over time."""

from domain.commands.registry import LoanCommand, MoneyCommand, command


@command("loan.capitalise_income")
class CapitaliseIncome(MoneyCommand):
    """Add income of the lender's to principal: instalments are solved anew from its day on."""

    income_id: str
    amount_minor: int


@command("loan.adjust_capitalised_income")
class AdjustCapitalisedIncome(MoneyCommand):
    """Give back part of an income that was capitalised: a credit that pays what is owed."""

    adjustment_id: str
    income_id: str
    amount_minor: int


@command("loan.reverse_capitalised_income")
class ReverseCapitalisedIncome(LoanCommand):
    """Take an income back: it was never added to principal."""

    income_id: str
    cause: str


@command("loan.record_buy_down_fee")
class RecordBuyDownFee(MoneyCommand):
    """Record a fee that somebody else paid for the loan; the borrower's schedule stays."""

    fee_id: str
    amount_minor: int


@command("loan.adjust_buy_down_fee")
class AdjustBuyDownFee(MoneyCommand):
    """Give back part of a buy-down fee to who paid it."""

    adjustment_id: str
    fee_id: str
    amount_minor: int


@command("loan.reverse_buy_down_fee")
class ReverseBuyDownFee(LoanCommand):
    """Take a buy-down fee back: it was never paid."""

    fee_id: str
    cause: str


@command("loan.reverse_buy_down_adjustment")
class ReverseBuyDownAdjustment(LoanCommand):
    """Take an adjustment of a buy-down fee back: nothing was given back."""

    adjustment_id: str
    cause: str
