"""Imports point one way: a module imports only from rows above its own."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "topicfactors"
ROWS = [
    {"errors"},
    {"bits", "contracts", "divergences", "files", "values"},
    {"wordlists"},
    {"corpus", "model", "inference"},
    {"gradients", "insight"},
    {"training", "export"},
    {"estimators", "peers"},
    {"engines", "studies", "storage"},
    {"cli"},
    {"__main__"},
]
ROW = {name: row for row, names in enumerate(ROWS) for name in names}
ONLY_IN_CLI = {"rich", "typer"}


def modules():
    return sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


def place(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").parts[0]


def imported(path: Path) -> list[str]:
    """Every module named by an import statement, those inside functions too."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def own(path: Path) -> set[str]:
    parts = [name.split(".") for name in imported(path)]
    return {
        names[1]
        for names in parts
        if names[0] == "topicfactors" and len(names) > 1 and names[1] in ROW
    }


def test_every_module_has_a_row():
    assert {place(path) for path in modules()} <= set(ROW)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_from_rows_above(path):
    here = place(path)
    for name in own(path):
        assert name == here or ROW[name] < ROW[here], f"{path} imports {name}"


def test_there_is_no_cycle_between_modules():
    names = {
        ".".join(("topicfactors", *p.relative_to(ROOT).with_suffix("").parts)): p for p in modules()
    }
    arrows = {}
    for name, path in names.items():
        wanted = imported(path)
        arrows[name] = {
            other
            for other in names
            if other != name and any(w == other or w.startswith(other + ".") for w in wanted)
        }
    done: set[str] = set()
    while ready := {n for n, others in arrows.items() if n not in done and others <= done}:
        done |= ready
    assert done == set(arrows), f"in a cycle: {sorted(set(arrows) - done)}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_only_the_command_line_knows_the_terminal(path):
    if place(path) != "cli":
        assert not {name.split(".")[0] for name in imported(path)} & ONLY_IN_CLI


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_unpickled_and_files_stay_short(path):
    text = path.read_text(encoding="utf-8")
    assert not {name.split(".")[0] for name in imported(path)} & {"pickle", "dill", "cloudpickle"}
    assert "torch.load(" not in text
    assert text.count("\n") <= 300
