"""The repository's Python files as syntax trees, for the tests of this folder."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("domain", "projections", "consumers", "api", "infra")
FOLDERS = (*PACKAGES, "tests", "benchmarks", "docs")

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


def modules(*folders: str) -> list[str]:
    """Every Python file of the folders, as paths relative to the repository: readable test ids."""
    return sorted(
        str(path.relative_to(ROOT)) for folder in folders for path in (ROOT / folder).rglob("*.py")
    )


def text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


@cache
def tree(path: str) -> ast.Module:
    return ast.parse(text(path), filename=path)


@cache
def nodes(path: str) -> tuple[ast.AST, ...]:
    """Every node of a file; several tests look at each, and walking takes longer than looking."""
    return tuple(ast.walk(tree(path)))


@cache
def functions(path: str) -> tuple[FunctionNode, ...]:
    return tuple(node for node in nodes(path) if isinstance(node, FunctionNode))


def imports(path: str) -> Iterator[str]:
    """The full name of every module that the file imports, wherever the import stands."""
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            yield node.module or ""
