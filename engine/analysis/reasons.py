"""Why a network gives its answer to a drawing, asked in the ways of `saliency` and put to a common scale.

What counts is the answer's lead, the distance of its output from the next best: probabilities of 100 % hardly move.
"""

from __future__ import annotations

import math

import numpy as np

from engine.analysis import saliency
from engine.data.handwriting import SIZE
from engine.training import metrics
from engine.training.checkpoint import Model

WAYS = ("gradient", "patch", "strokes")
FAINT = 0.1  # the part of an answer's lead that is full on the scale of colours, when no greater one goes
LEAST_LEAD = 0.1  # a smaller one is taken for this: parts of nothing say nothing
AT_ONCE = 13  # variants of a drawing; always as many, for a network keeps work arrays for every size of a batch


Reasons = tuple[dict[str, object], dict[str, np.ndarray]]  # header and arrays


def explain(model: Model, image: np.ndarray, strokes: list[np.ndarray], answer: int, why: str) -> Reasons | None:
    """Return what the answer (a class's index) to a picture (28, 28) hangs on; None where nothing is drawn.

    why: one of `WAYS`.
    header: kind; peak, the value that the strongest colour stands for, in parts of the lead. arrays: of the gradient
    and the patch, why, uint8 (28, 28), 128 for 0 and 255 for `peak`; of the strokes, points (n, 2), ends, how many
    points there are up to the end of each piece, and drops, the part of the lead that goes with it.
    """
    if not image.any():
        return None

    def lead(pictures: np.ndarray) -> np.ndarray:
        n = len(pictures)
        batches = np.zeros((math.ceil(n / AT_ONCE), AT_ONCE, SIZE, SIZE, 1), pictures.dtype)
        batches.reshape(-1, SIZE, SIZE)[:n] = pictures
        outputs = np.concatenate([metrics.predict(model.network, batch, model.scale) for batch in batches])[:n]
        return outputs[:, answer] - np.delete(outputs, answer, axis=1).max(axis=1)

    if why == "gradient":
        x = np.multiply(image[None, :, :, None], model.scale, dtype=np.float32)
        values = saliency.gradient(model.network, x, answer)[0, :, :, 0]
        return _pictured(why, values, float(np.abs(values).max()) or 1.0)
    whole = max(float(lead(image[None])[0]), LEAST_LEAD)
    if why == "strokes":
        found = saliency.left_out(lead, strokes)
        lines, drops = [piece.line for piece, _ in found], np.array([drop for _, drop in found], np.float32) / whole
        peak = max(FAINT, float(np.abs(drops).max(initial=0)))
        arrays = {"points": np.concatenate(lines), "ends": np.cumsum([len(line) for line in lines]), "drops": drops}
        return {"kind": why, "peak": peak}, arrays
    values = saliency.occlusion(lead, image) / whole
    return _pictured(why, values, max(FAINT, float(np.abs(values).max())))


def _pictured(why: str, values: np.ndarray, peak: float) -> Reasons:
    return {"kind": why, "peak": peak}, {"why": np.rint(128 + values * (127 / peak)).astype(np.uint8)}
