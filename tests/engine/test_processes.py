"""A process beside the server finds our modules from any folder, and multiplies with one thread."""

import subprocess
import sys

from engine.processes import BLAS_THREADS, command


def test_a_process_runs_a_module_of_ours_with_one_blas_thread(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in BLAS_THREADS:
        monkeypatch.setenv(name, "7")
    module = tmp_path / "tells.py"
    module.write_text(f"import os, sys, engine\nprint(sys.argv[1:], [os.environ[name] for name in {BLAS_THREADS}])\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    said = subprocess.run(**command("tells", "one", "two", background=True), check=True, stdout=subprocess.PIPE)
    assert said.stdout.decode().strip() == f"['one', 'two'] {['1'] * len(BLAS_THREADS)}"
