"""What `rfcsim --help` prints: whole sentences, and no types of Python."""

import re

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from rfcsim import check_scenarios, presets
from rfcsim.cli import app

GROUP = get_command(app)
assert isinstance(GROUP, TyperGroup)
COMMANDS = sorted(GROUP.commands)


def test_no_summary_is_cut_off(rfcsim) -> None:
    _, out, _ = rfcsim("--help")
    listed = dict(re.findall(r"^  (\w+) {2,}(\S.*)$", out.split("Commands:")[1], re.MULTILINE))
    assert sorted(listed) == COMMANDS
    for command, summary in listed.items():
        assert summary.endswith(".") and not summary.endswith("..."), command


@pytest.mark.parametrize("command", COMMANDS)
def test_every_argument_and_option_is_explained_without_types(rfcsim, command: str) -> None:
    status, out, _ = rfcsim(command, "--help")
    assert status == 0
    assert not re.search(r"<\w|list\[", out)
    for entry in re.findall(r"^  (-\S.*)$", out.split("Options:")[1], re.MULTILINE):
        assert re.fullmatch(r"\S.*? {2,}[A-Z].*|\S+( \S+)*", entry), entry


def test_each_preset_is_described_in_one_whole_sentence(rfcsim) -> None:
    described = presets() | check_scenarios()
    for name, line in described.items():
        assert line.endswith("."), name
    _, out, _ = rfcsim("presets")
    _, small, _ = rfcsim("check", "--list")
    assert all(line in out for line in described.values())
    assert all(line in small for line in check_scenarios().values())


def test_every_command_takes_every_preset(rfcsim) -> None:
    for name in (next(iter(presets())), next(iter(check_scenarios()))):
        assert rfcsim("scenario", "--preset", name)[0] == 0
    status, _, err = rfcsim("check", "--preset", "anon-1gb")
    assert status == 2 and "must be 1024 or fewer to be explored" in err
