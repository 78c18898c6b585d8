"""Late: missed payments, days past due, buckets, cure. Published by the close of a business day."""

from datetime import date
from enum import StrEnum

from domain.events.registry import Event, event


@event("loan.payment_missed.v1")
class PaymentMissed(Event):
    """An instalment's due date passed and it was not met. Effective the day after the due date."""

    instalment: int
    unpaid_minor: int


@event("loan.arrears_cured.v1")
class ArrearsCured(Event):
    """Nothing that is due is unpaid any more."""

    days_past_due_before: int


@event("loan.delinquency_bucket_changed.v1")
class DelinquencyBucketChanged(Event):
    """Days past due crossed an edge of the bucket set, up or down."""

    bucket_set: str
    before: str
    after: str
    days_past_due: int


@event("loan.delinquency_paused.v1")
class DelinquencyPaused(Event):
    """The delinquent-days counter stands still from the effective date to `until_on` (2.2)."""

    until_on: date


class LoanClass(StrEnum):
    """The five classes of risk (五级分类; domain rules, 3.1), best first."""

    NORMAL = "normal"  # 正常
    SPECIAL_MENTION = "special_mention"  # 关注
    SUBSTANDARD = "substandard"  # 次级
    DOUBTFUL = "doubtful"  # 可疑
    LOSS = "loss"  # 损失


NON_PERFORMING = frozenset({LoanClass.SUBSTANDARD, LoanClass.DOUBTFUL, LoanClass.LOSS})
"""不良: what these classes have in common."""


@event("loan.classified.v1")
class LoanClassified(Event):
    """A fact: the loan is in this class from here on. Earlier payments stay as they were split."""

    loan_class: LoanClass
    before: LoanClass | None  # None: never classified
    non_performing: bool  # payments from here on may be split in another order (先本后息)


@event("loan.warning_raised.v1")
class WarningRaised(Event):
    """An early-warning signal crossed its threshold (早发现早治疗)."""

    warning_id: str
    indicator: str
    level: str  # yellow, orange or red


@event("loan.warning_closed.v1")
class WarningClosed(Event):
    """Somebody looked at a warning and said what it was."""

    warning_id: str
    disposition: str  # true_positive or false_positive
