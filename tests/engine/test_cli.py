"""The command line is a contract: other programs rely on its keys, its exit statuses and its one-line errors."""

import io
import json
import os
import shlex
import signal
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from PIL import Image
from safetensors.numpy import load_file, save_file
from threadpoolctl import threadpool_info, threadpool_limits

from engine import __main__ as cli
from engine import export, presets, shipped
from engine.__main__ import main
from engine.data import datasets, handwriting
from engine.data.datasets import LEFT_OUT
from engine.experiment import Experiment
from engine.presets import Preset, claims, results
from engine.training import checkpoint, metrics
from tests.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "assets" / "models"
PENDIGITS = ROOT.parent / "shared" / "data" / "pendigits" / "pendigits-orig.tra.gz"
QUICK = ["--set", "data=digits", "network=dense10", "steps=30", "evaluate_every=10"]

CONTRACT = {
    "preset", "dataset", "train_size", "test_size", "parameters", "iterations", "seconds", "loss", "train_accuracy",
    "test_accuracy", "finished", "curves",
}  # fmt: skip


def run(*arguments, **settings) -> subprocess.CompletedProcess:
    """Run the command line as a program."""
    command = [sys.executable, "-W", "error", "-m", "engine", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, **settings)


@pytest.fixture
def say(capsys):
    """Return a function that carries out a command line in this process: (lines of output, lines of error)."""

    def say(*arguments, status=0):
        assert main([str(argument) for argument in arguments]) == status
        output, errors = capsys.readouterr()
        return output.splitlines(), errors.splitlines()

    return say


@pytest.fixture
def drawings(tmp_path):
    """A file of a vertical line, a ring and an empty drawing."""
    angle = np.linspace(0, 2 * np.pi, 40)
    ring = np.stack([140 + 60 * np.cos(angle), 140 + 90 * np.sin(angle)], axis=1).tolist()
    strokes = [[[[140, 40], [140, 240]]], [ring], []]
    lines = [json.dumps({"width": 280, "height": 280, "strokes": drawing}) for drawing in strokes]
    path = tmp_path / "drawings.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A network that knows little."""
    path = tmp_path_factory.mktemp("model") / "little.safetensors"
    assert main(["train", "--set", "network=dense10", "steps=100", "--out", str(path)]) == 0
    return path


# ------------------------------------------------------------------------------------------------------------- presets


def test_presets_are_listed(say):
    lines, errors = say("presets")
    assert [line.split()[0] for line in lines if line[0] != " "] == list(presets.PRESETS)
    assert errors == []


def test_presets_as_json(say):
    (line,), _ = say("presets", "--json")
    rows = json.loads(line)
    assert [row["id"] for row in rows] == list(presets.PRESETS)
    row = next(row for row in rows if row["id"] == "d2-l2")
    assert row["published"]["L2 0.1"] == {"test": 0.705, "train": 0.9, "about": False}
    assert row["published"]["no decay"] is None
    assert Experiment(**row["runs"]["L2 0.1"]) == presets.get("d2-l2").runs["L2 0.1"]
    assert {"page", "title", "question", "note", "claim"} <= set(row)


def test_presets_are_checked(say):
    (figures, verdict), _ = say("presets", "d2-two-layer", "--check", "--seed", "1")
    assert figures.split()[0] == "d2-two-layer"
    assert "–/0.9201" in figures
    assert verdict.startswith(" " * 22 + " holds: ")


def test_a_claim_that_fails_is_exit_status_1(say):
    (line,), _ = say("presets", "d2-opt-sgd", "--check", "--data", "toy2d", "--json", status=1)  # chance is one half
    (row,) = json.loads(line)
    assert row["holds"] is False
    assert row["results"]["SGD 0.01"]["dataset"] == "toy2d"


# --------------------------------------------------------------------------------------------------------------- train


def test_train_prints_one_json_object():
    done = run("train", *QUICK, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = done.stdout.splitlines()
    result = json.loads(line)
    assert set(result) >= CONTRACT
    assert result["preset"] is None
    assert (result["dataset"], result["train_size"], result["test_size"]) == ("digits", 1437, 360)
    assert result["parameters"] == 64 * 10 + 10 + 10 * 10 + 10
    assert (result["iterations"], result["finished"]) == (30, "completed")
    assert 0 < result["seconds"] < 10
    assert 0 < result["loss"] < 10
    assert 0 <= result["test_accuracy"] <= 1
    assert result["curves"]["step"] == [0, 10, 20, 30]
    assert len(result["curves"]["loss"]) == 30


def test_train_in_words(say):
    (line,), errors = say("train", *QUICK)
    assert "30 steps" in line
    assert "digits" in line
    assert errors == []  # nobody watches


def test_train_a_preset(say):
    (line,), _ = say("train", "--preset", "d2-two-layer", "--json")
    result = json.loads(line)
    assert (result["preset"], result["dataset"]) == ("d2-two-layer", "mnist-5k")
    assert result["test_accuracy"] > 0.88
    assert "runs" not in result


@pytest.fixture
def tiny(monkeypatch):
    """A preset of two runs of 30 steps, in place of all others."""
    runs = {
        label: Experiment(data="digits", network="dense10", steps=30, l2=l2) for label, l2 in (("L2", 0.1), ("–", 0))
    }
    preset = Preset("tiny", "train", "t", "q?", runs, {}, claims.reaches("L2", 0.1))
    monkeypatch.setattr(presets, "PRESETS", {"tiny": preset})


def test_a_preset_of_several_runs_trains_all(say, tiny):
    (line,), _ = say("train", "--preset", "tiny", "--json")
    result = json.loads(line)
    assert list(result["runs"]) == ["L2", "–"]
    assert all(set(run) >= CONTRACT for run in result["runs"].values())
    assert {name: value for name, value in result.items() if name != "runs"} == result["runs"]["L2"]
    lines, _ = say("train", "--preset", "tiny")
    assert [line.split(":")[0] for line in lines] == ["tiny · L2", "tiny · –"]


def test_one_run_of_a_preset(say, tiny):
    (line,), _ = say("train", "--preset", "tiny", "--run", "–", "--json")
    result = json.loads(line)
    assert result["run"] == "–"
    assert "l2" not in result["experiment"]
    assert "runs" not in result


def test_the_seed_decides(say):
    def loss(seed):
        (line,), _ = say("train", *QUICK, "--seed", seed, "--json")
        return json.loads(line)["loss"]

    assert loss(3) == loss(3) != loss(4)


def test_data_and_seed_win_over_set(say):
    (line,), _ = say("train", *QUICK, "seed=5", "--set", "lr=0.5", "--data", "toy2d", "--seed", "6", "--json")
    result = json.loads(line)
    assert result["dataset"] == "toy2d"
    assert result["experiment"]["seed"] == 6
    assert result["experiment"]["lr"] == 0.5


def test_divergence_is_reported_in_legal_json(say):
    (line,), _ = say("train", *QUICK, "lr=100", "loss=squared_error", "--json")
    result = json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert result["finished"] == "diverged"


def test_the_network_is_written_the_same_every_time(say, tmp_path):
    for name in ("a", "b", "b"):  # the last one takes the place of an older file
        say("train", *QUICK, "--out", tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o644
    assert set(load_file(tmp_path / "a")) == {
        "network.dense1.weight", "network.dense1.bias", "network.output.weight", "network.output.bias"
    }  # fmt: skip
    assert checkpoint.load_model(tmp_path / "a").experiment == Experiment.from_settings(
        dict(setting.split("=") for setting in QUICK[1:])
    )


def test_out_of_a_preset_is_the_run_it_is_about(say, tiny, tmp_path):
    say("train", "--preset", "tiny", "--out", tmp_path / "a")
    assert checkpoint.load_model(tmp_path / "a").experiment.l2 == 0.1


def test_what_cannot_be_written_leaves_nothing_behind(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "replace", lambda *paths: (_ for _ in ()).throw(OSError("no space")))
    assert main(["train", *QUICK, "--out", str(tmp_path / "a")]) == 2
    assert os.listdir(tmp_path) == []


def test_an_output_that_cannot_be_is_refused_before_the_work(monkeypatch, say, tmp_path):
    monkeypatch.setattr(presets, "train", lambda *_, **__: pytest.fail("it was trained in vain"))
    (tmp_path / "file").touch()
    for out in (tmp_path / "file" / "a", tmp_path / ("a" * 300)):
        _, errors = say("train", *QUICK, "--out", out, status=2)
        assert len(errors) == 1
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # write-protected, on Windows not to be replaced
    say("train", *QUICK, "--out", tmp_path / "file", status=2)
    assert os.listdir(tmp_path) == ["file"]


def test_an_output_does_not_take_the_place_of_a_device(say, tmp_path):
    pipe = tmp_path / "pipe"
    getattr(os, "mkfifo", lambda path: pytest.skip("has no named pipes"))(pipe)
    say("export", shipped.PATH, "--to", "csv", pipe, status=2)
    assert pipe.is_fifo()


def test_an_output_may_have_a_name_as_long_as_the_disk_allows(say, tmp_path):
    path = tmp_path / ("重" * 84)  # 252 bytes of UTF-8
    say("export", shipped.PATH, "--to", "csv", path)
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.skipif(os.name == "nt", reason="has no permissions of this kind")
def test_an_output_is_for_whom_the_user_wants(say, tmp_path):
    umask = os.umask(0o077)
    try:
        say("export", shipped.PATH, "--to", "csv", tmp_path / "a")
    finally:
        os.umask(umask)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


def test_progress_is_shown_to_a_terminal(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(results, "SLICE", 0.0)
    assert main(["train", *QUICK]) == 0
    assert "10 of 30 steps, loss " in sys.stderr.getvalue()
    assert sys.stderr.getvalue().endswith("\r\033[K")


# ------------------------------------------------------------------------------------------------------------- predict


def check(line: str) -> int | None:
    """Check a line of predictions and return the digit."""
    prediction = json.loads(line)
    assert list(prediction) == ["digit", "probabilities", "known"]
    assert len(prediction["probabilities"]) == 10
    assert sum(prediction["probabilities"]) == pytest.approx(1, abs=1e-5)
    assert type(prediction["known"]) is bool
    if prediction["digit"] is None:
        assert not prediction["known"]
    else:
        assert prediction["digit"] == int(np.argmax(prediction["probabilities"]))
    return prediction["digit"]


def test_predict_drawings(drawings):
    done = run("predict", drawings)
    assert (done.returncode, done.stderr) == (0, "")
    digits = [check(line) for line in done.stdout.splitlines()]
    assert digits == [1, 0, None]  # nothing is drawn on the third
    assert [json.loads(line)["known"] for line in done.stdout.splitlines()] == [True, True, False]


def test_reading_takes_one_thread(say, drawings):
    """Two wait for each other as soon as other processes compute."""
    with threadpool_limits(2, user_api="blas"):
        say("predict", drawings)
        assert {info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas"} == {1}


def test_predict_says_what_is_like_nothing_that_the_model_learned(say, tmp_path):
    scrawl = [[[28 + 224 * (i % 2), 28 + 11 * i] for i in range(21)]]
    (tmp_path / "scrawl.jsonl").write_text(json.dumps({"strokes": scrawl}))
    (line,), errors = say("predict", tmp_path / "scrawl.jsonl")
    assert errors == []
    assert check(line) is not None  # it is still said what it would have to be
    assert not json.loads(line)["known"]


@pytest.mark.parametrize("format", ["PNG", "JPEG"])
def test_predict_a_picture(say, tmp_path, format):
    data = datasets.load("mnist-5k")
    path = tmp_path / f"digit.{format.lower()}"
    right = 0
    for image, label in zip(data.x_test[:10], data.y_test[:10], strict=True):
        Image.fromarray(255 - image[:, :, 0]).resize((280, 280), Image.Resampling.BICUBIC).save(path, format)
        (line,), errors = say("predict", path, "--json")
        assert errors == []
        right += check(line) == label
    assert right >= 9


@pytest.mark.parametrize("light", [False, True])
def test_predict_every_digit_of_a_picture_in_reading_order(say, tmp_path, light):
    data = datasets.load("mnist-5k")
    page = np.zeros((200, 600), np.uint8)
    for place, image in enumerate(data.x_test[:6]):
        top, left = 20 + 90 * (place // 3), 60 + 190 * (place % 3)
        page[top : top + 84, left : left + 84] = Image.fromarray(image[:, :, 0]).resize((84, 84))
    Image.fromarray(page if light else 255 - page).save(tmp_path / "page.webp", lossless=True)
    lines, errors = say("predict", tmp_path / "page.webp")
    assert errors == []
    assert [check(line) for line in lines] == data.y_test[:6].tolist()


def test_predict_more_digits_than_are_read(say, tmp_path):
    one = np.zeros((40, 40), np.uint8)
    one[8:32, 18:21] = 255
    Image.fromarray(np.tile(one, (6, 10))).save(tmp_path / "many.png")
    lines, errors = say("predict", tmp_path / "many.png")
    assert len([check(line) for line in lines]) == 50
    assert errors == ["the first 50 of 60 digits are read"]


def test_predict_an_empty_page(say, tmp_path):
    Image.new("L", (280, 280), 255).save(tmp_path / "empty.png")
    lines, (error,) = say("predict", tmp_path / "empty.png", status=2)
    assert lines == []
    assert error == f"error: No digits were found in {tmp_path / 'empty.png'}."


@pytest.mark.parametrize("precision", ["float64", "float32", "float16"])
def test_evaluate_a_model(say, precision):
    model = "assets/models/reader.safetensors"
    lines, errors = say("evaluate", model, "--data", "mnist-5k", "--precision", precision, "--json")
    assert errors == []
    row = json.loads(lines[-1])
    assert (row["dataset"], row["test_size"], row["precision"]) == ("mnist-5k", 1000, precision)
    assert row["test_accuracy"] > 0.97
    lines, _ = say("evaluate", model, "--data", "mnist-5k", "--precision", precision)
    assert f"test {row['test_accuracy']:.4f}" in lines[-1]


def test_predict_with_another_model(say, drawings, model):
    lines, _ = say("predict", drawings, "--model", model)
    assert len([check(line) for line in lines]) == 3
    assert lines != say("predict", drawings)[0]


def test_predict_many_drawings_in_their_order(say, drawings, tmp_path):
    line, ring, _ = drawings.read_text().splitlines()
    many = tmp_path / "many.JSONL"
    many.write_text("\n".join(ring if i % 3 else line for i in range(cli.CHUNK + 50)))
    lines, _ = say("predict", many)
    assert [check(line) for line in lines] == [int(i % 3 == 0) for i in range(cli.CHUNK + 50)]


def test_predict_no_drawing(say, tmp_path):
    (tmp_path / "empty.jsonl").write_text("\n\n")
    assert say("predict", tmp_path / "empty.jsonl") == ([], [])


# -------------------------------------------------------------------------------------------------------------- export


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
    assert list(contents) == list(cli.EXPORTS)


def test_export_writes_the_same_in_every_process(model, tmp_path):
    for seed in "12":  # of Python's own hashes
        out = tmp_path / seed
        done = run("export", model, "--to", "onnx", out, env=os.environ | {"PYTHONHASHSEED": seed})
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_an_exported_network_reads_digits_alike(say, reader, tmp_path):
    say("export", shipped.PATH, "--to", "onnx", tmp_path / "reader.onnx")
    x = datasets.load("mnist-5k").x_test[:50]
    session = onnxruntime.InferenceSession(tmp_path / "reader.onnx", providers=["CPUExecutionProvider"])
    (theirs,) = session.run(["probabilities"], {"pictures": x.astype(np.float32)})
    np.testing.assert_allclose(theirs, reader.probabilities(x), rtol=0, atol=1e-5)


# ------------------------------------------------------------------------------------------------------------ datasets


def test_datasets(say):
    lines, _ = say("datasets")
    assert [line.split()[0] for line in lines] == list(datasets.NAMES)
    (line,), _ = say("datasets", "--json")
    row = json.loads(line)[0]
    assert row["name"] == "mnist-5k"
    assert row["available"] is True
    assert row["shape"] == [28, 28, 1]


def test_download_comes_first_and_is_watched(say, monkeypatch):
    asked = []

    def download(name, progress):
        asked.append(name)
        progress(2**20, 2**21, "images.gz")
        progress(2**20, 0, "images.gz")

    monkeypatch.setattr(datasets, "download", download)
    lines, _ = say("datasets", "--download", "kmnist")
    assert asked == ["kmnist"]
    assert len(lines) == len(datasets.NAMES)


# -------------------------------------------------------------------------------------------------------------- errors

MANY = "network=" + " ".join(["dense10"] * 10_000)

ERRORS = {
    "nothing": [],
    "no such command": ["tarin"],
    "a search over what is not searched": ["search", "--over", "steps"],
    "no such option": ["train", "--frobnicate"],
    "an abbreviated option": ["train", "--pre", "d2-l2"],
    "unknown preset": ["train", "--preset", "d3"],
    "long unknown preset": ["train", "--preset", "x" * 100_000],
    "unknown preset to list": ["presets", "d3"],
    "data without check": ["presets", "--data", "mnist-5k"],
    "preset and set": ["train", "--preset", "d2-l2", "--set", "lr=1"],
    "run without preset": ["train", "--run", "no decay"],
    "unknown run": ["train", "--preset", "ch06-batchnorm", "--run", "\N{BELL}\n" * 1000],
    "unknown field": ["train", "--set", "speed=1"],
    "no value": ["train", "--set", "lr"],
    "set nothing": ["train", "--set"],
    "bad value": ["train", "--set", "lr=fast"],
    "not a number": ["train", "--set", "lr=nan"],
    "huge number": ["train", "--set", "steps=" + "9" * 5000],
    "10,000 layers": ["train", "--set", MANY],
    "one huge layer": ["train", "--set", "network=dense99999999999"],
    "too many parameters": ["train", "--set", "network=dense4096 dense4096"],
    "too large a batch": ["train", "--set", "network=dense4096", "batch_size=4096", "data=toy2d"],
    "line breaks": ["train", "--set", "network=dense10\ndense\x00"],
    "unknown data": ["train", "--data", "imagenet"],
    "bad seed": ["train", "--seed", "-1"],
    "long seed": ["train", "--seed", "9" * 10_000],
    "out is a folder": ["train", *QUICK, "--out", "."],
    "out in no folder": ["train", *QUICK, "--out", "no/such/folder/a.safetensors"],
    "no file": ["predict", "missing.png"],
    "no drawings": ["predict", "missing.jsonl"],
    "a folder": ["predict", "tests"],
    "no model": ["predict", "missing.png", "--model", "missing.safetensors"],
    "a model that is none": ["predict", "missing.png", "--model", "README.md"],
    "evaluate nothing": ["evaluate", "missing.safetensors"],
    "evaluate elsewhere": ["evaluate", "assets/models/reader.safetensors", "--data", "toy2d"],
    "quarter precision": ["evaluate", "assets/models/reader.safetensors", "--precision", "float8"],
    "export of no file": ["export", "missing.safetensors", "--to", "onnx", "a.onnx"],
    "export of what is no model": ["export", "README.md", "--to", "onnx", "a.onnx"],
    "export to nothing": ["export", shipped.PATH, "a.onnx"],
    "export to an unknown format": ["export", shipped.PATH, "--to", "x" * 100_000, "a.onnx"],
    "export to nowhere": ["export", shipped.PATH, "--to", "onnx"],
    "export into a folder": ["export", shipped.PATH, "--to", "csv", "tests"],
    "export into no folder": ["export", shipped.PATH, "--to", "csv", "no/such/folder/a.csv"],
    "unknown download": ["datasets", "--download", "imagenet"],
    "download nothing": ["datasets", "--download", ""],
    "needless download": ["datasets", "--download", "mnist-5k"],
}


@pytest.mark.parametrize("arguments", ERRORS.values(), ids=ERRORS)
def test_an_error_is_one_line_and_exit_status_2(say, arguments):
    lines, errors = say(*arguments, status=2)
    assert lines == []
    (line,) = errors
    assert line.startswith("error: ")
    assert 10 < len(line) < 700


@pytest.mark.parametrize("arguments", [["train", "--preset", "d3"], ["tarin"], ["predict", "missing.png"]])
def test_errors_of_the_program(arguments):
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.png", b""),
        ("a.png", b"\x89PNG\r\n\x1a\n" + b"\x00" * 100),
        ("a.jpg", b"\xff\xd8\xff\xe0" + b"\x00" * 100),
        ("a.gif", b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"),
        ("a.txt", b"3"),
        ("a.jsonl", b"\xff\xfe\x00"),
        ("a.jsonl", b"[1, 2"),
        ("a.jsonl", b"{}"),
        ("a.jsonl", b'{"strokes": [[[1, 2]]]}\n{"strokes": 7}\n'),
        ("a.jsonl", b'{"strokes": [[[NaN, 2]]]}'),
        ("a.jsonl", b'{"strokes": [[[1e999, 2]]]}'),
        ("a.jsonl", b'{"strokes": ' + b"[" * 100_000),
    ],
)
def test_files_that_are_no_drawings(say, tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    lines, errors = say("predict", tmp_path / name, status=2)
    assert (lines, len(errors)) == ([], 1)


def spoil(arrays: dict[str, np.ndarray], how) -> dict[str, np.ndarray]:
    return {name: how(array) for name, array in arrays.items()}


def metadata(blob: bytes) -> dict[str, str]:
    return json.loads(blob[8 : 8 + int.from_bytes(blob[:8], "little")])["__metadata__"]


@pytest.mark.parametrize(
    "how",
    [
        lambda a: np.full_like(a, np.nan),
        lambda a: np.full_like(a, 3e38),  # legal numbers, but their sums are not
        lambda a: a.astype(np.float64) * 1e300,
        lambda a: a[:-1].copy(),
        lambda a: a.astype(np.int8),
    ],
)
def test_models_with_spoilt_weights(say, drawings, model, tmp_path, how):
    bad = tmp_path / "bad.safetensors"
    save_file(spoil(load_file(model), how), bad, metadata(model.read_bytes()))
    lines, errors = say("predict", drawings, "--model", bad, status=2)
    assert (lines, len(errors)) == ([], 1)


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_a_model_whose_numbers_overflow_is_evaluated_quietly(say, model, tmp_path, precision):
    large = tmp_path / "large.safetensors"
    save_file(spoil(load_file(model), lambda a: np.full_like(a, 3e38)), large, metadata(model.read_bytes()))
    (line,), errors = say("evaluate", large, "--precision", precision, "--json")
    assert errors == []
    assert json.loads(line)["test_loss"] is None


@pytest.mark.parametrize("cut", [0, 7, 8, 100, -1])
def test_models_cut_short(say, drawings, model, tmp_path, cut):
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(model.read_bytes()[:cut])
    lines, errors = say("predict", drawings, "--model", bad, status=2)
    assert (lines, len(errors)) == ([], 1)


@pytest.mark.parametrize(
    ("name", "value"),
    [("in_shape", "[28]"), ("in_shape", "[0, 28, 1]"), ("in_shape", "[" * 10_000), ("classes", "5"),
     ("classes", json.dumps(list("0123456789") * 100)), ("scale", "nan"), ("scale", "1e300"), ("format", "other"),
     ("experiment", "{}"), ("experiment", '{"network": "' + MANY + '"}')],
)  # fmt: skip
def test_models_with_a_spoilt_header(say, drawings, model, tmp_path, name, value):
    bad = tmp_path / "bad.safetensors"
    save_file(load_file(model), bad, metadata(model.read_bytes()) | {name: value})
    lines, errors = say("predict", drawings, "--model", bad, status=2)
    assert (lines, len(errors)) == ([], 1)


def test_a_model_for_other_inputs(say, drawings, tmp_path):
    say("train", "--set", "data=toy2d", "network=dense4", "steps=2", "--out", tmp_path / "m")
    _, errors = say("predict", drawings, "--model", tmp_path / "m", status=2)
    assert errors == [f"error: The model {tmp_path / 'm'} reads 2, not pictures of 28×28."]


def test_help_names_every_command(capsys):
    for arguments in (["--help"], ["train", "--help"], ["predict", "--help"], ["presets", "--help"]):
        with pytest.raises(SystemExit, match="0"):
            main(arguments)
    output = capsys.readouterr().out
    assert all(word in output for word in ("presets", "train", "predict", "datasets", "test_accuracy", "probabilities"))


def test_a_reader_that_leaves_is_no_error():
    program = [sys.executable, "-m", "engine", "presets", "--json"]
    with subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(PATIENCE) == 141


def test_an_interruption_ends_quietly():
    pty = pytest.importorskip("pty")
    terminal, its_end = pty.openpty()
    program = [sys.executable, "-m", "engine", "train", "--set", "steps=10000000", "network=dense10", "data=digits"]
    with subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, stderr=its_end) as process:
        os.close(its_end)
        while b"steps" not in os.read(terminal, 1000):
            pass
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
        assert process.stdout.read() == b""
    os.close(terminal)


@pytest.mark.skipif(os.name == "nt", reason="has no signals of this kind")
def test_an_interruption_while_libraries_load_ends_quietly():
    program = [sys.executable, "-X", "importtime", "-m", "engine", "presets"]
    with subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while b"numpy" not in process.stderr.readline():
            pass
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == -signal.SIGINT  # a shell says 130
    assert b"Traceback" not in errors


def test_a_poor_terminal_is_no_error():
    done = run("presets", "d2-two-layer", "--check", env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(os.name == "nt", reason="closes with a shell's syntax")
@pytest.mark.parametrize(
    ("redirection", "arguments", "status"),
    [(">&-", ["presets"], 0), ("2>&-", ["train", *QUICK], 0), ("2>&-", ["tarin"], 2), ("<&- >&- 2>&-", ["presets"], 0)],
)
def test_closed_streams_are_no_error(redirection, arguments, status):
    command = f"{shlex.join([sys.executable, '-m', 'engine', *arguments])} {redirection}"
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (status, "")
    assert "error" not in done.stdout  # where print would put it if there were no stderr


def test_warnings_of_libraries_do_not_come_before_an_error(tmp_path):
    Image.new("1", (10_000, 10_000)).save(tmp_path / "huge.png")  # Pillow warns of a bomb
    command = [sys.executable, "-m", "engine", "predict", str(tmp_path / "huge.png")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


# --------------------------------------------------------------------------------------------------- the shipped model


@pytest.fixture(scope="module")
def reader():
    return checkpoint.load_model(shipped.PATH)


def test_the_shipped_model_is_small(reader):
    assert shipped.PATH.stat().st_size < 600_000
    assert reader.network.vector.data.size <= 150_000


def test_the_shipped_model_was_made_by_the_command_beside_it(reader):
    command = next(line for line in (MODELS / "reader.txt").read_text().splitlines() if "engine train" in line)
    options = cli.build_parser().parse_args(shlex.split(command)[shlex.split(command).index("train") :])
    assert cli.chosen_runs(options)["reader"] == reader.experiment
    assert Path(options.out) == shipped.PATH.relative_to(ROOT)


def test_the_shipped_model_reads_digits(reader):
    """Says that the file is whole, not how good the network is: 60,000 of the digits it learned from include many here.

    Its accuracy on MNIST's own test digits stands in reader.txt.
    """
    data = datasets.load("mnist-5k")
    outputs = metrics.predict(reader.network, data.x_test, reader.scale)
    assert np.mean(outputs.argmax(axis=1) == data.y_test) > 0.99


@pytest.mark.skipif(not PENDIGITS.is_file(), reason="needs ../shared/data/pendigits")
def test_the_shipped_model_reads_pen_strokes(reader, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tests" / "engine" / "data")
    digits = pytest.importorskip("pendigits").read_pendigits(PENDIGITS)
    images = np.stack([handwriting.strokes_to_image(digit.strokes) for digit in digits])[..., np.newaxis]
    right = metrics.predict(reader.network, images, reader.scale).argmax(axis=1) == [digit.label for digit in digits]
    left_out = np.array([digit.writer % LEFT_OUT == 0 for digit in digits])
    assert right[left_out].mean() >= 0.985
    assert right[~left_out].mean() >= 0.99
