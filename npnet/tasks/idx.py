"""Reads IDX files, the format of MNIST and its kin, and refuses every file that is not exactly one.

    0 0, type, axes      four bytes: what the numbers are, and how many lengths follow
    length, ...          32-bit numbers, the largest axis first
    the numbers          in row-major order

All numbers are big-endian; the file is plain or compressed by gzip, in one member or several, whatever its name. A
header is a claim, not a fact: nothing is allocated on its word, and the bytes that follow must number exactly what it
says. (Source: the description of the format beside the original MNIST files.)
"""

import struct
import zlib
from io import BufferedIOBase
from math import prod
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npnet.arguments import checked

__all__ = ["read_idx"]

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MOST_AXES = 64  # of an array
_LONGEST_HEADER = 4 + 4 * 255  # bytes
_GZIP = b"\x1f\x8b"
_MOST_EXPANSION = 1032  # deflate spends at least two bits on 258 bytes, so no honest file expands more


@checked
def read_idx(path: str | PathLike[str] | BufferedIOBase) -> NDArray[Any]:
    """The array of an IDX file: its type in this machine's byte order, its shape; uint8 (N, rows, columns) for images.

    path: of the file, or the file itself, opened to read bytes; it is read to its end, and not closed.
    Raises ValueError, naming the file and what is wrong, for a file that is truncated or has bytes to spare, with a
    header that cannot be true, or with damaged compression; OSError where it cannot be opened.
    """
    if isinstance(path, str | PathLike):
        path = Path(path)
        raw: Any = path.read_bytes()
    else:
        raw, path = path.read(), Path(str(getattr(path, "name", "the open file")))
    if raw[:2] == _GZIP:
        raw = _unpack(path, raw)
    start, dtype, shape = _header(path, raw[:_LONGEST_HEADER])
    found, expected = len(raw) - start, dtype.itemsize * prod(shape)
    if found != expected:
        what = "truncated" if found < expected else "too long"
        raise _refusal(path, f"is {what}: {found} bytes follow the header", f"{expected} for {dtype.name} {shape}")
    # A copy, because an array over bytes could not be written to.
    return np.frombuffer(raw, dtype, offset=start).reshape(shape).astype(dtype.newbyteorder("="))


def _refusal(path: Path, was: str, expected: str) -> ValueError:
    """The error for a file that cannot be read: its name, what it was, what was expected."""
    return ValueError(f"{path} {was}; expected {expected}")


def _header(path: Path, head: bytes | bytearray) -> tuple[int, np.dtype, tuple[int, ...]]:
    """Where the data start, in bytes, and the type and shape that the header claims."""
    if head[:2] != b"\0\0"[: len(head)] or not head:
        raise _refusal(
            path, f"starts with {head[:4].hex(' ') or 'nothing'}", "an IDX file, which starts with two zeros"
        )
    if len(head) >= 3 and head[2] not in _TYPES:
        known = ", ".join(f"{code:#04x}" for code in _TYPES)
        raise _refusal(
            path, f"starts with {head[:4].hex(' ')}, and {head[2]:#04x} is no type of IDX", f"one of {known}"
        )
    start = 4 + 4 * head[3] if len(head) >= 4 else 4
    if len(head) < start:
        raise _refusal(path, f"is truncated: it has {len(head)} bytes", f"a header of {start}")
    if head[3] > _MOST_AXES:
        raise _refusal(path, f"has {head[3]} axes", f"at most {_MOST_AXES}")
    shape = struct.unpack(f">{head[3]}I", head[4:start])
    if 0 in shape:
        raise _refusal(path, f"has a header of shape {shape}", "at least one number along every axis")
    return start, np.dtype(_TYPES[head[2]]), shape


def _unpack(path: Path, packed: bytes) -> bytearray:
    """The decompressed file, never more than one byte beyond what its own, believable, header claims."""
    try:
        head, _, _ = _members(packed, _LONGEST_HEADER)
        start, dtype, shape = _header(path, head)
        size = start + dtype.itemsize * prod(shape)
        if size > _MOST_EXPANSION * len(packed):
            raise _refusal(path, f"claims the shape {shape} in {len(packed)} compressed bytes", "a shape that can fit")
        raw, ended, rest = _members(packed, size + 1)
    except zlib.error as error:
        raise _refusal(path, f"has damaged gzip compression ({error})", "a whole gzip file") from error
    if len(raw) <= size and not ended:
        raise _refusal(path, f"is truncated: its compressed stream ends after {len(raw)} bytes", f"{size} and an end")
    if rest:
        raise _refusal(path, f"is too long: {len(rest)} bytes follow the compressed stream", "none")
    return raw


def _members(packed: bytes, most: int) -> tuple[bytearray, bool, bytes]:
    """Decompress gzip members, one after the other, up to so many bytes.

    Returns the bytes, whether the last member came to its end, and what follows it and is none.
    """
    raw, ended = bytearray(), False
    while len(raw) < most and packed[:2] == _GZIP:
        stream = zlib.decompressobj(wbits=31)  # 31: a gzip member, with its checksum
        raw += stream.decompress(packed, most - len(raw))
        packed, ended = stream.unused_data, stream.eof
    return raw, ended, packed
