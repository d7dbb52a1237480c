"""Convolution: the window travels over the numbers, and what it computes can be followed digit by digit."""

import numpy as np
import streamlit as st

from engine.analysis.convolution import conv2d, is_all_seen, output_size, parameter_count
from pages._ui.comparison.comparison import Figure
from pages._ui.i18n import _
from pages._ui.lesson import Lesson, beside
from pages._ui.numberfield import number_field
from pages._ui.window import scenes, sources, trained, workbench
from pages._ui.window.quiz import filled, questions
from pages._ui.window.settings import TRIES, chosen, control, controls, settings
from pages._ui.window.window import window
from pages._ui.writing import plain

lesson = Lesson(settings, compared=["runs"])


def window_part() -> None:
    """The window over numbers: a sum at every place."""
    random = "random" in (chosen("input"), chosen("weights"))
    lies = "size", "kernel", "stride", "padding", "dilation"
    controls(*lies, "channels", "filters")
    controls("input", *digit(), "weights", new=random)
    n, k, s, p, d = (chosen(name) for name in lies)
    c, f, seed = chosen("channels"), chosen("filters"), chosen("seed")
    x = sources.numbers(chosen("input"), n, c, label=chosen("digit"), seed=seed)
    weight, bias = sources.weights(chosen("weights"), k, c, f, seed=seed)
    scene = scenes.convolution(x, weight, bias, stride=s, padding=p, dilation=d)
    picture, words = beside(2.2, gap="medium")
    with picture:
        window(scene, key="window", attention=lesson.attention())
    with words:
        size_formula(n, k, s, p, d)
        units = output_size(n, k, s, p, d) ** 2 * f
        st.markdown(
            _(
                "Parameters: k·k·C·F + F = {k}·{k}·{c}·{f} + {f} = **{count}**, whatever the size of the input. "
                "A dense layer from this input to this output would have {dense}."
            ).format(count=parameter_count(k, c, f), k=k, c=c, f=f, dense=f"{(n * n * c + 1) * units:,}")
        )
        lesson.explain("window")


def kernels_part() -> None:
    """A kernel of one's own over a picture."""
    controls("picture", *digit("picture"), "named", "named_size", "same", "relu")
    grey = workbench.picture()
    if grey is None:
        return
    before, between, after = st.columns([2, 1.6, 2], gap="medium")
    with between:
        weight = workbench.kernel()
    k = len(weight)
    y = conv2d(grey[None, :, :, None] / 255, weight[:, :, None, None], padding=chosen("same") * (k // 2))[0, :, :, 0]
    if chosen("relu"):
        y = np.maximum(y, 0)
    with before:
        workbench.show(grey, _("Input, {height} × {width}").format(height=len(grey), width=len(grey[0])))
    with after:
        low, high = (plain(value, ".2f") for value in (y.min(), y.max()))
        caption = _("Output, {height} × {width}, from {low} to {high}: red is negative, blue positive, white 0.")
        caption = caption.format(height=len(y), width=len(y[0]), low=low, high=high)
        workbench.show(sources.in_colour(y), caption)
        rows = "\n".join(",".join(f"{value:.6g}" for value in row) for row in y)
        st.download_button(_("Download as CSV"), rows, "kasane-kernel.csv", "text/csv", icon=":material/download:")
    lesson.explain("kernels")


def pooling_part() -> None:
    """The window over numbers once more, without weights."""
    random = chosen("input") == "random"
    controls("pool_size", "pool", "pool_stride", "pool_channels", "input", *digit(), new=random)
    n, k, s, c = (chosen(name) for name in ("pool_size", "pool", "pool_stride", "pool_channels"))
    x = sources.numbers(chosen("input"), n, c, label=chosen("digit"), seed=chosen("seed"))
    picture, words = beside(2.2, gap="medium")
    with picture:
        window(scenes.pooling(x, k, stride=s), key="pooling")
    with words:
        size_formula(n, k, s, 0)
        lesson.explain("pooling")


def im2col_part() -> None:
    """The same convolution as a product of two matrices."""
    controls(*(f"matrix_{name}" for name in ("size", "kernel", "stride", "padding", "channels", "filters")), new=True)
    n, k, s, p, c, f = (
        chosen(f"matrix_{name}") for name in ("size", "kernel", "stride", "padding", "channels", "filters")
    )
    x = sources.numbers("random", n, c, seed=chosen("seed"))
    weight, bias = sources.weights("random", k, c, f, seed=chosen("seed"))
    window(scenes.as_matrix(x, weight, bias, stride=s, padding=p), key="im2col")
    lesson.explain("im2col")


def quiz_part() -> None:
    """Questions with numbers of their own for every seed, answered by the engine."""
    lesson.explain("quiz")
    controls(new=True)
    seed = chosen("seed")
    for n, question in enumerate(questions(seed), start=1):
        asked, worked = filled(lesson.text(question.name), question).split("\n---\n")
        with st.container(border=True, gap="small"):
            left, right = st.columns([3, 1], vertical_alignment="center")
            left.markdown(f"**{n}.** {asked.strip()}")
            key = f"quiz_{question.name}_{seed}"
            with right:
                answer = number_field(
                    _("Answer to question {n}").format(n=n), None, None, None, 1, key=key,
                    label_visibility="collapsed", placeholder=_("Your answer"),
                )  # fmt: skip
            verdict = _(":green[✓ Right]") if answer == question.answer else _(":red[✗ Not yet]")
            right.markdown(verdict if answer is not None else "&nbsp;")
            with st.expander(_("The way to the answer"), key=f"{key}_way"):  # another question's starts closed
                st.markdown(worked.strip())


def network_part() -> None:
    """A network that has learned its kernels: what became of them, its mistakes, and the precision it needs."""
    control("view", label_visibility="collapsed")
    if chosen("view") == "filters":
        trained.filters()
        lesson.explain("filters")
    elif chosen("view") == "mistakes":
        trained.mistakes()
        lesson.explain("mistakes")
    else:
        trained.precision()
        lesson.explain("precision")


def runs_part() -> None:
    """The published convolutional networks, trained here."""
    lesson.compare(control("experiment"), Figure(("loss", "accuracy", "filters", "layers")))


def digit(source: str = "input") -> list[str]:
    """Name the control of the digit where one is shown."""
    return ["digit"] * (chosen(source) == "digit")


def size_formula(n: int, k: int, s: int, p: int, d: int = 1) -> None:
    """Draw the formula of the output's size with these numbers in it."""
    reach, numbers = ("k", f"{k}") if d == 1 else ("d(k - 1) - 1", rf"{d} \cdot {k - 1} - 1")
    st.latex(
        rf"\begin{{aligned}} H' &= \left\lfloor \frac{{n + 2p - {reach}}}{{s}} \right\rfloor + 1 \\"
        rf"&= \left\lfloor \frac{{{n} + 2 \cdot {p} - {numbers}}}{{{s}}} \right\rfloor + 1 "
        rf"= {output_size(n, k, s, p, d)} \end{{aligned}}"
    )
    unseen = not is_all_seen(n, k, s, p, d)
    pale = _("Pale cells are never under the window.") if d == 1 else _("No weight ever lies on the pale cells.")
    said = [_("Hatched cells are padding.")] * bool(p) + [pale] * unseen
    st.caption(" ".join(said))


PARTS = {
    "window": window_part,
    "kernels": kernels_part,
    "pooling": pooling_part,
    "im2col": im2col_part,
    "network": network_part,
    "runs": runs_part,
    "quiz": quiz_part,
}

lesson.open(_("Convolution"), _("What does a convolution compute?"))
lesson.show(PARTS)
lesson.close(TRIES)
