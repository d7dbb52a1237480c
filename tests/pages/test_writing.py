"""Numbers in sentences: as the pictures beside them write theirs."""

import pytest

from pages._ui.writing import plain


@pytest.mark.parametrize(
    ("value", "form", "said"),
    [
        (-3.25, ".6g", "−3.25"),
        (1e-7, ".6g", "1e−7"),
        (8.621e133, ".4g", "8.621e133"),
        (-2.5e16, ".4g", "−2.5e16"),
        (0.013, ".1e", "1.3e−2"),
        (3e10, ".1e", "3.0e10"),
        (2.0, ".1e", "2.0e0"),
        (-0.0001, ".3f", "0.000"),
        (100.0, ".3g", "100"),
    ],
)
def test_a_number_is_written_plainly(value, form, said):
    assert plain(value, form) == said
