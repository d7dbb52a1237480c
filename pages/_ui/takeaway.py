"""What a person takes away from a run: its network as a file, and its experiment as a command, a notebook, a script."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from engine import build, export
from engine.runs.pool import Pool, Run
from engine.training.checkpoint import load_model, network_only
from pages._ui.i18n import _, translate
from pages._ui.reading.network import of_run

OPEN = "taking_away"  # in the session's state: a dialog ends with the script's run that drew it, this one goes on


def button() -> None:
    """Draw the button that opens it."""
    st.button(
        _("Export"), icon=":material/download:", key="take_away", on_click=_open,
        help=_("The network as a file, the experiment as PyTorch code, as a notebook and as a command."),
    )  # fmt: skip


def show(pool: Pool, run: Run) -> None:
    """Show what there is, if the button was pressed."""
    if st.session_state.get(OPEN):
        st.dialog(_("Export"), width="large", on_dismiss=close)(_content)(pool, run)


def close() -> None:
    """Show it no longer."""
    st.session_state.pop(OPEN, None)


def _open() -> None:
    st.session_state[OPEN] = True


def _content(pool: Pool, run: Run) -> None:
    st.markdown(_("**The trained network**"))
    network = of_run(pool, run.id)
    if network:
        with st.container(horizontal=True):
            _download("kasane.safetensors", lambda: network_only(network.weights()))
            _download("kasane.onnx", lambda: export.to_onnx(load_model(network.weights())))
            _download("kasane-layers.csv", lambda: export.to_csv(load_model(network.weights())))
        st.caption(
            _(
                "safetensors: for Kasane's Draw page and command line. ONNX: for other programs; it takes examples "
                "as the data set has them. CSV: the layers, their shapes and parameters."
            )
        )
    else:
        st.caption(_("Train it for a moment: there is nothing learned yet."))
    st.markdown(_("**The experiment**"))
    if _trains_otherwise(run):
        st.caption(_("Settings were changed while it trained; here they are as they are now."))
    script = export.to_pytorch(run.experiment, translate)
    with st.container(horizontal=True):
        _download("kasane_pytorch.py", script)
        _download("kasane.ipynb", export.to_notebook(run.experiment, translate))
    st.caption(_("On the command line, in Kasane's folder:"))
    words = ["python -m engine train", run.experiment.to_settings(), "--out kasane.safetensors"]
    st.code(" ".join(filter(None, words)), "bash", wrap_lines=True)
    st.caption(_("In PyTorch, to be run as it is, in Google Colab too:"))
    st.code(script, "python", height=360)


def _trains_otherwise(run: Run) -> bool:
    """Tell whether what is taken away would train in another way than this run did: more steps alone are no other."""
    before, now = run.initial, run.experiment
    return now != before.replace(steps=now.steps) or build.build_schedule(now) != build.build_schedule(before)


def _download(name: str, content: str | Callable[[], str | bytes]) -> None:
    """Draw the button that downloads a file; what can be called is called at the press. The page does not run again."""
    st.download_button(name, content, name, icon=":material/download:", on_click="ignore", key=f"take_{name}")
