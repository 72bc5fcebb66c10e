/* Grace periods, as `src/rcu/reclaim.rs` and `src/rcu/lane.rs` make them: two threads fire, and two
   workers detach a probe each, drain, and wait (`synchronize`). All of it to completion, all
   interleavings. Loom runs the real code, but only with two threads and a few preemptions.

   Checked: no probe is running when its captures are dropped, none is dropped twice; when
   `synchronize` returns, the captures are dropped, and the firings that were in flight have ended;
   and it returns (`-DLIVE`), if the scheduler is weakly fair.

   Memory is sequentially consistent, with one exception, which is what the heavy barrier is for: the
   entry into the lane stays in a store buffer until it drains, at any time. What the orderings are
   for is in ci/rc11/.

   What it abstracts, by the names in `reclaim.rs`:
   * `DomainWriter::detach`, `finish`, `start`, `is_over`, `ticket`, `scanned`, `take_closure`: as
     they are, each in one critical section of `drive_as`, which is one atomic step here. The lists
     of closures are a stage and a number for each of the two.
   * `Stages<Snapshots>`, `take_snapshots`, `free`, `is_heavy`, `Effort::SnapshotsOnly`: left out. A
     snapshot moves through the same stages as a closure, and nobody waits for it.
   * `Lineage`, `goal`, `take_retired_inside`: left out. Captures here detach nothing.
   * `Effort`: `UntilOver`. `budget`: a constant, FLUSHES.
   * `flush`: the deferred function runs at a flush once each thread has unpinned that was pinned
     when it was deferred. That is what crossbeam-epoch promises; its epochs are not here.
   * `Scan::drive`: a heavy barrier, then one record after the other, each in a step of its own. It
     stops at one that is inside, and continues there. One record in a chunk.
   * `Barriers`: `Asymmetric`. Refusals, `FullAgain`: left out (tests/loom/lane.rs).
   * `forked`, panics, `grace.departed`, counters: left out.
   * `wait`: `drive_as` again and again; no timeout.
   * A firing looks at the states of both probes, instead of at a snapshot. Thread 0 has a lane;
     thread 1 has one, or is past its destructors and pins.

   -DBUG=n plants a bug; see BUG below. */

#ifndef BUG
#define BUG 0
#endif
#define NO_HEAVY_BARRIER 1
#define SCAN_ONE_GENERATION_EARLY 2
#define RETIRED_JOINS_A_RUNNING_GRACE_PERIOD 3
#define SYNCHRONIZE_WAITS_FOR_A_RUNNING_ONE 4
#define OVER_WHILE_ANOTHER_DROPS 5
#define WITHOUT_CROSSBEAM 6
#define WITHOUT_THE_SCAN 7
#define RETIRED_IS_READY_AT_ONCE 8
#define GENERATION_BEFORE_THE_UNLINK 9
#define TAKEN_BY_TWO 10
/* Of liveness: */
#define SCAN_IS_LOST 11
#define SCAN_WAITS_FOR_OUT 12

#ifndef FIRINGS
#define FIRINGS 1
#endif
#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef FLUSHES
#define FLUSHES 2
#endif

#define THREADS 2
#define OUT 255
#define NONE 254

/* Stages of a closure. */
#define LINKED 0
#define NEXT 1
#define WAITING 2
#define READY 3
#define DROPPING 4
#define GONE 5

/* What a pass of `drive_as` found to do. */
#define DROP 1
#define FLUSH 2
#define DONE 3

byte generation = 0;
byte word[THREADS] = OUT;
/* A store that has not drained. */
byte buffered[THREADS] = NONE;
/* Threads past their destructors: pinned; and those that the deferred function waits for. */
bool pinned[THREADS];
bool awaited[THREADS];
bool deferred = false;
byte deferred_number;
byte grace_done = 0;

bool detached[2];
byte stage[2] = LINKED;
byte number[2];
byte next_number = 0;
/* Firings that are calling the probe. */
byte calling[2];

byte started = 0, finished = 0, wanted = 0;
bool running = false;
/* The scan: whether some worker is not at it; where it is: 0 before the barrier, then the next
   record plus one; of which grace period. */
bool scan_here = false;
byte scan_at;

/* The firings that each worker has to wait for. */
bool in_flight[4];
#define IN_FLIGHT(worker, thread) in_flight[2 * worker + thread]
bool returned[2];

inline call(probe) {
    if
    :: atomic { !detached[probe] -> calling[probe]++ };
        calling[probe]--
    :: detached[probe]
    fi
}

proctype Firing(byte me) {
    byte now, fired = 0;
    bool pins = false;
    if
    :: me == 1 -> pins = true
    :: true
    fi;
    do
#ifndef ENDLESS
    :: fired == FIRINGS -> break
    :: fired < FIRINGS ->
        fired++;
#else
    :: true ->
#endif
        if
        :: pins -> pinned[me] = true
        :: else ->
            now = generation;
            d_step { buffered[me] = now; now = 0 }
        fi;
        call(0);
        call(1);
        atomic {
            IN_FLIGHT(0, me) = false;
            IN_FLIGHT(1, me) = false;
            if
            :: pins -> pinned[me] = false; awaited[me] = false
            :: else -> buffered[me] = NONE; word[me] = OUT
            fi
        }
    od
}

/* The store buffers of the two threads that fire. */
active proctype Drain() {
end:
    do
    :: atomic { buffered[0] != NONE -> word[0] = buffered[0]; buffered[0] = NONE }
    :: atomic { buffered[1] != NONE -> word[1] = buffered[1]; buffered[1] = NONE }
    od
}

#define BELOW(probe, first, last, ticket) \
    (stage[probe] >= first && stage[probe] <= last && number[probe] < ticket)
#if BUG == OVER_WHILE_ANOTHER_DROPS
#define IS_OVER(ticket, grace) \
    (finished >= grace && !BELOW(0, NEXT, READY, ticket) && !BELOW(1, NEXT, READY, ticket))
#else
#define IS_OVER(ticket, grace) \
    (finished >= grace && !BELOW(0, NEXT, DROPPING, ticket) && !BELOW(1, NEXT, DROPPING, ticket))
#endif

#if BUG == SCAN_ONE_GENERATION_EARLY
#define IS_PAST(thread, grace) (word[thread] + 1 >= grace)
#elif BUG == SCAN_WAITS_FOR_OUT
#define IS_PAST(thread, grace) (word[thread] == OUT)
#else
#define IS_PAST(thread, grace) (word[thread] >= grace)
#endif

#if BUG == WITHOUT_THE_SCAN
#define LANES_ARE_PAST true
#else
#define LANES_ARE_PAST (scan_here && scan_at == THREADS + 1)
#endif
#if BUG == WITHOUT_CROSSBEAM
#define OTHERS_ARE_PAST true
#else
#define OTHERS_ARE_PAST (grace_done >= started)
#endif

inline finish() {
    if
    :: running && LANES_ARE_PAST && OTHERS_ARE_PAST ->
        running = false;
        scan_here = false;
        scan_at = 0;
        finished = started;
        if :: stage[0] == WAITING -> stage[0] = READY :: else fi;
        if :: stage[1] == WAITING -> stage[1] = READY :: else fi
    :: else
    fi
}

inline start() {
    running = true;
    started++;
    scan_here = true;
    scan_at = 0;
    generation = started;
    if :: stage[0] == NEXT -> stage[0] = WAITING :: else fi;
    if :: stage[1] == NEXT -> stage[1] = WAITING :: else fi;
    begun = true
}

inline take(probe) {
#if BUG != TAKEN_BY_TWO
    stage[probe] = DROPPING;
#endif
    dropping = probe;
    next = DROP
}

/* `drive_as`, up to `Next::Done`; `over` says whether the ticket is. */
inline drive(ticket, grace) {
    flushes = 0;
    do
    :: atomic {
            begun = false;
            if
            :: scanning && running && started == scan_number ->
#if BUG != SCAN_IS_LOST
                scan_here = true;
#endif
                scan_at = at
            :: else
            fi;
            scanning = false;
            at = 0;
            scan_number = 0;
            if
            :: dropping != NONE ->
                assert(stage[dropping] != GONE);
                stage[dropping] = GONE;
                dropping = NONE
            :: else
            fi;
            finish();
            over = IS_OVER(ticket, grace);
            if
            :: over -> next = DONE
            :: else ->
                if
                :: stage[0] == READY && !(stage[1] == READY && number[1] < number[0]) -> take(0)
                :: stage[1] == READY && !(stage[0] == READY && number[0] < number[1]) -> take(1)
                :: stage[0] != READY && stage[1] != READY ->
                    if
                    :: flushes >= FLUSHES -> next = DONE
                    :: else ->
                        if
                        :: !running && (stage[0] == NEXT || stage[1] == NEXT || wanted > finished) ->
                            start()
                        :: else
                        fi;
                        if
                        :: running ->
                            next = FLUSH;
                            scanning = scan_here;
                            scan_here = false;
                            at = scan_at;
                            scan_at = 0;
                            scan_number = started
                        :: else -> next = DONE
                        fi
                    fi
                fi
            fi
        };
        if
        :: atomic { next == DONE -> next = 0; flushes = 0; break }
        :: d_step { next == DROP ->
                /* The captures are dropped: a probe that is running would use them. */
                assert(calling[dropping] == 0);
                next = 0
            }
        :: d_step { next == FLUSH ->
                next = 0;
                flushes++;
                if
                :: begun ->
                    begun = false;
                    deferred = true;
                    deferred_number = scan_number;
                    awaited[0] = pinned[0];
                    awaited[1] = pinned[1]
                :: else
                fi
            };
            /* (Another thread's flush may run it as well.) */
            if
            :: atomic { deferred && !awaited[0] && !awaited[1] ->
                    deferred = false;
                    grace_done = deferred_number;
                    deferred_number = 0
                }
            :: atomic { !deferred || awaited[0] || awaited[1] -> skip }
            fi;
            if
            :: scanning && at == 0 -> d_step {
#if BUG != NO_HEAVY_BARRIER
                    if :: buffered[0] != NONE -> word[0] = buffered[0]; buffered[0] = NONE
                       :: else fi;
                    if :: buffered[1] != NONE -> word[1] = buffered[1]; buffered[1] = NONE
                       :: else fi;
#endif
                    at = 1
                }
            :: else
            fi;
            do
            :: scanning && at <= THREADS && IS_PAST(at - 1, scan_number) -> at++
            :: else -> break
            od
        fi
    od
}

proctype Worker(byte me) {
    byte ticket, grace, flushes, next, at, scan_number, dropping = NONE;
    bool scanning = false, begun = false, over = false;
#if BUG == GENERATION_BEFORE_THE_UNLINK
    /* As if a grace period that has begun already covered it. */
    atomic { if :: !running -> start(); begun = false; deferred = true; deferred_number = started;
                    awaited[0] = pinned[0]; awaited[1] = pinned[1]
                :: else fi }
#endif
    atomic {
        detached[me] = true;
        number[me] = next_number;
        next_number++;
        ticket = next_number;
        grace = 0;
#if BUG == RETIRED_JOINS_A_RUNNING_GRACE_PERIOD || BUG == GENERATION_BEFORE_THE_UNLINK
        stage[me] = (running -> WAITING : NEXT)
#elif BUG == RETIRED_IS_READY_AT_ONCE
        stage[me] = READY
#else
        stage[me] = NEXT
#endif
    };
    drive(ticket, grace);
    /* `synchronize` */
    atomic {
#if BUG == SYNCHRONIZE_WAITS_FOR_A_RUNNING_ONE
        grace = started + (running -> 0 : 1);
#else
        grace = started + 1;
#endif
        if :: wanted < grace -> wanted = grace :: else fi;
        ticket = next_number;
        IN_FLIGHT(me, 0) = (pinned[0] || buffered[0] != NONE || word[0] != OUT);
        IN_FLIGHT(me, 1) = (pinned[1] || buffered[1] != NONE || word[1] != OUT)
    };
    do
    :: drive(ticket, grace);
        if
        :: over -> break
        :: else
        fi
    od;
    atomic {
#ifndef ENDLESS
        assert(!IN_FLIGHT(me, 0) && !IN_FLIGHT(me, 1));
#endif
        assert(stage[me] == GONE);
        returned[me] = true
    }
}

init {
    atomic {
        run Firing(0);
        run Firing(1);
        run Worker(0);
#if WORKERS == 2
        run Worker(1)
#else
        returned[1] = true
#endif
    }
}

#ifdef LIVE
ltl both_return { <> (returned[0] && returned[1]) }
#endif
