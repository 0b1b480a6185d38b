"""Files of data/ are found by name, and each has its provenance."""

from pathlib import Path

import pytest

from rfcsim.data import Kind, data_names, data_path
from rfcsim.errors import RfcsimError

README = Path(__file__).parents[1] / "data" / "README.md"


def test_a_file_is_found_by_name_with_and_without_suffix() -> None:
    path = data_path("costs", "hdd-2010")
    assert path.is_file()
    assert data_path("costs", "hdd-2010.toml") == path
    assert data_path("traces", "pieces-256-same-cpu").suffix == ".txt"


@pytest.mark.parametrize("name", ["hdd-2011", "", "../costs/nvme", "README.md"])
def test_an_unknown_name_is_answered_with_those_there_are(name: str) -> None:
    with pytest.raises(RfcsimError) as caught:
        data_path("costs", name)
    message = str(caught.value)
    assert "\n" not in message
    assert repr(name) in message
    assert all(known in message for known in data_names("costs"))


@pytest.mark.parametrize("kind", ["costs", "measurements", "traces"])
def test_every_file_has_its_provenance(kind: Kind) -> None:
    described = README.read_text()
    names = data_names(kind)
    assert len(names) == {"costs": 5, "measurements": 2, "traces": 7}[kind]
    assert [name for name in names if f"`{name}" not in described] == []
