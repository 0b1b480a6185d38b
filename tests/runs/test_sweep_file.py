"""A sweep as a file: what it can say, and its errors in one line."""

from pathlib import Path

import pytest

from rfcsim.errors import RfcsimError
from rfcsim.runs.sweep import sweep
from rfcsim.runs.sweep_file import SweepFile, read_sweep
from rfcsim.scenario.presets import preset
from tests.runs.examples import SMALL, TEXT, free_costs


def read(folder: Path, text: str) -> SweepFile:
    file = folder / "plan.toml"
    file.write_text(text)
    return read_sweep(file)


def test_fields_and_their_values(tmp_path: Path) -> None:
    plan = read(
        tmp_path,
        """
        scenario = "anon-1gb"
        replications = 3
        seed = 7
        [over]
        batch_pages = [64, 256]
        tasks.worker.count = [1, 4]
        "regions.data.pages" = [1000]
        """,
    )
    assert plan == SweepFile(
        [preset("anon-1gb")],
        {
            "batch_pages": [64, 256],
            "tasks.worker.count": [1, 4],
            "regions.data.pages": [1000],
        },
        replications=3,
        seed=7,
    )
    assert list(plan.over) == ["batch_pages", "tasks.worker.count", "regions.data.pages"]


def test_variants(tmp_path: Path) -> None:
    plan = read(
        tmp_path,
        """
        scenario = "anon-1gb"
        [[over.kernel]]
        name = "2.6.36"
        design = "exclusive"
        [[over.kernel]]
        name = "RFC"
        design = "batched"
        tasks.worker.count = 4
        costs = "own.toml"
        """,
    )
    assert plan.over == {
        "kernel": {
            "2.6.36": {"design": "exclusive"},
            "RFC": {
                "design": "batched",
                "tasks.worker.count": 4,
                "costs": str(tmp_path / "own.toml"),
            },
        }
    }
    assert (plan.replications, plan.seed) == (10, 0)


def test_scenarios_by_name_by_path_and_as_a_table(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(TEXT)
    free_costs(tmp_path)
    several = read(tmp_path, 'scenario = ["anon-1gb", "small.toml"]\nover.cpus = [1]')
    assert several.scenarios == [preset("anon-1gb"), SMALL]
    as_table = TEXT.replace('costs = "anon-2010"', 'costs = "free.toml"')
    as_table = as_table.replace("[[", "[[scenario.").replace("[[scenario.tasks", "[[scenario.tasks")
    own = read(tmp_path, f"[over]\ncosts = ['anon-2010', './free.toml']\n[scenario]\n{as_table}")
    assert own.scenarios == [SMALL.replace(costs=str(tmp_path / "free.toml"))]
    assert own.over == {"costs": ["anon-2010", str(tmp_path / "free.toml")]}
    rows = sweep(own.scenarios, own.over, replications=1)
    assert rows["costs"].unique(maintain_order=True).to_list() == own.over["costs"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "scenario: missing, must be given"),
        ("scenario = 3", "scenario = 3: must be a name, a path or a table"),
        (
            "scenario = 'anon-1gb'\nreplication = 3",
            "replication: unknown key; did you mean replications?",
        ),
        ("scenario = 'anon-2gb'", 'preset "anon-2gb": there is none; did you mean anon-1gb?'),
        ("scenario = 'anon-1gb'\nover = 3", "over = 3: must be a table"),
        (
            "scenario = 'anon-1gb'\nover.cpus = 3",
            "over.cpus = 3: must be a list of values",
        ),
        (
            "scenario = 'anon-1gb'\nover.kernel = [{design = 'batched'}]",
            "over.kernel: each table must have a name of its own",
        ),
        (
            "scenario = 'anon-1gb'\nover.kernel = [{name = 'a'}, {name = 'a'}]",
            'over.kernel: "a" is given twice, must be given once',
        ),
        (
            "scenario = 'anon-1gb'\nover.kernel = [{name = 'a'}, 3]",
            "over.kernel: must be values, or tables with a name each, not both",
        ),
        ("scenario = ]", "line 1, column 12: not valid TOML: invalid value"),
        ("scenario = {name = 'x'}", "scenario.costs: missing, must be given"),
    ],
)
def test_a_bad_file_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(RfcsimError) as caught:
        read(tmp_path, text)
    assert str(caught.value) == f"{tmp_path / 'plan.toml'}: {message}"


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(RfcsimError, match=r"missing\.toml: No such file or directory"):
        read_sweep(tmp_path / "missing.toml")
    with pytest.raises(RfcsimError, match=r"small\.toml: No such file or directory"):
        read(tmp_path, "scenario = 'small.toml'")
