"""The study of published baselines: its protocol in little, stopped and gone on with, and what its report judges."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.frame.workspace import Stopped, Workspace
from experiments.published import published_split_mnist
from experiments.studies.split_mnist import sequence
from experiments.studies.split_mnist.design import METHODS, SCENARIOS, Protocol, pairs
from experiments.studies.split_mnist.sequence import head_of, labelled, learn_sequence, learn_task, tasks_of
from npnet import Network, generator, mlp, uniform_fan_in

LITTLE = Protocol("drawn", (12, 10), epochs=3, batch_size=16, tasks=3, train=400)


def accuracies(tmp_path, scenario, method, name="a", protocol=LITTLE):
    result = learn_sequence(Workspace(tmp_path, name), protocol, scenario, method, 1)
    return {metric: value for _, _, _, metric, value in result["measurements"]}


def test_pixels_and_labels_are_those_of_the_protocol():
    (train, test), *_ = pairs(LITTLE)
    assert train.inputs.shape[1] == 32 * 32
    assert train.inputs.dtype == np.float32
    assert train.inputs.min() == pytest.approx(-0.1 / 0.2752, rel=1e-6)  # the padding is black
    assert set(test.labels) == {0, 1}
    third = pairs(LITTLE)[2][0]
    assert set(third.labels) == {4, 5}
    assert set(labelled("domain", third, 2).labels) == {0, 1}
    assert set(labelled("class", third, 2).labels) == {4, 5}
    assert [head_of(scenario, 2) for scenario in SCENARIOS] == ["task 3", "digits", "digits"]


def test_every_row_of_the_papers_table_has_its_cells():
    theirs = {(each.method, each.scenario): each for each in published_split_mnist()}
    ours = {"Gradual Tuning", "LwF, 4 epochs"}
    assert set(METHODS) - {method for method, _ in theirs} == ours
    assert all((method, scenario) in theirs for method in set(METHODS) - ours for scenario in SCENARIOS)
    cell = theirs["SI", "domain"]
    assert cell.moments.mean == 64.76
    assert cell.moments.sd == pytest.approx(3.09 * (10 / 9) ** 0.5)


def test_a_row_of_another_program_has_its_batches_and_its_pixels():
    counted = replace(LITTLE, batches=70, pixels="unit")
    (train, test), *_ = pairs(counted)
    assert (train.inputs.min(), train.inputs.max()) == (0, 1)
    assert (test.inputs.min(), test.inputs.max()) == (0, 1)
    network = mlp((32 * 32, 12, 10), {"digits": 2}, generator(0), uniform_fan_in)
    run = learn_task(counted, METHODS["LwF"], "domain", network, {}, 0, 0)
    assert float(run.buffers["hidden layer 1: W"]["t"].item()) == 70
    assert METHODS["LwF"].protocol == Protocol(batches=2_000, pixels="unit")


@pytest.mark.parametrize(
    ("scenario", "method"), [("task", "SI"), ("class", "Online EWC"), ("domain", "Naive rehearsal")]
)
def test_a_sequence_stopped_after_each_task_goes_on_to_the_same_numbers(scenario, method, tmp_path):
    whole = accuracies(tmp_path, scenario, method)
    stop = tmp_path / "stop"
    for _ in range(LITTLE.tasks - 1):
        stop.touch()
        with pytest.raises(Stopped):
            accuracies(tmp_path, scenario, method, "b")
    stop.unlink()
    assert accuracies(tmp_path, scenario, method, "b") == whole
    assert len(whole) == 1 + 2 + 3 + 1


def test_what_all_tasks_at_once_and_old_images_are_worth_shows_in_little(tmp_path):
    alone, joint, kept = (
        accuracies(tmp_path, "class", method, method.split()[0], replace(LITTLE, epochs=8))["accuracy"]
        for method in ("Adam", "Offline (upper bound)", "Naive rehearsal")
    )
    assert joint > alone + 10
    assert kept > alone + 10


def test_memories_are_kept_where_the_scenario_trains_a_head_again(monkeypatch, tmp_path):
    seen = []
    real = sequence.consolidated

    def looking(*arguments):
        seen.append(real(*arguments))
        return seen[-1]

    monkeypatch.setattr(sequence, "consolidated", looking)
    for scenario, method, memories in (("task", "EWC", 2), ("class", "EWC", 2), ("class", "Online EWC", 1)):
        seen.clear()
        accuracies(tmp_path, scenario, method, f"{scenario}-{method.split()[0]}")
        last: Network = seen[-1]
        assert len(last.memories) == memories
        for memory in last.memories.values():
            assert len(memory["fisher"]) == (2 if scenario == "task" else 3)
        if scenario == "class":  # classes that were not there yet have no information
            F = last.memories[next(iter(last.memories))]["fisher"][2]
            assert (F["b"][4:] == 0).all()
            assert (F["b"][:2] > 0).all()


def test_old_images_are_as_many_as_the_new_ones_and_no_more_are_kept_than_the_memory_holds():
    of = replace(METHODS["Naive rehearsal"], memory=30)
    (task,) = tasks_of(LITTLE, of, "class", 2, 0).values()
    new, old = (np.unique(task.train.inputs[task.train.labels // 2 == k], axis=0) for k in (2, 0))
    assert len(old) == 15  # half of the memory, the other half is the second pair's
    count = np.bincount(task.train.labels // 2)
    assert len(new) * 0.7 < count[0] + count[1] <= len(new) * 1.1
    heads = tasks_of(LITTLE, of, "task", 2, 0)
    assert list(heads) == ["task 3", "task 1", "task 2"]


def test_the_optimizers_memory_is_carried_on_to_the_next_task():
    network = mlp((32 * 32, 12, 10), {"digits": 2}, generator(0), uniform_fan_in)
    run = learn_task(LITTLE, METHODS["Adam"], "domain", network, {}, 0, 0)
    steps = float(run.buffers["hidden layer 1: W"]["t"].item())
    after = learn_task(LITTLE, METHODS["Adam"], "domain", run.network, run.buffers, 1, 0)
    assert float(after.buffers["hidden layer 1: W"]["t"].item()) > steps
    assert float(run.buffers["hidden layer 1: W"]["t"].item()) == steps  # of a copy
