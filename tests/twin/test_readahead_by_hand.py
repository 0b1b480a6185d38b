"""Readahead worked out by hand from the rules; twin and engine must agree with it."""

from rfcsim import Mlock, Region, Scenario, TaskGroup, Touch
from rfcsim.model.layout import call, lock
from tests.twin.agreement import agreed_outcome
from tests.twin.cost_values import cost_values

DISK = -1


def test_a_linear_walk_of_a_cold_file_has_the_next_window_in_flight():
    """R = 2: the first miss reads two windows, [1, 5), and marks page 3, where the second begins.

    The disk takes 100 ns a read, 10 ns a page and 50 ns a seek; mapping a page takes 5 ns.
    """
    scenario = Scenario(
        name="cold-file",
        costs="none",
        cpus=1,
        readahead_pages=2,
        regions=(Region(name="data", pages=6, backing="file", protection="r"),),  # 1 to 6
        tasks=(TaskGroup(name="locker", calls=(Mlock(region="data"),)),),
    )
    costs = cost_values(mlock_file=5, disk_request=100, disk_page=10, disk_seek=50)
    outcome = agreed_outcome(scenario, costs)
    assert outcome.trace == [
        (0, "call_begin", 0, call.MLOCK, 0),
        (0, "run", 0, 0, 0),
        (0, "start_locking", 0, lock.EXCLUSIVE, 0),
        (0, "granted", 0, lock.EXCLUSIVE, 0),
        (0, "acquire_returned", 0, lock.EXCLUSIVE, 0),
        (0, "disk_start", DISK, 1, 4),  # 100 + 4 x 10 + 50
        (0, "stop", 0, 0, 0),
        (190, "disk_done", DISK, 1, 4),
        (190, "run", 0, 0, 0),
        # page 1 to 195, page 2 to 200; page 3 is marked
        (200, "disk_start", DISK, 5, 2),  # 100 + 2 x 10, and no seek: it goes on at page 5
        # page 3 to 205, page 4 to 210; page 5 is still being read, and marked: it would submit
        # [7, 9), but the region ends there
        (210, "stop", 0, 0, 0),
        (320, "disk_done", DISK, 5, 2),
        (320, "run", 0, 0, 0),
        # page 5 to 325, page 6 to 330
        (330, "released", 0, lock.EXCLUSIVE, 0),
        (330, "call_end", 0, call.MLOCK, 0),
        (330, "stop", 0, 0, 0),
    ]
    assert outcome.times[0, "hold_exclusive"] == [330]
    assert all(page.cached and page.present and page.mlocked for page in outcome.space.pages[1:])
    assert not any(page.marked for page in outcome.space.pages)


def test_read_around_fills_the_window_up_to_what_is_there():
    """R = 4, file pages 1 to 16: a miss out of line reads two pages before it, and two from it."""
    scenario = Scenario(
        name="scattered",
        costs="none",
        readahead_pages=4,
        regions=(Region(name="data", pages=16, backing="file"),),
        tasks=(
            TaskGroup(
                name="reader",
                calls=tuple(
                    Touch(region="data", offset_pages=offset, write=False)
                    for offset in (8, 11, 12, 13)
                ),
            ),
        ),
    )
    outcome = agreed_outcome(scenario, cost_values(disk_request=100, disk_page=10, disk_seek=50))
    assert [row for row in outcome.trace if row[1] == "disk_start"] == [
        (0, "disk_start", DISK, 7, 4),  # page 9: [7, 11); 100 + 40 + 50
        (190, "disk_start", DISK, 11, 3),  # page 12: [10, 14), but 10 is there; 100 + 30
        # page 13 is there: a hit
        (320, "disk_start", DISK, 14, 3),  # page 14 follows it: 14 to 21, but the file ends at 17
    ]
    assert outcome.elapsed_ns == 450
    assert outcome.space.vmas[0].read_misses == 1  # two misses, one hit; in line is neither
