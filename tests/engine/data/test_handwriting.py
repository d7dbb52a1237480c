"""Handwriting: redrawn as a textbook would, whatever the canvas, and nothing from outside is believed unread."""

import contextlib
import io
import itertools
import json
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from engine.data import handwriting
from engine.data.datasets import load
from engine.data.handwriting import (
    PEN,
    SOFTNESS,
    image_to_input,
    parse_strokes,
    read_jsonl,
    strokes_to_image,
)
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


def test_the_pen_can_be_chosen():
    thin, thick = (strokes_to_image(SEVEN, pen=pen) for pen in (1.0, 4.0))
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
    drawings = read_jsonl(file)
    assert len(drawings) == 3
    assert drawings[1] == []
    np.testing.assert_array_equal(strokes_to_image(drawings[2]), strokes_to_image(SEVEN))


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (b"{", "line 2: this is not a JSON object"),
        (b"\xff\xfe", "line 2: this is not a JSON object"),
        (b"[" * 100_000, "line 2: this is not a JSON object"),
        (b"[]", 'line 2: a drawing must be an object with "strokes"; received'),
        (b'{"width": 280}', "line 2: a drawing must be an object"),
        (b'{"strokes": [[[1, NaN]]]}', r"line 2: strokes\[0\]\[0\] must be two numbers"),
        (b'{"strokes": [[[1, 1e999]]]}', r"line 2: strokes\[0\]\[0\] must be two numbers"),
        (b'{"strokes": 3}', "line 2: strokes must be a list"),
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


# --- pictures ---------------------------------------------------------------------------------------------------------


def sheet(strokes=SEVEN, width=10, size=(280, 280), ink=0, paper=255, mode="L"):
    """The drawing as a paint program shows it."""
    picture = Image.new(mode, size, paper)
    draw = ImageDraw.Draw(picture)
    for stroke in strokes:
        draw.line([tuple(point) for point in stroke], fill=ink, width=width, joint="curve")
    return picture


def likeness(a, b):
    """The correlation of two pictures."""
    return np.corrcoef(a.ravel(), b.ravel())[0, 1]


@pytest.fixture(scope="module")
def mnist():
    return load("mnist-5k").x_test[:200, :, :, 0]


def test_mnist_s_own_pictures_pass_unchanged(mnist):
    for image in mnist:
        np.testing.assert_array_equal(image_to_input(Image.fromarray(image)), image)
        np.testing.assert_array_equal(image_to_input(Image.fromarray(255 - image)), image)


def test_mnist_s_pictures_survive_enlargement_and_another_place(mnist):
    found = []
    for image in mnist[:50]:
        page = Image.new("L", (500, 400), 240)
        page.paste(Image.fromarray(240 - image // 2).resize((224, 224), Image.Resampling.BICUBIC), (200, 30))
        found.append(likeness(image_to_input(page), image))
    assert np.median(found) > 0.9
    assert min(found) > 0.6


@pytest.mark.parametrize("width", [1, 2, 5, 10, 16])
@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (255, 0), (90, 200)])
def test_the_pen_of_a_picture_matters_little(width, ink, paper):
    image = image_to_input(sheet(width=width, ink=ink, paper=paper))
    assert (image.shape, image.dtype) == ((28, 28), np.uint8)
    assert max(box(image)) in (19, 20, 21)
    np.testing.assert_allclose(centre_of_mass(image), 14, atol=0.3)
    assert image.max() == 255
    drawn = strokes_to_image(SEVEN)
    assert 0.8 < image.sum() / drawn.sum() < 1.25
    shifts = [np.roll(image, (dy, dx), (0, 1)) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    assert max(likeness(shifted, drawn) for shifted in shifts) > 0.85


def save(picture, format="PNG", **options):
    buffer = io.BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def transparent(ink):
    return sheet(mode="RGBA", ink=(ink, ink, ink, 255), paper=(0, 0, 0, 0))


@pytest.mark.parametrize(
    "content",
    [
        save(sheet(mode="RGB", ink=(0, 0, 90), paper=(250, 250, 220))),
        save(sheet(), "JPEG", quality=40),
        save(sheet(mode="RGB", ink=(0, 0, 0), paper=(255, 255, 255)).convert("CMYK"), "JPEG"),
        save(sheet().convert("1")),
        save(sheet().convert("P")),
        save(sheet().convert("LA")),
        save(transparent(0)),
        save(transparent(255)),
        save(transparent(0).convert("P")),
        save(Image.fromarray(np.asarray(sheet()).astype(np.uint16) * 257)),
        save(sheet(size=(3000, 2500), strokes=[[(10 * x, 10 * y) for x, y in stroke] for stroke in SEVEN], width=100)),
    ],
    ids=["colour", "jpeg", "cmyk", "1 bit", "palette", "grey+alpha", "black ink", "white ink", "p+alpha", "16", "big"],
)
def test_every_kind_of_file_shows_the_same_digit(tmp_path, content):
    file = tmp_path / "seven"
    file.write_bytes(content)
    image = image_to_input(file)
    assert image.max() == 255
    assert likeness(image, image_to_input(sheet())) > 0.9


def test_an_open_file_is_read_too():
    np.testing.assert_array_equal(image_to_input(io.BytesIO(PNG)), image_to_input(sheet()))
    with pytest.raises(InputError, match="is not a whole PNG"):
        image_to_input(io.BytesIO(b"no picture"))


def test_grains_finer_than_the_result():
    grains = np.zeros((1000, 1000), np.uint8)
    grains[100:900:200, 100:900:200] = 255
    assert image_to_input(Image.fromarray(grains)).any()


@pytest.mark.parametrize("slope", [(0.5, 0), (-0.6, 0.6), (0, -1)])
@pytest.mark.parametrize("inverted", [False, True])
def test_light_may_fall_from_one_side(slope, inverted):
    y, x = np.indices((280, 280)) / 280
    light = slope[0] * y + slope[1] * x
    light = (light - light.min() + 0.8) / 2
    photograph = np.rint(light * np.where(np.asarray(sheet(width=8)) > 0, 240, 60))
    photograph += np.random.default_rng(0).normal(0, 3, photograph.shape)
    photograph = np.clip(255 - photograph if inverted else photograph, 0, 255).astype(np.uint8)
    assert likeness(image_to_input(Image.fromarray(photograph)), image_to_input(sheet(width=8))) > 0.93


def test_ink_may_touch_the_border():
    tight = sheet().crop((54, 54, 205, 236))
    assert likeness(image_to_input(tight), image_to_input(sheet())) > 0.98


def test_the_camera_s_orientation_is_obeyed(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90° clockwise
    turned = sheet().transpose(Image.Transpose.ROTATE_90)
    (tmp_path / "turned.jpg").write_bytes(save(turned, "JPEG", exif=exif))
    assert likeness(image_to_input(tmp_path / "turned.jpg"), image_to_input(sheet())) > 0.95


@pytest.mark.parametrize(
    "picture",
    [
        Image.new("L", (50, 50), 255),
        Image.new("L", (50, 50), 0),
        Image.new("L", (1, 1), 7),
        Image.new("L", (1, 40), 7),
        Image.new("RGBA", (50, 50), (0, 0, 0, 0)),
        Image.fromarray(np.random.default_rng(0).normal(245, 3, (60, 60)).astype(np.uint8)),
    ],
)
def test_an_empty_sheet_is_black(picture):
    image = image_to_input(picture)
    assert (image.shape, image.dtype) == ((28, 28), np.uint8)
    assert not image.any()


@settings(deadline=None)
@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    seed=st.integers(0, 2**32 - 1),
    level=st.sampled_from([2, 256]),
)
def test_any_small_picture_gives_an_input(size, seed, level):
    noise = np.random.default_rng(seed).integers(0, level, size) * (255 // (level - 1))
    image = image_to_input(Image.fromarray(noise.astype(np.uint8)))
    assert (image.shape, image.dtype) == ((28, 28), np.uint8)


@pytest.mark.parametrize("content", [save(sheet()), save(sheet(), "JPEG")], ids=["png", "jpeg"])
def test_a_file_that_is_cut_short(tmp_path, content):
    file = tmp_path / "cut.png"
    for length in (0, 3, 20, 100, len(content) // 2, len(content) - 40):
        file.write_bytes(content[:length])
        with pytest.raises(InputError, match=r"cut\.png is not a whole PNG or JPEG picture"):
            image_to_input(file)


@relaxed
@given(at=st.integers(0, 200), value=st.integers(0, 255))
def test_a_file_with_one_changed_byte_gives_an_input_or_one_sentence(tmp_path, at, value):
    for content in (PNG, JPEG):
        changed = bytearray(content)
        changed[at] = value
        (tmp_path / "a").write_bytes(changed)
        with contextlib.suppress(InputError):
            assert image_to_input(tmp_path / "a").shape == (28, 28)


PNG, JPEG = save(sheet()), save(sheet(), "JPEG")


def test_what_is_no_picture(tmp_path):
    (tmp_path / "a.gif").write_bytes(save(sheet(), "GIF"))
    (tmp_path / "b.png").write_text("no picture")
    for name in ("a.gif", "b.png"):
        with pytest.raises(InputError, match="is not a whole PNG or JPEG"):
            image_to_input(tmp_path / name)
    for path in (tmp_path, tmp_path / "absent.png"):
        with pytest.raises(InputError, match="could not be read"):
            image_to_input(path)


@pytest.mark.parametrize("size", [(7000, 6000), (12_000, 12_000), (20_000, 20_000)])
def test_a_picture_too_large_is_refused_before_it_is_decoded(tmp_path, monkeypatch, size):
    content = bytearray(save(Image.new("1", (8, 8))))
    content[16:24] = b"".join(n.to_bytes(4, "big") for n in size)
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    (tmp_path / "large.png").write_bytes(content)
    with pytest.raises(InputError, match=r"large\.png is too large: at most 40 million pixels"):
        image_to_input(tmp_path / "large.png")


def test_thickness_of_lines():
    for width in (3, 9):
        for line in ([(20, 20), (260, 20)], [(20, 30), (250, 260)]):
            ink = np.asarray(sheet([line], width=width)) < 128
            assert handwriting._thickness(ink) == pytest.approx(width, rel=0.3)
