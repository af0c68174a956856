"""The page "Watch a network forget": its twin in JavaScript computes what npnet does; the page works in a browser."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import npnet
from explorable import drawn, explorable
from npnet.arrays import generator
from npnet.check.conformance import examples
from npnet.objective import loss_at_head
from npnet.step import Move, Penalise, take_step
from npnet.tasks import draw

RATE, ALPHA = 0.1, 0.05
MASKS = [(0.0, 0.0, 1.0)] * 3 + [(0.0, 1.0, 1.0)] * 3 + [(1.0, 1.0, 1.0)] * 3 + [(0.5, 0.0, 1.0)]


def sent(array):
    """Return an array as the twin reads it: rows, columns, numbers."""
    rows = np.atleast_2d(array)
    return [*rows.shape, rows.ravel().tolist()]


def twin(**asked):
    if not shutil.which("node"):
        pytest.skip("no node on the path")
    asked = {"cases": [], "runs": [], "digits": [], "masks": [], "drawn": drawn()} | asked
    script = Path(__file__).with_name("twin.js")
    done = subprocess.run(["node", script], input=json.dumps(asked), capture_output=True, text=True, timeout=60)
    assert not done.stderr
    return json.loads(done.stdout)


def known(example):
    plain = example.loss == "cross_entropy" and example.weights is None and example.class_weights is None
    pulls = all(q.kind == "l2" and q.scale is None and not q.epsilon for q in example.penalties)
    return plain and pulls and set(example.layers) <= {"linear", "relu", "tanh"}


def test_the_twin_gives_the_answers_of_the_conformance_set():
    chosen = [example for example in examples() if known(example)]
    assert {"relu", "kink: relu", "l2", "l2, anchor", "cross_entropy, far logits"} <= {each.name for each in chosen}
    cases = [
        {
            "layers": list(e.layers),
            "p": [{key: sent(w) for key, w in p.items()} for p in e.p],
            "X": sent(e.X),
            "labels": np.asarray(e.targets).tolist(),
            "pulls": [
                {
                    "of": q.layer,
                    "key": q.name,
                    "alpha": q.strength,
                    "anchor": sent(np.zeros_like(e.p[q.layer][q.name]) if q.anchor is None else q.anchor),
                }
                for q in e.penalties
            ],
        }
        for e in chosen
    ]
    for example, answer in zip(chosen, twin(cases=cases)["cases"], strict=True):
        assert answer["value"] == pytest.approx(float(example.value), rel=1e-12), example.name
        assert answer["gradients"].keys() == example.gradients.keys()
        for name, gradient in example.gradients.items():
            scale = max(1e-3, abs(gradient).max())
            np.testing.assert_allclose(answer["gradients"][name], np.ravel(gradient), atol=1e-12 * scale, err_msg=name)


def test_ten_steps_of_the_twin_are_ten_steps_of_npnet():
    rng = generator(0, "twin")
    network = npnet.mlp((784, 64, 64), {"new": 5}, rng, dtype=np.float64)
    stimuli = draw("digits", 0, 0, 200)
    X, labels = stimuli.images.reshape(200, -1) / 255.0, stimuli.labels.astype(int) % 5
    rows = [np.arange(20 * i, 20 * i + 20) for i in range(len(MASKS))]
    asked = {
        "trunk": [{key: sent(w) for key, w in p.items()} for p in network.trunk],
        "head": {key: sent(w) for key, w in network.heads["new"].items()},
        "batches": [[sent(X[each]), labels[each].tolist()] for each in rows],
        "masks": MASKS,
        "rate": RATE,
        "alpha": ALPHA,
    }
    (answer,) = twin(runs=[asked])["runs"]
    anchors = [{key: w.copy() for key, w in p.items()} for p in network.trunk]
    pull = (npnet.Regularizer(npnet.l2, ALPHA, "trunk", anchors=anchors),)
    for each, mask, theirs in zip(rows, MASKS, answer["values"], strict=True):
        batch = X[each], labels[each]
        loss = loss_at_head(
            network, "new", npnet.cross_entropy, mask, lambda below, batch=batch: lambda _: frozen(below, *batch)
        )
        ours = take_step(loss, Penalise(pull), Move(npnet.SGD(), RATE, {}, pull), each, rng)
        assert theirs == pytest.approx(float(ours), rel=1e-12)
    for mine, its in zip([*network.trunk, network.heads["new"]], answer["arrays"], strict=True):
        for key, w in mine.items():
            np.testing.assert_allclose(its[key], w.ravel(), rtol=1e-10, atol=1e-13)
    assert answer["answers"] == network.logits(X[rows[0]], "new").argmax(1).tolist()


def frozen(below, X, labels):
    """Return what frozen layers make of a batch."""
    for layer, p in below:
        X, _ = layer(p, X)
    return X, labels


def test_layers_join_as_gradual_tuning_lets_them():
    policy, mask, errors, asked = npnet.GradualTuning(0.5), [0.0, 0.0, 1.0], [], []
    for error in (20.0, 12.0, 11.9, 11.2, 11.0, 10.9, 10.9):
        errors.append(error)
        new = list(policy(errors, 2))
        asked.append((list(errors), mask, 0.5, new))
        mask = new
    answers = twin(masks=[each[:3] for each in asked])["masks"]
    assert answers == [each[3] for each in asked]
    assert asked[-1][3] == [1.0, 1.0, 1.0]


def test_the_page_draws_digits_as_npnet_does():
    """Two drawers of one law: each digit's mean image differs by chance alone."""
    stimuli, n = draw("digits", 0, 0, 3000), 300
    images = np.array(twin(digits=[digit for digit in range(10) for _ in range(n)])["images"]).reshape(10, n, 784)
    for digit in range(10):
        theirs, ours = images[digit], stimuli.images.reshape(-1, 784)[stimuli.labels == digit] / 255
        error = np.sqrt(theirs.var(0) / len(theirs) + ours.var(0) / len(ours)) + 1e-3
        away = (theirs.mean(0) - ours.mean(0)) / error
        assert abs(away).max() < 5.5, digit
        assert theirs.max() == 1


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "forget.html"
    path.write_text(explorable(), "utf-8")
    assert path.stat().st_size < 400_000
    return path.as_uri()


def test_the_page_fits_and_says_nothing(browser, page):
    for still in (False, True):
        browser.open(page, 1200, 900, still=still)
        for width, dark in ((1200, False), (1200, True), (390, False), (390, True)):
            browser.show(width, 900, dark, still)
            assert browser.ask("document.documentElement.scrollWidth") <= width
        assert browser.ask("document.getElementById('digits').children.length") == 12
        assert browser.messages == []


def test_the_page_learns_forgets_rewinds_and_is_shared(browser, page):
    browser.open(page, 1200, 900)
    browser.ask(
        "for (let i = 0; i < 400; i++) advance(); beginNew(); for (let i = 0; i < 120; i++) advance(); share(); 1"
    )
    at, fragment, weights = browser.ask("[at, location.hash, network.trunk[0].W.data[20000]]")
    assert at == 120
    browser.ask("rewind(); 1")
    assert browser.ask("at") == 100
    browser.ask("for (let i = 0; i < 20; i++) advance(); 1")
    assert browser.ask("network.trunk[0].W.data[20000]") == weights
    assert fragment == "#method=fine&seed=1&phase=1&step=120"
    browser.ask("choose('gradual'); for (let i = 0; i < 60; i++) advance(); show(); 1")
    assert browser.ask("mask") == [0, 0, 1]
    assert browser.ask("document.querySelector('#mask').ariaLabel") == (
        "layer 1 is frozen, layer 2 is frozen, new head trains"
    )
    assert browser.messages == []


def test_a_broken_line_turns_the_check_red(browser, page):
    browser.open(page, 1200, 900)
    browser.ask("for (let i = 0; i < 30; i++) advance(); show(); 1")
    assert "agree" in browser.ask("document.getElementById('verdict').textContent")
    for key in ("gate", "dZ", "db", "dX"):
        browser.ask(f"document.querySelector('input[value={key}]').click(); 1")
        assert "wrong" in browser.ask("document.getElementById('verdict').textContent"), key
    browser.ask("document.querySelector('input[value=none]').click(); 1")
    assert "agree" in browser.ask("document.getElementById('verdict').textContent")


STATE = "[stop + 1, method, phase, playing, document.getElementById('tour-place').textContent]"


def press(browser, identity):
    browser.ask(f"document.getElementById('{identity}').click(); 1")


def test_the_tour_has_five_stops_which_show_what_they_say(browser, page):
    browser.open(page, 1200, 900)
    browser.ask("STEPS[0] = 8; STEPS[1] = 60; 1")  # a tour in miniature
    seen = [browser.ask(STATE)]
    for _ in range(4):
        press(browser, "tour-next")
        seen.append(browser.ask(STATE))
        browser.ask("new Promise(go => setInterval(() => playing || go(1), 20))")  # it stops by itself
        assert browser.ask("at") == (8 if browser.ask("phase") == 0 else 60)
    assert seen == [
        [1, "fine", 0, False, "1 of 5"],
        [2, "fine", 0, True, "2 of 5"],
        [3, "fine", 1, True, "3 of 5"],
        [4, "gradual", 1, True, "4 of 5"],
        [5, "pull", 1, True, "5 of 5"],
    ]
    assert browser.ask("[Object.keys(curves), document.getElementById('tour-next').disabled]") == [
        ["fine", "gradual"],
        True,
    ]
    assert browser.ask("document.querySelector('input[name=method]:checked').value") == "pull"
    press(browser, "tour-back")
    assert browser.ask(STATE)[:2] == [4, "gradual"]
    press(browser, "tour-close")
    assert browser.ask("document.getElementById('tour').hidden")
    assert browser.messages == []


def test_the_page_plays_pauses_steps_and_rewinds_by_its_buttons(browser, page):
    browser.open(page, 1200, 900)
    press(browser, "play")
    browser.ask("new Promise(go => setInterval(() => at > 2 && go(1), 5))")
    assert browser.ask("[playing, document.getElementById('rewind').disabled]") == [True, True]
    press(browser, "play")
    stood = browser.ask("at")
    press(browser, "step")
    assert browser.ask("[playing, at, location.hash]") == [
        False,
        stood + 1,
        f"#method=fine&seed=1&phase=0&step={stood + 1}",
    ]
    weight = "network.trunk[0].W.data[20000]"
    press(browser, "rewind")
    at, before = browser.ask(f"[at, {weight}]")
    assert at == (stood // 100) * 100
    press(browser, "restart")
    assert browser.ask(f"[at, curve.length, {weight}]")[:2] == [0, 1]
    assert (browser.ask(weight) == before) == (at == 0)


def test_what_is_shared_is_what_others_see(browser, page):
    browser.open(page, 1200, 900)
    browser.ask("seed = 3; begin(); for (let i = 0; i < 25; i++) advance(); 1")
    mine = browser.ask("network.trunk[0].W.data[20000]")
    browser.open(f"{page}?again#method=both&seed=3&phase=0&step=25", 1200, 900)
    browser.ask("new Promise(go => setInterval(() => at >= 25 && !playing && go(1), 10))")
    assert browser.ask("[at, phase, method, seed, document.getElementById('tour').hidden]") == [25, 0, "both", 3, True]
    assert browser.ask("document.querySelector('input[name=method]:checked').value") == "both"
    assert browser.ask("network.trunk[0].W.data[20000]") == mine
    browser.open(f"{page}?odd#method=constructor&seed=-x&phase=0&step=no", 1200, 900)
    assert browser.ask("[method, seed, phase, at]") == ["fine", 1, 0, 0]
    assert browser.messages == []


def test_the_page_works_with_the_keyboard_alone(browser, page):
    browser.open(page, 1200, 900)
    focus = "document.activeElement.id || document.activeElement.value"
    found = []
    for _ in range(10):
        browser.key("Tab", 9)
        found.append(browser.ask(focus))
    assert found == ["tour-next", "tour-close", "fine", "play", "step", "restart", "skip", "speed", "seed", "none"]
    browser.ask("document.getElementById('step').focus(); 1")
    browser.key("Enter", 13, "\r")
    assert browser.ask("at") == 1
    browser.ask("document.getElementById('play').focus(); 1")
    browser.key(" ", 32, " ")
    assert browser.ask("playing")
    browser.key(" ", 32, " ")
    assert not browser.ask("playing")
    browser.ask("document.querySelector('input[value=fine]').focus(); 1")
    browser.key("ArrowRight", 39)
    assert browser.ask("method") == "gradual"


def test_with_reduced_motion_the_page_moves_in_rare_steps(browser, page):
    shown = "STEPS[0] = 120; drawn = []; drawChart = () => drawn.push(at); play(); 1"
    wait = "new Promise(go => setInterval(() => playing || go(drawn.filter(t => t && t < 100)), 20))"
    browser.open(page, 1200, 900)
    browser.ask("let drawn;" + shown + "; play({ phase: 0, at: 100 }); 1")
    assert len(browser.ask(wait)) > 2
    browser.open(page, 1200, 900, still=True)
    browser.ask("let drawn;" + shown + "; play({ phase: 0, at: 100 }); 1")
    assert set(browser.ask(wait)) <= {50}
