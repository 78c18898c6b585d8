"""Commands that take back a plan or an end of the contract, while nothing followed on it."""

from domain.commands.registry import LoanCommand, command


@command("loan.reverse_re_ageing")
class ReverseReAgeing(LoanCommand):
    """Take a re-ageing back, as long as nothing followed on it."""

    re_age_id: str
    cause: str


@command("loan.reverse_re_amortisation")
class ReverseReAmortisation(LoanCommand):
    """Take a re-amortisation back, as long as nothing followed on it."""

    re_amortisation_id: str
    cause: str


@command("loan.reverse_termination")
class ReverseTermination(LoanCommand):
    """Let a terminated contract run on, as long as nothing followed on its end."""

    cause: str
