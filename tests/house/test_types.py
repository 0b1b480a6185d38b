"""A type checker in somebody else's project finds the types of the installed package."""

import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import Any

import pytest

# After each reveal_type stands the type that is found, after each error the rule that is broken.
PROGRAM = """\
import rfcsim
from rfcsim import Result, RfcsimError, Scenario

scenario = rfcsim.preset("anon-1gb").replace(design="batched", batch_pages=64)
result = rfcsim.simulate(scenario, seed=1)
rows = rfcsim.sweep(scenario, {"batch_pages": [64, 256]}, replications=2)
reveal_type(scenario)  # Scenario
reveal_type(rfcsim.Region(name="data", pages=3))  # Region
reveal_type(result)  # Result
reveal_type(result.waits)  # DataFrame
reveal_type(result.longest_wait("worker"))  # int
reveal_type(rfcsim.replicate(scenario, 3).results)  # tuple[Result, ...]
reveal_type(rfcsim.check(rfcsim.check_scenario("mlock-munlock")).schedules)  # dict[str, str]
reveal_type(rows)  # DataFrame
reveal_type(rfcsim.mean_intervals(rows))  # DataFrame
reveal_type(rfcsim.charts.timeline(result.trace))  # LayerChart
reveal_type(rfcsim.live.load_measurement("x.parquet"))  # Measurement
reveal_type(rfcsim.lock_memory(bytearray(9)).pages)  # int
reveal_type(rfcsim.CLAIMS)  # dict[str, str]
reveal_type(rfcsim.__version__)  # str


def longest(run: Result, of: Scenario) -> dict[str, int]:
    try:
        return {group.name: run.longest_wait(group.name) for group in of.tasks}
    except RfcsimError:
        return {}


result.longest_wait(3)  # reportArgumentType
rfcsim.simulate(scenario, sed=1)  # reportCallIssue
rfcsim.simulated(scenario)  # reportAttributeAccessIssue
longest(scenario, scenario)  # reportArgumentType
days: str = rfcsim.nanoseconds("1ms")  # reportAssignmentType
"""


@pytest.fixture(scope="module")
def user(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with an environment of its own, which has the wheel and what the wheel needs."""
    project = tmp_path_factory.mktemp("user")
    venv.create(project / "env", symlinks=True)
    (packages,) = (project / "env" / "lib").glob("python*/site-packages")
    for part in installed.iterdir():
        (packages / part.name).symlink_to(part)
    (packages / "needs.pth").write_text(sysconfig.get_path("purelib"))
    return project


def pyright(user: Path, *arguments: str) -> dict[str, Any]:
    """The report; pyright neither runs in this checkout nor sees it in its environment."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    path = os.pathsep.join([str(user / "env" / "bin"), environment["PATH"]])
    run = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson", *arguments],
        cwd=user,
        env=environment | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout, run.stderr
    return json.loads(run.stdout)


def test_a_program_is_checked_against_it(user: Path) -> None:
    (user / "program.py").write_text(PROGRAM)
    expected = {
        number: line.partition("  # ")[2]
        for number, line in enumerate(PROGRAM.splitlines())
        if "  # " in line
    }
    found = {}
    for said in pyright(user, "program.py")["generalDiagnostics"]:
        revealed = re.fullmatch(r'Type of ".*" is "(.*)"', said["message"], re.DOTALL)
        line = said["range"]["start"]["line"]
        found[line] = revealed[1] if revealed else said.get("rule", said["message"])
    assert found == expected


def test_every_name_of_the_face_has_a_type(user: Path) -> None:
    """Except for the explorer, which is a widget: ipywidgets has no types."""
    report = pyright(user, "--ignoreexternal", "--verifytypes", "rfcsim")["typeCompleteness"]
    assert Path(report["pyTypedPath"]).name == "py.typed"
    face = re.compile(r"rfcsim\.((charts|live)\.)?\w+")
    names = {
        symbol["name"]: symbol["isTypeKnown"] and not symbol["isTypeAmbiguous"]
        for symbol in report["symbols"]
        if face.fullmatch(symbol["name"])
    }
    assert {"rfcsim.Result", "rfcsim.simulate", "rfcsim.live.measure"} <= set(names)
    assert [name for name, known in names.items() if not known] == ["rfcsim.explorer"]
