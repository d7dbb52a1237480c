"""The window: a component in which kernel, pooling window or im2col's rows travel over the numbers of an input.

It is given an input and what the engine made of it. Which numbers lie under the window, their products and sums are
worked out in the browser (window.js), so that the sum on the screen and the engine's output check each other.
"""

from __future__ import annotations

from pages._ui.i18n import _, language
from pages._ui.served.served import component, room
from pages._ui.window.scenes import Scene

_mount = component("window", html=room(32))


def window(scene: Scene, *, key: str, attention: int = 0) -> None:
    """Show a scene. When `attention` grows, the window scrolls into sight and starts again from the first place."""
    _mount(
        key=key,
        data={"key": key, "scene": scene, "attention": attention, "language": language(), "labels": _labels()},
    )


def _labels() -> dict[str, str]:
    """Return every word of the window in the session's language."""
    return {
        "play": _("Play"),
        "pause": _("Pause"),
        "back": _("One place back"),
        "forward": _("One place forward"),
        "speed": _("Speed"),
        "csv": _("Download as CSV"),
        "place": _("Row {row}, column {column} of the output"),
        "keys": _("Arrow keys move the window, Space plays and pauses."),
        "input": _("Input"),
        "padding": _("with {padding} of padding"),
        "channel": _("Channel {n}"),
        "kernel": _("Kernel"),
        "filter": _("Filter {n}"),
        "output": _("Output"),
        "window": _("Under the window"),
        "products": _("Products"),
        "bias": _("bias"),
        "sum": _("Sum"),
        "largest": _("Max pooling"),
        "mean": _("Average pooling"),
        "overall": _("Global average"),
        "is_largest": _("largest"),
        "is_mean": _("mean"),
        "matrix": _("im2col: one row for each window"),
        "column": _("Kernels as columns"),
        "result": _("Product + bias"),
        "col2im": _("col2im of the matrix"),
        "row_is": _("Row {row} is this window, written in one line; times column {n}, plus the bias: {sum}."),
        "copies": _("Cell ({row}, {column}) lies under {n} windows: {n} × {value} = {sum}."),
        "copies_hint": _("Point at a cell of the input to find its copies in the matrix."),
        "said": _("Row {row}, column {column}: {value}"),
    }
