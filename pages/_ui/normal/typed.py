"""Numbers typed into cells of the drawn batch: in the session, and in the address as `?typed=0:2.5,7:-3`.

Session state holds them as {"0": 2.5, …}, a cell's place in the batch and its number. They belong to one batch and go
with it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import streamlit as st

from engine.errors import N_, InputError, shorten

KEY = "normalization_typed"
CELLS = 4 * 3 * 3 * 3  # of the largest batch
LARGEST = 99.0
LONGEST = 2000  # characters of an address


def numbers() -> dict[int, float]:
    """Return what was typed, by place."""
    return {int(cell): value for cell, value in st.session_state.get(KEY, {}).items()}


def put(typed: Mapping[int, float]) -> None:
    """Keep more of them."""
    st.session_state[KEY] = st.session_state.get(KEY, {}) | {str(cell): value for cell, value in typed.items()}


def forget() -> None:
    """Keep none."""
    st.session_state.pop(KEY, None)


def read(text: str) -> None:
    """Take over what an address says. Raises `InputError`, and then keeps none."""
    forget()
    if not text:
        return
    found = {}
    for pair in text[: LONGEST + 1].split(","):
        cell, _colon, value = pair.partition(":")
        try:
            place, number = int(cell), float(value)
        except ValueError:
            raise _error(pair) from None
        place, number = checked(place, number, CELLS)
        found[str(place)] = number
    if len(text) > LONGEST:
        raise _error(text)
    st.session_state[KEY] = found


def written() -> dict[str, str]:
    """Return what the address is to say."""
    said = ",".join(f"{cell}:{value:g}" for cell, value in sorted(numbers().items()))
    return {"typed": said} if said else {}


def checked(cell: object, value: object, cells: int) -> tuple[int, float]:
    """Return the place and number of a cell in a batch of so many. Raises `InputError`."""
    real = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    place = isinstance(cell, int) and not isinstance(cell, bool) and 0 <= cell < cells
    if not (real and place and -LARGEST <= value <= LARGEST):
        raise _error([cell, value])
    return cell, round(float(value), 3)


def _error(received: object) -> InputError:
    template = N_("A cell of the batch must be a number from {low} to {high}, not {received}.")
    return InputError(template, low=f"−{LARGEST:g}", high=f"{LARGEST:g}", received=shorten(received))
