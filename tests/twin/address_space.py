"""The VMAs and pages of one process (rules 3). Memory is counted in page numbers."""

from dataclasses import dataclass, field, replace

from rfcsim.model.layout import bit, vm


class TooManyVmas(Exception):
    """A split would take the process past `max_map_count`."""


@dataclass
class Page:
    """One page of address space: its page-table entry, and the file page behind it."""

    present: bool = False
    mlocked: bool = False
    zero: bool = False  # the entry maps the shared zero page
    cow: bool = False  # the entry maps a page shared with a child: a write copies it first
    cached: bool = False
    reading: bool = False
    marked: bool = False  # PG_readahead
    past_eof: bool = False

    def serves(self, writing: bool) -> bool:
        """Is the entry good for such an access, permissions apart?"""
        return self.present and not (writing and (self.zero or self.cow))

    def clear_entry(self) -> None:
        """Take the entry out of the page table; the page cache stays."""
        self.present = self.mlocked = self.zero = self.cow = False

    def bits(self) -> int:
        """The page in the bits of `rfcsim.model.layout.bit`."""
        return (
            bit.PRESENT * self.present
            | bit.MLOCKED * self.mlocked
            | bit.ZERO * self.zero
            | bit.COW * self.cow
            | bit.CACHED * self.cached
            | bit.READING * self.reading
            | bit.MARKED * self.marked
            | bit.PAST_EOF * self.past_eof
        )


@dataclass(eq=False)
class Vma:
    """One virtual memory area, [start, end)."""

    start: int
    end: int
    flags: int
    backing: int
    identity: int
    read_position: int
    read_misses: int = 0

    def has(self, flags: int) -> bool:
        return bool(self.flags & flags)

    @property
    def pages(self) -> int:
        return self.end - self.start

    @property
    def locked(self) -> bool:
        return self.has(vm.LOCKED)

    @property
    def special(self) -> bool:
        """mlock() makes its pages present, but never sets VM_LOCKED on it."""
        return self.has(vm.DONTEXPAND | vm.RESERVED | vm.HUGETLB | vm.GATE)

    @property
    def untouchable(self) -> bool:
        """mlock() leaves it alone."""
        return self.has(vm.IO | vm.PFNMAP)

    @property
    def grows_down(self) -> bool:
        return self.has(vm.GROWSDOWN)

    def allows(self, writing: bool) -> bool:
        """May its pages be made present for this access?"""
        return self.has(vm.READ) and (not writing or self.has(vm.WRITE))

    def continues(self, lower: "Vma") -> bool:
        """Does it begin where `lower` ends, and are they alike, so that the two can be one?"""
        return (
            lower.end == self.start
            and lower.flags == self.flags
            and lower.backing == self.backing
            and lower.identity == self.identity
        )


@dataclass
class AddressSpace:
    """The VMAs in order, the pages, what is charged for them, and who uses them."""

    pages: list[Page]
    max_map_count: int
    lock_limit: int | None  # RLIMIT_MEMLOCK in pages; None: unlimited
    cap_ipc_lock: bool
    batch_pages: int | None  # pages per shared hold; None: populate under the exclusive one
    readahead_pages: int
    vmas: list[Vma] = field(default_factory=list)
    locked_vm: int = 0
    total_vm: int = 0
    next_identity: int = 1
    def_flags: int = 0  # VM_LOCKED after mlockall(MCL_FUTURE)
    current: int = 0  # the task whose step it is
    killed: set[int] = field(default_factory=set)  # tasks that a fatal signal waits for

    @property
    def map_count(self) -> int:
        return len(self.vmas)

    def first_ending_after(self, page: int) -> Vma | None:
        """`find_vma()`: the lowest VMA that ends after the page, wherever it begins."""
        return next((vma for vma in self.vmas if vma.end > page), None)

    def covering(self, page: int) -> Vma | None:
        vma = self.first_ending_after(page)
        return vma if vma and vma.start <= page else None

    def first_intersecting(self, start: int, end: int) -> Vma | None:
        """`find_vma_intersection()`."""
        vma = self.first_ending_after(start)
        return vma if vma and vma.start < end else None

    def all_intersecting(self, start: int, end: int) -> list[Vma]:
        return [vma for vma in self.vmas if vma.start < end and vma.end > start]

    def may_lock_at_all(self) -> bool:
        """`can_do_mlock()`"""
        return self.cap_ipc_lock or self.lock_limit != 0

    def within_limit(self, pages: int) -> bool:
        """May this many pages be locked in all?"""
        return self.cap_ipc_lock or self.lock_limit is None or pages <= self.lock_limit

    def may_lock(self, pages: int) -> bool:
        """Do this many more pages fit into RLIMIT_MEMLOCK?"""
        return self.within_limit(self.locked_vm + pages)

    def insert(self, start: int, end: int, flags: int, backing: int) -> Vma:
        """A new mapping, with an identity of its own."""
        vma = Vma(start, end, flags, backing, self.next_identity, read_position=start - 1)
        self.next_identity += 1
        self.add(vma)
        return vma

    def add(self, vma: Vma) -> None:
        self.vmas.append(vma)
        self.vmas.sort(key=lambda one: one.start)
        self.total_vm += vma.pages

    def remove(self, vma: Vma) -> None:
        self.vmas.remove(vma)
        self.total_vm -= vma.pages

    def split(self, page: int, *, limited: bool) -> int:
        """Split the VMA that straddles the page, if one does: how many splits were made?"""
        lower = self.covering(page)
        if lower is None or lower.start == page:
            return 0
        if limited and self.map_count >= self.max_map_count:
            raise TooManyVmas
        upper = replace(lower, start=page)
        lower.end = page
        self.vmas.insert(self.vmas.index(lower) + 1, upper)
        return 1

    def merge(self, page: int) -> int:
        """Merge the VMAs that meet at the page, if they are alike: how many merges were made?"""
        upper = self.covering(page)
        lower = self.covering(page - 1)
        if lower is None or upper is None or lower is upper or not upper.continues(lower):
            return 0
        lower.end = upper.end
        self.vmas.remove(upper)
        return 1
