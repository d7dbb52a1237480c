"""How the files of our components reach the browser: their address names the content of all that they may import."""

from __future__ import annotations

import ast
import re
import shutil
from types import SimpleNamespace

import pytest

from pages._ui.served import served

COMPONENTS = sorted(set(served.FOLDERS) - {"served"})


def declared():
    """Return what each component says that it imports besides, from the calls of `component`."""
    found = {}
    for file in served.UI.glob("*/*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "component":
                more = {keyword.arg: keyword.value for keyword in node.keywords}
                found[node.args[0].value] = set(ast.literal_eval(more["imports"])) if "imports" in more else set()
    return found


def imported(folder):
    """Return the other folders whose files those of a folder name."""
    return {name for file in (served.UI / folder).glob("*.js") for name in re.findall(r"\.\./(\w+)/", file.read_text())}


def test_every_component_says_what_it_imports():
    assert declared() == {folder: imported(folder) - {"served"} for folder in COMPONENTS}
    for folders in declared().values():  # one level is all that there is
        assert all(imported(folder) == {"served"} for folder in folders)


@pytest.fixture
def address(tmp_path, monkeypatch):
    """Return a function to the address of a component of a copy of the files, and the copy."""
    copy = shutil.copytree(served.UI, tmp_path / "ui", ignore=shutil.ignore_patterns("__pycache__"))
    code = {}
    register = SimpleNamespace(component=lambda name, *, js, **more: code.update({name: js}))
    monkeypatch.setattr(served, "UI", copy)
    monkeypatch.setattr(served, "st", SimpleNamespace(components=SimpleNamespace(v2=register)))

    def find(folder, imports=()):
        served.component(folder, imports=imports)
        return re.search(r'"(ui/.*?\.js\?v=\w{12})"', code[f"kasane_{folder}"])[1]

    return find, copy


@pytest.mark.parametrize("changed", ["spread/spread.css", "spread/lines.js", "liveview/look.js", "served/mount.js"])
def test_whatever_is_imported_is_named_by_the_address(address, changed):
    find, copy = address
    before, window = find("spread", ["liveview"]), find("window")
    assert before.startswith("ui/spread/spread.js?v=")
    with (copy / changed).open("a") as file:
        file.write("\n")
    assert find("spread", ["liveview"]) != before
    assert (find("window") == window) == (changed != "served/mount.js")
