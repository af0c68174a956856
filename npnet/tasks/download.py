"""Where the image files live and how they get there: a folder of one's own, else public mirrors, always by checksum.

    <folder>/mnist/train-images-idx3-ubyte.gz    and so on, four files a set

The folder is $NPNET_DATA, or npnet in the user's cache folder. Files that are there and right are only read, so the
folder may be read-only and no network client need be installed. What a file is it shows by its content, unpacked: it
may be compressed again or not at all (train-images-idx3-ubyte, or train-images.idx3-ubyte as some programs unpack it).
A file that is there and wrong may be somebody's own: it is reported, and never replaced.

The folder may be torchvision's root as well: <folder>/MNIST/raw/train-images-idx3-ubyte and so on are found.

MNIST: LeCun, Cortes, Burges, licence CC BY-SA 3.0. Fashion-MNIST: Zalando SE, licence MIT. KMNIST: CODH and NIJL,
licence CC BY-SA 4.0.
"""

import gzip
import hashlib
import os
import sys
import zlib
from pathlib import Path

__all__ = ["FILES", "MIRRORS", "data_folder", "fetch"]

FILES = {  # set: file: SHA-256 of the file as the mirrors serve it
    "mnist": {
        "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    },
    "fashion-mnist": {
        "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    },
    "kmnist": {
        "train-images-idx3-ubyte.gz": "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
        "train-labels-idx1-ubyte.gz": "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
        "t10k-images-idx3-ubyte.gz": "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
        "t10k-labels-idx1-ubyte.gz": "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
    },
}

CONTENTS = {  # set: file: SHA-256 of what is in it, unpacked; those of KMNIST are not known
    "mnist": {
        "train-images-idx3-ubyte.gz": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte.gz": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images-idx3-ubyte.gz": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte.gz": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    "fashion-mnist": {
        "train-images-idx3-ubyte.gz": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train-labels-idx1-ubyte.gz": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "t10k-images-idx3-ubyte.gz": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "t10k-labels-idx1-ubyte.gz": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
}

MIRRORS = {  # set: addresses to which a file's name is appended, tried in this order
    "mnist": (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    "fashion-mnist": ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
    "kmnist": ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
}

_TORCHVISION = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST", "kmnist": "KMNIST"}
"""The folders in which torchvision keeps the sets: <root>/MNIST/raw, and so on."""

_MOST = 50_000_000  # bytes that are unpacked to see what a file is: the longest one has 47,040,016
_TIMEOUT = 30  # seconds without an answer before the next mirror is tried


def data_folder() -> Path:
    """The folder that holds the image files: $NPNET_DATA where it is set, else npnet in the user's cache folder."""
    chosen = os.environ.get("NPNET_DATA")
    if chosen:
        return Path(chosen).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or "~/.cache"
    return Path(cache).expanduser() / "npnet"


def fetch(name: str, folder: Path | None = None) -> dict[str, Path]:
    """Paths of the four files of the set `name`, one of FILES; what is missing is downloaded first.

    A file's path may end otherwise than its name, where it is there unpacked. Raises ValueError for an unknown set or a
    file whose checksum is wrong, ConnectionError where no mirror delivered, and ImportError where a download needs
    pooch and it is not installed.
    """
    if name not in FILES:
        raise ValueError(f"name is {name!r}; expected one of {', '.join(FILES)}")
    place = (data_folder() if folder is None else Path(folder)) / name
    paths = {}
    for file in FILES[name]:
        there = [path for path in _spellings(place, file) if path.exists()]
        if there:
            _check(there[0], name, file)
        else:
            _download(name, file, place)
        paths[file] = there[0] if there else place / file
    return paths


def _spellings(place: Path, file: str) -> list[Path]:
    """The names under which a file may be there: its own, and those that programs give it when they unpack it."""
    unpacked = file.removesuffix(".gz")
    dotted = unpacked.replace("-idx", ".idx")
    theirs = place.parent / _TORCHVISION.get(place.name, place.name) / "raw"
    return [at / each for at in (place, theirs) for each in (file, unpacked, f"{dotted}.gz", dotted)]


def _check(path: Path, name: str, file: str) -> None:
    """Raise ValueError unless the file holds what it should, as the mirrors serve it or in another wrapping."""
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found == FILES[name][file]:
        return
    content = _content(path)
    right = CONTENTS.get(name, {}).get(file, "")
    if right and content == right:
        return
    known = {digest: (of, other) for of, files in CONTENTS.items() for other, digest in files.items()}
    what = "is {1} of {0}".format(*known[content]) if content in known else f"has SHA-256 {found}"
    raise ValueError(
        f"{path} {what}; expected {FILES[name][file]}{f', or {right} for what is in it' * bool(right)}. "
        "Delete it to download it again, or point NPNET_DATA to another folder"
    )


def _content(path: Path) -> str:
    """The SHA-256 of a file, unpacked where it is compressed by gzip; "" where it cannot be unpacked."""
    with path.open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
        stream.seek(0)
        try:
            content = gzip.GzipFile(fileobj=stream).read(_MOST) if packed else stream.read(_MOST)
        except (OSError, EOFError, zlib.error):
            return ""
    return hashlib.sha256(content).hexdigest()


def _download(name: str, file: str, place: Path) -> None:
    """Bring one file from the first mirror that delivers it with the right checksum into `place`."""
    try:
        import pooch
    except ImportError as error:
        raise ImportError(
            f"{place / file} is missing and downloading it needs pooch: "
            f"pip install 'npnet-transfer[experiments]', or {_by_hand(name, place)}"
        ) from error
    failures = []
    for mirror in MIRRORS[name]:
        progress = _Progress(f"{name}/{file}")
        downloader = pooch.HTTPDownloader(progressbar=progress, chunk_size=2**16, timeout=_TIMEOUT)
        try:
            # pooch writes a temporary file and moves it into place only when its checksum is right.
            pooch.retrieve(mirror + file, f"sha256:{FILES[name][file]}", file, place, downloader=downloader)
            return
        except (OSError, ValueError) as error:  # no network, a refusing server, a full disk; a wrong checksum
            failures.append(f"{mirror + file}: {error}")
    raise ConnectionError(
        f"{place / file} is missing and no mirror delivered it. Without a network, {_by_hand(name, place)}. "
        "What was tried:\n" + "\n".join(failures)
    )


def _by_hand(name: str, place: Path) -> str:
    """How to bring the files of a set into place without a download from here."""
    missing = [file for file in FILES[name] if not any(path.exists() for path in _spellings(place, file))]
    return f"put {', '.join(missing)} from {' or '.join(MIRRORS[name])} into {place} (its parent is NPNET_DATA)"


class _Progress:
    """A line of progress on standard error; a class because pooch asks for an object with these four methods."""

    def __init__(self, title: str) -> None:
        self.title, self.total, self.done = title, 0, 0

    def reset(self) -> None:
        """Start counting from nothing."""
        self.done = 0

    def update(self, size: int) -> None:
        """Count `size` more bytes."""
        self.done += size
        percent = min(100, 100 * self.done // self.total) if self.total else 0
        print(f"\rdownloading {self.title}: {percent} %", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        """End the line."""
        print(file=sys.stderr)
