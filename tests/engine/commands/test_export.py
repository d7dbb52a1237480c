"""The command export: it writes what the engine's functions return."""

import os

import numpy as np
import onnxruntime

from engine import export, shipped
from engine.commands.export import EXPORTS
from engine.data import datasets
from engine.training import checkpoint
from tests.engine.commands.program import run


def test_export(say, model, tmp_path):
    loaded = checkpoint.load_model(model)
    contents = {
        "onnx": export.to_onnx(loaded),
        "csv": export.to_csv(loaded).encode(),
        "notebook": export.to_notebook(loaded.experiment).encode(),
        "pytorch": export.to_pytorch(loaded.experiment).encode(),
    }
    for format, content in contents.items():
        assert say("export", model, "--to", format, tmp_path / format) == ([], [])
        assert (tmp_path / format).read_bytes() == content
    assert sorted(os.listdir(tmp_path)) == sorted(contents)
    assert list(contents) == list(EXPORTS)


def test_the_network_that_is_exported_is_not_written_over(say, model, tmp_path):
    path, link = tmp_path / "mine.safetensors", tmp_path / "link"
    path.write_bytes(model.read_bytes())
    link.hardlink_to(path)
    for out in (path, path.parent / "." / path.name, link):
        for format in EXPORTS:
            _, (error,) = say("export", path, "--to", format, out, status=2)
            assert "another file than the network" in error
    assert path.read_bytes() == model.read_bytes()
    _, (error,) = say("export", tmp_path / "none", "--to", "csv", tmp_path / "none", status=2)
    assert "another file" not in error


def test_export_writes_the_same_in_every_process(model, tmp_path):
    for seed in "12":  # of Python's own hashes
        out = tmp_path / seed
        done = run("export", model, "--to", "onnx", out, env=os.environ | {"PYTHONHASHSEED": seed})
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_an_exported_network_reads_digits_alike(say, tmp_path):
    say("export", shipped.PATH, "--to", "onnx", tmp_path / "reader.onnx")
    x = datasets.load("mnist-5k").x_test[:50]
    session = onnxruntime.InferenceSession(tmp_path / "reader.onnx", providers=["CPUExecutionProvider"])
    (theirs,) = session.run(["probabilities"], {"pictures": x.astype(np.float32)})
    np.testing.assert_allclose(theirs, checkpoint.load_model(shipped.PATH).probabilities(x), rtol=0, atol=1e-5)
