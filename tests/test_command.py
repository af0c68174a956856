"""The command line: a network on a table, one more on another table with the same inputs, and the same in Python."""

import ast
import csv
import json
import subprocess
import sys

import numpy as np
import pytest

import npnet
from npnet.arrays import generator
from npnet.command import main, train_table, transfer_table
from npnet.command.work import interval
from npnet.data import Split


def table(path, names=("iris", "rose", "lily"), shift=0, n=240, values=False):
    rng = generator(shift, "table")
    y = rng.integers(0, 3, n)
    X = 2 * np.eye(3, 4)[(y + shift) % 3] + rng.standard_normal((n, 4))
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["length", "width", "height", "weight", "colour", "species"])
        for x, k in zip(X, y, strict=True):
            answer = round(float(x[0] + 0.1 * x[1]), 3) if values else names[k]
            writer.writerow([*np.round(x, 3), ("red", "blue")[int(rng.integers(2))], answer])


QUICK = ["--epochs", "4", "--hidden", "12,8"]


def test_train_then_transfer_say_and_write_what_came_of_it(tmp_path, monkeypatch, capsys):
    for shown in ("matplotlib", "rich"):  # without them there is no picture and no progress
        pytest.importorskip(shown)
    monkeypatch.chdir(tmp_path)
    table(tmp_path / "flowers.csv")
    table(tmp_path / "trees.csv", ("oak", "elm", "ash"), 1)
    assert main(["train", "flowers.csv", "--target", "species", *QUICK]) == 0
    said = capsys.readouterr()
    assert "3 classes: iris, lily, rose" in said.out
    assert "% misclassified (95 % interval" in said.out
    assert "epoch 4" in said.err
    network = npnet.Network.load("flowers.npz")
    assert (network.units, list(network.heads)) == ((12, 8), ["flowers"])
    assert json.loads((tmp_path / "flowers.json").read_text())["words"] == {"colour": ["blue", "red"]}
    assert (tmp_path / "flowers.png").stat().st_size > 5000
    command = ["transfer", "flowers.npz", "trees.csv", "--target", "species", "--keep-old", "flowers.csv"]
    assert main([*command, "--epochs", "4"]) == 0
    said = capsys.readouterr()
    assert "old table: " in said.out
    assert list(npnet.Network.load("trees.npz").heads) == ["flowers", "trees"]
    lines = [line.strip() for line in said.out.splitlines()]
    one, two = lines[-2:]
    assert one == "from npnet.command import transfer_table"
    before = npnet.Network.load("trees.npz")
    space = {}
    exec(f"{one}\n{two}", space)  # the two lines do the same, to the bit
    after = npnet.Network.load("trees.npz")
    assert all(np.array_equal(p["W"], q["W"]) for p, q in zip(before.trunk, after.trunk, strict=True))
    assert f"{space['outcome'].old[0]:.3g} % before, {space['outcome'].old[1]:.3g} % now" in said.out
    assert ast.parse(two)


def test_the_old_network_reads_the_new_table_as_the_old_one(tmp_path):
    table(tmp_path / "flowers.csv")
    table(tmp_path / "trees.csv", ("oak", "elm", "ash"), 1)
    first = train_table(tmp_path / "flowers.csv", "species", (12,), epochs=30)
    assert first.error < 40
    second = transfer_table(
        tmp_path / "flowers.npz", tmp_path / "trees.csv", "species", "fine", tmp_path / "flowers.csv", epochs=2
    )
    assert second.old[0] == first.error  # the same test examples, scaled alike
    rows = npnet.tasks.read_csv(tmp_path / "trees.csv", "species")
    X = rows.inputs({"colour": ("blue", "red")})
    assert set(second.task.predict(second.network, X)) <= {"oak", "elm", "ash"}
    np.testing.assert_allclose(second.task.inputs(X), first.task.scale(X))


def test_numbers_to_predict_have_an_error_in_their_units(tmp_path, capsys):
    table(tmp_path / "t.csv", values=True)
    assert main(["train", str(tmp_path / "t.csv"), "--epochs", "30", "--hidden", "16"]) == 0
    said = capsys.readouterr().out
    assert "root mean squared error (95 % interval" in said
    assert "1 values" in said


def test_what_cannot_be_done_is_said_in_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table(tmp_path / "flowers.csv")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n3,4\n")
    train_table("flowers.csv", "species", (4,), epochs=1)
    capsys.readouterr()
    for command, message in (
        (["train", "nothing.csv"], "No such file"),
        (["train", "flowers.csv", "--target", "kind"], "target is 'kind'; expected a column of flowers.csv"),
        (["transfer", "flowers.npz", "other.csv"], "other.csv has no column 'length'"),
        (["transfer", "flowers.csv", "other.csv"], "flowers.csv"),
    ):
        assert main(command) == 2
        said = capsys.readouterr().err
        assert said.startswith("npnet: ")
        assert message in said
        assert said.count("\n") == 1
    with pytest.raises(ValueError, match="method is 'fast'; expected one of fine, gradual"):
        transfer_table("flowers.npz", "flowers.csv", method="fast")


def test_it_is_a_module_to_run():
    done = subprocess.run(
        [sys.executable, "-m", "npnet", "train", "--help"], capture_output=True, text=True, check=True
    )
    assert "--hidden" in done.stdout


def test_an_interval_covers_the_truth_about_as_often_as_it_says():
    rng = generator(0, "interval")
    network = npnet.mlp((1,), {"a": 2}, rng)
    network.heads["a"]["W"][:] = [[0, 1]]
    covered = 0
    for _ in range(400):
        labels = (rng.random(200) < 0.9).astype(int)
        low, high = interval(network, "a", Split(np.ones((200, 1), np.float32), labels))
        covered += low <= 10 <= high
    assert 0.91 < covered / 400 < 0.99
    values = npnet.mlp((1,), {"a": 1}, rng)
    values.heads["a"]["W"][:] = 0
    covered = 0
    for _ in range(400):
        low, high = interval(values, "a", Split(np.ones((200, 1), np.float32), 3 * rng.standard_normal((200, 1))))
        covered += low <= 3 <= high
    assert 0.90 < covered / 400 < 0.99
