"""The benchmarks run, count what they say they count, and leave measurements that say where they come from."""

import json

import numpy as np
import pytest

from experiments.benchmarks import frozen, jacobian, population, step, stimuli, timing
from npnet.arrays import generator
from npnet.tasks import draw


def test_operations_of_a_step():
    # forward 2·20·(4·3 + 3·2), dW the same, dX of the upper layer alone
    assert step.operations((4, 3, 2), 20) == 2 * 20 * (18 + 18 + 6)


def test_contenders_take_turns():
    order = []
    seconds = timing.in_turn(
        {"a": lambda steps: order.append(("a", steps)), "b": lambda steps: order.append("b")}, 7, 2
    )
    assert order == [("a", 7), "b", ("a", 7), "b", ("a", 7), "b"]  # the first turn of each is not counted
    assert {name: len(times) for name, times in seconds.items()} == {"a": 2, "b": 2}
    assert timing.ratio([2.0, 6.0, 9.0], [1.0, 2.0, 9.0]) == 2.0


@pytest.mark.parametrize("module", list(step.PEERS))
def test_every_peer_that_is_installed_makes_steps(module):
    pytest.importorskip(module, reason="a peer of the benchmarks: the extra 'peers' brings it")
    X, labels = generator(0).random((20, 8), dtype=np.float32), generator(1).integers(0, 2, 20)
    step.PEERS[module][1]((8, 6, 2), X, labels)(3)


def test_both_benchmarks_write_what_they_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(step, "one_core", lambda: "a core")
    monkeypatch.setattr(frozen, "one_core", lambda: "a core")
    monkeypatch.setattr(step, "PEERS", {})
    step.main(tmp_path / "step.json", networks=[(8, 4, 2)], batches=[20], rounds=2)
    frozen.main(tmp_path / "frozen.json", images=200)
    measured = json.loads((tmp_path / "step.json").read_text())
    assert measured["rows"][0]["ratios"] == {"npnet": 1.0}
    assert measured["environment"]["npnet"]
    assert json.loads((tmp_path / "frozen.json").read_text())["ratio"] > 1


def test_traffic_of_a_step():
    # 4·3 + 3 parameters below, 3·2 + 2 above: read, gradient written, both read, written; above also read going back
    assert population.traffic((4, 3, 2)) == 4 * (5 * 15 + 6 * 8)


def test_populations_of_every_size_are_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(population, "_device", lambda: (np, "a core"))
    monkeypatch.setattr(population, "copy_rate", lambda xp: 1e9)
    population.main(tmp_path / "population.json", (1, 3), (8, 4, 2), rounds=2)
    measured = json.loads((tmp_path / "population.json").read_text())
    assert [row["replicates"] for row in measured["rows"]] == [1, 3]
    for row in measured["rows"]:
        assert row["ratios"]["population"] == 1
        assert {"population", "one by one"} <= set(row["rates"])


@pytest.mark.parametrize("module", list(stimuli.PEERS))
def test_every_peer_that_is_installed_draws_lines(module):
    pytest.importorskip(module, reason="a peer of the benchmarks: the extra 'peers' brings it")
    for make in stimuli.PEERS[module][1].values():
        make([[(1.0, 2.0, 20.5, 9.25)], [(0.25, 31.0, 31.0, 0.25), (3.0, 3.0, 3.0, 28.0)]])(2)


def test_the_lines_given_to_peers_are_the_truths():
    truth = draw("acl", 0, 0, stimuli.BLOCK).truth
    lines = stimuli.lines_of("acl")
    assert np.array_equal(lines, truth["segments"][:, :3])
    assert {type(number) for line in lines[0] for number in line} == {float}


def test_drawing_is_measured_beside_peers_in_sets_and_from_the_first_start(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(stimuli, "one_core", lambda: "a core")
    monkeypatch.setattr(stimuli, "PEERS", {"no_such_module": ("Nobody", {})})
    monkeypatch.setattr(stimuli, "BLOCK", 10)
    stimuli.main(tmp_path / "stimuli.json", tasks=["ac", "sb2l"], blocks=1, rounds=2, images=50, starts=0)
    measured = json.loads((tmp_path / "stimuli.json").read_text())
    assert [(row["task"], row["segments"], row["ratios"]) for row in measured["rows"]] == [
        ("ac", 2, {"npnet": 1.0}),
        ("sb2l", 4, {"npnet": 1.0}),
    ]
    assert measured["sets"]["images"] == 50
    assert measured["peers"] == {}
    assert measured["environment"]["npnet"]
    assert "not installed: Nobody" in capsys.readouterr().out


def test_what_matching_costs_is_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(jacobian, "one_core", lambda: "a core")
    jacobian.main(tmp_path / "jacobian.json", networks=[(8, 4, 2)], batches=[20], rounds=2)
    measured = json.loads((tmp_path / "jacobian.json").read_text())
    assert [row["activation"] for row in measured["rows"]] == ["relu", "tanh"]
    for row in measured["rows"]:
        assert row["ratios"]["plain"] == 1
        assert set(row["ratios"]) > {"Jacobian, one logit", "Jacobian, all logits", "input attention"}
        # plain: 3·40 − 32 products of a batch, and three more with each of the 40 weights
        assert row["operations"] == (3 * 40 - 32 + 3 * 40) / (3 * 40 - 32)
