"""Handwriting: redrawn as a textbook would, whatever the canvas, and nothing from outside is believed unread."""

import itertools
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from engine.data import handwriting
from engine.data.datasets import load
from engine.data.handwriting import PEN, SOFTNESS, parse_strokes, read_jsonl, strokes_to_image
from engine.errors import InputError
from tests.engine.data.pendigits import PENDIGITS, read_pendigits

relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

SEVEN = [[(60, 60), (140, 60), (200, 62), (150, 140), (110, 230)], [(90, 140), (180, 138)]]


def box(image, level=0):
    rows, columns = np.nonzero(image > level)
    return np.ptp(rows) + 1, np.ptp(columns) + 1


def centre_of_mass(image):
    rows, columns = np.indices(image.shape)
    return (rows * image).sum() / image.sum(), (columns * image).sum() / image.sum()


# --- strokes ----------------------------------------------------------------------------------------------------------


def textbook(strokes):
    """The same picture from the distance of every pixel to every segment, centred by the segments' lengths."""
    strokes = [np.asarray(stroke, float) for stroke in strokes]
    scale = (20 - PEN - SOFTNESS) / np.ptp(np.concatenate(strokes), axis=0).max()
    segments = [(a * scale, b * scale) for stroke in strokes for a, b in itertools.pairwise(stroke)]
    centre = np.average([(a + b) / 2 for a, b in segments], axis=0, weights=[np.hypot(*(b - a)) for a, b in segments])
    image = np.zeros((28, 28))
    for i, j in np.ndindex(28, 28):
        pixel = np.array([j, i]) - 14 + centre
        distances = []
        for a, b in segments:
            t = np.clip(np.dot(pixel - a, b - a) / np.dot(b - a, b - a), 0, 1)
            distances.append(np.hypot(*(a + t * (b - a) - pixel)))
        image[i, j] = 255 * np.clip((PEN / 2 + SOFTNESS / 2 - min(distances)) / SOFTNESS, 0, 1)
    return image


def test_it_is_the_textbook_distance_from_segments():
    image, expected = strokes_to_image(SEVEN), textbook(SEVEN)
    # 255 / SOFTNESS = 196 levels a pixel; 0.2 pixels at a corner
    np.testing.assert_allclose(image, expected, atol=40)
    assert np.abs(image - expected).mean() < 2


def test_no_drawing_is_black():
    for strokes in ([], [[]], [[], []]):
        image = strokes_to_image(strokes)
        assert image.shape == (28, 28)
        assert not image.any()


@pytest.mark.parametrize("strokes", [[[(5, 5)]], [[(5, 5), (5, 5)]], [[(5, 5)], [(5, 5)]]])
def test_a_dot_is_a_dot_in_the_middle(strokes):
    image = strokes_to_image(strokes)
    assert image[14, 14] == 255
    assert max(box(image)) <= np.ceil(PEN + SOFTNESS)
    np.testing.assert_allclose(centre_of_mass(image), 14, atol=0.01)


def test_two_dots_are_two_dots():
    image = strokes_to_image([[(0, 0)], [(100, 0)]])
    assert not image[:, 14].any()
    assert box(image)[1] in (19, 20, 21)
    assert image.max() > 200


@pytest.mark.parametrize(("line", "axis"), [([(50, 10), (50, 200)], 0), ([(10, 50), (200, 50)], 1)])
def test_a_line_without_width_has_the_pen_s(line, axis):
    image = strokes_to_image([line])
    size = box(image)
    assert size[axis] in (19, 20, 21)
    assert size[1 - axis] in (3, 4)
    across = image.sum(axis=axis) / 255 / 20
    assert across.sum() == pytest.approx(PEN, abs=0.25)


coordinate = st.floats(-10_000, 10_000, allow_nan=False)
drawing = st.lists(st.lists(st.tuples(coordinate, coordinate), max_size=12), max_size=5)


@settings(deadline=None)
@given(strokes=drawing)
@example(strokes=[[(0, 0), (5e-324, 0)]])
@example(strokes=[[(0, 0), (1e-300, 1e-300)]])
@example(strokes=[[(-10_000, 0)] * 3 + [(10_000, 0)] * 9])
def test_every_drawing_gives_a_picture_with_its_ink_inside(strokes):
    image = strokes_to_image(strokes)
    assert (image.shape, image.dtype) == ((28, 28), np.uint8)
    if any(strokes):
        assert image.max() >= 200
        assert max(box(image, 8)) <= 21


@settings(deadline=None)
@given(zoom=st.floats(0.05, 20), dx=st.floats(-3000, 3000), dy=st.floats(-3000, 3000), noise=st.integers(0, 2**32 - 1))
def test_size_and_place_on_the_canvas_do_not_matter(zoom, dx, dy, noise):
    rng = np.random.default_rng(noise)
    strokes = [rng.uniform(0, 280, size=(n, 2)) for n in (6, 1, 9)]
    moved = [stroke * zoom + [dx, dy] for stroke in strokes]
    np.testing.assert_allclose(strokes_to_image(moved), strokes_to_image(strokes).astype(int), atol=2)


def test_how_often_the_pad_reports_the_pen_does_not_matter():
    fine = [
        np.stack([np.interp(np.linspace(0, len(s) - 1, 500), range(len(s)), np.array(s)[:, k]) for k in (0, 1)], axis=1)
        for s in SEVEN
    ]
    np.testing.assert_allclose(strokes_to_image(fine), strokes_to_image(SEVEN).astype(int), atol=40)


def test_a_thicker_pen_fills_the_same_box(monkeypatch):
    def drawn(pen):
        monkeypatch.setattr(handwriting, "PEN", pen)
        return strokes_to_image(SEVEN)

    thin, thick = drawn(1.0), drawn(4.0)
    assert thick.sum() > 2.5 * thin.sum()
    assert abs(max(box(thick)) - max(box(thin))) <= 1


@pytest.mark.skipif(not PENDIGITS.is_file(), reason="../shared/data/pendigits is not there")
def test_who_knows_only_mnist_can_read_what_hands_drew():
    """The nearest of 4,000 MNIST digits names the drawing: a bound that needs no trained network."""
    digits = read_pendigits()
    assert (len(digits), len({digit.writer for digit in digits})) == (7494, 30)
    assert (digits[0].label, digits[0].writer, digits[0].number) == (8, 12, 224)
    digits = digits[::15]
    drawn = np.stack([strokes_to_image(digit.strokes).ravel() for digit in digits]) / np.float32(255)
    mnist = load("mnist-5k")
    known = mnist.x_train.reshape(-1, 784) / np.float32(255)
    nearest = ((known**2).sum(axis=1) - 2 * drawn @ known.T).argmin(axis=1)
    assert np.mean(mnist.y_train[nearest] == [digit.label for digit in digits]) > 0.80


# --- what comes from a browser ----------------------------------------------------------------------------------------


def test_strokes_are_parsed():
    strokes = parse_strokes([[[1, 2], [3.5, -4]], [], ([5, 6],)])
    assert [stroke.tolist() for stroke in strokes] == [[[1, 2], [3.5, -4]], [[5, 6]]]
    assert all(stroke.dtype == np.float64 for stroke in strokes)
    assert parse_strokes([]) == []


deep = [0]
for _ in range(5000):
    deep = [deep]


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (None, "strokes must be a list of strokes; received None"),
        ("strokes", "must be a list of strokes"),
        ({"0": []}, "must be a list of strokes"),
        ([1], r"strokes\[0\] must be a list of points \[x, y\]; received 1"),
        ([[], "ab"], r"strokes\[1\] must be a list of points"),
        ([[[0, 0], 7]], r"strokes\[0\]\[1\] must be two numbers .* from −10,000 to 10,000; received 7"),
        ([["ab"]], r"strokes\[0\]\[0\] must be two numbers"),
        ([[[1, 2, 3]]], r"received \[1, 2, 3\]"),
        ([[[1]]], r"received \[1\]"),
        ([[[1, "2"]]], r"received \[1, '2'\]"),
        ([[[1, None]]], "None"),
        ([[[True, 2]]], "True"),
        ([[[1, float("nan")]]], "nan"),
        ([[[1, float("inf")]]], "inf"),
        ([[[1, 10_000.5]]], "10000.5"),
        ([[[-(10**400), 0]]], "must be two numbers"),
        ([[[10**5000, 0]]], "must be two numbers"),
        ([[["x" * 10**6, 0]] + [["", 0]] * 19_000], r"strokes\[0\]\[0\]"),
        ([[[0, 0]]] * 201, "at most 200 strokes; received 201"),
        ([[[0, 0]] * 10_001] * 2, "at most 20000 points in all; received 20002 or more"),
        (deep, "strokes"),
        ([[[deep, 0]]], "strokes"),
    ],
    ids=range(22),
)
def test_bad_strokes_are_named(value, sentence):
    with pytest.raises(InputError, match=sentence) as caught:
        parse_strokes(value)
    assert len(str(caught.value)) < 200


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=2), children, max_size=2),
    max_leaves=20,
)


@settings(deadline=None)
@given(value=anything | st.lists(st.lists(st.lists(st.integers() | st.floats(), min_size=2, max_size=2))))
def test_any_json_gives_strokes_or_one_sentence(value):
    try:
        strokes = parse_strokes(value)
    except InputError:
        return
    assert strokes_to_image(strokes).shape == (28, 28)


def test_jsonl_is_read(tmp_path):
    file = tmp_path / "drawings.jsonl"
    one = {"width": 280, "height": 280, "strokes": SEVEN}
    text = json.dumps(one) + "\n\n" + json.dumps({"strokes": []}) + "\r\n" + json.dumps(one)
    file.write_bytes(b"\xef\xbb\xbf" + text.encode())
    pictures = read_jsonl(file)
    assert len(pictures) == 3
    assert not pictures[1].any()
    np.testing.assert_array_equal(pictures[2], strokes_to_image(SEVEN))


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (b"{", "line 2: this is not a JSON object"),
        (b"\xff\xfe", "line 2: this is not a JSON object"),
        (b"[" * 100_000, "line 2: this is not a JSON object"),
        (b"[]", "line 2: this is not a JSON object"),
        (b'{"width": 280}', "line 2: a drawing must be an object"),
        (b'{"strokes": [[[1, NaN]]]}', r"line 2: strokes\[0\]\[0\] must be two numbers"),
        (b'{"strokes": [[[1, 1e999]]]}', r"line 2: strokes\[0\]\[0\] must be two numbers"),
        (b'{"strokes": 3}', "line 2: strokes must be a list"),
        (b'{"strokes": [], "picture": 3}', "line 2: picture must be 28 × 28 bytes in base64, not 3"),
    ],
)
def test_a_bad_line_is_named(tmp_path, line, sentence):
    file = tmp_path / "drawings.jsonl"
    file.write_bytes(b'{"strokes": []}\n' + line + b"\n")
    with pytest.raises(InputError, match=sentence) as caught:
        read_jsonl(file)
    assert "drawings.jsonl" in str(caught.value)


def test_an_absent_jsonl_file(tmp_path):
    with pytest.raises(InputError, match="could not be read"):
        read_jsonl(tmp_path / "absent.jsonl")


def test_the_sentence_of_a_line_can_be_translated_whole(tmp_path):
    file = tmp_path / "a.jsonl"
    file.write_text("no")
    with pytest.raises(InputError) as caught:
        read_jsonl(file)
    seen = []
    caught.value.text.render(lambda message: seen.append(message) or message)
    assert len(seen) == 2
