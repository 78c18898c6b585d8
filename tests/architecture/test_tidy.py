"""What no linter checks for us: the domain is pure, files and functions are short, tests assert."""

import ast
import re
import sys
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


@pytest.mark.parametrize("path", modules("domain"))
def test_the_domain_imports_itself_and_the_pure_part_of_the_standard_library(path: str) -> None:
    for name in imports(path):
        top = name.partition(".")[0]
        assert top == "domain" or top in sys.stdlib_module_names, f"{path} imports {name}"
        assert top not in IMPURE_MODULES, f"{path} imports {name}"


@pytest.mark.parametrize("path", modules("domain"))
def test_the_domain_knows_no_float(path: str) -> None:
    for node in nodes(path):
        if isinstance(node, ast.Constant):
            assert not isinstance(node.value, float | complex), f"{path}:{node.lineno} has a float"
        if isinstance(node, ast.Name):
            assert node.id != "float", f"{path}:{node.lineno} says float"


@pytest.mark.parametrize("path", modules("domain"))
def test_the_domain_has_no_clock_no_chance_and_no_outside(path: str) -> None:
    for node in nodes(path):
        if isinstance(node, ast.Call):
            called = called_name(node)
            assert called not in IMPURE_CALLS, f"{path}:{node.lineno} calls {called}"


@pytest.mark.parametrize("path", modules(*FOLDERS))
def test_a_module_is_short_and_says_what_it_is(path: str) -> None:
    source = text(path)
    assert len(source.splitlines()) <= FILE_LINES_MAX, f"{path} is too long"
    assert not source.strip() or ast.get_docstring(tree(path)), f"{path} has no docstring"


@pytest.mark.parametrize("path", modules(*FOLDERS))
def test_a_function_is_short(path: str) -> None:
    for function in functions(path):
        assert function.end_lineno is not None
        lines = function.end_lineno - function.lineno + 1
        assert lines <= FUNCTION_LINES_MAX, f"{path}:{function.lineno} {function.name}: {lines}"


@pytest.mark.parametrize("path", modules("tests"))
def test_a_test_asserts_and_mocks_nothing(path: str) -> None:
    assert not any(name.startswith(("unittest", "mock")) for name in imports(path)), path
    local = {function.name: function for function in functions(path)}
    for name, function in local.items():
        if name.startswith("test_"):
            assert asserts(function, local), f"{path}:{function.lineno} {name} asserts nothing"


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
