"""`rfcsim check`: verdicts, exit status and replays; bad input is one line and status 2."""

from pathlib import Path

import pytest

from rfcsim import check_scenario, check_scenarios


def test_the_scenarios_are_listed(rfcsim) -> None:
    status, out, _ = rfcsim("check", "--list")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()] == list(check_scenarios())


def test_status_1_tells_of_a_violated_claim(rfcsim) -> None:
    status, out, err = rfcsim("check", "--preset", "mlock-mremap")
    assert (status, err) == (1, "")
    verdicts = {words[0]: words[1] for line in out.splitlines() if len(words := line.split()) > 1}
    assert verdicts["serialisable"] == "violated" and verdicts["progress"] == "holds"
    status, out, _ = rfcsim("check", "--preset", "mlock-mremap", "--design", "exclusive")
    assert status == 0 and "violated" not in out


def test_trace_prints_the_schedule_and_replay_takes_it(rfcsim) -> None:
    _, out, _ = rfcsim("check", "--preset", "mlock-mremap", "--trace")
    assert "schedule 'A8 B17 A3' violates serialisable" in out
    status, replayed, _ = rfcsim("check", "--preset", "mlock-mremap", "--replay", "A8 B17 A3")
    assert status == 0
    assert replayed.strip() in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--preset", "mlock-munlok"], "did you mean mlock-munlock?"),
        (["--preset", "mlock-munlock", "--policy", "lifo"], "must be one of any, fifo"),
        (["--preset", "mlock-munlock", "--replay", "A"], "schedule has 'A'"),
        (["--preset", "mlock-munlock", "--replay", "A1", "--policy", "lifo"], "any, fifo"),
        (
            ["--preset", "mlock-munlock", "--memory-gib", "nan"],
            "must be more than 0",
        ),
        (["--preset", "mlock-munlock", "--memory-gib", "0"], "most_gib = 0.0"),
        (["nowhere.toml"], "nowhere.toml"),
        ([], "scenario"),
    ],
)
def test_bad_input(rfcsim, arguments: list[str], message: str) -> None:
    status, out, err = rfcsim("check", *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("rfcsim: error: ") and err.count("\n") == 1
    assert message.lower() in err.lower()


def test_a_scenario_that_is_too_large_is_one_line(rfcsim, tmp_path: Path) -> None:
    file = tmp_path / "large.toml"
    file.write_text(check_scenario("mlock-munlock").replace(**{"regions.a.pages": 1025}).to_toml())
    status, _, err = rfcsim("check", file)
    assert status == 2
    assert "1025 pages: must be 1024 or fewer" in err
