/*
 * mlock() and its neighbours over one small address space, for SPIN.
 *
 * Written by hand from notebooks/reference/rules.md (sections 2 to 4) and from the RFC, never from
 * rfcsim's code, which it judges.
 * A d_step is one step of a call, named after the kernel's function. (It cannot end in a loop or a
 * choice, nor be what a loop breaks out to: hence the skips, the latter kind in an atomic.)
 *
 * The file that includes this one says which case it is:
 *   PAGES            pages of the address space, 3 to 6
 *   CALLS            system calls of all tasks together; each is known by its number
 *   BATCHED, BATCH   the RFC's design, with so many pages to a shared hold; else the original one
 *   FIFO             mmap_sem as in 2.6.36; else the lock goes to anybody whom the mode allows
 *   interfered(page) whether some call unlocks, unmaps or replaces the page
 *   MUTANT_...       makes one line wrong: a positive control
 * and then has the tasks: each is a proctype that makes its calls one after another.
 *
 * In the beginning one anonymous, writable mapping covers every page; nothing is present or locked.
 * So no page fails to populate and no limit is met. What only costs time has no step here.
 *
 * VMAs are not kept: a VMA is a longest run of pages of one identity and one VM_LOCKED, which is
 * what splitting and merging make of it.
 */

#define ENOMEM 12
#define EFAULT 14

#if PAGES == 3
#define EACH_PAGE(op, f) (f(0) op f(1) op f(2))
#elif PAGES == 4
#define EACH_PAGE(op, f) (f(0) op f(1) op f(2) op f(3))
#elif PAGES == 5
#define EACH_PAGE(op, f) (f(0) op f(1) op f(2) op f(3) op f(4))
#elif PAGES == 6
#define EACH_PAGE(op, f) (f(0) op f(1) op f(2) op f(3) op f(4) op f(5))
#endif

byte identity[PAGES] = 1;   /* of the mapping that covers the page; 0 if none does */
bool vm_locked[PAGES];      /* VM_LOCKED in the flags of its VMA */
bool present[PAGES];
bool mlocked[PAGES];        /* PageMlocked */
byte locked_vm;             /* mm->locked_vm, in pages */
byte next_identity = 2;

short returned[CALLS];      /* what each call returned */
byte finished;              /* how many have */

hidden byte p;              /* runs over pages inside a d_step, and so is no part of the state */

#define mapped(page) (identity[page] != 0)

/* ---- mmap_sem ---------------------------------------------------------------------------- */

mtype = { SHARED, EXCLUSIVE };

byte readers;
bool writer;

#ifdef FIFO

chan waiting = [CALLS] of { byte, mtype };
bool granted[CALLS];        /* the lock was handed to this waiter, which has yet to run */
hidden byte front;

/* Whoever comes while anybody waits, waits too. */
inline down_write(call)
{
	if
	:: d_step { !writer && readers == 0 && len(waiting) == 0 -> writer = true }
	:: d_step { writer || readers > 0 || len(waiting) > 0 -> waiting!call,EXCLUSIVE };
	   d_step { granted[call] -> granted[call] = false }
	fi
}

inline down_read(call)
{
	if
	:: d_step { !writer && len(waiting) == 0 -> readers++ }
	:: d_step { writer || len(waiting) > 0 -> waiting!call,SHARED };
	   d_step { granted[call] -> granted[call] = false }
	fi
}

/* __rwsem_do_wake(), once nobody holds the lock: the writer at the front, or all the readers. */
inline do_wake()
{
	do
	:: !writer && readers == 0 && waiting?[front, EXCLUSIVE] ->
		waiting?front,EXCLUSIVE;
		writer = true;
		granted[front] = true
	:: !writer && waiting?[front, SHARED] ->
		waiting?front,SHARED;
#ifndef MUTANT_LOST_WAKE_UP
		readers++;
		granted[front] = true
#endif
	:: else -> break
	od;
	skip
}

#else

inline down_write(call) { d_step { !writer && readers == 0 -> writer = true } }
inline down_read(call) { d_step { !writer -> readers++ } }
inline do_wake() { skip }

#endif

inline up_write()
{
	writer = false;
	do_wake()
}

inline up_read()
{
	readers--;
	if
	:: readers == 0 -> do_wake()
	:: else
	fi;
	skip
}

/* ---- The claims -------------------------------------------------------------------------- */

hidden byte mlocked_only_in_vm_locked;
hidden byte locked_vm_adds_up;
hidden byte mlock_keeps_its_promise;

#define mlocked_outside(page) (mlocked[page] && !vm_locked[page])
#define one_if_locked(page) vm_locked[page]

/* Two hold in every state in which nobody holds the lock exclusively. */
active proctype invariants()
{
end:	if
	:: d_step {
		!writer && EACH_PAGE(||, mlocked_outside) ->
		mlocked_only_in_vm_locked = false;
		assert(mlocked_only_in_vm_locked)
	   }
	:: d_step {
		!writer && EACH_PAGE(+, one_if_locked) != locked_vm ->
		locked_vm_adds_up = false;
		assert(locked_vm_adds_up)
	   }
	fi
}

/* One holds when mlock() returns: 0 is a promise about each page that no other call takes back. */
#define promise_kept(page) (page < start || page >= end || interfered(page) || \
	(present[page] && mlocked[page] && vm_locked[page]))

inline check_promise(start, end, value)
{
	mlock_keeps_its_promise = value != 0 || EACH_PAGE(&&, promise_kept);
	assert(mlock_keeps_its_promise)
}

/* That every call returns is SPIN's own question: a state without a successor is this one's end. */
active proctype outcome()
{
	d_step {
		finished == CALLS ->
		c_code {
			int i;
			printf("outcome: ret=");
			for (i = 0; i < CALLS; i++) {
				printf(i == 0 ? "" : ",");
				switch (now.returned[i]) {
				case -ENOMEM: printf("-" "ENOMEM"); break;
				case -EFAULT: printf("-" "EFAULT"); break;
				default: printf("%d", now.returned[i]);
				}
			}
			printf(" pages=");
			for (i = 0; i < PAGES; i++) {
				printf(i == 0 ? "" : " ");
				putchar(now.identity[i] ? '0' + now.identity[i] : '.');
				putchar(now.vm_locked[i] ? 'L' : '-');
				putchar(now.present[i] ? 'p' : '-');
				putchar(now.mlocked[i] ? 'm' : '-');
			}
			printf(" lv=%d\n", now.locked_vm);
		}
	}
}

/* ---- What calls are made of -------------------------------------------------------------- */

inline return_from(call, value)
{
	returned[call] = value;
	finished++
}

/* Where the VMA that covers `page` ends, or the range does. */
inline find_vma_end(page, end, result)
{
	result = page + 1;
	do
	:: result < end && identity[result] == identity[page] &&
			vm_locked[result] == vm_locked[page] ->
		result++
	:: else -> break
	od
}

inline set_vm_locked(from, to, on)
{
	for (p : from .. to - 1) {
		vm_locked[p] = on;
		locked_vm = (on -> locked_vm + 1 : locked_vm - 1)
	}
}

/* mlock_vma_page() behind the fault that makes the page present. */
inline populate_page(page)
{
	present[page] = true;
	mlocked[page] = true;
	page++
}

inline munlock_page(page)
{
	mlocked[page] = false;
	page++
}

/* do_mlock(): entered with the lock held, left without. Work goes on at `page`, up to `stop`. */
inline do_mlock(start, end, lock, value)
{
	page = start;
	stop = start;
	do
	/* __mlock_vma_pages_range(), munlock_vma_pages_range(): a page of this VMA. */
	:: d_step {
		page < stop ->
		if
		:: lock -> populate_page(page)
		:: else -> munlock_page(page)
		fi;
		skip
	   }
	/* mlock_fixup(): the next VMA. */
	:: d_step {
		page == stop && stop < end && mapped(stop) ->
		find_vma_end(page, end, stop);
		if
		:: vm_locked[page] == lock ->
#ifdef MUTANT_CHARGED_TWICE
			locked_vm = locked_vm + stop - page;
#endif
			page = stop
		:: else ->
			set_vm_locked(page, stop, lock);
#ifdef BATCHED
			page = (lock -> stop : page)
#endif
		fi;
		skip
	   }
	/* The end of the range, or a hole in it. */
	:: d_step {
		page == stop && !(stop < end && mapped(stop)) ->
		value = (stop < end -> -ENOMEM : 0);
		up_write()
	   } -> break
	od
}

/* ---- mlock() ----------------------------------------------------------------------------- */

#ifdef MUTANT_NO_RECHECK
#define still_vm_locked(page) true
#else
#define still_vm_locked(page) vm_locked[page]
#endif

#ifdef MUTANT_PAGE_SKIPPED
#define next_start(stop, end) (stop < end -> stop + 1 : stop)
#else
#define next_start(stop, end) stop
#endif

/* do_mlock_pages(), the RFC's second pass: `page` is its nstart, `stop` its nend. */
inline do_mlock_pages(call, start, end)
{
	stop = start;
	do
	:: atomic { stop < end -> down_read(call) };
	   /* find_vma_intersection(), then the flags anew. */
	   d_step {
		page = stop;
		do
		:: page < end && !mapped(page) -> page++
		:: else -> break
		od;
		stop = end;
		if
		:: page < end ->
			find_vma_end(page, end, stop);
			if
			:: still_vm_locked(page) -> stop = (page + BATCH < stop -> page + BATCH : stop)
			:: else -> page = stop
			fi
		:: else
		fi;
		skip
	   };
	   do
	   /* __mlock_vma_pages_range(): a page of this batch. */
	   :: d_step { page < stop -> populate_page(page) }
	   :: d_step { page == stop -> stop = next_start(stop, end); up_read() } -> break
	   od
	:: stop == end -> break
	od
}

inline mlock(call, start, end)
{
	byte page, stop;
	short value;

	down_write(call);
	do_mlock(start, end, true, value);
#ifdef BATCHED
	if
	:: value == 0 -> do_mlock_pages(call, start, end)
	:: else
	fi;
#endif
	atomic { skip; d_step {
		check_promise(start, end, value);
		return_from(call, value)
	} }
}

/* ---- The other calls --------------------------------------------------------------------- */

inline munlock(call, start, end)
{
	byte page, stop;
	short value;

	down_write(call);
	do_mlock(start, end, false, value);
	atomic { skip; d_step { return_from(call, value) } }
}

#define mapped_in_range(page) (start <= page && page < end && mapped(page))
#define locked_in_range(page) (start <= page && page < end && vm_locked[page])

/* do_munmap(), which finds something mapped in the range and the lock held. */
inline do_munmap(start, end)
{
	page = start;
	stop = start;
	do
	:: d_step { page < stop -> munlock_page(page) }
	/* munlock_vma_pages_all(): the next VMA that is VM_LOCKED. */
	:: d_step {
		page == stop && EACH_PAGE(||, locked_in_range) ->
		do
		:: !vm_locked[page] -> page++
		:: else -> break
		od;
		find_vma_end(page, end, stop);
		set_vm_locked(page, stop, false);
		skip
	   }
	/* detach_vmas_to_be_unmapped() */
	:: d_step {
		page == stop && !EACH_PAGE(||, locked_in_range) ->
		for (p : start .. end - 1) {
			identity[p] = 0
		}
		page = start
	   } -> break
	od;
	/* unmap_region(): a page of it. */
	do
	:: d_step { page < end -> present[page] = false; mlocked[page] = false; page++ }
	:: page == end -> break
	od
}

inline munmap(call, start, end)
{
	byte page, stop;

	down_write(call);
	if
	:: EACH_PAGE(||, mapped_in_range) -> do_munmap(start, end)
	:: else
	fi;
	atomic { skip; d_step {
		up_write();
		return_from(call, 0)
	} }
}

/* mmap(MAP_FIXED) of an anonymous mapping that nobody asked to lock. */
inline mmap(call, start, end)
{
	byte page, stop;

	down_write(call);
	if
	:: EACH_PAGE(||, mapped_in_range) -> do_munmap(start, end)
	:: else
	fi;
	/* mmap_region() */
	atomic { skip; d_step {
		for (p : start .. end - 1) {
			identity[p] = next_identity
		}
		next_identity++
	} };
	d_step {
		up_write();
		return_from(call, start)
	}
}

/* A write by the program itself. */
inline touch(call, page)
{
	if
	:: d_step { mapped(page) && present[page] -> return_from(call, 0) }
	/* do_page_fault() */
	:: !(mapped(page) && present[page]) ->
		down_read(call);
		if
		/* A new anonymous page in a VM_LOCKED VMA is born mlocked: page_add_new_anon_rmap(). */
		:: d_step {
			mapped(page) ->
			mlocked[page] = (present[page] -> mlocked[page] : vm_locked[page]);
			present[page] = true
		   };
		   d_step {
			up_read();
			return_from(call, 0)
		   }
		:: d_step {
			!mapped(page) ->
			up_read();
			return_from(call, -EFAULT)
		   }
		fi
	fi
}
