"""Sets of stimuli in files: whole or absent whenever a process is killed, checked when opened, drawn once."""

import hashlib
import json
import resource
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from npnet.tasks import TASKS, TRUTH, Appearance, StimulusSet, draw, stimuli, stimulus_set, stimulus_sets
from npnet.tasks.line_stimuli import LINES

SET = stimulus_set("sbl", 4, 0, 500)

# A process that writes SET in five blocks and reports what it does; `pause` stops it for good, or for a while.
WRITER = """
import sys, time
import numpy as np
from npnet.tasks import StimulusSet, stimulus_set
from npnet.tasks import stimulus_sets as module
path, pause, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
made = stimulus_set("sbl", 4, 0, 500)
module._BLOCK = 100
blocks = 0

def report(what):
    print(what, flush=True)
    if what == pause:
        time.sleep(seconds)

def draw_at(*arguments, real=module.draw_at):
    global blocks
    blocks += 1
    report(f"block {blocks}")
    return real(*arguments)

def fsync(handle, real=module.os.fsync):
    report("whole")
    return real(handle)

def write_atomically(*arguments, real=module.write_atomically):
    report("sidecar")
    real(*arguments)
    report("described")

module.draw_at, module.os.fsync, module.write_atomically = draw_at, fsync, write_atomically
print("ready", flush=True)
sys.stdin.readline()
drawn = made.in_file(path)
print("sum", int(drawn.images.sum(dtype=np.int64)), blocks, flush=True)
"""


@contextmanager
def writer(path, pause, seconds):
    command = [sys.executable, "-c", WRITER, str(path), pause, str(seconds)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()  # a test that fails leaves nobody asleep


def go(process):
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("\n")
    process.stdin.flush()


def bits(stimuli):
    return [np.ascontiguousarray(part).tobytes() for part in stimuli]


@pytest.mark.parametrize("moment", ["block 3", "whole", "sidecar", "described"])
def test_a_process_killed_while_writing_leaves_nothing_that_is_read(tmp_path, moment):
    path = tmp_path / "set.npy"
    with writer(path, moment, 600) as process:
        go(process)
        for line in process.stdout:
            if line.strip() == moment:
                break
        assert not path.exists()
        assert path.with_name("set.npy.json").exists() == (moment == "described")
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    assert any(tmp_path.iterdir())
    assert bits(SET.in_file(path)) == bits(draw("sbl", 4, 0, 500))
    assert sorted(name for each in tmp_path.iterdir() if not (name := each.name).startswith(".")) == [
        "set.npy",
        "set.npy.json",
    ]


def test_a_full_disk_is_an_error_that_leaves_nothing(tmp_path, monkeypatch):
    """A file size limit of the process stands for the disk: a write beyond it fails as one to a full disk does."""
    path = tmp_path / "set.npy"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    monkeypatch.setattr(stimulus_sets, "_BLOCK", 100)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            SET.in_file(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert [each.name for each in tmp_path.iterdir()] == [".set.npy.lock"]
    assert bits(SET.in_file(path)) == bits(draw("sbl", 4, 0, 500))


def test_two_processes_draw_a_file_once(tmp_path):
    path = tmp_path / "set.npy"
    with writer(path, "block 2", 0.7) as one, writer(path, "block 2", 0.7) as other:
        go(one)
        go(other)
        outcomes = [process.communicate(timeout=300)[0].splitlines()[-1].split() for process in (one, other)]
    expected = int(draw("sbl", 4, 0, 500).images.sum(dtype=np.int64))
    assert [outcome[:2] for outcome in outcomes] == [["sum", str(expected)]] * 2
    assert sorted(int(outcome[2]) for outcome in outcomes) == [0, 5]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "set.npy"
    SET.in_file(path)
    return path


def test_a_file_is_one_read_only_map(path):
    drawn = SET.in_file(path)
    assert bits(drawn) == bits(draw("sbl", 4, 0, 500))
    for part in drawn:
        assert isinstance(part, np.memmap)
        with pytest.raises(ValueError, match="read-only"):
            part[0] = 0
    assert np.load(path, mmap_mode="r").dtype["truth"] == TRUTH
    about = json.loads(path.with_name("set.npy.json").read_text())
    assert (about["task"], about["seed"], about["stimuli"]) == ("sbl", 4, 500)


def test_a_whole_file_is_not_drawn_again(path, monkeypatch):
    def refuse(*arguments):
        raise AssertionError("drawn again")

    before = path.stat().st_mtime_ns
    monkeypatch.setattr(stimulus_sets, "draw_at", refuse)
    SET.in_file(str(path))
    assert path.stat().st_mtime_ns == before


def test_a_file_of_many_blocks(tmp_path, monkeypatch):
    """The border between blocks loses nothing, whether the last block is full or not."""
    for block in (1, 7, 20, 21):
        monkeypatch.setattr(stimulus_sets, "_BLOCK", block)
        drawn = stimulus_set("cnc", 0, 3, 23).in_file(tmp_path / f"{block}.npy")
        assert bits(drawn) == bits(draw("cnc", 0, 3, 23))


@pytest.mark.parametrize("place", [3, 200, 300_000, -1])
def test_a_flipped_bit_is_found(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 4
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"file {path} is damaged: its SHA-256 is not [0-9a-f]{{64}}; delete it"):
        SET.in_file(path)
    path.unlink()
    assert bits(SET.in_file(path)) == bits(SET.in_memory())


@pytest.mark.parametrize("size", [0, 50, 10_000, -1])
def test_a_truncated_file_is_found(path, size):
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValueError, match=f"file {path} is damaged"):
        SET.in_file(path)


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"5", b"null", b"[1]", b'"text"', b"\xff\xfe"])
def test_a_damaged_sidecar_is_found(path, content):
    sidecar = path.with_name("set.npy.json")
    sidecar.write_bytes(content)
    with pytest.raises(ValueError, match=f"file {sidecar} is damaged .* delete both, and {path} is drawn again"):
        SET.in_file(path)
    sidecar.unlink()
    path.unlink()
    assert bits(SET.in_file(path)) == bits(SET.in_memory())


def test_a_file_that_we_did_not_write_stays_as_it_is(tmp_path):
    path = tmp_path / "mine.npy"
    np.save(path, np.arange(3))
    with pytest.raises(ValueError, match=f"file {path} has no mine.npy.json in its folder; give another path"):
        SET.in_file(path)
    assert np.load(path).tolist() == [0, 1, 2]
    assert [each.name for each in tmp_path.iterdir() if not each.name.startswith(".")] == ["mine.npy"]


@pytest.mark.parametrize(
    "change", [{"seed": 5}, {"task": "sb2l"}, {"stimuli": 501}, {"appearance": {}}, {"more": 1}, {"addresses": ""}]
)
def test_an_edited_sidecar_is_found(path, change):
    sidecar = path.with_name("set.npy.json")
    sidecar.write_text(json.dumps(json.loads(sidecar.read_text()) | change))
    with pytest.raises(ValueError, match=f"file {path} holds stimuli of .*; expected .* another path, or delete it"):
        SET.in_file(path)


def test_an_edited_checksum_is_found(path):
    sidecar = path.with_name("set.npy.json")
    sidecar.write_text(json.dumps(json.loads(sidecar.read_text()) | {"sha256": "0" * 64}))
    with pytest.raises(ValueError, match=f"file {path} is damaged: its SHA-256 is not 000"):
        SET.in_file(path)


@pytest.mark.parametrize(
    "other",
    [
        stimulus_set("sb2l", 4, 0, 500),
        stimulus_set("sbl", 5, 0, 500),
        stimulus_set("sbl", 4, 1, 501),
        stimulus_set("sbl", 4, 0, 499),
        stimulus_set("sbl", 4, 0, 500, Appearance(noise=0.02)),
        StimulusSet("sbl", 4, SET.indices[::-1]),
    ],
)
def test_other_stimuli_in_the_file_are_refused(path, other):
    with pytest.raises(ValueError, match="holds stimuli of"):
        other.in_file(path)


def test_a_file_of_another_rule_is_refused(path, monkeypatch):
    other = replace(LINES, tasks=dict(TASKS) | {"sbl": TASKS["sb2l"]})
    monkeypatch.setattr(stimuli, "FAMILIES", (other,))
    with pytest.raises(ValueError, match="holds stimuli of"):
        SET.in_file(path)


class Trap:
    """What unpickling would run."""

    def __reduce__(self):
        return exec, ("raise SystemExit('unpickled')",)


def test_nothing_is_unpickled(path):
    """Even where the sidecar vouches for the file."""
    np.save(path, np.array([Trap()], object), allow_pickle=True)
    sidecar = path.with_name("set.npy.json")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    sidecar.write_text(json.dumps(json.loads(sidecar.read_text()) | {"sha256": digest}))
    with pytest.raises(ValueError, match=r"Python objects in dtype|allow_pickle=False"):
        SET.in_file(path)
