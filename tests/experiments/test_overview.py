"""The help: every command has its place in a group and one line, and nothing is wider than a terminal of 80 columns."""

import pytest

import experiments.overview as overview
from experiments.command import ALL_GROUPS, COMMANDS, main
from experiments.registry import STUDIES


def test_every_command_has_one_line_in_one_group(capsys):
    assert main([]) == main(["--help"]) == 0
    once, again = capsys.readouterr().out.split("usage: ")[1:]
    assert once == again
    lines = once.splitlines()
    assert max(map(len, lines)) <= 80
    for title, commands in ALL_GROUPS.items():
        first = lines.index(title) + 1
        shown = [line.split(maxsplit=1) for line in lines[first : first + len(commands)]]
        assert shown == [[name, overview.first_line(command)] for name, command in commands.items()]
    assert sum(map(len, ALL_GROUPS.values())) == len(COMMANDS) > len(STUDIES)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_fits_eighty_columns(name, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit, match="0"):
        main([name, "--help"])
    told, _, options = capsys.readouterr().out.partition("usage: ")
    assert told.startswith(overview.first_line(COMMANDS[name]))
    assert max(map(len, [*told.splitlines(), *options.splitlines()[1:]])) <= 80
    assert "{None}" not in options


def test_a_name_that_is_no_commands_is_answered_with_the_nearest_one(capsys):
    assert main(["tabels", "--only", "1"]) == 2
    assert capsys.readouterr().err == "error: command is 'tabels'; expected 'tables'\n"
    assert main(["xyz"]) == 2
    assert capsys.readouterr().err.endswith("expected one of those that python -m experiments --help shows\n")
