"""``python -m scripts.house [ROOT]``: how the code base is built, in numbers, and which of its goals it misses.

Counts the project that it stands in, or the one whose root is given: so two commits are counted by the same rules. The
exit status is 1 if a goal is missed.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median

import grimp

PACKAGE = Path("layers/agentos_lambda")
OURS = (PACKAGE / "agentos_lambda", Path("layers/components"), *map(Path, ("functions", "local", "scripts")))
"""Where our own Python is, without the tests."""
PAGE = Path("page/src")
"""Where the modules and the style of the page are."""
LONGEST_FILE = 300
"""Lines; that of our own files, without the tests."""
LONGEST_FUNCTION = 45
"""Lines: what fits a screen."""
MOST_PARAMETERS = 9
"""Of a constructor; the instance is not counted."""

_TEXT = {".md", ".py", ".sh", ".toml", ".yaml", ".yml", ".json", ".in"}
_TEXT_NAMES = {"Makefile", "run", "uv", "stream-wrapper"}
_NOT_ENGLISH = re.compile(r"(?<![a-z])can[\s#_]+not(?![a-z])", re.IGNORECASE)
"""Names of tests and functions are text, too."""
_PAGE_IMPORT = re.compile(r'^(?:/\*\* @)?(?:import|export)\b.* from "(\..+?)"', re.MULTILINE)
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """A Python file, or one of the page."""

    path: Path
    text: str

    @property
    def lines(self) -> int:
        return self.text.count("\n")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    def functions(self) -> Iterator[tuple[str, _Function]]:
        """Each with the name of its class before its own."""
        yield from _functions(self.tree, "")


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, _Function]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _Function):
            yield f"{prefix}{child.name}", child
        name = getattr(child, "name", None) if isinstance(child, (ast.ClassDef, _Function)) else None
        yield from _functions(child, f"{prefix}{name}." if name else prefix)


def sources(root: Path, folders: Iterable[Path]) -> list[Source]:
    """The Python files below folders of a project, with paths relative to it."""
    paths = sorted(path for folder in folders for path in (root / folder).rglob("*.py"))
    return [Source(path.relative_to(root), path.read_text()) for path in paths]


def page_files(root: Path) -> list[Source]:
    """The modules and styles of the page, with paths relative to the project."""
    paths = sorted(path for path in (root / PAGE).rglob("*") if path.suffix in (".js", ".css"))
    return [Source(path.relative_to(root), path.read_text()) for path in paths]


def packages(files: Iterable[Source]) -> Mapping[Path, list[Source]]:
    """Folder -> the files that lie in it, without empty ones."""
    found: dict[Path, list[Source]] = defaultdict(list)
    for file in files:
        if file.text.strip():
            found[file.path.parent].append(file)
    return found


def circles(root: Path) -> list[list[str]]:
    """Modules that import each other, directly or by others, imports inside functions included."""
    sys.path[:0] = [str(root / PACKAGE), str(root)]
    try:
        graph = grimp.build_graph("agentos_lambda", "local", cache_dir=None)
    finally:
        del sys.path[:2]
    return _circles({module: graph.find_modules_directly_imported_by(module) for module in graph.modules})


def page_circles(files: Iterable[Source]) -> list[list[str]]:
    """Modules of the page that import each other, directly or by others, imports of types included."""
    imports = {str(file.path): _page_imports(file) for file in files}
    return _circles({path: imported & imports.keys() for path, imported in imports.items()})


def _page_imports(file: Source) -> set[str]:
    return {os.path.normpath(file.path.parent / found) for found in _PAGE_IMPORT.findall(file.text)}


def _circles(imports: Mapping[str, set[str]]) -> list[list[str]]:
    reached = {module: _reachable(module, imports) for module in imports}
    found = {frozenset(other for other in reached[module] if module in reached[other]) for module in imports}
    return sorted(sorted(circle) for circle in found if circle)


def _reachable(start: str, imports: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = imports[waiting.pop()] - found
        found |= new
        waiting += new
    return found


def assertions(tests: Iterable[Source]) -> int:
    """Statements that make a test fail: ``assert`` and ``pytest.raises``."""
    return sum(isinstance(node, ast.Assert) or _is_raises(node) for test in tests for node in ast.walk(test.tree))


def _is_raises(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.raises"


def collected(root: Path) -> int:
    """How many tests pytest finds."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=root, env=inherited, capture_output=True, text=True, check=False)
    number = re.search(r"^(\d+) tests? collected", done.stdout, re.MULTILINE)
    if done.returncode != 0 or number is None:
        raise RuntimeError(f"pytest collects nothing:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return int(number[1])


def long_functions(files: Iterable[Source]) -> list[tuple[int, str]]:
    """Lines and name, the longest first."""
    found = (
        ((node.end_lineno or node.lineno) - node.lineno + 1, f"{file.path}: {name}")
        for file in files
        for name, node in file.functions()
    )
    return sorted((each for each in found if each[0] > LONGEST_FUNCTION), reverse=True)


def wide_constructors(files: Iterable[Source]) -> list[tuple[int, str]]:
    """Number of parameters and name, the widest first."""
    found = []
    for file in files:
        for name, node in file.functions():
            parameters = len(node.args.posonlyargs) + len(node.args.args) + len(node.args.kwonlyargs) - 1
            if node.name == "__init__" and parameters > MOST_PARAMETERS:
                found.append((parameters, f"{file.path}: {name.removesuffix('.__init__')}"))
    return sorted(found, reverse=True)


def duplicates(files: Iterable[Source]) -> list[tuple[str, list[Path]]]:
    """Public classes and constants that several modules define, those of most modules first."""
    places: dict[str, set[Path]] = defaultdict(set)
    for file in files:
        for node in file.tree.body:
            for name in _defined(node):
                if name[0].isupper():
                    places[name].add(file.path)
    found = [(name, sorted(paths)) for name, paths in places.items() if len(paths) > 1]
    return sorted(found, key=lambda each: (-len(each[1]), each[0]))


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def not_english(root: Path) -> list[str]:
    """Places that write "cannot" in two words."""
    found = []
    for path in _texts(root):
        text = path.read_text(errors="replace")
        found += [
            f"{path.relative_to(root)}:{text.count(chr(10), 0, match.start()) + 1}"
            for match in _NOT_ENGLISH.finditer(text)
        ]
    return sorted(found)


def _texts(folder: Path) -> Iterator[Path]:
    """Text files, without what tools have made: hidden folders but ``.ci``."""
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or (path.name.startswith(".") and path.name != ".ci") or path.name == "__pycache__":
            continue
        if path.is_dir():
            yield from _texts(path)
        elif path.suffix in _TEXT or path.name in _TEXT_NAMES:
            yield path


def missed_goals(root: Path) -> list[str]:
    """What is wrong, a line for each."""
    english, ours, page = not_english(root), sources(root, OURS), page_files(root)
    return [
        *(f"{file.path} has {file.lines} lines" for file in [*ours, *page] if file.lines > LONGEST_FILE),
        *(f"{name} has {lines} lines" for lines, name in long_functions(ours)),
        *(f"{name} has {parameters} parameters" for parameters, name in wide_constructors(ours)),
        *(f"circle: {' - '.join(circle)}" for circle in [*circles(root), *page_circles(page)]),
        *([f'{len(english)} places write "cannot" in two words'] if english else []),
    ]


def report(root: Path, *, count_tests: bool) -> None:
    """Print the numbers."""
    ours, page, tests = sources(root, OURS), page_files(root), sources(root, [Path("tests")])
    print("files  median  largest  package")
    for folder, files in packages([*ours, *page, *tests]).items():
        largest = max(files, key=lambda file: file.lines)
        middle = median(file.lines for file in files)
        print(f"{len(files):5}  {middle:6.0f}  {largest.lines:7}  {folder} ({largest.path.name})")
    _show("circles of imports", [" - ".join(circle) for circle in [*circles(root), *page_circles(page)]])
    _show(f"functions over {LONGEST_FUNCTION} lines", [f"{lines} {name}" for lines, name in long_functions(ours)])
    wide = [f"{parameters} {name}" for parameters, name in wide_constructors(ours)]
    _show(f"constructors with more than {MOST_PARAMETERS} parameters", wide)
    _show("classes and constants of one name", [f"{name}: {', '.join(map(str, at))}" for name, at in duplicates(ours)])
    _show('"cannot" in two words', not_english(root))
    print(f"\n{assertions(tests)} assertions")
    if count_tests:
        print(f"{collected(root)} tests")


def _show(title: str, lines: list[str]) -> None:
    print(f"\n{len(lines)} {title}")
    for line in lines:
        print(f"  {line}")


def main(arguments: list[str]) -> int:
    """Give the process's exit status."""
    parser = argparse.ArgumentParser(prog="python -m scripts.house", description=__doc__)
    parser.add_argument("root", type=Path, nargs="?", default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--no-tests", action="store_true", help="do not have pytest collect them, which takes a while")
    parser.add_argument("--goals", action="store_true", help="print nothing but the goals that are missed")
    told = parser.parse_args(arguments)
    root = told.root.resolve()
    if not told.goals:
        report(root, count_tests=not told.no_tests)
    missed = missed_goals(root)
    _show("goals missed", missed)
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
