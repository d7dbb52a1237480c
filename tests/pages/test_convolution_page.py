"""The convolution page without a browser: every setting of its controls, hostile addresses, uploads, and the quiz."""

from __future__ import annotations

import base64
import io
import itertools
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine import shipped
from engine.analysis.convolution import (
    KERNELS,
    avg_pool_loops,
    conv2d,
    global_average,
    im2col,
    max_pool_loops,
)
from engine.errors import InputError
from pages._ui import i18n
from pages._ui.pictures import as_url
from pages._ui.window import quiz, scenes, sources, trained
from pages._ui.window.settings import ROWS, SETTINGS
from tests.engine.textbook import conv2d_loops
from tests.pages.conftest import sentences, shows

PARTS = SETTINGS["part"].options
MNIST = Path(__file__).resolve().parents[3] / "shared" / "data" / "mnist"


def window(app):
    """Return the scene that the window was given."""
    (component,) = app.get("bidi_component")
    return json.loads(component.proto.json)["scene"]


def widget(app, kind, name):
    return next(item for item in app.get(kind) if shows(item, f"convolution_{name}"))


def options(*names):
    return itertools.product(*(SETTINGS[name].options for name in names))


def planes(picture):
    """Return (H, W, C) as (C, H, W)."""
    return np.moveaxis(picture, -1, 0)


# --- every setting ----------------------------------------------------------------------------------------------------


def test_all_settings_of_the_window_agree_with_the_loops():
    """Filters do not know of each other (see the next test), so that three of them stand for fewer."""
    kinds = itertools.cycle(options("input", "weights", "digit"))
    legal = 0
    for n, k, s, p, c in options("size", "kernel", "stride", "padding", "channels"):
        kind, weights, digit = next(kinds)
        x = sources.numbers(kind, n, c, label=digit, seed=n + k)
        weight, bias = sources.weights(weights, k, c, 3, seed=n)
        if n + 2 * p < k:
            with pytest.raises(InputError, match="does not fit"):
                scenes.convolution(x, weight, bias, stride=s, padding=p)
            continue
        legal += 1
        scene = scenes.convolution(x, weight, bias, stride=s, padding=p)
        np.testing.assert_array_equal(scene["outputs"], planes(conv2d_loops(x[None], weight, bias, s, p)[0]))
        np.testing.assert_array_equal(scene["input"], planes(x))
        np.testing.assert_array_equal(scene["weights"], weight.transpose(3, 2, 0, 1))
        assert (scene["kernel"], scene["stride"], scene["padding"], scene["bias"]) == (k, s, p, bias.tolist())
    assert legal == 9 * 5 * 3 * 4 * 3 - 3 * 3  # a kernel of 5 does not fit into 4 cells


def test_a_dilated_window_agrees_with_a_kernel_that_is_stretched_by_zeros():
    legal = 0
    for n, k, s, p, d in options("size", "kernel", "stride", "padding", "dilation"):
        x = sources.numbers("random", n, 2, seed=n + k)
        weight, bias = sources.weights("random", k, 2, 3, seed=n)
        reach = d * (k - 1) + 1
        if n + 2 * p < reach:
            with pytest.raises(InputError, match=f"A window of {reach} × {reach} does not fit"):
                scenes.convolution(x, weight, bias, stride=s, padding=p, dilation=d)
            continue
        legal += 1
        scene = scenes.convolution(x, weight, bias, stride=s, padding=p, dilation=d)
        stretched = np.zeros((reach, reach, 2, 3))
        stretched[::d, ::d] = weight
        np.testing.assert_array_equal(scene["outputs"], planes(conv2d(x[None], stretched, bias, s, p)[0]))
        assert (scene["kernel"], scene["dilation"]) == (k, d)
    assert legal > 1200


def test_fewer_filters_are_the_first_of_more():
    for kind, k, c, f in options("weights", "kernel", "channels", "filters"):
        weight, bias = sources.weights(kind, k, c, f, seed=3)
        assert weight.shape == (k, k, c, f)
        assert bias.shape == (f,)
        if kind == "edges":
            np.testing.assert_array_equal(weight, sources.weights(kind, k, c, 3)[0][..., :f])


def test_all_settings_of_pooling_agree_with_the_loops():
    for n, k, s, c in options("pool_size", "pool", "pool_stride", "pool_channels"):
        x = sources.numbers("random", n, c, seed=k)
        scene = scenes.pooling(x, k, stride=s)
        np.testing.assert_array_equal(scene["largest"], planes(max_pool_loops(x[None], k, s)[0]))
        np.testing.assert_array_equal(scene["mean"], planes(avg_pool_loops(x[None], k, s)[0]))
        np.testing.assert_array_equal(scene["overall"], global_average(x[None])[0])


def test_all_settings_of_the_matrix_agree_with_the_loops():
    names = (f"matrix_{name}" for name in ("size", "kernel", "stride", "padding", "channels", "filters"))
    for n, k, s, p, c, f in options(*names):
        x = sources.numbers("random", n, c, seed=f)
        weight, bias = sources.weights("random", k, c, f, seed=n)
        scene = scenes.as_matrix(x, weight, bias, stride=s, padding=p)
        product = np.array(scene["matrix"]) @ weight.reshape(-1, f) + bias
        np.testing.assert_array_equal(product, conv2d_loops(x[None], weight, bias, s, p).reshape(-1, f))
        np.testing.assert_array_equal(scene["matrix"], im2col(x[None], k, s, p))
        windows = np.zeros((n + 2 * p, n + 2 * p))
        for i, j in itertools.product(range(0, n + 2 * p - k + 1, s), repeat=2):
            windows[i : i + k, j : j + k] += 1
        np.testing.assert_array_equal(scene["back"], planes(x) * windows[p : p + n, p : p + n])


@pytest.mark.parametrize(("kind", "channels"), [*itertools.product(SETTINGS["input"].options, (1, 3))])
def test_what_lies_under_the_window_is_whole_numbers(kind, channels):
    x = sources.numbers(kind, 8, channels, label=9, seed=1)
    assert x.shape == (8, 8, channels)
    np.testing.assert_array_equal(x, np.rint(x))
    assert 0 <= x.min() < x.max() <= 14


def test_a_digit_in_cells_is_the_mean_of_its_pixels():
    picture = sources.digit(7).astype(np.float64)
    mean = picture.reshape(4, 7, 4, 7).mean(axis=(1, 3))
    np.testing.assert_allclose(sources.numbers("digit", 4, 1, label=7)[..., 0], 9 * mean / mean.max(), atol=0.55)


# --- the page ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("part", "language"), [*itertools.product(PARTS, ("en", "ja"))])
def test_every_part_opens_without_a_word(visit, part, language):
    app = visit("convolution", language, part=part)
    assert sentences(app) == []
    assert len(app.button) >= 3  # what to try
    assert len(app.get("bidi_component")) == (part in ("window", "pooling", "im2col", "runs"))


def test_the_window_shows_what_the_address_says(visit):
    app = visit("convolution", size="5", kernel="2", stride="2", padding="1", channels="2", filters="3", input="ramp")
    assert sentences(app) == []
    scene = window(app)
    assert np.shape(scene["input"]) == (2, 5, 5)
    assert np.shape(scene["weights"]) == (3, 2, 2, 2)
    assert np.shape(scene["outputs"]) == (3, 3, 3)
    assert r"\frac{5 + 2 \cdot 1 - 2}{2}" in app.latex[0].value
    assert "= 3" in app.latex[0].value
    assert any("= **27**" in text.value for text in app.markdown)  # 2·2·2·3 + 3
    assert any("Pale cells" in text.value for text in app.caption)


def test_dilation_is_in_the_formula_and_in_what_is_said_of_pale_cells(visit):
    app = visit("convolution", size="8", kernel="3", stride="2", dilation="2")
    assert sentences(app) == []
    assert np.shape(window(app)["outputs"]) == (1, 2, 2)
    assert r"\frac{8 + 2 \cdot 0 - 2 \cdot 2 - 1}{2}" in app.latex[0].value
    assert "= 2 " in app.latex[0].value
    assert [it.value for it in app.caption if "pale" in it.value] == ["No weight ever lies on the pale cells."]
    app = visit("convolution", size="4", kernel="5", dilation="3", padding="3")
    assert "A window of 13 × 13 does not fit into 10 × 10 cells" in sentences(app)[0]


@pytest.mark.parametrize("view", ["mistakes", "precision"])
@pytest.mark.parametrize(("language", "said"), [("en", "among those that the network learned from"), ("ja", "99.61%")])
def test_digits_that_the_reader_learned_from_are_not_called_unseen(visit, view, language, said):
    app = visit("convolution", language, part="network", view=view)
    assert sentences(app) == []
    (caption,) = [text.value for text in app.caption if said in text.value]
    assert all(number in caption for number in ("1,000", "10,000", "99.61%", "39"))
    assert not any("test digits" in text.value or "テスト用" in text.value for text in app.markdown)


def test_the_figures_of_unseen_digits_are_those_beside_the_network():
    wrong = f"{1 - trained.WRONG / trained.TESTED:.4f}  MNIST's {trained.TESTED:,} test digits"
    assert wrong in shipped.PATH.with_suffix(".txt").read_text()


@pytest.mark.skipif(not MNIST.is_dir(), reason="needs ../shared/data/mnist")
def test_all_of_mnist_is_what_the_reader_is_tried_on_where_it_is_at_hand(visit, monkeypatch):
    monkeypatch.setenv("KASANE_DATA", str(MNIST.parent))
    app = visit("convolution", part="network", view="mistakes")
    assert sentences(app) == []
    said = f"Of the {trained.TESTED:,} test digits of MNIST the reader names {trained.WRONG} wrongly."
    assert said in [text.value for text in app.markdown]
    assert not any("learned from" in text.value for text in app.caption)


def test_a_window_that_does_not_fit_is_answered_in_one_sentence_and_comes_back_when_it_does(visit):
    app = visit("convolution", size="4")
    widget(app, "button_group", "kernel").set_value(5).run()
    (said,) = sentences(app)
    assert said.startswith("A window of 5 × 5 does not fit into 4 × 4 cells:")
    assert not app.get("bidi_component")
    assert widget(app, "slider", "size")  # the way out is still there
    widget(app, "button_group", "padding").set_value(1).run()
    assert sentences(app) == []
    assert window(app)["kernel"] == 5
    assert sentences(visit("convolution", size="4", kernel="5")) == [said]  # by its address, too


HOSTILE = {
    "too much": ("size", "13"),
    "huge": ("kernel", "9" * 400),
    "negative": ("stride", "-1"),
    "no number": ("padding", "<script>alert(1)</script>"),
    "a fraction": ("channels", "1.5"),
    "not finite": ("filters", "nan"),
    "empty": ("size", ""),
    "another digit one": ("kernel", "３"),
    "no such name": ("input", "../../etc/passwd"),
    "no such part": ("part", "window_part"),
    "markup": ("weights", "**edges**{0}"),
    "braces": ("named", "{field.__class__}"),
    "no such size": ("named_size", "4"),
    "a boolean": ("relu", "True"),
}


@pytest.mark.parametrize(("name", "value"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_address_is_answered_in_one_sentence(visit, name, value):
    app = visit("convolution", **{name: value})
    (said,) = sentences(app)
    assert said.startswith(SETTINGS[name].label)
    assert "must be" in said
    assert len(said) < 250
    assert app.session_state["convolution"][name] == SETTINGS[name].default
    assert name not in app.query_params
    assert sentences(app.run()) == []  # said once


def test_the_address_says_what_differs_from_the_default(visit):
    app = visit("convolution")
    assert dict(app.query_params) == {"lang": "en"}
    widget(app, "selectbox", "input").set_value("ramp").run()
    widget(app, "slider", "size").set_value(6).run()
    assert sentences(app) == []
    assert dict(app.query_params) == {"lang": "en", "size": "6", "input": "ramp"}
    assert np.shape(window(app)["input"]) == (1, 6, 6)
    widget(app, "slider", "size").set_value(8).run()
    assert "size" not in app.query_params


@pytest.mark.parametrize(("part", "name", "value"), [("pooling", "pool", "3"), ("kernels", "relu", "1")])
def test_a_link_shows_the_same_again(visit, part, name, value):
    app = visit("convolution", part=part, **{name: value})
    assert {"part": part, name: value}.items() <= dict(app.query_params).items()
    assert str(app.session_state["convolution"][name]) == value


def test_settings_of_one_part_survive_a_visit_to_another(visit):
    app = visit("convolution", kernel="4")
    widget(app, "button_group", "part").set_value("quiz").run()
    widget(app, "button_group", "part").set_value("window").run()
    assert sentences(app) == []
    assert window(app)["kernel"] == 4


@pytest.mark.parametrize(("n", "shape"), [(0, (2, 10, 10)), (1, (1, 5, 5)), (2, (2, 4, 4))])
def test_what_to_try_sets_the_controls_from_anywhere(visit, n, shape):
    app = visit("convolution", part="quiz", padding="3", stride="3", kernel="5")
    app.button(key=f"try_{n}").click().run()
    assert sentences(app) == []
    assert np.shape(window(app)["outputs"]) == shape
    (component,) = app.get("bidi_component")
    assert json.loads(component.proto.json)["attention"] == 1


def test_new_numbers_are_other_numbers(visit):
    app = visit("convolution", input="random", weights="random")
    before = window(app)
    app.button(key="new_numbers").click().run()
    after = window(app)
    assert before["input"] != after["input"]
    assert before["weights"] != after["weights"]
    assert app.query_params["seed"] == "1"


def test_no_new_numbers_where_nothing_is_random(visit):
    assert not [button for button in visit("convolution").button if button.key == "new_numbers"]


# --- kernels of one's own ---------------------------------------------------------------------------------------------


def table(app):
    """Return the numbers in the kernel's table."""
    fields = [item for item in app.number_input if item.key.startswith("weight_")]
    return np.array([item.value for item in fields]).reshape(int(len(fields) ** 0.5), -1)


@pytest.mark.parametrize("name", KERNELS)
def test_a_known_kernel_is_what_the_table_starts_with(visit, name):
    app = visit("convolution", part="kernels", named=name)
    assert sentences(app) == []
    np.testing.assert_array_equal(table(app), KERNELS[name].numbers[3])
    assert next(item for item in app.number_input if item.key.startswith("divisor")).value == KERNELS[name].divisor(3)
    assert len(app.get("image")) == 2


def test_a_kernel_without_a_larger_form_stays_small(visit):
    app = visit("convolution", part="kernels", named="emboss", named_size="5")
    assert sentences(app) == ["This kernel is usually written 3 × 3."]
    assert table(app).shape == (3, 3)


def test_a_changed_number_changes_the_picture(visit):
    app = visit("convolution", part="kernels", named="identity")
    picture = sources.digit(7) / 255
    assert f"to {picture.max():.2f}" in caption(app)
    app.number_input(key="weight_identity_3_1_1").set_value(-2.0).run()
    assert sentences(app) == []
    assert f"from −{2 * picture.max():.2f} to 0.00" in caption(app).replace("−0.00", "0.00")
    app.number_input(key="divisor_identity_3").set_value(4).run()
    assert f"from −{picture.max() / 2:.2f}" in caption(app)


def test_changed_numbers_outlive_whatever_is_shown_in_between(visit):
    app = visit("convolution", part="kernels", named="sobel_x")
    changed = KERNELS["sobel_x"].numbers[3].copy()
    changed[0, 0] = 5
    app.number_input(key="weight_sobel_x_3_0_0").set_value(5.0).run()
    app.number_input(key="divisor_sobel_x_3").set_value(2)  # what was typed last is heard of with the other part

    for name, other, back in (("picture", "upload", "digit"), ("part", "quiz", "kernels"), ("named_size", "5", "3")):
        widget(app, "button_group", name).set_value(other).run()
        assert not [item for item in app.number_input if item.key == "weight_sobel_x_3_0_0"]
        widget(app, "button_group", name).set_value(back).run()
        np.testing.assert_array_equal(table(app), changed)
        assert app.number_input(key="divisor_sobel_x_3").value == 2


def pixels(url):
    """Return the picture in a data: address."""
    head, data = url.split(",")
    assert head == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


@pytest.mark.parametrize(("name", "size"), [("sobel_x", "3"), ("gauss", "5"), ("laplace", "5")])
def test_the_pictures_are_the_input_and_its_convolution(visit, name, size):
    app = visit("convolution", part="kernels", named=name, named_size=size, digit="4", same="0")
    before, after = (pixels(image.proto.imgs[0].url) for image in app.get("image"))
    np.testing.assert_array_equal(before, sources.digit(4))
    known, k = KERNELS[name], int(size)
    weight = (known.numbers[k] / known.divisor(k))[:, :, None, None]
    y = conv2d_loops(sources.digit(4)[None, :, :, None] / 255, weight)[0, :, :, 0]
    assert np.abs(after.astype(int) - sources.in_colour(y)).max() <= 1  # rounding of the last digit


def caption(app):
    """Return the words under the second picture."""
    return app.get("image")[1].proto.imgs[0].caption


@pytest.mark.parametrize(("same", "size"), [("1", 28), ("0", 26)])
def test_padding_keeps_the_size(visit, same, size):
    app = visit("convolution", part="kernels", same=same)
    assert caption(app).startswith(f"Output, {size} × {size},")


def test_relu_leaves_nothing_below_zero(visit):
    assert "from −" in caption(visit("convolution", part="kernels"))
    assert "from 0.00" in caption(visit("convolution", part="kernels", relu="1"))


def test_without_a_drawing_there_is_a_way_to_make_one(visit):
    app = visit("convolution", part="kernels", picture="drawing")
    assert sentences(app) == []
    assert app.get("page_link")
    assert not app.get("image")


def test_a_drawing_is_taken_from_the_pad(visit):
    app = visit("convolution", part="kernels", picture="drawing")
    app.session_state["kept_drawing"] = {"strokes": [[[80.0, 70.0], [200.0, 70.0], [120.0, 220.0]]]}
    app.run()
    assert sentences(app) == []
    assert len(app.get("image")) == 2


@pytest.mark.parametrize(
    "strokes", [5, "abc", {"strokes": []}, [[["0", "1"]]], [[[float("nan"), 1.0]]], [[[0, 0]] * 50_000], [[[1e9, 0]]]]
)
def test_a_forged_drawing_is_answered_in_one_sentence(visit, strokes):
    app = visit("convolution", part="kernels", picture="drawing")
    app.session_state["kept_drawing"] = {"strokes": strokes}
    (said,) = sentences(app.run())
    assert said.endswith(".")
    assert len(said) < 200


def png(array):
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("shape", "reduced"),
    [((50, 80), (50, 80)), ((400, 100), (200, 50)), ((900, 3000, 3), (60, 200)), ((8, 9), (8, 9))],
)
def test_an_uploaded_picture_is_grey_and_no_larger_than_shown(shape, reduced):
    rng = np.random.default_rng(0)
    picture = sources.uploaded(png(rng.integers(0, 256, shape).astype(np.uint8)))
    assert picture.dtype == np.uint8
    assert picture.shape == reduced


def truncated():
    whole = png(np.zeros((60, 60), np.uint8))
    return whole[: len(whole) // 2]


def bomb():
    file = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(file, "PNG")
    return file.getvalue()


def tiff():
    file = io.BytesIO()
    Image.new("L", (9, 9)).save(file, "TIFF")
    return file.getvalue()


NO_PICTURES = {
    "text": lambda: b"no picture",
    "empty": bytes,
    "half": truncated,
    "large": bomb,
    "tiff": tiff,
    "tiny": lambda: png(np.zeros((7, 7), np.uint8)),
}


@pytest.mark.parametrize("make", NO_PICTURES.values(), ids=NO_PICTURES)
def test_what_is_no_picture_is_answered_in_one_sentence(make):
    with pytest.raises(InputError) as error:
        sources.uploaded(make())
    assert str(error.value).endswith(".")
    assert len(str(error.value)) < 200


def test_colours_tell_the_sign():
    colours = sources.in_colour(np.array([[-2.0, -1.0, 0.0, 1.0]])).astype(int)[0]
    red, faint_red, white, faint_blue = colours
    assert red[0] > red[2] + 100
    assert faint_red[0] > faint_red[2] > red[2]
    np.testing.assert_array_equal(white, 247)
    assert faint_blue[2] > faint_blue[0]
    np.testing.assert_array_equal(sources.in_colour(np.zeros((2, 2))), 247)


@pytest.mark.parametrize("shape", [(28, 28), (1, 7), (200, 120, 3)])
def test_a_picture_is_whole_in_its_address(shape):
    picture = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    np.testing.assert_array_equal(pixels(as_url(picture)), picture)


# --- the quiz ---------------------------------------------------------------------------------------------------------


def measured(question):
    """Return the answer by doing what the question describes, on arrays."""
    it = question.numbers
    x = np.zeros((it.get("b", 1), it.get("n", 1), it.get("n", 1), it.get("c", 1)))
    weight = np.zeros((it.get("k", 3), it.get("k", 3), it.get("c", 1), it.get("f", 1)))
    match question.name:
        case "size":
            return conv2d(x, weight, None, it["s"], it["p"]).shape[1]
        case "same":
            return next(p for p in range(9) if conv2d(x, weight, None, 1, p).shape == x.shape)
        case "parameters":
            return weight.size + it["f"]
        case "pooled":
            return max_pool_loops(conv2d(x, weight), 2, 2).size
        case "matrix":
            rows, columns = im2col(x, it["k"]).shape
            assert (rows, columns) == (it["rows"], it["columns"])
            return rows
        case "dilated":
            stretched = np.zeros((2 * it["d"] + 1, 2 * it["d"] + 1, 1, 1))
            stretched[:: it["d"], :: it["d"]] = 1
            assert stretched.sum() == 9
            return conv2d(x, stretched).shape[1]


@pytest.mark.parametrize("seed", list(range(0, 100, 7)))
def test_the_answers_are_right(seed):
    for question in quiz.questions(seed):
        assert measured(question) == question.answer, question


def sections(language):
    text = (i18n.ASSETS / "guide" / language / "convolution.md").read_text("utf-8")
    return dict(part.split("\n", 1) for part in text.split("\n# ")[1:])


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_guide_asks_and_answers_with_every_number_in_place(language):
    for seed in range(20):
        for question in quiz.questions(seed):
            asked, worked = quiz.filled(sections(language)[question.name], question).split("\n---\n")
            assert f"**{question.answer}**" in worked
            assert f"**{question.answer}**" not in asked
            for name in question.numbers:
                assert "{" + name + "}" not in asked + worked
            assert not re.search(r"(?<![\\}_^a-z]){[a-z]+}", asked)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_what_the_quiz_asks_about_is_explained_where_the_window_is(language):
    explained = sections(language)["window"]
    for word in {"en": ["stride", "padding", "dilation"], "ja": ["ストライド", "パディング", "ダイレーション"]}[
        language
    ]:
        assert f"**{word}**" in explained.lower()
    assert "$d(k-1) + 1$" in explained
    assert "$d(k-1) + 1 =" in sections(language)["dilated"]


def test_one_is_followed_by_no_plural():
    for seed in range(20):
        for question in quiz.questions(seed):
            assert not re.search(r"\b1 [a-z]+s\b", quiz.filled(sections("en")[question.name], question))


@pytest.mark.parametrize("language", ["en", "ja"])
def test_each_side_of_a_worked_equation_has_symbols_or_numbers(language):
    """A blank among symbols is a symbol in braces, as of LaTeX, taken for one."""
    for question in quiz.questions(0):
        blank = "{(?:" + "|".join([*question.numbers, "answer"]) + ")}"
        worked = sections(language)[question.name].split("\n---\n")[1]
        sides = [side for formula in re.findall(r"\$(.+?)\$", worked) for side in formula.split("=")]
        assert sides
        for side in sides:
            symbols = re.findall("[A-Za-z]", re.sub(blank + r"|\\[A-Za-z]+", "", side))
            assert not (symbols and re.search(blank, side)), side


def test_the_guides_have_the_same_sections_and_blanks():
    english, japanese = sections("en"), sections("ja")
    assert list(english) == list(japanese)
    assert {*PARTS} - {"runs", "network"} | {"filters", "mistakes", "precision"} <= set(english)
    for question in quiz.questions(0):
        for name in question.numbers:
            blank = "{" + name + "}"
            assert (blank in english[question.name]) == (blank in japanese[question.name]), (question.name, name)
    for name in english:  # the same equations
        assert re.findall(r"\$\$(.+?)\$\$", english[name], re.S) == re.findall(r"\$\$(.+?)\$\$", japanese[name], re.S)


def test_right_and_wrong_answers_are_told_apart(visit):
    app = visit("convolution", part="quiz")
    asked = quiz.questions(0)
    assert len(asked) == 6
    for question, right in zip(asked, itertools.cycle((True, False)), strict=False):
        app.number_input(key=f"quiz_{question.name}_0").set_value(question.answer + (not right))
    app.run()
    assert sentences(app) == []
    verdicts = [text.value for text in app.markdown if "✓" in text.value or "✗" in text.value]
    assert [("✓" in verdict) for verdict in verdicts] == [True, False] * 3


def test_other_numbers_ask_again(visit):
    app = visit("convolution", part="quiz")
    first = quiz.questions(0)[0]
    app.number_input(key=f"quiz_{first.name}_0").set_value(first.answer).run()
    app.button(key="new_numbers").click().run()
    assert sentences(app) == []
    assert not [text for text in app.markdown if "✓" in text.value]
    assert app.number_input(key=f"quiz_{first.name}_1").value is None


def test_answers_outlive_another_part_another_page_and_other_numbers(visit):
    app = visit("convolution", part="quiz")
    first, *others = (f"quiz_{question.name}_0" for question in quiz.questions(0))
    app.number_input(key=first).set_value(11).run()
    widget(app, "button_group", "part").set_value("pooling").run()
    widget(app, "button_group", "part").set_value("quiz").run()
    assert app.number_input(key=first).value == 11
    app.switch_page("../normalization.py").run()
    app.switch_page("../convolution.py").run()
    assert app.number_input(key=first).value == 11
    assert [app.number_input(key=key).value for key in others] == [None] * 5
    app.button(key="new_numbers").click().run()
    app.button(key="new_numbers").click().run()
    app.number_input(key=f"quiz_{quiz.questions(2)[0].name}_2").set_value(5).run()
    assert sentences(app) == []
    assert len([text for text in app.markdown if "✓" in text.value or "✗" in text.value]) == 1


# ---------------------------------------------------------------------------------------------------- published rows


@pytest.mark.parametrize("row", ROWS)
def test_every_row_is_reached_by_its_link_and_keeps_it(visit, row):
    app = visit("convolution", preset=row)
    assert sentences(app) == []
    assert app.query_params["preset"] == [row] or app.query_params["preset"] == row
    assert {name: app.session_state["convolution"][name] for name in ROWS[row]} == ROWS[row]


def test_an_unknown_row_is_said_to_be_none(visit):
    app = visit("convolution", preset="ch99")
    assert any("ch99" in text and "ch07-filters" in text for text in sentences(app))


def test_many_clicks_that_carry_the_address_of_before_all_count(visit):
    """On a slow line the browser hears of no new address between them."""
    app = visit("convolution", part="quiz")
    before = dict(app.query_params)
    for _ in range(25):
        app.query_params = dict(before)
        app.button(key="new_numbers").click().run()
    assert app.session_state["convolution"]["seed"] == 25
