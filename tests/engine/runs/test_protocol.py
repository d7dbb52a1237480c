"""Messages: what goes in comes out, and what is none is refused."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.runs import protocol

ARRAYS = st.dictionaries(
    st.text("abcdefghij", min_size=1, max_size=5),
    st.sampled_from([np.float32, np.uint8, np.int32]).flatmap(
        lambda kind: hnp.arrays(kind, hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5))
    ),
    max_size=4,
)
HEADERS = st.dictionaries(st.text("klmnop", min_size=1), st.integers(-(2**31), 2**31) | st.text() | st.none())


@given(HEADERS, ARRAYS)
def test_round_trip(header, arrays):
    got_header, got_arrays = protocol.decode(protocol.encode(header, arrays))
    assert got_header == header
    assert list(got_arrays) == list(arrays)
    for name, array in arrays.items():
        assert got_arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(got_arrays[name], array)


def test_every_array_starts_on_four_bytes():
    arrays = {"odd": np.ones(3, np.uint8), "floats": np.arange(2, dtype=np.float32)}
    message = protocol.encode({"é": 1}, arrays)
    length = int.from_bytes(message[:4], "little")
    assert length % 4 == 0
    np.testing.assert_array_equal(np.frombuffer(message[4 + length + 4 :], "<f4"), arrays["floats"])


@given(st.binary(max_size=200))
def test_garbage_is_refused(garbage):
    try:
        header, arrays = protocol.decode(garbage)
    except protocol.ProtocolError:
        return
    assert isinstance(header, dict)
    assert isinstance(arrays, dict)


@pytest.mark.parametrize(
    "head",
    [b'{"arrays": [["a", "u1", [-1]]]}', b'{"arrays": [["a", "f4", [-2, -2]]]}', b'{"arrays": [["a", "f4", [1.0]]]}',
     b'{"arrays": [["a", "f4", [1' + b"0" * 30 + b"]]]}", b"[" * 100_000],
)  # fmt: skip
def test_absurd_headers_are_refused(head):
    with pytest.raises(protocol.ProtocolError):
        protocol.decode(len(head).to_bytes(4, "little") + head + bytes(64))


def test_frames_on_a_pipe():
    pipe = io.BytesIO()
    protocol.write_frame(pipe, b"one")
    protocol.write_frame(pipe, b"")
    pipe.seek(0)
    assert protocol.read_frame(pipe) == b"one"
    assert protocol.read_frame(pipe) == b""
    assert protocol.read_frame(pipe) is None


def test_half_a_frame_is_an_end():
    assert protocol.read_frame(io.BytesIO(b"\x05\0\0\0abc")) is None


def test_an_absurd_length_is_refused():
    with pytest.raises(protocol.ProtocolError, match="4294967295 bytes"):
        protocol.read_frame(io.BytesIO(b"\xff\xff\xff\xff"))
