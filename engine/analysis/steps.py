"""One step of an optimizer worked out as a textbook writes it, quantity by quantity.

    slope g  →  what is remembered (v, or h, or m and v)  →  m̂ and v̂  →  the step d  →  the new position

Each comes of those before it, apart from the optimizer's own code: so the last one checks both. The equations are those
of engine.optim, with its symbols.
"""

from __future__ import annotations

import numpy as np

from engine.analysis.landscapes import Descent
from engine.optim import AdaGrad, Adam, AdamW, Momentum, Nesterov, RMSProp

Quantities = dict[str, np.ndarray]  # each (2,)


def work_out(descent: Descent, t: int) -> Quantities:
    """Return the quantities of step t, 1 ≤ t ≤ n, of a descent without L1 decay, and without L2 decay but AdamW's.

    "slope"; of what the optimizer remembers "velocity", or "squares", or "mean" and "squares"; "mean_hat" and
    "squares_hat" where Adam corrects them; "step"; "position".
    """
    rule, lr, before = descent.optimizer, descent.rates[t - 1], descent.points[t - 1]
    memory = {name: values[t - 1] for name, values in descent.memory.items()}
    g = descent.gradients[t - 1]
    match rule:
        case Momentum():  # and Nesterov
            v = rule.momentum * memory["velocity"] + g
            found = {"velocity": v, "step": lr * (g + rule.momentum * v if isinstance(rule, Nesterov) else v)}
        case AdaGrad():
            h = memory["squares"] + g**2
            found = {"squares": h, "step": lr * g / (np.sqrt(h) + rule.eps)}
        case RMSProp():
            h = rule.alpha * memory["squares"] + (1 - rule.alpha) * g**2
            found = {"squares": h, "step": lr * g / (np.sqrt(h) + rule.eps)}
        case Adam():  # and AdamW
            found = _adam(rule, memory, g, lr, t)
        case _:
            found = {"step": lr * g}
    kept = 1 - lr * rule.l2 if isinstance(rule, AdamW) else 1.0
    return {"slope": g} | found | {"position": kept * before - found["step"]}


def _adam(rule: Adam, memory: Quantities, g: np.ndarray, lr: float, t: int) -> Quantities:
    m = rule.beta1 * memory["mean"] + (1 - rule.beta1) * g
    v = rule.beta2 * memory["squares"] + (1 - rule.beta2) * g**2
    if not rule.bias_correction:
        return {"mean": m, "squares": v, "step": lr * m / (np.sqrt(v) + rule.eps)}
    m_hat, v_hat = m / (1 - rule.beta1**t), v / (1 - rule.beta2**t)
    step = lr * m_hat / (np.sqrt(v_hat) + rule.eps)
    return {"mean": m, "squares": v, "mean_hat": m_hat, "squares_hat": v_hat, "step": step}
