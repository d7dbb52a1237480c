"""Photos: digits written on a page are found where they are, redrawn as MNIST's are, and can be read."""

import functools
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image, ImageDraw, ImageFilter

from engine.data.datasets import load
from engine.data.handwriting import strokes_to_image
from engine.data.photo import MAX_DIGITS, find_digits
from engine.training.checkpoint import load_model
from tests.engine.data.pages import (
    FIVE,
    FOUR,
    ONE,
    SEVEN,
    digits_of,
    enlarged,
    grey_picture,
    laid_out,
    overlap,
    photographed,
    stroke_width,
    written,
)
from tests.engine.data.pendigits import PENDIGITS, read_pendigits

READER = Path(__file__).resolve().parents[4] / "assets" / "models" / "reader.safetensors"


# --- found and read ---------------------------------------------------------------------------------------------------

# How a page is laid out, how it is photographed, and how high its digits are.
CONDITIONS = {
    "one clean digit a page": ({"row": 1}, {}, 120),
    "small": ({}, {"noise": 3}, 40),
    "large": ({"row": 1}, {"noise": 3}, 400),
    "cut close": ({"row": 1, "margin": 0.05}, {}, 100),
    "a small digit on a large page": ({"row": 1, "margin": 4}, {"noise": 5}, 60),
    "uneven light and a shadow": ({}, {"slope": 0.5, "shadow": 0.6}, 100),
    "noise": ({}, {"noise": 10}, 100),
    "blurred, poor JPEG": ({}, {"blur": 2, "noise": 4, "quality": 30}, 80),
    "pale ink": ({}, {"ink": 190, "noise": 3}, 90),
    "light on dark": ({}, {"paper": 50, "ink": 220, "slope": 0.4, "shadow": 0.7, "noise": 5}, 100),
    "turned by 10°": ({"angle": 10.0}, {"noise": 3}, 90),
    "turned by −10°, two lines": ({"angle": -10.0, "lines": 2}, {"noise": 3}, 80),
    "close together": ({"gap": 0.12}, {}, 90),
    "on a desk": ({}, {"desk": 30, "noise": 4, "slope": 0.3}, 90),
    "ruled paper": ({}, {"ruled": 70, "noise": 3}, 90),
    "all at once": (
        {"angle": 6.0, "lines": 2},
        {"slope": 0.5, "shadow": 0.6, "noise": 6, "blur": 1, "quality": 60},
        90,
    ),
}


@pytest.fixture(scope="module")
def read():
    """The shipped network, as a function from pictures to digits."""
    model = load_model(READER)
    return lambda images: model.probabilities(np.stack(images)[..., np.newaxis]).argmax(axis=1)


def mnist_inks(count, height):
    mnist = load("mnist-5k")
    return [enlarged(image[..., 0], height) for image in mnist.x_test[:count]], mnist.y_test[:count]


def pen_inks(count, height):
    """Digits that the shipped network never saw: every fifth writer, pens from 5 % to 16 % of the height."""
    rng = np.random.default_rng(0)
    writers = sorted({digit.writer for digit in read_pendigits()})[4::5]
    digits = [digit for digit in read_pendigits() if digit.writer in writers][::9][:count]
    inks = [written(digit.strokes, height * rng.uniform(0.8, 1), height * rng.uniform(0.05, 0.16)) for digit in digits]
    return inks, np.array([digit.label for digit in digits])


def score(inks, labels, layout, shot, read):
    """Return the shares of pages with all digits found and in order, and of digits found where they are and read.

    Only a digit that fits its box counts as read.
    """
    layout = {"row": 6} | layout
    row = layout.pop("row")
    pages, right = [], 0
    for seed, i in enumerate(range(0, len(inks), row)):
        coverage, boxes = laid_out(inks[i : i + row], seed=seed, **layout)
        found = digits_of(photographed(coverage, seed=seed, **shot))
        desk = shot.get("desk", 0)
        fit = np.array([[overlap(np.subtract(digit.box, desk), box) for digit in found] for box in boxes])
        pages.append(fit.shape == (len(boxes), len(boxes)) and fit.diagonal().min() > 0.7)
        if found:
            same = read([digit.image for digit in found])[fit.argmax(axis=1)] == labels[i : i + row]
            right += np.count_nonzero(same & (fit.max(axis=1) > 0.7))
    return np.mean(pages), right / len(inks)


def many(condition):
    """Return the number of digits to try a condition with: fewer where each needs a picture."""
    return 16 if "row" in CONDITIONS[condition][0] else 48


without_strokes = pytest.mark.skipif(not PENDIGITS.is_file(), reason="../shared/data/pendigits is not there")


@pytest.mark.parametrize(
    ("inks", "least"),
    [(mnist_inks, 0.93), pytest.param(pen_inks, 0.9, marks=without_strokes)],
    ids=["of MNIST", "of other hands"],
)
@pytest.mark.parametrize("condition", CONDITIONS)
def test_digits_on_a_page_are_found_and_read(condition, inks, least, read):
    layout, shot, height = CONDITIONS[condition]
    pages, digits = score(*inks(many(condition), height), layout, shot, read)
    assert pages > 0.85
    assert digits > least


@without_strokes
@pytest.mark.parametrize("pen", [0.02, 0.05, 0.1, 0.15, 0.2])
def test_thin_pens_and_thick_ones_look_like_mnist_s(pen, read):
    digits = read_pendigits()[::75]
    images = []
    for i in range(0, len(digits), 10):
        coverage, _ = laid_out([written(digit.strokes, 80, 80 * pen) for digit in digits[i : i + 10]], lines=2)
        images += [found.image for found in digits_of(photographed(coverage))]
    assert len(images) == len(digits)
    assert 1.7 < np.median([stroke_width(image) for image in images]) < 3.2
    assert np.mean(read(images) == [digit.label for digit in digits]) > 0.93


@pytest.mark.parametrize("pen", [2, 8, 20, 40])
def test_a_digit_fills_20_by_20_with_its_mass_in_the_middle(pen):
    (digit,) = digits_of(photographed(laid_out([written(SEVEN, 200, pen)])[0]))
    assert (digit.image.shape, digit.image.dtype) == ((28, 28), np.uint8)
    rows, columns = np.nonzero(digit.image)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 in (19, 20, 21)
    weights = digit.image[rows, columns]
    np.testing.assert_allclose([np.average(rows, weights=weights), np.average(columns, weights=weights)], 14, atol=0.3)
    assert digit.image.max() == 255


def test_a_drawing_looks_as_on_the_pad():
    (digit,) = digits_of(photographed(laid_out([written(SEVEN, 200, 20)])[0]))
    shifts = [np.roll(digit.image, (dy, dx), (0, 1)) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    pad = strokes_to_image(SEVEN)
    assert max(np.corrcoef(shifted.ravel(), pad.ravel())[0, 1] for shifted in shifts) > 0.9


def test_pictures_of_mnist_itself_pass_unchanged():
    for image in load("mnist-5k").x_test[:50, :, :, 0]:
        for picture in (image, 255 - image):
            (digit,) = digits_of(picture)
            np.testing.assert_array_equal(digit.image, image)


# --- what belongs together, and what does not belong ------------------------------------------------------------------


@pytest.mark.parametrize("strokes", [FIVE, FOUR], ids=["five", "four"])
@pytest.mark.parametrize("pen", [3, 8])
def test_strokes_that_do_not_meet_are_one_digit(strokes, pen):
    coverage, boxes = laid_out([written(strokes, 100, pen), written(SEVEN, 100, pen), written(strokes, 100, pen)])
    found = digits_of(photographed(coverage))
    assert [overlap(digit.box, box) > 0.9 for digit, box in zip(found, boxes, strict=True)] == [True] * 3
    assert len(digits_of(photographed(laid_out([written(strokes, 100, pen)])[0]))) == 1


@pytest.mark.parametrize("angle", [0.0, 12.0, -15.0])
def test_a_turned_page_is_set_upright(angle):
    inks = [written(strokes, 80, 7) for strokes in (ONE, SEVEN, ONE, FIVE, ONE, SEVEN)]
    straight = digits_of(photographed(laid_out(inks, dance=0)[0]))
    turned = digits_of(photographed(laid_out(inks, dance=0, angle=angle)[0]))
    for a, b in zip(straight, turned, strict=True):
        shifts = [np.roll(b.image, (dy, dx), (0, 1)) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
        assert max(np.corrcoef(a.image.ravel(), shifted.ravel())[0, 1] for shifted in shifts) > 0.85


def test_a_single_digit_is_not_turned():
    (slanted,) = digits_of(photographed(laid_out([written(ONE, 80, 8)], angle=-15.0)[0]))
    assert np.ptp(np.nonzero(slanted.image > 127)[1]) > 5


def test_lines_are_read_from_top_to_bottom_and_left_to_right():
    inks = [written(strokes, 80, 7) for strokes in (ONE, SEVEN, FIVE, SEVEN, FIVE, FIVE, SEVEN, ONE, ONE)]
    for angle in (0.0, 8.0, -8.0):
        coverage, boxes = laid_out(inks, lines=3, angle=angle, dance=0.1)
        found = digits_of(photographed(coverage))
        assert min(overlap(digit.box, box) for digit, box in zip(found, boxes, strict=True)) > 0.9


def on_a_desk(coverage, angle, desk, light=0.5, seed=0):
    """Return the picture of a sheet of grey 220 that lies at an angle on a desk of another grey with a grain.

    light: how much darker the far side of the whole picture is.
    """
    rng = np.random.default_rng(seed)
    sheet, shape = (
        Image.fromarray(values.astype(np.float32)).rotate(angle, Image.Resampling.BICUBIC, expand=True)
        for values in (220 - 170 * coverage, np.ones_like(coverage))
    )
    sheet, shape = (np.pad(np.asarray(values), 90) for values in (sheet, shape))
    grain = grey_picture(rng.normal(desk, 10, sheet.shape)).filter(ImageFilter.GaussianBlur(1.5))
    picture = np.asarray(grain, float) * (1 - shape) + sheet
    return photographed(np.zeros_like(picture), paper=picture, ink=0, slope=light, noise=5, blur=0.8, seed=seed)


@pytest.mark.parametrize("angle", [0, 10, -20, 27, -35])
@pytest.mark.parametrize(("desk", "lines"), [(60, 1), (60, 2), (110, 2), (160, 1), (190, 2), (210, 1), (250, 2)])
def test_a_sheet_that_lies_at_an_angle_on_a_desk_is_read(desk, lines, angle, read):
    inks, labels = mnist_inks(6, 90)
    found = digits_of(on_a_desk(laid_out(inks, lines=lines, margin=1)[0], angle, desk))
    np.testing.assert_array_equal(read([digit.image for digit in found]), labels)


@pytest.mark.parametrize("desk", [60, 110, 160, 245])  # on a lighter one the sheet's sharp edges tell it from a shadow
@pytest.mark.parametrize("strokes", [[SEVEN], [SEVEN, FIVE]], ids=["one", "a column of two"])
def test_even_a_single_digit_is_set_upright_with_its_sheet(desk, strokes):
    coverage = laid_out([written(digit, 90, 9) for digit in strokes], lines=len(strokes), margin=1)[0]
    straight, *_ = digits_of(photographed(coverage))
    turned, *others = digits_of(on_a_desk(coverage, 30, desk))
    assert len(others) == len(strokes) - 1
    shifts = [np.roll(turned.image, (dy, dx), (0, 1)) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    assert max(np.corrcoef(straight.image.ravel(), shifted.ravel())[0, 1] for shifted in shifts) > 0.85


def darkened(picture, angle, size, centre, light, blur):
    """Return the picture with less light on a rectangle, a shadow's or an object's, that lies at an angle."""
    rectangle = Image.new("L", size, 255).rotate(angle, Image.Resampling.BICUBIC, expand=True)
    mask = Image.new("L", picture.shape[::-1])
    mask.paste(rectangle, (centre[0] - rectangle.width // 2, centre[1] - rectangle.height // 2))
    return picture * (1 - (1 - light) * np.asarray(mask.filter(ImageFilter.GaussianBlur(blur)), float) / 255)


DARK = {
    "a shadow": {"size": (520, 300), "centre": (600, 450), "light": 0.88, "blur": 6},
    "a large shadow": {"size": (900, 520), "centre": (600, 450), "light": 0.88, "blur": 6},
    "an object beside": {"size": (700, 400), "centre": (600, 1000), "light": 0.3, "blur": 1},
}


@functools.cache
def in_even_light(count, lines):
    """Return the picture of so many digits, their boxes on it, and what is found."""
    coverage, boxes = laid_out(mnist_inks(count, 80)[0], lines=lines, size=(1200, 900))
    picture = photographed(coverage)
    return picture, boxes, digits_of(picture)


@pytest.mark.parametrize("angle", [25, 35, 44, -30])
@pytest.mark.parametrize("dark", DARK)
@pytest.mark.parametrize(("count", "lines"), [(1, 1), (2, 1), (6, 1), (12, 2)])
def test_an_angled_shadow_or_object_turns_no_straight_digits(count, lines, dark, angle):
    picture, boxes, plain = in_even_light(count, lines)
    found = digits_of(darkened(picture, angle, **DARK[dark]))
    for digit, same, box in zip(found, plain, boxes, strict=True):
        assert overlap(digit.box, box) > 0.8
        shifts = [np.roll(digit.image, (dy, dx), (0, 1)) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
        assert max(np.corrcoef(same.image.ravel(), shifted.ravel())[0, 1] for shifted in shifts) > 0.9


@pytest.mark.parametrize("angle", [20, 35])
def test_a_sheet_is_no_digit_even_where_only_its_bright_half_differs_from_the_desk(angle, read):
    inks, labels = mnist_inks(5, 150)
    coverage = laid_out(inks, gap=0.9, margin=0.8)[0]
    fall = np.linspace(1, 0.4, coverage.shape[1])
    picture = on_a_desk((220 - (220 - 170 * coverage) * fall) / 170, angle, 90, light=0.0)
    found = digits_of(picture)
    np.testing.assert_array_equal(read([digit.image for digit in found]), labels)


@pytest.mark.parametrize("angle", [0, 1, 3, -12, 45])
@pytest.mark.parametrize(("desk", "light"), [(60, 0.0), (60, 0.5), (160, 0.0)])
def test_on_an_empty_sheet_there_is_no_digit_nor_is_it_one(desk, light, angle):
    """Neither the sheet as a bold sign, nor a sliver along its edge, which is like a thin “1”."""
    assert digits_of(on_a_desk(np.zeros((300, 420)), angle, desk, light=light)) == []
    assert digits_of(on_a_desk(np.zeros((420, 300)), angle, desk, light=light)) == []


@pytest.mark.parametrize(("paper", "ink"), [(235, 60), (50, 220)])
def test_a_narrow_hole_in_a_thick_digit_is_no_writing(paper, ink):
    sign = Image.new("L", (140, 180))
    draw = ImageDraw.Draw(sign)
    draw.rounded_rectangle((50, 40, 78, 124), 14, fill=255)
    draw.rounded_rectangle((62, 52, 66, 112), 2, fill=0)
    (digit,) = digits_of(photographed(np.asarray(sign) / 255, paper=paper, ink=ink))
    assert overlap(digit.box, (50, 40, 79, 125)) > 0.9


def test_the_edge_of_a_sheet_is_no_row_of_ones():
    coverage = laid_out([written(SEVEN, 150, 14), written(FIVE, 150, 14)], margin=1, size=(1100, 500))[0]
    sheet = grey_picture(220 - 170 * coverage)
    for angle in (0, 20):  # its edge a stair of sharp pixels, wider than they are in the overview
        picture = Image.new("L", (1500, 1100), 190)
        picture.paste(sheet.rotate(angle, expand=True, fillcolor=190), (100, 80))
        assert len(digits_of(np.asarray(picture, np.float32))) == 2


@pytest.mark.parametrize("shape", ["rectangle", "ellipse", "table"])
def test_a_frame_is_no_digit(shape):
    coverage, boxes = laid_out([written(SEVEN, 90, 8), written(FIVE, 90, 8)], margin=1)
    picture = grey_picture(255 * coverage)
    draw, (width, height) = ImageDraw.Draw(picture), picture.size
    frame = draw.ellipse if shape == "ellipse" else draw.rectangle
    frame([15, 15, width - 15, height - 15], outline=255, width=4)
    if shape == "table":
        middle = (boxes[0][2] + boxes[1][0]) / 2
        draw.line([middle, 15, middle, height - 15], fill=255, width=4)
    found = digits_of(photographed(np.asarray(picture) / 255))
    assert min(overlap(digit.box, box) for digit, box in zip(found, boxes, strict=True)) > 0.9


def test_specks_and_the_edge_of_the_page_are_no_digits():
    coverage, boxes = laid_out([written(SEVEN, 90, 8), written(FIVE, 90, 8)], size=(500, 300))
    coverage[10:14, 20:24] = coverage[280:285, 400:403] = 1
    coverage[:, :6] = 1  # the edge of a book
    coverage[-9:] = 1
    found = digits_of(photographed(coverage))
    assert min(overlap(digit.box, box) for digit, box in zip(found, boxes, strict=True)) > 0.9


def test_only_so_many_digits_are_returned():
    page, _ = laid_out([written(SEVEN, 30, 4)] * 60, lines=6)
    found, count = find_digits(photographed(page))
    assert len(found) == MAX_DIGITS
    assert count == 60


def test_a_large_photograph_does_not_take_long():
    coverage, boxes = laid_out([written(SEVEN, 120, 12), written(FIVE, 120, 12)] * 5, lines=2, size=(1600, 1200))
    picture = photographed(coverage, slope=0.4, noise=6, quality=70)
    times = []
    for _ in range(2):
        start = time.process_time()
        assert len(digits_of(picture)) == len(boxes)
        times.append(time.process_time() - start)
    assert min(times) < 1  # 0.25 s on a core of its own


# --- nothing to be found ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(8, 8), (28, 28), (200, 300), (700, 900)])
@pytest.mark.parametrize("kind", ["black", "white", "light", "normal", "uniform", "binary"])
def test_nothing_is_found_on_an_empty_page_or_in_noise(kind, size):
    rng = np.random.default_rng(0)
    picture = {
        "black": lambda: np.zeros(size),
        "white": lambda: np.full(size, 255.0),
        "light": lambda: np.add.outer(np.linspace(0, 90, size[0]), np.linspace(60, 120, size[1])),
        "normal": lambda: rng.normal(200, 15, size),
        "uniform": lambda: rng.uniform(0, 255, size),
        "binary": lambda: 255.0 * rng.integers(0, 2, size),
    }[kind]()
    assert digits_of(picture) == []


@settings(deadline=None, max_examples=60)
@given(
    arrays(
        st.sampled_from([np.float32, np.float64]),
        array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=40),
        elements=st.floats(allow_nan=False, allow_infinity=False, width=32) | st.sampled_from([0.0, 128.0, 255.0]),
    )
)
def test_any_finite_array_gives_a_list(picture):
    for digit in digits_of(picture):
        left, top, right, bottom = digit.box
        assert 0 <= left < right <= picture.shape[1]
        assert 0 <= top < bottom <= picture.shape[0]
        assert (digit.image.shape, digit.image.dtype) == ((28, 28), np.uint8)


@settings(deadline=None, max_examples=30)
@given(
    blocks=arrays(np.uint8, (9, 12), elements=st.sampled_from([0, 90, 255])),
    size=st.integers(1, 20),
    noise=st.sampled_from([0, 8]),
)
def test_any_heap_of_blocks_gives_a_list(blocks, size, noise):
    picture = np.kron(blocks, np.ones((size, size))) + np.random.default_rng(0).normal(0, noise, (9 * size, 12 * size))
    for digit in digits_of(picture):
        assert digit.image.any()
