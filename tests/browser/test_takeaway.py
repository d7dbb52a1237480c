"""What a person takes away from a run is that run: its weights, its settings, in files that others can read."""

from __future__ import annotations

import csv
import json
import shlex
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import onnxruntime
import pytest
from playwright.sync_api import expect

from engine.experiment import Experiment
from engine.training.checkpoint import load_model
from tests.browser.test_liveview import Screen

pytestmark = pytest.mark.browser
SETTINGS = {"network": "dense12 dense8", "activation": "tanh", "lr": "0.2", "steps": "1000000"}


def test_what_is_taken_away_is_the_run_and_is_shown_until_it_is_closed(page, app_url):
    screen = Screen(page, app_url, urlencode(SETTINGS))
    screen.pause()
    screen.press("Export")
    dialog = page.get_by_role("dialog")
    said = dialog.get_by_text("The trained network")
    expect(said).to_be_visible()
    the_files_are_the_run(page, screen, dialog)
    the_command_is_the_experiment(dialog)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    screen.press("Resume")
    screen.press("Export")
    expect(said).to_be_visible()
    screen.frames(3)
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Close", exact=True).click()
    expect(dialog).to_have_count(0)
    screen.frames(3)
    expect(dialog).to_have_count(0)


def take(page, dialog, name: str) -> Path:
    with page.expect_download() as download:
        dialog.get_by_role("button", name=name, exact=True).click()
    assert download.value.suggested_filename == name
    return Path(download.value.path())


def the_files_are_the_run(page, screen, dialog) -> None:
    step = screen.data("step")
    model = load_model(take(page, dialog, "kasane.safetensors").read_bytes())
    assert (model.experiment.network, model.experiment.lr) == ("dense12 dense8", 0.2)
    examples = np.random.default_rng(0).integers(0, 256, (5, 28, 28, 1))
    session = onnxruntime.InferenceSession(take(page, dialog, "kasane.onnx").read_bytes())
    (found,) = session.run(None, {"pictures": examples.astype(np.float32)})
    np.testing.assert_allclose(found, model.probabilities(examples.astype(np.uint8)), atol=1e-5)
    with open(take(page, dialog, "kasane-layers.csv"), newline="") as table:
        assert [row["out_shape"] for row in csv.DictReader(table)][-1] == "10"
    notebook = json.loads(take(page, dialog, "kasane.ipynb").read_text("utf-8"))
    assert any('"network": "dense12 dense8"' in "".join(cell["source"]) for cell in notebook["cells"])
    script = take(page, dialog, "kasane_pytorch.py").read_text("utf-8")
    compile(script, "kasane_pytorch.py", "exec")
    assert "nn.Tanh()" in script
    assert screen.data("step") == step
    expect(dialog).to_be_visible()


def the_command_is_the_experiment(dialog) -> None:
    words = shlex.split(dialog.get_by_test_id("stCode").first.inner_text())
    assert words[:5] == ["python", "-m", "engine", "train", "--set"]
    assert words[-2:] == ["--out", "kasane.safetensors"]
    settings = dict(word.split("=", 1) for word in words[5:-2])
    assert Experiment.from_settings(settings) == Experiment.from_settings(SETTINGS)
