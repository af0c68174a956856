"""Cells run in the right order, a failing one stops only those that need it, and every worker has one BLAS thread."""

import pytest
import tinystudy
from rich.console import Console

from experiments.frame import threads
from experiments.frame.executors import Where, pool
from experiments.frame.folder import FolderError, held, result_of, settle_configuration
from experiments.frame.jobs import Cell
from experiments.frame.progress import Watcher
from experiments.frame.scheduler import run_cells
from experiments.frame.workspace import read_json

QUIET = Console(quiet=True)


@pytest.fixture
def run(tmp_path):
    def run(cells, workers=1):
        with Watcher(QUIET) as watcher, pool(workers) as executor:
            return run_cells(cells, tmp_path, executor, watcher)

    return run


def test_needs_come_first_and_finished_cells_are_skipped(run, tmp_path):
    cells = [Cell(f"leaf-{i}", tinystudy.fine, {"value": i}) for i in range(3)]
    names = tuple(cell.name for cell in cells)
    cells.append(Cell("sum", tinystudy.adds, {"needs": list(names)}, needs=names))
    first = run(cells, workers=2)
    assert first.finished[-1] == "sum"
    assert result_of(tmp_path, "sum")["value"] == 3
    assert run(cells).skipped == [*names, "sum"]


def test_a_failing_cell_stops_only_what_needs_it(run, tmp_path):
    cells = [
        Cell("bad", tinystudy.diverges),
        Cell("after", tinystudy.fine, {"value": 1}, needs=("bad",)),
        Cell("other", tinystudy.fine, {"value": 2}),
    ]
    outcome = run(cells)
    assert outcome.finished == ["other"]
    assert "NotFiniteError: objective is not finite at epoch 1, step 2" in outcome.failed["bad"]
    assert outcome.failed["after"] == "not run, because bad failed"
    assert "Traceback" in (tmp_path / "log.txt").read_text()


def test_a_worker_that_dies_is_reported(run):
    with pytest.raises(Exception, match="terminated abruptly"):
        run([Cell("gone", tinystudy.dies)])


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([Cell("a", tinystudy.fine), Cell("a", tinystudy.fine)], "'a' is there twice"),
        ([Cell("a", tinystudy.fine, needs=("b",))], "needs 'b'"),
    ],
)
def test_cells_that_do_not_fit_together(run, cells, message):
    with pytest.raises(ValueError, match=message):
        run(cells)


def test_a_cell_is_named_like_a_folder():
    with pytest.raises(ValueError, match=r"name is '\.\./x'"):
        Cell("../x", tinystudy.fine)


def test_there_is_a_worker():
    with pytest.raises(ValueError, match="workers is 0"):
        Where(workers=0).check()


def test_a_held_folder_is_refused(tmp_path):
    with held(tmp_path), pytest.raises(FolderError, match="in use by another run"), held(tmp_path):
        pass
    with held(tmp_path):  # free again
        pass


def test_another_configuration_is_refused(tmp_path):
    settle_configuration(tmp_path, {"protocol": {"train": 1, "seeds": 2}})
    settle_configuration(tmp_path, {"protocol": {"train": 1, "seeds": 2}})
    with pytest.raises(FolderError, match=r"protocol\.train is 1 there and 5 here"):
        settle_configuration(tmp_path, {"protocol": {"train": 5, "seeds": 2}})


def test_a_folder_grows_by_studies(tmp_path):
    one, two = {"train": 1}, {"train": 2}
    settle_configuration(tmp_path, {"experiment": "tables", "studies": {"one": one}})
    whole = settle_configuration(tmp_path, {"experiment": "tables", "studies": {"two": two}})
    assert whole == {"experiment": "tables", "studies": {"one": one, "two": two}}
    assert settle_configuration(tmp_path, {"experiment": "tables", "studies": {"one": one}}) == whole
    with pytest.raises(FolderError, match=r"studies\.one\.train is 1 there and 3 here"):
        settle_configuration(tmp_path, {"experiment": "tables", "studies": {"one": {"train": 3}}})
    with pytest.raises(FolderError, match="experiment is 'tables' there and 'other' here"):
        settle_configuration(tmp_path, {"experiment": "other"})


def test_a_study_grows_by_what_it_may(tmp_path):
    def with_seeds(train, seeds):
        return {"studies": {"one": {"train": train, "seeds": seeds}}}

    def grown(there, here):
        return {**here, "seeds": max(there["seeds"], here["seeds"])}

    for seeds, there in ((2, 2), (5, 5), (3, 5)):
        whole = settle_configuration(tmp_path, with_seeds(1, seeds), grown=grown)
        assert whole == read_json(tmp_path / "configuration.json") == with_seeds(1, there)
    with pytest.raises(FolderError, match=r"studies\.one\.train is 1 there and 2 here\. Give"):
        settle_configuration(tmp_path, with_seeds(2, 9), grown=grown)
    assert read_json(tmp_path / "configuration.json") == with_seeds(1, 5)


def test_one_blas_thread_is_set_where_the_user_has_not():
    settings = {"OMP_NUM_THREADS": "3", "OPENBLAS_CORETYPE": "Haswell"}
    threads.use_one_thread(settings)
    assert settings == {
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "3",
        "MKL_NUM_THREADS": "1",
        "OPENBLAS_CORETYPE": "Haswell",
    }
    assert threads.describe_blas(settings) == (
        "OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=3 MKL_NUM_THREADS=1 OPENBLAS_CORETYPE=Haswell"
    )


def test_the_kernels_are_left_to_blas():
    settings: dict[str, str] = {}
    threads.use_one_thread(settings)
    assert "OPENBLAS_CORETYPE" not in settings
