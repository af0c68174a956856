"""The benchmarks run, count what they say they count, and leave measurements that say where they come from."""

import json

import numpy as np
import pytest

from experiments.benchmarks import frozen, step, timing
from npnet.arrays import generator


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
