"""Jobs run in the right order, a failing one stops only those that need it, and every worker has one BLAS thread."""

import pytest
import tinystudy
from rich.console import Console

from experiments.frame import threads
from experiments.frame.executors import Resources, pool
from experiments.frame.files import read_json
from experiments.frame.folder import FolderError, check_configuration, lock_folder, result_of
from experiments.frame.jobs import Job
from experiments.frame.progress import ProgressDisplay
from experiments.frame.scheduler import run_jobs

QUIET = Console(quiet=True)


@pytest.fixture
def run(tmp_path):
    def run(jobs, workers=1):
        with ProgressDisplay(QUIET) as display, pool(workers) as executor:
            return run_jobs(jobs, tmp_path, executor, display)

    return run


def test_needs_come_first_and_finished_jobs_are_skipped(run, tmp_path):
    jobs = [Job(f"leaf-{i}", tinystudy.fine, {"value": i}) for i in range(3)]
    names = tuple(job.name for job in jobs)
    jobs.append(Job("sum", tinystudy.adds, {"needs": list(names)}, needs=names))
    first = run(jobs, workers=2)
    assert first.finished[-1] == "sum"
    assert result_of(tmp_path, "sum")["value"] == 3
    assert run(jobs).skipped == [*names, "sum"]


def test_a_failing_job_stops_only_what_needs_it(run, tmp_path):
    jobs = [
        Job("bad", tinystudy.diverges),
        Job("after", tinystudy.fine, {"value": 1}, needs=("bad",)),
        Job("other", tinystudy.fine, {"value": 2}),
    ]
    outcome = run(jobs)
    assert outcome.finished == ["other"]
    assert "NotFiniteError: objective is not finite at epoch 1, step 2" in outcome.failed["bad"]
    assert outcome.failed["after"] == "not run, because bad failed"
    assert "Traceback" in (tmp_path / "log.txt").read_text()


def test_a_worker_that_dies_is_reported(run):
    with pytest.raises(Exception, match="terminated abruptly"):
        run([Job("gone", tinystudy.dies)])


@pytest.mark.parametrize(
    ("jobs", "message"),
    [
        ([Job("a", tinystudy.fine), Job("a", tinystudy.fine)], "'a' is there twice"),
        ([Job("a", tinystudy.fine, needs=("b",))], "needs 'b'"),
    ],
)
def test_jobs_that_do_not_fit_together(run, jobs, message):
    with pytest.raises(ValueError, match=message):
        run(jobs)


def test_a_job_is_named_like_a_folder():
    with pytest.raises(ValueError, match=r"name is '\.\./x'"):
        Job("../x", tinystudy.fine)


def test_there_is_a_worker():
    with pytest.raises(ValueError, match="workers is 0"):
        Resources(workers=0).check()


def test_a_locked_folder_is_refused(tmp_path):
    with lock_folder(tmp_path), pytest.raises(FolderError, match="in use by another run"), lock_folder(tmp_path):
        pass
    with lock_folder(tmp_path):  # free again
        pass


def test_another_configuration_is_refused(tmp_path):
    check_configuration(tmp_path, {"protocol": {"train": 1, "seeds": 2}})
    check_configuration(tmp_path, {"protocol": {"train": 1, "seeds": 2}})
    with pytest.raises(FolderError, match=r"protocol\.train is 1 there and 5 here"):
        check_configuration(tmp_path, {"protocol": {"train": 5, "seeds": 2}})


def test_a_folder_grows_by_studies(tmp_path):
    one, two = {"train": 1}, {"train": 2}
    check_configuration(tmp_path, {"experiment": "tables", "studies": {"one": one}})
    whole = check_configuration(tmp_path, {"experiment": "tables", "studies": {"two": two}})
    assert whole == {"experiment": "tables", "studies": {"one": one, "two": two}}
    assert check_configuration(tmp_path, {"experiment": "tables", "studies": {"one": one}}) == whole
    with pytest.raises(FolderError, match=r"studies\.one\.train is 1 there and 3 here"):
        check_configuration(tmp_path, {"experiment": "tables", "studies": {"one": {"train": 3}}})
    with pytest.raises(FolderError, match="experiment is 'tables' there and 'other' here"):
        check_configuration(tmp_path, {"experiment": "other"})


def test_a_study_grows_by_what_it_may(tmp_path):
    def with_seeds(train, seeds):
        return {"studies": {"one": {"train": train, "seeds": seeds}}}

    def grown(there, here):
        return {**here, "seeds": max(there["seeds"], here["seeds"])}

    for seeds, there in ((2, 2), (5, 5), (3, 5)):
        whole = check_configuration(tmp_path, with_seeds(1, seeds), grown=grown)
        assert whole == read_json(tmp_path / "configuration.json") == with_seeds(1, there)
    with pytest.raises(FolderError, match=r"studies\.one\.train is 1 there and 2 here\. Give"):
        check_configuration(tmp_path, with_seeds(2, 9), grown=grown)
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


def test_an_option_that_only_the_folder_has_is_another_configuration(tmp_path):
    check_configuration(tmp_path, {"preset": "quick", "studies": {"a": {"seeds": 3, "rate": 0.1}}})
    for here in ({"studies": {"a": {"seeds": 3, "rate": 0.1}}}, {"preset": "quick", "studies": {"a": {"seeds": 3}}}):
        with pytest.raises(FolderError, match=r"(preset|studies\.a\.rate) is .* there and None here"):
            check_configuration(tmp_path, here)
