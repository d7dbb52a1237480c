"""Pictures as addresses that hold them whole: no file of the server's has to outlive a rerun for a busy browser."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image


def as_url(picture: np.ndarray) -> str:
    """Return the address of a picture, uint8 (H, W) grey or (H, W, 3) RGB."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return png_url(file.getvalue())


def png_url(data: bytes) -> str:
    """Return the address of what a PNG file holds."""
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"
