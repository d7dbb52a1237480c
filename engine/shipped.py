"""The network that comes with Kasane: it reads digits where no other is named. See assets/models/reader.txt."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from engine.training.checkpoint import Model, load_model

PATH = Path(__file__).resolve().parents[1] / "assets" / "models" / "reader.safetensors"


@lru_cache(maxsize=1)
def load() -> Model:
    """Return it, one for the whole process."""
    return load_model(PATH)
