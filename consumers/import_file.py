"""Imports a file of dated commands: looks at every line first, then carries them out in bulk.

A file with a line that cannot be read changes nothing. What the rules refuse is recorded and
reported with its line; the rest goes on. The same (source, key) is never carried out twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from consumers.import_lines import LineError, NumberedEntry, read_lines
from consumers.stream import chunked, instruction
from domain.ports import Outcome
from domain.service import KeyReused, Service

CHUNK_COMMANDS_MAX = 1_000
ERRORS_MAX = 100
"""So many are reported; more of them would not be read."""

Progress = Callable[[int], None]


@dataclass(slots=True, kw_only=True)
class ImportReport:
    """What became of a file's lines."""

    lines: int = 0
    accepted: int = 0
    repeated: int = 0  # had been imported before
    errors: list[LineError] = field(default_factory=list[LineError])

    @property
    def ok(self) -> bool:
        """Tell whether every line was accepted, now or before."""
        return not self.errors


def check_file(path: Path, source: str) -> ImportReport:
    """Look at every line and carry out none. Raises OSError."""
    report = ImportReport()
    for found in read_lines(path, source):
        report.lines += 1
        if isinstance(found, LineError):
            report.errors.append(found)
            if len(report.errors) >= ERRORS_MAX:
                break
    return report


def import_file(
    service: Service, path: Path, source: str, progress: Progress = lambda _: None
) -> ImportReport:
    """Import a file whose lines can all be read; otherwise report why and change nothing.

    Raises OSError, and what the store raises (Unavailable: repeat, nothing is doubled).
    """
    checked = check_file(path, source)
    if not checked.ok:
        return checked
    report = ImportReport()
    entries = (found for found in read_lines(path, source) if isinstance(found, NumberedEntry))
    for chunk in chunked(entries, CHUNK_COMMANDS_MAX):
        report.lines += len(chunk)
        _carry_out(service, chunk, source, report)
        progress(len(chunk))
    return report


def _carry_out(
    service: Service, chunk: Sequence[NumberedEntry], source: str, report: ImportReport
) -> None:
    instructions = [instruction(numbered.entry, source) for numbered in chunk]
    try:
        outcomes = service.handle_many(instructions)
    except (KeyReused, ValueError):  # one line is at fault; find it
        for numbered, single in zip(chunk, instructions, strict=True):
            try:
                _count(numbered, service.handle(single), report)
            except KeyReused:
                detail = "this key was used before, for another command"
                _note(report, numbered, "key_reused", detail, "key")
            except ValueError as error:
                _note(report, numbered, "cannot_be_stored", str(error), None)
    else:
        for numbered, outcome in zip(chunk, outcomes, strict=True):
            _count(numbered, outcome, report)


def _count(numbered: NumberedEntry, outcome: Outcome, report: ImportReport) -> None:
    if outcome.refusal is not None:
        refusal = outcome.refusal
        _note(report, numbered, refusal.code, refusal.detail, refusal.field)
    elif outcome.repeated:
        report.repeated += 1
    else:
        report.accepted += 1


def _note(
    report: ImportReport, numbered: NumberedEntry, code: str, detail: str, at: str | None
) -> None:
    if len(report.errors) < ERRORS_MAX:
        report.errors.append(LineError(line=numbered.line, code=code, detail=detail, field=at))
