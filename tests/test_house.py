"""The house: imports lead downward, modules do not run in circles, every room says what lives there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import logit_stats

ROOT = Path(logit_stats.__file__).parent
FLOORS = {
    "errors": 0, "wording": 0, "accepted": 1, "api": 9, "formula": 9,
    "config": 9, "datasets": 0, "design": 1, "likelihoods": 2, "estimation": 3, "inference": 4,
    "assess": 5, "peers": 5, "report": 6, "results": 7, "models": 8, "sklearn": 9,
    "planning": 8, "cli": 9, "__main__": 9, "__init__": 9,
}  # fmt: skip
ROOMS = ("design", "likelihoods", "estimation", "inference", "assess", "peers", "report", "results", "models")
# Rooms whose modules may name a class of a room above for the reader (under TYPE_CHECKING), who would otherwise read Any.
NAMED_FOR_THE_READER = {
    ("report", "results"), ("report", "planning"),
    ("results", "models"), ("peers", "results"), ("inference", "report"), ("assess", "report"),
}  # fmt: skip
# What leads upward when it is run, and why.
UPWARD = {
    (
        "inference/column_margins.py",
        "logit_stats.report.margins",
    ): "summary() of margins, in statsmodels' layout, made on use",
    (
        "assess/influence_names.py",
        "logit_stats.report.plots.of_rows",
    ): "statsmodels' plot_influence() and plot_index(), drawn on use",
    ("assess/decision_curve.py", "logit_stats.report.plots.of_decisions"): "plot() of a small result, drawn on use",
}
# Rooms of which one knows the other above when it is run: a result holds its model, and fits it again.
UPWARD_ROOMS = {("results", "models")}
# Faces and what shows them know of one another through typing and imports on use; below there are no circles at all.
FACES = {
    "models",
    "results",
    "report",
    "peers",
    "assess",
    "inference",
    "planning",
    "sklearn",
    "cli",
    "__init__",
    "__main__",
}


@dataclass(frozen=True)
class Import:
    """One import of one module by another."""

    file: str
    module: str
    imported: str
    typing: bool

    @property
    def rooms(self) -> tuple[str, str]:
        return room(self.module), room(self.imported)


def room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def module_of(file: Path) -> str:
    parts = file.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports() -> list[Import]:
    found: list[Import] = []
    for file in sorted(ROOT.rglob("*.py")):
        for node, typing in walked(ast.parse(file.read_text(encoding="utf-8")), False):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "logit_stats":
                inside = [f"{node.module}.{alias.name}" for alias in node.names]
                names = [name if is_module(name) else node.module for name in inside]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names if alias.name.split(".")[0] == "logit_stats"]
            else:
                continue
            where = file.relative_to(ROOT).as_posix()
            found += [Import(where, module_of(file), str(name), typing) for name in dict.fromkeys(names)]
    return found


def is_module(name: str) -> bool:
    path = ROOT.parent.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def walked(node: ast.AST, typing: bool) -> Iterator[tuple[ast.AST, bool]]:
    """Every node, and whether it stands under TYPE_CHECKING."""
    for child in ast.iter_child_nodes(node):
        here = typing or (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test))
        yield child, here
        yield from walked(child, here)


def test_arrows_point_down():
    wrong = []
    for one in imports():
        above, below = one.rooms
        if above == "config" or below not in FLOORS or FLOORS[below] <= FLOORS.get(above, 9):
            continue
        if (
            one.rooms in UPWARD_ROOMS
            or (one.typing and one.rooms in NAMED_FOR_THE_READER)
            or (one.file, one.imported) in UPWARD
        ):
            continue
        wrong.append(f"{one.file} imports {one.imported}" + (" for its types" if one.typing else ""))
    assert not wrong, "\n".join(wrong)


def test_below_the_faces_nothing_runs_in_a_circle():
    graph: dict[str, set[str]] = {}
    for one in imports():
        graph.setdefault(one.module, set()).add(one.imported)
    for circle in circles(graph):
        rooms = {room(module) for module in circle}
        names = {module.rpartition(".")[2] for module in circle}
        known = any(names <= circle for circle in KNOWN_CIRCLES)
        assert rooms <= FACES or known, f"a circle of imports: {sorted(circle)}"


# Circles below the faces, and why.
KNOWN_CIRCLES = {
    # a design has a layout, which is made by a function of the design; a response has categories, read by a reader of responses
    frozenset({"design", "parameters", "response", "categories", "row_numbers", "factor_values"}),
    # a formula is pickled by what it is made of
    frozenset({"formula", "formula_pickle"}),
}


def circles(graph: dict[str, set[str]]) -> list[set[str]]:
    """Strongly connected components of more than one module (Tarjan 1972)."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(module: str) -> None:
        number[module] = low[module] = len(number)
        stack.append(module)
        for other in graph.get(module, ()):
            if other not in number:
                visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], number[other])
        if low[module] == number[module]:
            component = set()
            while module not in component:
                component.add(stack.pop())
            if len(component) > 1:
                found.append(component)

    for module in graph:
        if module not in number:
            visit(module)
    return found


@pytest.mark.parametrize("name", ROOMS)
def test_every_room_says_what_lives_there_and_what_it_may_import(name):
    text = ast.get_docstring(ast.parse((ROOT / name / "__init__.py").read_text(encoding="utf-8"))) or ""
    assert 2 <= len(text.splitlines()) <= 5
    assert "ay import" in text


def test_likelihoods_never_ask_for_all_rows_but_by_the_kernel():
    # a sum over rows is a sum over blocks: whoever names the whole array cannot have rows that are not in memory
    # (the kernel walks them itself; centred columns look at single numbers; matched sets and columns cleared of absorbed
    # factors are kept in memory, for speed)
    allowed = {"binomial.py", "kernel.py", "working.py", "conditional.py", "absorbed.py", "absorbed_maximum.py"}
    wrong = [
        f"{file.name}:{node.lineno}"
        for file in sorted((ROOT / "likelihoods").glob("*.py"))
        if file.name not in allowed
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in ("X", "block")
        and ast.unparse(node.value) in ("design", "rows")
    ]
    assert not wrong


def test_below_the_faces_facts_are_asked_by_name():
    # no name of a method and no former question of a fit decides what may be answered
    asked = ("bias_reduced", "refuse_constraints", "refuse_unconverged")
    wrong = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for name in ("estimation", "inference", "assess")
        for file in sorted((ROOT / name).glob("*.py"))
        if file.name != "fit.py"
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in asked
    ]
    assert not wrong


@dataclass(frozen=True)
class House:
    """The house in numbers.

    Attributes
    ----------
    arrows : int
        Pairs of rooms of which one imports from the other when it is run, on use included.
    upward : int
        Those of them that lead to a room above.
    circles : int
        Circles of modules when they are run, on use included.
    with_types : int
        Circles of modules, imports for the reader's types included.
    """

    arrows: int
    upward: int
    circles: int
    with_types: int


def counted() -> House:
    run = [one for one in imports() if not one.typing]
    arrows = {one.rooms for one in run if one.rooms[0] != one.rooms[1] and one.rooms[1] in FLOORS}
    upward = [pair for pair in arrows if FLOORS[pair[1]] > FLOORS.get(pair[0], 9)]
    return House(len(arrows), len(upward), len(circles(graph_of(run))), len(circles(graph_of(imports()))))


def graph_of(chosen: list[Import]) -> dict[str, set[str]]:
    graph: dict[str, set[str]] = {}
    for one in chosen:
        graph.setdefault(one.module, set()).add(one.imported)
    return graph


def test_the_house_does_not_grow_tangled():
    # upward when run: a table and a plot made on use; circles of types are results and their models
    house = counted()
    assert house.arrows <= 80
    assert house.upward <= 2
    assert house.circles <= 6
    assert house.with_types <= 18
