"""Numbers in sentences and tables, written as in the pictures (served/numbers.js): −3, 1e−7."""

from __future__ import annotations

import re


def plain(value: float, form: str = ".6g") -> str:
    """Return a number with a real minus sign, none before 0, and no plus sign or zeros in its power of ten.

    form: as for Python's `format`.
    """
    text = re.sub(r"e\+?(-?)0*(?=\d)", r"e\1", f"{value:{form}}")
    return (text if float(text) else text.lstrip("-")).replace("-", "−")
