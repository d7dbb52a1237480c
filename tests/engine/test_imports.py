"""Imports point one way: what a module may know is decided by where it stands, and the engine knows no screen."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Each part of the house with its storey. A module imports from the storeys below its own, and from its own part.
STOREYS = {
    "engine.aligned": 0,
    "engine.errors": 0,
    "engine.files": 0,
    "engine.blas": 1,
    "engine.fields": 1,
    "engine.processes": 1,
    "engine.tokens": 2,
    "engine.experiment": 3,
    "engine.architecture": 4,
    "engine.data": 4,
    "engine.nn": 4,
    "engine.optim": 5,
    "engine.build": 6,
    "engine.training": 7,
    "engine.analysis": 8,
    "engine.catalogue": 8,
    "engine.export": 8,
    "engine.shipped": 8,
    "engine.search": 8,
    "engine.presets": 9,
    "engine.runs": 10,
    "engine.commands": 11,
    "engine.__main__": 12,
    "pages._ui": 12,
    "pages": 13,
    "app": 14,
}
SCREEN = {"streamlit", "plotly", "starlette"}


def modules():
    """Return every module of the product by its dotted name."""
    files = [*(ROOT / "engine").rglob("*.py"), *(ROOT / "pages").rglob("*.py"), ROOT / "app.py"]
    return {".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file for file in files}


MODULES = modules()
every_module = pytest.mark.parametrize("name", sorted(MODULES))


def part(name):
    """Return the part of the house that a module belongs to, None for one outside."""
    pieces = name.split(".")
    return next((p for n in (len(pieces), 2, 1) if (p := ".".join(pieces[:n])) in STOREYS), None)


def imported(name):
    """Return the dotted names that a module imports anywhere in it, for type checkers too."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively: {ast.unparse(node)}"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in MODULES or part(inner) == inner else node.module)
    return found


@every_module
def test_no_arrow_points_back(name):
    if name == "engine":
        return
    here = part(name)
    assert here, f"give {name} a storey in STOREYS"
    for other in imported(name):
        there = part(other)
        if there and there != here:
            assert STOREYS[there] < STOREYS[here], f"{name} may not import {other}"


@every_module
def test_the_engine_knows_no_screen(name):
    if name.split(".")[0] == "engine":
        assert not {other.split(".")[0] for other in imported(name)} & SCREEN


@every_module
def test_no_page_reaches_into_the_network(name):
    if part(name) == "pages":
        assert not [other for other in imported(name) if other == "engine.nn" or other.startswith("engine.nn.")]


SPEC = ("engine.errors", "engine.fields", "engine.tokens", "engine.experiment")


@pytest.mark.parametrize("name", SPEC)
def test_the_spec_needs_nothing_but_python(name):
    for other in imported(name):
        assert other.split(".")[0] in sys.stdlib_module_names or part(other) in SPEC


def test_no_file_hides_a_module_of_python():
    """The folder of the script that Streamlit runs is where its processes look for modules first."""
    assert not {file.stem for file in (ROOT / "pages" / "_ui").iterdir()} & sys.stdlib_module_names


def test_the_walk_sees_what_there_is():
    """A rule that looks at nothing is kept by everyone."""
    assert {"engine.nn.linear", "engine.training.trainer", "pages.train", "pages._ui.shell", "app"} <= set(MODULES)
    assert {"engine.nn", "engine.optim", "engine.data.batches", "engine.experiment"} <= imported("engine.build")
    assert "engine.build" in imported("engine.training.trainer")
    assert part("engine.nn.linear") == part("engine.nn") == "engine.nn"
    assert (part("pages.train"), part("pages._ui.shell"), part("numpy")) == ("pages", "pages._ui", None)
