"""The IDX reader: files come back exactly, and what is not exactly an IDX file is refused by name and reason."""

import gzip
import struct
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
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
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_reads_what_was_written_whatever_its_name(tmp_path, kind, suffix, compress):
    path = tmp_path / f"file{suffix}"
    path.write_bytes(compress(FILES[kind]))
    array = read_idx(path)
    assert array.dtype == np.uint8
    assert np.array_equal(array, ARRAYS[kind])
    array[0] = 0  # the caller's own


def test_an_open_file_is_read(tmp_path):
    images = np.arange(24, dtype=np.uint8).reshape(4, 3, 2)
    path = tmp_path / "x"
    for content in (packed_images(images), gzip.compress(packed_images(images))):
        path.write_bytes(content)
        with path.open("rb") as file:
            assert (read_idx(file) == images).all()
            assert not file.closed
        path.write_bytes(content[:-1])
        with path.open("rb") as file, pytest.raises(ValueError, match=f"{path} is truncated"):
            read_idx(file)


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
@example("images", gzip.compress, b"\x1f\x8b")
def test_refuses_bytes_to_spare(tmp_path, kind, compress, extra):
    refuses(tmp_path / "long", compress(FILES[kind] + extra), "is too long")
    another = "|truncated|damaged" if extra[:2] == b"\x1f\x8b" else ""  # the start of one more member
    refuses(tmp_path / "tail", compress(FILES[kind]) + extra, "is too long" + another)


@given(kinds, st.integers(0, 3), st.integers(1, 255))
def test_refuses_another_start(tmp_path, kind, place, flip):
    raw = bytearray(FILES[kind])
    raw[place] ^= flip
    if (place, raw[place]) == (2, 0x09):  # signed bytes, as many as before
        (tmp_path / "start").write_bytes(raw)
        assert np.array_equal(read_idx(tmp_path / "start"), ARRAYS[kind].view(np.int8))
    else:
        axes = "truncated|too long|header of shape|at most 64"
        refuses(tmp_path / "start", bytes(raw), ("two zeros", "two zeros", "no type of IDX|truncated", axes)[place])


TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


@given(st.sampled_from(sorted(TYPES)), st.lists(st.integers(1, 3), max_size=6), compressions, st.integers(0))
def test_reads_every_type_in_any_number_of_axes(tmp_path, code, shape, compress, seed):
    """Every bit pattern of every type, not-a-number included, comes back in the byte order of this machine."""
    dtype = np.dtype(TYPES[code])
    content = np.random.default_rng(seed).bytes(int(np.prod(shape)) * dtype.itemsize)
    path = tmp_path / "file"
    path.write_bytes(compress(bytes([0, 0, code, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + content))
    array = read_idx(path)
    assert array.shape == tuple(shape)
    assert array.dtype == dtype.newbyteorder("=")
    assert array.astype(dtype).tobytes() == content
    assert array.flags.writeable


@given(kinds, st.lists(st.integers(0, 100), max_size=4))
def test_reads_several_gzip_members_as_one(tmp_path, kind, cuts):
    raw = FILES[kind]
    ends = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    members = [gzip.compress(raw[a:b]) for a, b in pairwise(ends)]
    path = tmp_path / "file.gz"
    path.write_bytes(b"".join(members))
    assert np.array_equal(read_idx(path), ARRAYS[kind])
    refuses(path, b"".join(members)[:-1], "truncated")
    refuses(path, b"".join([*members, gzip.compress(b"1")]), "too long")


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
    refuses(tmp_path / "empty.gz", b"", "starts with nothing")
    refuses(tmp_path / "empty", b"", "starts with nothing")
    refuses(tmp_path / "text", b"hello, world", "68 65 6c 6c; expected an IDX file, which starts with two zeros")
    refuses(tmp_path / "type", b"\0\0\x0a\1\0\0\0\1a", "0x0a is no type of IDX; expected one of 0x08, 0x09, 0x0b")
    refuses(tmp_path / "axes", b"\0\0\x08\x41" + b"\0\0\0\1" * 65 + b"a", "has 65 axes; expected at most 64")
    refuses(tmp_path / "head", FILES["images"][:9], "has 9 bytes; expected a header of 16")
    refuses(tmp_path / "cut", FILES["labels"][:-1], "is truncated: 6 bytes follow the header; expected 7")
    refuses(tmp_path / "none", struct.pack(">2I", 2049, 0), "at least one number")
    refuses(tmp_path / "flat", struct.pack(">4I", 2051, 5, 0, 28), "at least one number")
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
