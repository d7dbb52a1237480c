"""Picture files: whatever kind shows the same digit, and what is none is refused in one sentence."""

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from engine.data.picture import PictureError, load_picture
from engine.errors import InputError
from tests.engine.data.pages import SEVEN, digits_of, saved


def sheet(mode="L", ink=0, paper=255, size=(280, 280)):
    picture = Image.new(mode, size, paper)
    for stroke in SEVEN:
        ImageDraw.Draw(picture).line([(60 + 1.5 * x, 60 + 1.5 * y) for x, y in stroke], fill=ink, width=14)
    return picture


def transparent(ink):
    return sheet("RGBA", (ink, ink, ink, 255), (0, 0, 0, 0))


FILES = {
    "png": saved(sheet()),
    "jpeg": saved(sheet(), "JPEG"),
    "webp": saved(sheet(), "WEBP"),
    "bmp": saved(sheet(), "BMP"),
    "gif": saved(sheet(), "GIF"),
    "colour": saved(sheet("RGB", (0, 0, 90), (250, 250, 220))),
    "cmyk": saved(sheet().convert("CMYK"), "JPEG"),
    "1 bit": saved(sheet().convert("1")),
    "palette": saved(sheet().convert("P")),
    "16 bits": saved(Image.fromarray(np.asarray(sheet()).astype(np.uint16) * 257)),
    "grey and alpha": saved(sheet().convert("LA")),
    "black on nothing": saved(transparent(0)),
    "white on nothing": saved(transparent(255)),
    "palette with alpha": saved(transparent(0).convert("P")),
    "webp with alpha": saved(transparent(0), "WEBP", lossless=True),
    "animated gif": saved(sheet(), "GIF", save_all=True, append_images=[Image.new("L", (280, 280), n) for n in (0, 9)]),
    "large": saved(sheet().resize((3000, 3000))),
    "light on dark": saved(sheet(ink=255, paper=0)),
}


@pytest.mark.parametrize("name", FILES)
def test_every_kind_of_file_shows_the_same_digit(name):
    picture = load_picture(FILES[name])
    assert picture.dtype == np.float32
    assert 0 <= picture.min() < 100 < 150 < picture.max() <= 255
    assert max(picture.shape) <= 1600
    (digit,) = digits_of(picture)
    (plain,) = digits_of(np.asarray(sheet()))
    assert np.corrcoef(digit.image.ravel(), plain.image.ravel())[0, 1] > 0.95
    np.testing.assert_allclose(np.divide(digit.box, picture.shape[0]), np.divide(plain.box, 280), atol=0.01)


def test_the_camera_s_orientation_is_obeyed():
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90° clockwise
    turned = sheet(size=(280, 320)).transpose(Image.Transpose.ROTATE_90)
    for file in (saved(turned, "JPEG", exif=exif), saved(turned, exif=exif)):
        picture = load_picture(file)
        assert picture.shape == (320, 280)
        np.testing.assert_allclose(picture, np.asarray(sheet(size=(280, 320))), atol=100)
        assert np.abs(picture - np.asarray(sheet(size=(280, 320)))).mean() < 2


def test_a_telephone_s_large_jpeg_is_decoded_at_a_fraction_of_its_size():
    large = sheet().resize((7000, 6000))
    small = {"save_all": True, "append_images": [sheet()]}  # as telephones add one for a depth or a preview
    for data in (saved(large, "JPEG"), saved(large.convert("RGB"), "JPEG"), saved(large, "MPO", **small)):
        picture = load_picture(data)
        assert picture.shape == (1371, 1600)
        assert len(digits_of(picture)) == 1


def with_jpeg_header(width, height, **options):
    """A JPEG of 280×280 pixels whose header claims others."""
    content = bytearray(saved(sheet(), "JPEG", **options))
    frame = content.index(b"\xff\xc2" if options else b"\xff\xc0")
    content[frame + 5 : frame + 9] = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return bytes(content)


def in_several_scans(width, height):
    """A JPEG that is not progressive, whose colours each have a scan of their own."""
    content = bytearray(saved(sheet("RGB", (0, 0, 90), (250, 250, 220)), "JPEG"))
    frame, scan = content.index(b"\xff\xc0"), content.index(b"\xff\xda")
    content[frame + 5 : frame + 9] = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    content[scan : scan + 14] = bytes([0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0])
    return bytes(content)


def with_odd_segment(width, height):
    """A JPEG with a byte between its segments, which decoders skip."""
    content = with_jpeg_header(width, height)
    table = content.index(b"\xff\xdb")
    return content[:table] + b"\xff" + content[table:]


def with_header(width, height):
    """A PNG of 8×8 pixels whose header claims others."""
    content = bytearray(saved(Image.new("1", (8, 8))))
    content[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    return bytes(content)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "must be a whole PNG, JPEG, WebP, BMP or GIF picture; this one is not"),
        (b"a letter, not a picture\n" * 100, "must be a whole PNG"),
        (FILES["png"][:400], "must be a whole PNG"),
        (FILES["jpeg"][:1500], "must be a whole PNG"),
        (FILES["webp"][:300], "must be a whole PNG"),
        (FILES["gif"][:300], "must be a whole PNG"),
        (saved(sheet(), "TIFF"), "must be a whole PNG"),
        (with_header(7000, 6000), "at most 40 million pixels; it has 7000×6000"),
        (with_jpeg_header(60_000, 700), "at most 40 million pixels; it has 60000×700"),  # too flat to be reduced
        (with_jpeg_header(7000, 6000, progressive=True), "at most 40 million pixels; it has 7000×6000"),
        (in_several_scans(7000, 6000), "at most 40 million pixels; it has 7000×6000"),
        (with_odd_segment(7000, 6000), "at most 40 million pixels; it has 7000×6000"),
        (with_jpeg_header(65_000, 65_000), "at most 40 million pixels; it has far more"),
        (with_header(100_000, 100_000), "at most 40 million pixels; it has far more"),
        (saved(Image.new("L", (7, 100))), "at least 8×8 pixels; it has 7×100"),
        (FILES["png"] + bytes(20_000_000), r"at most 20 MB; it has 20\.0"),
    ],
    ids=[
        "empty",
        "text",
        "png",
        "jpeg",
        "webp",
        "gif",
        "tiff",
        "large",
        "flat jpeg",
        "progressive jpeg",
        "jpeg in several scans",
        "jpeg with an odd segment",
        "huge jpeg",
        "huge",
        "tiny",
        "long",
    ],
)
def test_what_is_no_picture_is_refused_in_one_sentence(data, sentence):
    with pytest.raises(PictureError, match=sentence) as caught:
        load_picture(data)
    assert isinstance(caught.value, InputError)
    assert str(caught.value).count(".") - str(caught.value).count("20.0") == 1


@settings(deadline=None, max_examples=60)
@given(name=st.sampled_from(["png", "jpeg", "webp", "bmp", "gif"]), at=st.integers(0, 600), value=st.integers(0, 255))
def test_a_file_with_one_changed_byte_gives_a_picture_or_one_sentence(name, at, value):
    changed = bytearray(FILES[name])
    changed[at] = value
    try:
        picture = load_picture(bytes(changed))
    except PictureError:
        return
    assert picture.ndim == 2
    assert np.isfinite(picture).all()
