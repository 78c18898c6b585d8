"""The domain's one exception: a rule's refusal. Our own bugs are AssertionError and ValueError."""


class Rejected(Exception):  # it is an answer, not a failure
    """A business rule said no."""

    __slots__ = ("code", "detail", "field")

    def __init__(self, code: str, detail: str, field: str | None = None) -> None:
        """Say no under a stable snake_case code. `field` is the input at fault; None: all of it."""
        super().__init__(code, detail, field)
        self.code = code
        self.detail = detail
        self.field = field

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}" + (f" ({self.field})" if self.field else "")
