"""The sheets of stimuli: every pixel as it was drawn, every line where the truth has it, every value allowed."""

from dataclasses import asdict, fields, replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from experiments import sheets as stimuli
from experiments.command import main
from experiments.sheets.characters_sheet import draw_character_truth
from npnet.tasks import CALIBRATED, TASKS, Appearance, draw
from npnet.tasks.characters import pieces_of
from npnet.tasks.rules import ANGLE, CROSSING, TRIANGLE


def test_the_command_writes_sheets_that_are_not_blank_and_says_where(tmp_path, capsys):
    out = tmp_path / "new" / "folder"
    assert main(["stimuli", "--out", str(out)]) == 0
    names = ["appearance.png", "digits.png", "letters.png", "stimuli.png", "truth.png"]
    assert sorted(path.name for path in out.iterdir()) == names
    for path in out.iterdir():
        picture = imread(path)
        assert min(picture.shape[:2]) > 1000, path
        assert picture.std() > 0.2, path
    assert capsys.readouterr().out.startswith(f"pictures are in {out}: ")


def test_a_sheet_holds_every_pixel_as_a_square_of_its_grey(tmp_path):
    pixels = draw("acl", 0, 7, 8).images[0]
    sheet = stimuli.Sheet(133, 111)
    sheet.image(14, 9, 3, pixels)
    sheet.write(tmp_path / "sheet.png")
    picture = (imread(tmp_path / "sheet.png") * 255).round().astype(np.uint8)
    assert picture.shape == (111, 133, 3)
    assert (picture[9 : 9 + 96, 14 : 14 + 96] == pixels.repeat(3, 0).repeat(3, 1)[..., None]).all()
    assert (picture[:9] == 255).all()


def test_a_sheet_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    path = tmp_path / "sheet.png"
    stimuli.Sheet(40, 40).write(path)
    before = path.read_bytes()
    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        stimuli.Sheet(50, 50).write(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("task", list(TASKS))
def test_what_is_drawn_over_a_stimulus_is_its_truth(task):
    for record in draw(task, 0, 0, 8).truth:
        axes = Figure().subplots()
        stimuli.draw_truth(axes, record)
        drawn = [line.get_xydata() for line in axes.lines]
        count = record["segment_count"]
        for ends, line, start, end in zip(
            record["segments"], *(drawn[k : 3 * count : 3] for k in range(3)), strict=False
        ):
            assert (line == ends.reshape(2, 2)).all()
            assert (start == [ends[:2]]).all()
            assert (end == [ends[2:]]).all()
        colours = [line.get_color() for line in axes.lines[: 3 * count : 3]]
        assert colours.count(stimuli.DISTRACTOR) == record["distractors"]
        rest = drawn[3 * count :]
        if record["figure"] == CROSSING:
            assert (rest[0] == [record["crossing"]]).all()
        elif record["figure"] in (ANGLE, TRIANGLE):
            arms = rest[0][[0, -1]] - record["vertex"]  # from the vertex to both ends of the arc
            cosine = arms[0] @ arms[1] / np.prod(np.linalg.norm(arms, axis=1))
            assert np.degrees(np.arccos(cosine)) == pytest.approx(record["angle"])
            along = record["segments"][:2, 2:] - record["vertex"]
            assert np.einsum("ij,ij->i", arms, along) == pytest.approx(6 * np.linalg.norm(along, axis=1))
        assert len(rest) == (record["figure"] in (ANGLE, TRIANGLE, CROSSING))


def test_what_is_drawn_over_a_character_is_its_truth():
    for record in draw("digits", 0, 0, 5).truth:
        axes = Figure().subplots()
        draw_character_truth(axes, record)
        *strokes, points, first = [line.get_xydata() for line in axes.lines]
        assert np.array_equal(np.reshape(strokes, (-1, 4)), pieces_of(record))
        assert np.array_equal(points, record["points"][: record["point_count"]])
        assert np.array_equal(first, record["points"][:1])


def test_one_of_each_is_what_it_says():
    found = stimuli.one_of_each("sb2l", 3)
    assert len(found) == 2 * 4 * 2
    for (label, background, polarity), (pixels, record) in found.items():
        again = draw("sb2l", 3, int(record["index"]), int(record["index"]) + 1)
        assert (again.labels[0], record["background"], record["polarity"]) == (label, background, polarity)
        assert (again.images[0] == pixels).all()


def test_every_open_parameter_is_shown_over_its_range_with_its_default():
    names = [field.name for field in fields(Appearance)]
    assert list(stimuli.PARAMETERS) == names
    for name in names:
        looks = stimuli.looks(name)  # each was checked when it was made
        assert looks.count(CALIBRATED) == 1
        assert {*map(str, stimuli.PARAMETERS[name][1])} <= {str(np.max(getattr(look, name))) for look in looks}
    for name in ("width", "gap"):  # and nothing else changes
        assert all(replace(look, **{name: getattr(CALIBRATED, name)}) == CALIBRATED for look in stimuli.looks(name))


def test_the_documentation_says_the_defaults():
    """Where this fails, the default has changed: draw the pictures beside the table again, too."""
    text = (Path(__file__).parents[2] / "docs" / "results" / "stimuli" / "README.md").read_text()
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| `")
    ]
    said = {row[0].strip("`"): tuple(float(number) for number in row[2].split(" to ")) for row in rows}
    values = {name: value if isinstance(value, tuple) else (value,) for name, value in asdict(CALIBRATED).items()}
    assert said == values
