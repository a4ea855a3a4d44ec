"""``python -m benchmarks.lines``: how much code there is to read, without docstrings, comments and blank lines."""

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

from .figures import Bar, Row
from .place import Place

ROOT = Path(__file__).parents[1]
DISTRIBUTIONS = ("contracts", "registry", "core")
BAR = Bar(5000, "lines")
_NO_CODE = (
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
)


def rows(place: Place) -> Iterator[Row]:
    """The lines of contracts, registry and core together."""
    totals = {name: sum(code_lines(path) for path in _files(name)) for name in DISTRIBUTIONS}
    note = ", ".join(f"{name} {total:,}" for name, total in totals.items())
    yield Row("lines of code", [sum(totals.values())], BAR, note=note)


def code_lines(path: Path) -> int:
    """Lines of a Python file on which there is code."""
    source = path.read_text(encoding="utf-8")
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    code = {
        line
        for token in tokens
        if token.type not in _NO_CODE
        for line in range(token.start[0], token.end[0] + 1)
    }
    return len(code - _docstring_lines(ast.parse(source)))


def _docstring_lines(tree: ast.Module) -> set[int]:
    """Lines of strings that stand alone as statements: docstrings of all that may have one."""
    return {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }


def _files(distribution: str) -> list[Path]:
    return sorted((ROOT / distribution / "ripieno").rglob("*.py"))


def main() -> None:
    """Print the lines of each file, of each distribution and of all."""
    total = 0
    for name in DISTRIBUTIONS:
        counted = {path: code_lines(path) for path in _files(name)}
        for path, lines in counted.items():
            print(f"{lines:6,}  {path.relative_to(ROOT).as_posix()}")
        print(f"{sum(counted.values()):6,}  {name}\n")
        total += sum(counted.values())
    print(f"{total:6,}  of {BAR.limit:,.0f}")


if __name__ == "__main__":
    main()
