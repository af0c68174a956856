"""Reads IDX files, the format of MNIST and Fashion-MNIST, and refuses every file that is not exactly one.

A file is a header of big-endian 32-bit numbers, then unsigned bytes in row-major order:

    magic 2051, count, rows, columns        images (count, rows, columns)
    magic 2049, count                       labels (count,)

plain or compressed by gzip. A header is a claim, not a fact: nothing is allocated on its word, and the bytes that
follow must number exactly what it says. (Source: the description of the format beside the original MNIST files.)
"""

import struct
import zlib
from math import prod
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["read_idx"]

_AXES = {2051: ("images", 3), 2049: ("labels", 1)}  # magic: what it marks, and how many lengths follow it
_GZIP = b"\x1f\x8b"
_LONGEST_HEADER = 16  # bytes
_MOST_EXPANSION = 1032  # deflate spends at least two bits on 258 bytes, so no honest file expands more


def read_idx(path: str | PathLike[str]) -> NDArray[np.uint8]:
    """The images (N, rows, columns) or labels (N,) of an IDX file, plain or gzip-compressed, as uint8.

    Raises ValueError, naming the file and what is wrong, for a file that is truncated or has bytes to spare, of another
    type, with a header that cannot be true, or with damaged compression; OSError where it cannot be opened.
    """
    path = Path(path)
    raw = path.read_bytes()
    if raw[:2] == _GZIP:
        raw = _unpack(path, raw)
    elif path.suffix == ".gz":
        raise _refusal(path, f"starts with bytes {raw[:2].hex(' ') or '(none)'}", f"gzip's {_GZIP.hex(' ')}")
    start, shape = _header(path, raw[:_LONGEST_HEADER])
    found, expected = len(raw) - start, prod(shape)
    if found != expected:
        what = "truncated" if found < expected else "too long"
        raise _refusal(path, f"is {what}: {found} bytes follow the header", f"{expected} for the shape {shape}")
    # A bytearray, because an array over bytes could not be written to.
    return np.frombuffer(bytearray(raw), np.uint8, offset=start).reshape(shape)


def _refusal(path: Path, was: str, expected: str) -> ValueError:
    """The error for a file that cannot be read: its name, what it was, what was expected."""
    return ValueError(f"{path} {was}; expected {expected}")


def _header(path: Path, head: bytes) -> tuple[int, tuple[int, ...]]:
    """Where the data start, in bytes, and the shape that the header claims."""
    magic = int.from_bytes(head[:4], "big")
    if len(head) < 4 or magic not in _AXES:
        known = " or ".join(f"{number} ({what})" for number, (what, _) in _AXES.items())
        raise _refusal(path, f"starts with {head[:4].hex(' ') or 'nothing'}, read as magic number {magic}", known)
    what, axes = _AXES[magic]
    start = 4 + 4 * axes
    if len(head) < start:
        raise _refusal(path, f"is truncated: it has {len(head)} bytes", f"a header of {start} for {what}")
    shape = struct.unpack(f">{axes}I", head[4:start])
    if 0 in shape:
        raise _refusal(path, f"has a header of shape {shape}", "at least one example, row and column")
    return start, shape


def _unpack(path: Path, packed: bytes) -> bytes:
    """The decompressed file, never more than one byte beyond what its own, believable, header claims."""
    try:
        start, shape = _header(path, zlib.decompressobj(wbits=31).decompress(packed, _LONGEST_HEADER))
        size = start + prod(shape)
        if size > _MOST_EXPANSION * len(packed):
            raise _refusal(path, f"claims the shape {shape} in {len(packed)} compressed bytes", "a shape that can fit")
        stream = zlib.decompressobj(wbits=31)  # 31: a gzip member, with its checksum
        raw = stream.decompress(packed, size + 1)
    except zlib.error as error:
        raise _refusal(path, f"has damaged gzip compression ({error})", "a whole gzip file") from error
    if len(raw) <= size and not stream.eof:
        raise _refusal(path, f"is truncated: its compressed stream ends after {len(raw)} bytes", f"{size} and an end")
    if stream.unused_data:
        raise _refusal(path, f"is too long: {len(stream.unused_data)} bytes follow the compressed stream", "none")
    return raw
