"""Early stopping: give up when the loss on examples not learned from has not improved for a while, and go back.

The state that is kept is the best one seen; `patience` is how many evaluations in a row may be no better before the run
is given up. Nothing is known at the best moment itself: it takes patience to see that it was the best.

Source: L. Prechelt, "Early Stopping — But When?", 1998.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import N_, InputError, shorten


@dataclass(frozen=True)
class Stop:
    """Indices into the losses: the best evaluation that was seen, and the last one made before giving up.

    gave_up: False when the run came to its end first.
    """

    best: int
    last: int
    gave_up: bool


def early_stop(losses: Sequence[float], patience: int) -> Stop:
    """Return where a run with these losses would have been stopped, and to where it would have gone back.

    An evaluation is better when it is strictly lower than all before; NaN never is, and any number is better than NaN.
    Raises `InputError` for no losses at all and for a patience below 1.
    """
    if patience < 1 or not len(losses):
        field, received = ("patience", patience) if patience < 1 else ("losses", len(losses))
        raise InputError(
            N_("{field} must be {legal}, not {received}."), field=field, legal="≥ 1", received=shorten(received)
        )
    best, waited = 0, 0
    for i in range(1, len(losses)):
        if losses[i] < losses[best] or (math.isnan(losses[best]) and not math.isnan(losses[i])):
            best, waited = i, 0
        else:
            waited += 1
        if waited == patience:
            return Stop(best, i, True)
    return Stop(best, len(losses) - 1, False)
