"""What a file is that npnet did not write, told by its first bytes, so that a message can name it."""

import codecs
import zipfile
from collections.abc import Iterable
from itertools import islice
from typing import IO

__all__ = ["kind_of_file"]

_MAGIC = {  # the first bytes: what the file is
    b"\x93NUMPY": "a .npy file of one array, which numpy.load reads",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file, as of h5py or Keras",
    b"\x1f\x8b": "compressed by gzip",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ\0": "compressed by xz",
    b"\x28\xb5\x2f\xfd": "compressed by zstandard",
    b"MATLAB 5.0": "a file of MATLAB",
    b"PAR1": "a Parquet table",
    b"ARROW1": "an Arrow table",
    b"GGUF": "a GGUF file",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"%PDF": "a PDF",
}
_NPZ = "structure.json.npy"  # the member that every file of npnet has
_ONNX = (0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42)  # what may follow the version at the start of an ONNX model


def kind_of_file(file: IO[bytes]) -> str:
    """Return what an open file is, as a noun with its article; "" for one of npnet's, whole or damaged."""
    head = file.read(512)
    file.seek(0)
    if head[:2] == b"PK":
        return _kind_of_archive(file)
    if not head:
        return "empty"
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            return kind
    if head[0] == 0x80 and head[1:2] in (b"\2", b"\3", b"\4", b"\5"):
        return "a pickle, and pickles are never loaded"
    if head[:2] == b"\0\0" and head[2:3] in b"\x08\x09\x0b\x0c\x0d\x0e" and head[2:3]:
        return "an IDX file, as of MNIST, which npnet.tasks.read_idx reads"
    if head[8:9] == b"{" and head[4:8] == b"\0\0\0\0":
        return "a safetensors file"
    if head[0] == 0x08 and len(head) > 2 and 0 < head[1] < 0x20 and head[2] in _ONNX:
        return "an ONNX model"
    return "text, such as CSV or JSON" if _is_text(head) else "of an unknown format"


def _is_text(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # whose last character may be cut
    except UnicodeDecodeError:
        return False
    return all(byte >= 0x20 or byte in b"\t\n\r\f" for byte in head)


def _kind_of_archive(file: IO[bytes]) -> str:
    try:
        names = zipfile.ZipFile(file).namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return ""  # truncated or damaged: perhaps one of ours
    finally:
        file.seek(0)
    if _NPZ in names or not names:
        return ""
    if all(name.endswith(".npy") for name in names):
        return f"an .npz archive of another program, with the arrays {_listed(name[:-4] for name in names)}"
    if any(name.endswith("/data.pkl") for name in names):
        return "a file of PyTorch's"
    if "model.weights.h5" in names:
        return "a model of Keras"
    return f"a zip archive of another program, with {_listed(names)}"


def _listed(names: Iterable[str]) -> str:
    first = list(islice(names, 6))
    return ", ".join(first[:5]) + (", ..." if len(first) > 5 else "")
