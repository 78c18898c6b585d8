"""What can go wrong between the program and its servers.

Business refusals live in the domain, not here.
"""


class Overloaded(Exception):
    """The append queue is full, or the command waited too long in it; nothing was sent."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(f"too many commands are waiting; try again in {retry_after_seconds} s")
        self.retry_after_seconds = retry_after_seconds


class Unavailable(Exception):
    """The database or its lock was not reached in time.

    The outcome may be unknown: repeat with the same key.
    """


class LockTimeout(Unavailable):
    """Others held the append lock for too long; nothing was appended, whoever asks."""


class CorruptEvent(Exception):
    """Stored bytes cannot be read as what their topic says."""


class UnknownTopic(Exception):
    """No event class and no upcaster is known for a topic."""


class TooLarge(ValueError):
    """Too many events in a command, or bytes in an event or a request, for what takes them."""
