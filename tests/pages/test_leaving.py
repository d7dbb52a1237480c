"""Leaving a page while its script runs: Streamlit then calls the callbacks of widgets whose values have gone."""

import pytest

from tests.pages.conftest import sentences

KINDS = ("button_group", "multiselect", "number_input", "select_slider", "selectbox", "slider", "text_input", "toggle")
LINKS = [
    ("train", {}), ("draw", {}), ("initialization", {}), ("initialization", {"part": "runs"}), ("optimizers", {}),
    ("regularization", {}), ("normalization", {}), ("gradients", {}), ("gradients", {"part": "field"}), ("search", {}),
    ("convolution", {}), ("convolution", {"part": "kernels"}), ("architectures", {}),
]  # fmt: skip


@pytest.mark.parametrize(("page", "query"), LINKS)
def test_no_widget_breaks_a_page_that_is_left_or_changes_what_it_shows(visit, page, query):
    app = visit(page, **query)
    before = dict(app.query_params)
    widgets = [widget for kind in KINDS for widget in app.get(kind) if widget.key in app.session_state]
    assert widgets
    for widget in widgets:
        widget.set_value(widget.value)
        del app.session_state[widget.key]
    app.run()
    assert (sentences(app), dict(app.query_params)) == ([], before)
