"""IDX files for tests to read."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np

from engine.data.idx import UNSIGNED_BYTE
from engine.data.remote import FILES


def write_idx(path: Path, array: np.ndarray) -> None:
    """Write a uint8 array, (N,) or (N, H, W), as an IDX file; compressed if the name ends in ".gz"."""
    content = struct.pack(f">HBB{array.ndim}I", 0, UNSIGNED_BYTE, array.ndim, *array.shape) + array.tobytes()
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)


def write_set(folder, *, train=20, test=10, ending=".gz", side=28):
    """Write four small IDX files and return the arrays in the order of FILES."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    arrays = []
    for count in (train, test):
        arrays.append(rng.integers(0, 256, (count, side, side), dtype=np.uint8))
        arrays.append((np.arange(count) % 10).astype(np.uint8))
    for stem, array in zip(FILES, arrays, strict=True):
        write_idx(folder / (stem + ending), array)
    return arrays
