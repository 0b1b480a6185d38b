"""Small scenarios for the explorer: a task that locks a few pages, and others beside it."""

from hypothesis import strategies as st

from rfcsim import (
    Brk,
    Fork,
    GetUserPages,
    Hold,
    Kill,
    Mlock,
    Mlockall,
    Mmap,
    Mprotect,
    Mremap,
    Munlock,
    Munlockall,
    Munmap,
    Populate,
    ReadMaps,
    Region,
    RemapFilePages,
    Scenario,
    TaskGroup,
    Touch,
    Truncate,
)
from rfcsim.model.layout import design
from rfcsim.scenario.calls import Call


def beside_mlock(
    *others: tuple[Call, ...], design: str = "batched", pages: int = 4, batch: int = 2
) -> Scenario:
    """A task that locks the whole region `a`, and one more task for each tuple of calls."""
    tasks = [TaskGroup(name="locker", calls=(Mlock(region="a"),))]
    tasks += [TaskGroup(name=f"other{n}", calls=calls) for n, calls in enumerate(others)]
    return Scenario(
        name="beside-mlock",
        costs="anon-2010",
        design=design,
        batch_pages=batch,
        regions=(Region(name="a", pages=pages, gap_pages=0),),
        tasks=tuple(tasks),
    )


MUNLOCK = (Munlock(region="a"),)
MUNLOCK_PART = (Munlock(region="a", offset_pages=1, pages=2),)
MUNMAP = (Munmap(region="a"),)
MUNMAP_PART = (Munmap(region="a", offset_pages=1, pages=2),)
MAP_ANEW = (Munmap(region="a"), Mmap(region="a"))
MAP_OVER = (Mmap(region="a", offset_pages=1, pages=2),)
MLOCK = (Mlock(region="a"),)
TOUCH = (Touch(region="a", offset_pages=2),)


@st.composite
def scenarios(draw: st.DrawFn, mappers: int = 8) -> Scenario:
    """Any small scenario; at most `mappers` tasks call mmap."""
    pages = draw(st.integers(1, 4))
    protection = draw(st.sampled_from(["rw", "rw", "r", "none"]))
    special = draw(st.sampled_from(["none", "none", "none", "dontexpand", "io"]))
    backing = draw(st.sampled_from(["anonymous", "file"]))
    region = Region(
        name="a",
        pages=pages,
        gap_pages=0,
        backing=backing,
        cached=backing == "file",
        protection=protection,
        special=special,
        locked=special == "none" and draw(st.booleans()),
    )
    tasks = []
    for number in range(draw(st.integers(1, 3))):
        kinds = [Mlock, Munlock, Munmap, Touch, ReadMaps]
        if number < mappers:
            kinds.append(Mmap)
        calls = []
        for _ in range(draw(st.integers(1, 2))):
            kind = draw(st.sampled_from(kinds))
            if kind is ReadMaps:
                calls.append(ReadMaps())
                continue
            offset = draw(st.integers(0, pages - 1))
            length = 1 if kind is Touch else draw(st.integers(1, pages - offset))
            calls.append(kind(region="a", offset_pages=offset, pages=length))
        tasks.append(TaskGroup(name=f"task{number}", calls=tuple(calls)))
    return Scenario(
        name="small",
        costs="anon-2010",
        design=draw(st.sampled_from(list(design.BY_NAME))),
        batch_pages=draw(st.integers(1, 3)),
        rlimit_memlock_pages=draw(st.sampled_from([None, None, 2])),
        max_map_count=draw(st.sampled_from([65530, 2])),
        regions=(region,),
        tasks=tuple(tasks),
    )


@st.composite
def scenarios_of_any_call(draw: st.DrawFn) -> Scenario:
    """A scenario of up to three tasks, each with one or two calls of any kind.

    There are several mappings, so a task may work on one while another task works on the other.
    """
    pages = draw(st.integers(2, 4))
    sizes = {"a": pages, "c": 1, "file": 2}
    names = [f"task{number}" for number in range(draw(st.integers(2, 3)))]

    def on(
        kind: type, among: str | tuple[str, ...] = ("a", "a", "c", "file"), **more: object
    ) -> Call:
        region = draw(st.sampled_from([among] if isinstance(among, str) else among))
        offset = draw(st.integers(0, sizes[region] - 1))
        length = draw(st.integers(1, sizes[region] - offset))
        return kind(region=region, offset_pages=offset, pages=length, **more)

    makers = [
        lambda: on(Mlock),
        lambda: on(Mlock),
        lambda: on(Munlock),
        lambda: on(Munmap),
        lambda: on(Mmap, locked=draw(st.booleans()), populate=draw(st.booleans())),
        lambda: on(Mprotect, protection=draw(st.sampled_from(["rw", "r", "none"]))),
        lambda: on(Mremap, to_region="b"),
        lambda: on(
            Mremap,
            among=("a", "c"),  # behind a file's mapping there is nothing in the page cache
            new_pages=draw(st.integers(1, 3)),
            may_move=draw(st.booleans()),
        ),
        lambda: on(Touch, write=draw(st.booleans())),
        lambda: on(Touch),
        lambda: on(Populate),
        lambda: on(GetUserPages),
        lambda: on(Truncate, among="file"),
        lambda: on(RemapFilePages, among="file", nonblock=draw(st.booleans())),
        lambda: Hold(mode=draw(st.sampled_from(["shared", "exclusive"])), hold_ns=1),
        lambda: Mlockall(future=draw(st.booleans())),
        Munlockall,
        ReadMaps,
        Fork,
        lambda: Kill(task=draw(st.sampled_from(names))),
        lambda: Brk(region="a", pages=draw(st.integers(0, pages))),
    ]
    calls = st.lists(st.sampled_from(makers).map(lambda make: make()), min_size=1, max_size=2)
    return Scenario(
        name="any-call",
        costs="anon-2010",
        design=draw(st.sampled_from(list(design.BY_NAME))),
        batch_pages=draw(st.integers(1, 3)),
        regions=(
            Region(name="a", pages=pages, gap_pages=0, present=draw(st.booleans())),
            Region(name="b", pages=pages, gap_pages=0, mapped=False),
            Region(name="c", pages=1, gap_pages=1),
            Region(name="file", pages=2, backing="file", cached=True, present=draw(st.booleans())),
        ),
        tasks=tuple(TaskGroup(name=name, calls=tuple(draw(calls))) for name in names),
    )
