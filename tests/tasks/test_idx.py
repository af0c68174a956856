"""The IDX reader: files come back exactly, and what is not exactly an IDX file is refused by name and reason."""

import gzip
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npnet.tasks import read_idx


def packed_images(images):
    return struct.pack(">4I", 2051, *images.shape) + images.tobytes()


def packed_labels(labels):
    return struct.pack(">2I", 2049, len(labels)) + labels.tobytes()


IMAGES = np.random.default_rng(0).integers(0, 256, (7, 4, 3), np.uint8)
LABELS = np.arange(7, dtype=np.uint8)
FILES = {"images": packed_images(IMAGES), "labels": packed_labels(LABELS)}
ARRAYS = {"images": IMAGES, "labels": LABELS}
kinds = st.sampled_from(sorted(FILES))
compressions = st.sampled_from([bytes, lambda raw: gzip.compress(raw, mtime=0)])


def refuses(path, data, message="expected"):
    path.write_bytes(data)
    with pytest.raises(ValueError, match=message) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)
    assert "expected" in str(caught.value)


@pytest.mark.parametrize("kind", ["images", "labels"])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_reads_what_was_written(tmp_path, kind, suffix):
    path = tmp_path / f"file{suffix}"
    path.write_bytes(gzip.compress(FILES[kind]) if suffix else FILES[kind])
    array = read_idx(path)
    assert array.dtype == np.uint8
    assert np.array_equal(array, ARRAYS[kind])
    array[0] = 0  # the caller's own


@given(st.integers(1, 9), st.integers(1, 5), st.integers(1, 5), compressions, st.randoms())
def test_reads_every_shape(tmp_path, n, rows, columns, compress, random):
    images = np.array([random.randrange(256) for _ in range(n * rows * columns)], np.uint8).reshape(n, rows, columns)
    path = tmp_path / "file"
    path.write_bytes(compress(packed_images(images)))
    assert np.array_equal(read_idx(str(path)), images)


@given(kinds, compressions, st.data())
def test_refuses_a_file_cut_anywhere(tmp_path, kind, compress, data):
    whole = compress(FILES[kind])
    refuses(tmp_path / "cut", whole[: data.draw(st.integers(0, len(whole) - 1))])


@given(kinds, compressions, st.binary(min_size=1, max_size=20))
def test_refuses_bytes_to_spare(tmp_path, kind, compress, extra):
    refuses(tmp_path / "long", compress(FILES[kind] + extra), "is too long")
    refuses(tmp_path / "tail", compress(FILES[kind]) + extra, "is too long")


@given(kinds, st.integers(0, 3), st.integers(1, 255))
def test_refuses_another_magic_number(tmp_path, kind, place, flip):
    raw = bytearray(FILES[kind])
    raw[place] ^= flip
    refuses(tmp_path / "magic", bytes(raw), "magic number|truncated|too long|header of shape")


@given(kinds, st.data())
def test_refuses_damaged_compression(tmp_path, kind, data):
    """Whatever bit is flipped, the file is refused or, where nothing depends on the bit, read as it was."""
    packed = bytearray(gzip.compress(FILES[kind], mtime=0))
    packed[data.draw(st.integers(0, len(packed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path = tmp_path / "damaged"
    path.write_bytes(packed)
    try:
        found = read_idx(path)
    except ValueError:
        return
    assert np.array_equal(found, ARRAYS[kind])


def test_names_each_reason(tmp_path):
    refuses(tmp_path / "plain.gz", FILES["images"], "expected gzip's 1f 8b")
    refuses(tmp_path / "empty.gz", b"", r"starts with bytes \(none\)")
    refuses(tmp_path / "empty", b"", "starts with nothing")
    refuses(tmp_path / "text", b"hello, world", r"expected 2051 \(images\) or 2049 \(labels\)")
    refuses(tmp_path / "head", FILES["images"][:9], "a header of 16 for images")
    refuses(tmp_path / "cut", FILES["labels"][:-1], "is truncated: 6 bytes follow the header; expected 7")
    refuses(tmp_path / "none", struct.pack(">2I", 2049, 0), "at least one example")
    refuses(tmp_path / "flat", struct.pack(">4I", 2051, 5, 0, 28), "at least one example")
    refuses(tmp_path / "noise.gz", b"\x1f\x8b" + bytes(range(40)), "damaged gzip compression")
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "absent")


@pytest.mark.parametrize("shape", [(2**32 - 1,) * 3, (60_000, 2**20, 1)])
def test_a_header_that_lies_allocates_nothing(tmp_path, shape):
    lie = struct.pack(">4I", 2051, *shape) + bytes(100)
    bomb = gzip.compress(FILES["labels"] + bytes(50_000_000), 9)
    tracemalloc.start()
    refuses(tmp_path / "plain", lie, "is truncated")
    refuses(tmp_path / "packed", gzip.compress(lie), "a shape that can fit")
    refuses(tmp_path / "bomb", bomb, "is too long")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000
