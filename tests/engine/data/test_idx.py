"""IDX files: what is written is read again, and whatever is damaged is named in one sentence."""

import functools
import gzip
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.data.idx import DatasetError, read_idx
from tests.engine.data.idx import write_idx

zipped = functools.partial(gzip.compress, mtime=0)  # without a date, which would become part of a test's name
relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("name", ["a-idx", "a-idx.gz"])
@pytest.mark.parametrize("shape", [(0,), (7,), (3, 28, 28), (2, 0, 5)])
def test_round_trip(tmp_path, name, shape):
    array = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    write_idx(tmp_path / name, array)
    np.testing.assert_array_equal(read_idx(tmp_path / name), array)


def test_compression_is_told_by_content_and_not_by_name(tmp_path):
    write_idx(tmp_path / "a.gz", np.arange(5, dtype=np.uint8))
    (tmp_path / "a.gz").rename(tmp_path / "a")
    np.testing.assert_array_equal(read_idx(tmp_path / "a"), np.arange(5))


def header(kind, *shape):
    return struct.pack(f">HBB{len(shape)}I", 0, kind, len(shape), *shape)


WHOLE = header(8, 4) + bytes(4)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "not an IDX file"),
        (b"\0\0\x08", "not an IDX file"),
        (b"PK\x03\x04....", "begins with 50 4b 03 04"),
        (header(0x0D, 4) + bytes(16), r"unsigned bytes \(type 0x08\), but holds type 0x0d"),
        (header(8, 2, 2) + bytes(4), "1 axis .* or 3 axes .*, but has 2"),
        (header(8), "but has 0"),
        (header(8, 4, 4, 4)[:9], "ends within its header"),
        (header(8, 4) + bytes(3), "announces 4 values, but holds fewer"),
        (header(8, 4) + bytes(5), "announces 4 values, but holds more"),
        (header(8, 2**32 - 1, 2**32 - 1, 2**32 - 1), "4294967295 × 4294967295 × 4294967295 values, but at most"),
        (header(8, 2**30), "announces 1073741824 values, but holds fewer"),
        (zipped(header(8, 2**30)), "announces 1073741824 values, but holds fewer"),
        (zipped(WHOLE)[:-9], "damaged or cut short"),
        (zipped(WHOLE)[:-6] + bytes(6), "damaged or cut short"),
        (zipped(WHOLE) + b"more", "damaged or cut short"),
        (zipped(WHOLE)[:10] + b"\xff" * 20, "damaged or cut short"),
        (zipped(WHOLE + bytes(10**6)), "holds more"),
    ],
)
def test_damaged_files_are_refused_in_one_sentence(tmp_path, content, sentence):
    file = tmp_path / "labels-idx"
    file.write_bytes(content)
    with pytest.raises(DatasetError, match=sentence) as caught:
        read_idx(file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_absent_file_and_folder(tmp_path):
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(DatasetError, match="could not be read"):
            read_idx(path)


def read_anything(path, content):
    path.write_bytes(content)
    try:
        array = read_idx(path)
    except DatasetError:
        return
    assert array.dtype == np.uint8
    assert array.ndim in (1, 3)


@relaxed
@given(prefix=st.sampled_from([b"", b"\0\0\x08\x01", b"\0\0\x08\x03", b"\x1f\x8b\x08\0"]), tail=st.binary(max_size=64))
def test_arbitrary_bytes_give_an_array_or_a_dataset_error(tmp_path, prefix, tail):
    read_anything(tmp_path / "a", prefix + tail)
    read_anything(tmp_path / "a", zipped(prefix + tail))


@relaxed
@given(at=st.integers(0, 40), value=st.integers(0, 255), end=st.integers(0, 60))
def test_one_changed_byte_in_a_gzip_file(tmp_path, at, value, end):
    content = bytearray(zipped(header(8, 2, 3, 4) + bytes(range(24))))
    content[min(at, len(content) - 1)] = value
    read_anything(tmp_path / "a", bytes(content[: len(content) - end]))
