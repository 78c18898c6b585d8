"""Finds the comments behind a dataclass's fields, for schemas. Reads source, runs nothing."""

import ast
import inspect
import io
import sys
import tokenize
from functools import cache


@cache
def _module_notes(module: str) -> dict[tuple[str, str], str]:
    """Map (class, field) to the comment at the end of the field's line; {} for compiled modules."""
    if not (getattr(sys.modules[module], "__file__", None) or "").endswith(".py"):
        return {}
    source = inspect.getsource(sys.modules[module])
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = {t.start[0]: t.string for t in tokens if t.type == tokenize.COMMENT}
    notes: dict[tuple[str, str], str] = {}
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ClassDef):
            continue
        for line in node.body:
            if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                comment = comments.get(line.end_lineno or line.lineno)
                if comment is not None:
                    notes[node.name, line.target.id] = comment.lstrip("# ")
    return notes


def note_of(cls: type, field: str) -> str | None:
    """Return the comment on a field, also one that a base class declares; None: there is none."""
    for base in cls.__mro__:
        if base is object:
            continue
        note = _module_notes(base.__module__).get((base.__name__, field))
        if note is not None:
            return note
    return None
