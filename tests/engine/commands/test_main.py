"""The command line is a contract: other programs rely on its exit statuses and its one-line errors."""

import os
import shlex
import signal
import subprocess
import sys

import pytest
from PIL import Image

from engine import shipped
from engine.__main__ import main
from tests.engine.commands.program import MANY, QUICK, ROOT, run
from tests.patience import PATIENCE

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


@pytest.mark.parametrize(
    "arguments",
    [["predict", "missing.png", "--model", "{}"], ["evaluate", "{}"], ["export", "{}", "--to", "onnx", "a.onnx"]],
)
@pytest.mark.parametrize("length", [100, 20_000])
def test_of_a_broken_model_file_the_error_names_which(say, tmp_path, arguments, length):
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(shipped.PATH.read_bytes()[:length])
    _, (line,) = say(*(argument.format(broken) for argument in arguments), status=2)
    assert line.startswith(f"error: {broken}: This is not a safetensors file (")


@pytest.mark.parametrize("arguments", [["train", "--preset", "d3"], ["tarin"], ["predict", "missing.png"]])
def test_errors_of_the_program(arguments):
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1


def test_an_unknown_option_leads_to_the_help_of_its_command(say):
    _, errors = say("train", "--steps", "5", status=2)
    assert errors == ["error: unrecognized arguments: --steps 5 (see python -m engine train --help)"]


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
    while not os.read(terminal, 1000).endswith(b"\r\x1b[K"):  # the prompt gets a line of its own
        pass
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


def test_a_command_loads_only_what_it_calls():
    program = "import sys; from engine.__main__ import parse; parse(['datasets']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert "engine.data.datasets" in done.stdout.split()
    assert not {"engine.training", "engine.search", "engine.export", "optuna"} & set(done.stdout.split())
