"""The project's files as text and syntax trees, for the tests of its structure."""

import ast
import functools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from support.commands import ROOT

LIBRARY = ("jaxastro", "data_builders")
APPLICATIONS = ("configs", "experiments", "benchmarks")
PACKAGES = (*LIBRARY, *APPLICATIONS)
CODE = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
PYTHON = [*CODE, *TESTS]
DOCUMENTS = sorted({*ROOT.glob("*.md"), *ROOT.glob("*/*.md"), *ROOT.glob("*/*/*.md")})
TEXTS = [
    *PYTHON,
    *DOCUMENTS,
    ROOT / "pyproject.toml",
    ROOT / "CITATION.cff",
    ROOT / ".ci/run",
]


def name_of(path: Path) -> str:
    """The path of a file from the project's root."""
    return path.relative_to(ROOT).as_posix()


def module_of(path: Path) -> str:
    """The name under which a file is imported."""
    return name_of(path.with_suffix("")).replace("/", ".").removesuffix(".__init__")


@functools.cache
def tree_of(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text())


def nodes_of(path: Path, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
    """The nodes of some kinds in a file."""
    return (node for node in ast.walk(tree_of(path)) if isinstance(node, kinds))


def imports_of(path: Path) -> Iterator[str]:
    """Every module that a file imports, including inside functions."""
    for node in nodes_of(path, ast.Import, ast.ImportFrom):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        else:  # `from jaxastro import losses` imports the module jaxastro.losses
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(path: Path, *places: str) -> bool:
    """Whether a file is one of these files or lies in one of these folders."""
    return name_of(path).startswith(places)


def length_of(function: ast.FunctionDef) -> int:
    """Lines of a function without its docstring and without functions inside it."""
    first = function.body[0]
    has_docstring = ast.get_docstring(function, clean=False) is not None
    start = first.end_lineno + 1 if has_docstring else first.lineno
    lines = set(range(start, function.end_lineno + 1))
    for node in ast.walk(function):
        if isinstance(node, ast.FunctionDef) and node is not function:
            lines -= set(range(node.lineno, node.end_lineno + 1))
    return len(lines)


def matches_of(pattern: str, path: Path) -> Iterator[str]:
    """Each place in a file that matches, as `file:line: text`."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        for found in re.finditer(pattern, line):
            yield f"{name_of(path)}:{number}: {found[0]}"


def check(rule: str, offenders: Iterable[str]) -> None:
    """Fails with every offender on a line of its own."""
    offenders = list(offenders)
    if offenders:
        pytest.fail("\n".join([rule, *map(str, offenders)]), pytrace=False)
