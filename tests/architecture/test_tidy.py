"""What no linter checks for us: the domain is pure, files and functions are short, tests assert."""

import ast
import re
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from tests.architecture.source import (
    FOLDERS,
    ROOT,
    FunctionNode,
    functions,
    imports,
    modules,
    nodes,
    text,
    tree,
)

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70

# What would make the same input give another result: the clock, chance, the world outside.
IMPURE_CALLS = {
    "now", "utcnow", "today", "time", "time_ns", "monotonic", "perf_counter",
    "random", "randint", "choice", "shuffle", "uuid1", "uuid4", "token_hex", "urandom", "getenv",
    "open", "read_text", "write_text", "print", "input",
}  # fmt: skip
IMPURE_MODULES = {
    "random", "secrets", "time", "os", "io", "pathlib", "socket", "subprocess",
    "asyncio", "logging", "sqlite3", "urllib", "http", "tempfile", "shutil", "locale",
}  # fmt: skip

CHECKING_CALL = re.compile(
    r"^(assert|then|check|expect|verify|must|raises|fail|validate)(_|$)|_then"
)
UNFINISHED = re.compile(r"\b(TODO|FIXME|HACK)\b(?!.*#\d+)")
TEXT_FILES = {".py", ".sql", ".html", ".css", ".js", ".toml", ".xml", ".yml", ".yaml", ".md"}
INDEX_ADDRESS = re.compile(r"://|--find-links|--index-url|--extra-index-url")


def test_the_domain_imports_itself_and_the_pure_part_of_the_standard_library() -> None:
    found = [(path, name) for path in modules("domain") for name in imports(path)]
    wrong = [one for one in found if not may_be_imported(one[1].partition(".")[0])]
    assert found
    assert wrong == []


def test_the_domain_knows_no_float() -> None:
    found = list(chain.from_iterable(map(places, modules("domain"))))
    wrong = [place for place, node in found if is_float(node)]
    assert found
    assert wrong == []


def test_the_domain_has_no_clock_no_chance_and_no_outside() -> None:
    found = chain.from_iterable(map(places, modules("domain")))
    calls = [(place, called_name(node)) for place, node in found if isinstance(node, ast.Call)]
    wrong = [(place, called) for place, called in calls if called in IMPURE_CALLS]
    assert calls
    assert wrong == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_modules_are_short_and_say_what_they_are(folder: str) -> None:
    sources = {path: text(path) for path in modules(folder)}
    long = [path for path, source in sources.items() if len(source.splitlines()) > FILE_LINES_MAX]
    written = [path for path, source in sources.items() if source.strip()]
    assert written
    assert long == []
    assert [path for path in written if not ast.get_docstring(tree(path))] == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_functions_are_short(folder: str) -> None:
    found = [(path, function) for path in modules(folder) for function in functions(path)]
    long = [
        f"{path}:{function.lineno} {function.name}"
        for path, function in found
        if function.end_lineno is None
        or function.end_lineno - function.lineno + 1 > FUNCTION_LINES_MAX
    ]
    assert found
    assert long == []


def test_a_test_asserts_and_mocks_nothing() -> None:
    tests, mocking, idle = 0, list[str](), list[str]()
    for path in modules("tests"):
        mocking += [path for name in imports(path) if name.startswith(("unittest", "mock"))]
        local = {function.name: function for function in functions(path)}
        found = [name for name in local if name.startswith("test_")]
        tests += len(found)
        idle += [f"{path} {name}" for name in found if not asserts(local[name], local)]
    assert tests > 0
    assert mocking == []
    assert idle == []


def test_unfinished_work_names_its_issue() -> None:
    this_file = Path(__file__).resolve()
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in TEXT_FILES and path != this_file:
                for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                    assert not UNFINISHED.search(line), f"{path}:{number} {line.strip()}"


@pytest.mark.parametrize("name", ["run", "demo", "dev"])
def test_locked_versions_carry_hashes_and_no_address(name: str) -> None:
    locked = text(f"requirements/{name}.txt")
    assert not INDEX_ADDRESS.search(locked)
    for pin in re.findall(r"^[a-z0-9].*(?:\n[ ]+--hash.*)*", locked, flags=re.MULTILINE):
        assert "==" in pin, pin
        assert "--hash=sha256:" in pin, pin


def may_be_imported(package: str) -> bool:
    """Whether the domain may import from it."""
    pure = package in sys.stdlib_module_names and package not in IMPURE_MODULES
    return package == "domain" or pure


def places(path: str) -> Iterator[tuple[str, ast.AST]]:
    """Every node of a file, with where it stands."""
    return ((f"{path}:{getattr(node, 'lineno', 0)}", node) for node in nodes(path))


def is_float(node: ast.AST) -> bool:
    """Whether it is a number with a point, or speaks of one."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, float | complex)
    return isinstance(node, ast.Name) and node.id == "float"


def called_name(call: ast.Call) -> str:
    """The last part of what is called: `today` of `date.today()`."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def asserts(function: FunctionNode, local: dict[str, FunctionNode]) -> bool:
    """Whether it, or a helper of its file that it calls, asserts or calls a checking helper."""
    others = {name: helper for name, helper in local.items() if name != function.name}
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            called = called_name(node)
            if CHECKING_CALL.search(called):
                return True
            if called in others and asserts(others[called], others):
                return True
    return False
