"""Pages that digits are written on, and the pictures that a camera takes of them."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from engine.data.photo import MAX_DIGITS, find_digits
from engine.data.picture import load_picture

FIVE = [[(22, 14), (14, 52), (50, 48), (66, 74), (48, 104), (10, 108)], [(32, 8), (72, 4)]]  # its bar apart
SEVEN = [[(10, 10), (80, 14), (40, 110)], [(24, 60), (70, 58)]]
FOUR = [[(30, 0), (4, 60), (70, 62)], [(55, 72), (50, 110)]]  # its foot apart
ONE = [[(20, 0), (16, 100)]]


def digits_of(picture):
    """Return the digits that are found, whose number is told too."""
    found, count = find_digits(picture)
    assert len(found) == min(count, MAX_DIGITS)
    return found


def written(strokes, height, pen):
    """Return the ink of strokes as coverage 0 … 1, `height` pixels on the longer side without the pen."""
    fine = 3
    points = np.concatenate([np.asarray(stroke, float) for stroke in strokes])
    low, side = points.min(axis=0), np.ptp(points, axis=0).max()
    edge = pen / 2 + 2
    size = (points.max(axis=0) - low) * height / side + 2 * edge
    picture = Image.new("L", tuple(int(n * fine) + 1 for n in size))
    draw = ImageDraw.Draw(picture)
    radius = fine * pen / 2
    for stroke in strokes:
        line = ((np.asarray(stroke, float) - low) * height / side + edge) * fine
        draw.line([tuple(point) for point in line], fill=255, width=round(2 * radius), joint="curve")
        for x, y in line:
            draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=255)
    return np.asarray(picture.reduce(fine)) / 255


def enlarged(image, height):
    """Return an MNIST digit as coverage, `height` pixels on the longer side."""
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    cut = Image.fromarray(image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    size = tuple(max(1, round(n * height / max(cut.size))) for n in cut.size)
    return np.pad(np.asarray(cut.resize(size, Image.Resampling.BICUBIC)) / 255, 2)


def laid_out(inks, lines=1, gap=0.4, margin=0.5, angle=0.0, size=(0, 0), dance=0.05, seed=0):
    """Return the coverage of a page with the digits in lines, and their boxes.

    gap, margin and dance (of the digits up and down) in digit heights; angle: of the page, in degrees counterclockwise;
    size: least width and height.
    """
    rng = np.random.default_rng(seed)
    h = max(ink.shape[0] for ink in inks)
    row = -(-len(inks) // lines)
    placed, x, width = [], 0, 0
    for i, ink in enumerate(inks):
        x = margin * h if i % row == 0 else x + gap * h
        y = (margin + 1.5 * (i // row) + 0.5 + rng.uniform(-dance, dance)) * h - ink.shape[0] / 2
        placed.append((int(x), max(0, int(y)), ink))
        x += ink.shape[1]
        width = max(width, int(x + margin * h))
    height = int((2 * margin + 1.5 * lines - 0.5) * h) + 2
    a = np.radians(abs(angle))
    page_width = max(size[0], int(width * np.cos(a) + height * np.sin(a)))
    page_height = max(size[1], int(width * np.sin(a) + height * np.cos(a)))
    dx, dy = (page_width - width) // 2, (page_height - height) // 2
    page, boxes = np.zeros((page_height, page_width)), []
    for x, y, ink in placed:
        alone = Image.new("L", (page_width, page_height))
        alone.paste(Image.fromarray(np.rint(255 * ink).astype(np.uint8)), (x + dx, y + dy))
        alone = np.asarray(alone.rotate(angle, Image.Resampling.BICUBIC)) / 255
        rows, columns = np.flatnonzero((alone > 0.5).any(axis=1)), np.flatnonzero((alone > 0.5).any(axis=0))
        boxes.append((columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
        page = np.maximum(page, alone)
    return page, boxes


def photographed(
    coverage, *, paper=235, ink=60, slope=0.0, shadow=1.0, noise=0.0, blur=0.0, quality=0, desk=0, ruled=0, seed=0
):
    """Return the picture that a camera takes of a page: float32 (H, W).

    slope: how much darker the far side is. shadow: the light within a shadow that falls over a part of the page.
    noise: standard deviation. quality: of JPEG, 0 without. desk: pixels of dark desk around. ruled: pitch of lines.
    """
    rng = np.random.default_rng(seed)
    if ruled:
        coverage = coverage.copy()
        coverage[ruled // 2 :: ruled] = np.maximum(coverage[ruled // 2 :: ruled], 0.4)
    picture = np.pad(paper + (ink - paper) * coverage, desk, constant_values=70)
    y, x = (np.indices(picture.shape).T / picture.shape).T - 0.5
    a, b, c = rng.uniform(0, 2 * np.pi), rng.uniform(0, 2 * np.pi), rng.uniform(-0.15, 0.15)
    fall = x * np.cos(a) + y * np.sin(a)
    edge = 1 / (1 + np.exp(-60 * (x * np.cos(b) + y * np.sin(b) - c)))
    picture = picture * (1 - slope * (fall - fall.min()) / np.ptp(fall)) * (shadow + (1 - shadow) * edge)
    picture = np.asarray(grey_picture(picture).filter(ImageFilter.GaussianBlur(blur)), np.float32)
    picture = np.clip(picture + rng.normal(0, noise, picture.shape), 0, 255)
    return load_picture(saved(grey_picture(picture), "JPEG", quality=quality)) if quality else picture


def grey_picture(grey):
    return Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8))


def saved(picture, format="PNG", **options):
    buffer = io.BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def overlap(a, b):
    """Return intersection over union of two boxes."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    both = max(0, width) * max(0, height)
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def stroke_width(image):
    """Twice the area over the perimeter."""
    ink = np.pad(image > 127, 1)
    edges = sum(np.count_nonzero(np.diff(ink, axis=axis)) for axis in (0, 1))
    return 2 * np.count_nonzero(ink) / (np.pi / 4 * edges)
