"""Log lines as one JSON object each, or for a person's eyes; what goes into them is the caller's.

Lines go to standard error. No line holds a body, a query string or a token.
"""

import logging
import sys
from typing import Any

import msgspec
import structlog
from structlog.typing import EventDict, WrappedLogger

from infra.settings import Settings


def _to_stderr(*_: object) -> structlog.PrintLogger:
    return structlog.PrintLogger(sys.stderr)


structlog.configure(logger_factory=_to_stderr)  # standard output is for results, from the start


class _Forward(logging.Handler):
    """Takes the lines of libraries in among ours."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        logger(record.name).log(record.levelno, record.getMessage(), exc_info=record.exc_info)


def _as_json(_: WrappedLogger, __: str, line: EventDict) -> bytes:
    return msgspec.json.encode(line, enc_hook=str)


def configure(settings: Settings) -> None:
    """Set up structlog for a process: `log_format` console or json, from `log_level` on."""
    machine = settings.log_format == "json"
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _as_json if machine else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping().get(settings.log_level.upper(), logging.INFO)
        ),
        logger_factory=(
            structlog.BytesLoggerFactory(sys.stderr.buffer)
            if machine
            else structlog.PrintLoggerFactory(sys.stderr)
        ),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_Forward()], force=True)
    # While a broker is away its client warns ten times a second, and it finds fault with its own
    # closing; what follows from lost connections we say ourselves.
    logging.getLogger("kafka").setLevel(logging.ERROR)
    for talkative in ("kafka.net", "kafka.cluster"):
        logging.getLogger(talkative).setLevel(logging.CRITICAL)


def logger(name: str) -> Any:  # noqa: ANN401 - structlog binds its class when it is configured
    """Return a logger whose lines say where they come from."""
    return structlog.get_logger(source=name)
