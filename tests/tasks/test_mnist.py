"""The image sets: small fake files for every way that bringing them can go, and the real ones where present."""

import builtins
import gzip
import hashlib
import struct
import subprocess
import sys

import numpy as np
import pytest

from npnet.tasks import data_folder, download, fashion_task, idx_task, load, mnist_halves, mnist_task

COUNTS = {"train": 300, "t10k": 100}


def fake_set(shift):
    """Four small files with the real names: every digit equally often, and images that hold their own number."""
    files = {}
    for which, n in COUNTS.items():
        images = np.zeros((n, 28, 28), np.uint8)
        images[:, 0, 0], images[:, 0, 1] = np.arange(n) % 250, np.arange(n) // 250 + (100 if which == "t10k" else 0)
        images[:, 27, 27] = 255
        labels = ((np.arange(n) + shift) % 10).astype(np.uint8)
        raw = struct.pack(">4I", 2051, *images.shape) + images.tobytes()
        files[f"{which}-images-idx3-ubyte.gz"] = gzip.compress(raw, mtime=0)
        files[f"{which}-labels-idx1-ubyte.gz"] = gzip.compress(struct.pack(">2I", 2049, n) + labels.tobytes(), mtime=0)
    return files


FAKES = {"mnist": fake_set(0), "fashion-mnist": fake_set(3)}


@pytest.fixture
def registry(monkeypatch):
    """The checksums of the fake files in place of the real ones'."""
    hashes = {
        name: {file: hashlib.sha256(files[file]).hexdigest() for file in download.FILES[name]}
        for name, files in FAKES.items()
    }
    contents = {
        name: {file: hashlib.sha256(gzip.decompress(files[file])).hexdigest() for file in download.FILES[name]}
        for name, files in FAKES.items()
    }
    monkeypatch.setattr(download, "FILES", hashes)
    monkeypatch.setattr(download, "CONTENTS", contents)


@pytest.fixture
def folder(tmp_path, registry, monkeypatch):
    """A folder that holds both fake sets, and is $NPNET_DATA."""
    for name, files in FAKES.items():
        (tmp_path / name).mkdir()
        for file, content in files.items():
            (tmp_path / name / file).write_bytes(content)
    monkeypatch.setenv("NPNET_DATA", str(tmp_path))
    return tmp_path


@pytest.fixture
def asked(monkeypatch):
    """Every address that is asked for, answered by `answer(url)` in place of the network."""
    pooch = pytest.importorskip("pooch", reason="downloads need pooch: pip install the extra 'experiments'")
    urls = []

    class Server:
        answer = staticmethod(lambda url: None)

        def __init__(self, progressbar, **options):
            self.progress = progressbar

        def __call__(self, url, output_file, mover):
            urls.append(url)
            content = Server.answer(url)
            self.progress.total = len(content)
            with open(output_file, "wb") as stream:
                stream.write(content)
            self.progress.reset()
            self.progress.update(len(content))
            self.progress.close()

    monkeypatch.setattr(pooch, "HTTPDownloader", Server)
    return Server, urls


def serve(url):
    return FAKES["fashion-mnist" if "fashion" in url else "mnist"][url.rpartition("/")[2]]


def test_files_in_place_are_read_and_nothing_else_is_needed(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    for path in [*folder.rglob("*.gz"), *(folder / name for name in FAKES), folder]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = sorted(folder.rglob("*"))
    files = load("mnist")
    assert files.train_images.shape == (300, 28, 28)
    assert files.test_labels.tolist() == [n % 10 for n in range(100)]
    assert files.test_images[3, 0, :2].tolist() == [3, 100]
    assert sorted(folder.rglob("*")) == before
    for path in (folder, *(folder / name for name in FAKES)):
        path.chmod(0o755)


def test_a_wrong_checksum_is_reported_and_the_file_kept(folder):
    path = folder / "mnist" / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(b"somebody's own")
    found = hashlib.sha256(b"somebody's own").hexdigest()
    with pytest.raises(ValueError, match=f"{path} has SHA-256 {found}; expected [0-9a-f]{{64}}, or .* Delete it"):
        load("mnist")
    assert path.read_bytes() == b"somebody's own"


WRAPPINGS = {  # what becomes of the name, and of the unpacked bytes
    "unpacked": (lambda name: name.removesuffix(".gz"), bytes),
    "unpacked, but for its name": (str, bytes),
    "unpacked by name only": (lambda name: name.removesuffix(".gz"), gzip.compress),
    "with a dot": (lambda name: name.removesuffix(".gz").replace("-idx", ".idx"), bytes),
    "with a dot, compressed": (lambda name: name.replace("-idx", ".idx"), gzip.compress),
    "compressed again": (str, lambda raw: gzip.compress(raw, 1)),
    "in two members": (str, lambda raw: gzip.compress(raw[:9]) + gzip.compress(raw[9:])),
}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_the_same_content_in_another_wrapping_is_read(folder, wrapping, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    before = load("mnist")
    rename, wrap = WRAPPINGS[wrapping]
    for path in list((folder / "mnist").iterdir()):
        raw = gzip.decompress(path.read_bytes())
        path.unlink()
        path.with_name(rename(path.name)).write_bytes(wrap(raw))
    for old, new in zip(before, load("mnist"), strict=True):
        assert np.array_equal(old, new)


def test_a_file_in_the_place_of_another_is_called_what_it_is(folder):
    path = folder / "mnist" / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(gzip.compress(gzip.decompress(FAKES["fashion-mnist"]["train-labels-idx1-ubyte.gz"]), 1))
    with pytest.raises(ValueError, match=f"{path} is train-labels-idx1-ubyte.gz of fashion-mnist; expected"):
        load("mnist")


def test_an_unpacked_file_that_is_wrong_or_damaged_is_named(folder):
    path = folder / "mnist" / "t10k-labels-idx1-ubyte.gz"
    whole = path.read_bytes()
    for content in (whole[:-1], whole + whole, gzip.compress(b"1"), gzip.decompress(whole)[:-1]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"{path} has SHA-256"):
            load("mnist")


def test_missing_files_are_downloaded_with_progress(tmp_path, registry, asked, capsys):
    server, urls = asked
    server.answer = staticmethod(serve)
    assert load("fashion-mnist", tmp_path).train_labels[0] == 3
    assert urls == [download.MIRRORS["fashion-mnist"][0] + file for file in download.FILES["fashion-mnist"]]
    assert "downloading fashion-mnist/train-images-idx3-ubyte.gz: 100 %" in capsys.readouterr().err
    load("fashion-mnist", tmp_path)
    assert len(urls) == 4  # the second time, nothing


@pytest.mark.parametrize("failure", ["refused", "wrong"])
def test_the_second_mirror_helps_out(tmp_path, registry, asked, failure):
    first, second = download.MIRRORS["mnist"]

    def answer(url):
        if not url.startswith(first):
            return serve(url)
        if failure == "refused":
            raise OSError("connection refused")
        return b"an error page"

    server, urls = asked
    server.answer = staticmethod(answer)
    assert len(load("mnist", tmp_path).train_labels) == 300
    assert urls == [mirror + file for file in download.FILES["mnist"] for mirror in (first, second)]


def test_without_a_network_the_error_says_what_to_put_where(tmp_path, registry, asked):
    def answer(url):
        raise OSError("no route to host")

    server, _ = asked
    server.answer = staticmethod(answer)
    with pytest.raises(ConnectionError) as caught:
        load("mnist", tmp_path)
    message = str(caught.value)
    for part in (str(tmp_path / "mnist"), "no route to host", *download.MIRRORS["mnist"], *download.FILES["mnist"]):
        assert part in message
    assert not list(tmp_path.rglob("*.gz"))


def test_without_pooch_the_error_says_how_to_get_it(tmp_path, registry, monkeypatch):
    real = builtins.__import__

    def refuse(name, *rest):
        if name == "pooch":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ImportError, match=r"train-images-idx3-ubyte.gz is missing .*pip install .*experiments"):
        load("mnist", tmp_path)


def test_the_folder_is_the_users_to_choose(monkeypatch, tmp_path):
    monkeypatch.setenv("NPNET_DATA", str(tmp_path))
    assert data_folder() == tmp_path
    monkeypatch.delenv("NPNET_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert data_folder() == tmp_path / "cache" / "npnet"
    with pytest.raises(ValueError, match="name is 'cifar'; expected one of mnist, fashion-mnist"):
        load("cifar")


def rows(split):
    return {tuple(row) for row in split.inputs[:, :2].tolist()}


def test_halves_are_disjoint_and_addressed_by_the_seed(folder):
    sizes = {"train": 120, "validation": 30, "test": 40}
    halves = mnist_halves(3, **sizes)
    for half, first in zip(halves, (0, 5), strict=True):
        splits = {which: getattr(half, which) for which in sizes}
        assert {which: len(split) for which, split in splits.items()} == sizes
        assert len(set().union(*map(rows, splits.values()))) == 190  # no image twice
        for split in splits.values():
            # The fake image number n shows the digit n mod 10.
            assert np.array_equal(split.labels, split.inputs[:, 0] % 10 - first)
            assert set(split.labels) == {0, 1, 2, 3, 4}
    assert [half.name for half in halves] == ["mnist04", "mnist59"]
    again, other = mnist_halves(3, **sizes), mnist_halves(4, **sizes)
    assert all(np.array_equal(a.train.inputs, b.train.inputs) for a, b in zip(halves, again, strict=True))
    assert not any(np.array_equal(a.train.inputs, b.train.inputs) for a, b in zip(halves, other, strict=True))


def test_files_in_torchvisions_layout_are_found(folder):
    there = folder / "MNIST" / "raw"
    there.mkdir(parents=True)
    before = load("mnist", folder)
    for path in (folder / "mnist").iterdir():
        path.rename(there / path.name)
    assert all((a == b).all() for a, b in zip(before, load("mnist", folder), strict=True))


@pytest.mark.parametrize("transposed", [False, True])
def test_other_sets_in_the_format_of_mnist_become_tasks(tmp_path, transposed):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, 3, 2)).astype(np.uint8)
    letters = np.arange(60) % 3 + 1  # from 1, as EMNIST's
    columns = np.stack([letters, *[np.arange(60)] * 7], 1).astype(">i4")  # as QMNIST's
    stored = images.swapaxes(1, 2) if transposed else images
    (tmp_path / "x-images").write_bytes(struct.pack(">4I", 0x803, *stored.shape) + stored.tobytes())
    (tmp_path / "y-labels").write_bytes(struct.pack(">3I", 0xC02, *columns.shape) + columns.tobytes())
    task = idx_task(tmp_path / "x-images", tmp_path / "y-labels", transposed=transposed, test=10, validation=10)
    assert (task.name, task.classes, task.shape) == ("x", (1, 2, 3), (3, 2))
    rows = [images.reshape(60, -1).tolist().index(x) for x in task.train.inputs.tolist()]
    assert (letters[rows] - 1 == task.train.labels).all()
    two = (tmp_path / "x-images", tmp_path / "y-labels")
    assert len(idx_task(*two, test=two, transposed=transposed).test) == 60
    with pytest.raises(ValueError, match=r"expected \(N, rows, columns\) and \(N,\)"):
        idx_task(tmp_path / "y-labels", tmp_path / "y-labels")


def test_whole_sets_keep_their_own_test_images(folder):
    for task, shift in ((mnist_task(50), 0), (fashion_task(50), 3)):
        assert [len(split) for split in (task.train, task.validation, task.test)] == [250, 50, 100]
        assert task.outputs == 10
        assert task.train.inputs.shape == (250, 784)
        assert task.test.labels.dtype == np.int64
        assert np.array_equal(task.test.labels, (np.arange(100) + shift) % 10)
        assert task.validation.inputs[0, :2].tolist() == [0, 1]  # image 250 of the training file


def test_sizes_that_do_not_fit_are_refused(folder):
    with pytest.raises(ValueError, match=r"sizes are .*expected at least 1 each, and 200 in all for mnist04"):
        mnist_halves(0, 150, 30, 30)
    with pytest.raises(ValueError, match="sizes are"):
        mnist_halves(0, 10, 0, 10)
    with pytest.raises(ValueError, match="seed"):
        mnist_halves(-1, 10, 10, 10)
    with pytest.raises(ValueError, match="validation is 300; expected 1 to 299"):
        mnist_task(300)
    everything, _ = mnist_halves(0, 140, 30, 30)  # all of them fit
    assert sum(map(len, (everything.train, everything.validation, everything.test))) == 200
    assert [len(mnist_task(n).validation) for n in (1, 299)] == [1, 299]


def test_importing_the_tasks_imports_no_network_client_and_compiles_nothing():
    program = (
        "import sys, npnet.tasks as t;"
        "print(sorted({'pooch', 'requests', 'matplotlib', 'scipy.stats', 'scipy.linalg'} & set(sys.modules)),"
        "*[family.fill.chosen for family in t.stimuli.FAMILIES])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[] None None"


def skip_unless_present(name):
    missing = [file for file in download.FILES[name] if not (data_folder() / name / file).exists()]
    if missing:
        pytest.skip(
            f"{data_folder() / name} lacks {', '.join(missing)}: set NPNET_DATA to a folder that has them, "
            f"or run python -c \"from npnet.tasks import load; load('{name}')\""
        )


FACTS = {  # what the sets' publishers and users agree on
    "mnist": {
        "counts": (
            [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
            [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
        ),
        "first": ([5, 0, 4, 1, 9, 2, 1, 3, 1, 4], [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]),
        "mean": (0.1307, 0.1325),
    },
    "fashion-mnist": {
        "counts": ([6000] * 10, [1000] * 10),
        "first": ([9, 0, 0, 3, 0, 2, 7, 2, 5, 5], [9, 2, 1, 1, 6, 1, 4, 6, 5, 7]),
        "mean": (0.2860, 0.2868),
    },
}


@pytest.mark.parametrize("name", list(FACTS))
def test_the_real_files_are_what_is_known_of_them(name):
    skip_unless_present(name)
    files, facts = load(name), FACTS[name]
    pairs = ((files.train_images, files.train_labels), (files.test_images, files.test_labels))
    for which, (images, labels) in enumerate(pairs):
        assert images.shape == (len(labels), 28, 28)
        assert np.bincount(labels).tolist() == facts["counts"][which]
        assert labels[:10].tolist() == facts["first"][which]
        assert images.mean() / 255 == pytest.approx(facts["mean"][which], abs=5e-5)


def test_the_real_halves_have_the_papers_sizes():
    skip_unless_present("mnist")
    for half in mnist_halves():
        assert [len(split) for split in (half.train, half.validation, half.test)] == [20_000, 5_000, 5_000]
        assert set(np.unique(half.train.labels)) == {0, 1, 2, 3, 4}
