//! How it works and why, and a table of what it guarantees.
//!
//! # Where it comes from
//!
//! Kirill Smelkov's Go package `tracing` has trace events, probes that are attached to them at run time, and
//! probe groups. There, attaching stops the world: no thread runs while a list of probes changes. That is
//! simple and right, and too slow for a process that serves traffic. Here read-copy-update takes the place of
//! the stopped world.
//!
//! * An event is an **atomic pointer to an immutable vector of probes**, the snapshot. Null means off.
//! * Attach and detach build a new vector and swap it in **under one mutex** for the whole process. Firings
//!   take no lock (but to switch off a probe that panicked).
//! * What was swapped out is freed after a **grace period**, crossbeam-epoch tells when it ends.
//!
//! # Why these three
//!
//! **RCU**, because firings are many and changes are few: all the work is put on those who change something. A
//! reader-writer lock would make each firing write to memory that every other firing writes to; a vector
//! changed in place would have to tell half-way states apart.
//!
//! **One mutex**, because it is what replaces the stopped world: a batch changes many events as one step, and
//! two batches never interleave. A mutex per event would have to be taken in an order, and would gain nothing,
//! since nobody waits under it: no closure, no `Drop` and no allocation happens there (I5). Buffers are
//! allocated before and freed after. The lists of what is retired lie under the same mutex: a thread that changes
//! an event retires something, so a second one would be taken together with the first.
//!
//! **crossbeam-epoch**, because epochs make the reader's part short, and it is proven. The collector is
//! our own, so other crates' pins do not hold our grace periods up, nor ours theirs.
//!
//! # The path of a firing
//!
//! | step | file |
//! |---|---|
//! | `fire!`: load the pointer, branch if it is not null | `macros.rs`, `place.rs`, `rcu/cell.rs` |
//! | pin, unless this thread is inside a firing already | `rcu/pin.rs` |
//! | load the pointer again, with Acquire | `rcu/cell.rs` |
//! | for each entry of the snapshot: call its thunk | `place.rs`, `rcu/snapshot.rs` |
//! | thunk: if the slot is live, call the closure, and catch a panic | `rcu/slot.rs`, `rcu/panic.rs` |
//!
//! The off check's load is not used further: the snapshot that is read is the one that is there *after* the
//! pin. Whatever happens to the event from then on, this firing goes through that vector to its end, so no
//! attach or detach can make it skip a probe or call one twice. Each probe's state is checked again just
//! before the call, so that a detach takes effect within firings that are in progress.
//!
//! The pin belongs to the thread, not to the firing: the first one in takes it, the last one out gives it back.
//! A word in thread-local storage counts who is inside, up and down. It is never saved and restored, since
//! coroutines on one thread may end in any order. (Where a firing finds on its way out that nothing has changed in
//! between, it writes back what it knows instead of counting: the same result, but the next firing need not wait for
//! the load.) If a panic unwinds through a firing, a separate function ends it, using only that word; the
//! normal path reserves no register for this. That is also why the outermost firing and the nested one are two
//! functions, and a third, without a prologue, picks one.
//!
//! # The path of an attach
//!
//! | step | file |
//! |---|---|
//! | the event's `attach`: allocate the slot | `macros.rs`, `place.rs`, `rcu/slot.rs` |
//! | allocate the next snapshot; lock, copy, swap, unlock | `rcu/update.rs`; the swap itself: `rcu/cell.rs`, `publish` |
//! | retire the old snapshot, wait for a grace period, free it | `rcu/reclaim.rs`, `rcu/lists.rs` |
//!
//! The buffer is allocated by a guess of how many probes there will be. If another writer was quicker and it
//! does not fit, the writer unlocks, allocates a larger one and starts over. A detach does not start over: it
//! takes effect first, and finds memory later.
//!
//! # Slots, thunks, gates
//!
//! A **slot** is one probe's memory: a state (live, live behind a gate, quarantined, detached), and the closure beside it. The
//! state only moves forward. Detaching is one swap in it; the snapshot without it is a consequence. Where there
//! is no memory for a shorter snapshot, the slot stays in the old one as a *tombstone*, which firings pass over
//! and a later update takes out. A slot lives as long as anything names it, a snapshot or a handle; the closure
//! is dropped earlier, when no firing can be running it.
//!
//! A **thunk** is the function that calls a slot's closure: the one place where its type is known. Its address
//! lies in the snapshot beside the slot's, so that a firing need not look it up in the slot, nor in a table behind
//! the slot as with a `Box<dyn Fn>`. Type safety comes back in two steps that are checked, so that the code that
//! [`event!`](crate::event!) generates contains no `unsafe`: an event fixes the type of its thunks, and the
//! thunk compares the closure's `TypeId` with the slot's. (It once compared the address of a table instead, one
//! comparison for two. But the compiler makes a copy of such a table for each codegen unit, so that in one program the
//! comparison held, and in the next it failed and a slow way was taken, at each call: a firing took 6 ns or 10, for no
//! reason that showed in its own code. Addresses of constants say nothing about types.)
//!
//! A **snapshot** ends with an empty entry, and what is published is the address of its first: a firing goes from one
//! entry to the next, without a length to look up or an end to remember.
//!
//! A **gate** is a flag that all slots of a batch share. A commit puts all its snapshots in place while the
//! gate is closed, and then opens it by one store: that is the batch's instant. A group's detach closes it,
//! then takes the snapshots out. Snapshots alone cannot do this, since two events are two pointers.
//!
//! # The catalogue, and probes that do not know the types
//!
//! [`events`](crate::events()) needs a list of all events before any of them has fired, and without code that runs
//! before `main`. Only the linker has seen them all: each event has an entry in a section of its object file, and
//! the sections end up side by side. **linkme** does this for each platform in its own way, its macros pass in
//! crates that forbid `unsafe`, and it notices when two lists of one name meet. So the list is named after
//! this crate's version: two incompatible versions in one program have two lists, not one of two types.
//!
//! An entry is a `&'static dyn AnyEvent`. The trait has one method, which returns the event's cell and a thunk; the
//! rest is written once, for `dyn AnyEvent`, and not compiled for each event. The thunk is the event's second: the
//! one for typed probes is generic over the closure, this one calls a
//! [dynamic probe](super::glossary), whose type is the same for all events. So a dynamic probe is a slot like any
//! other, and the firing path knows nothing of it.
//!
//! What a parameter becomes is decided by the compiler, in the thunk, where its type is known: a method is looked for
//! along a chain of dereferences, first for types with a kind of their own, then for those with `Debug`, then for
//! any. The methods are inherent ones, so no trait has to be in scope, and none that is can get in the way. A
//! parameter that is marked `#[redact]` is not handed to this at all.
//!
//! `line!` in a macro is the line of the outermost call, which is the same for a whole block of events. So an
//! event's place comes from a macro that is called by the event's own tokens: `NAME!(who: &str)`.
//!
//! Listing an event's probes takes the lock and a reference to each slot, and looks at them afterwards: their names
//! may be `String`s, and nothing is allocated under the lock (I5).
//!
//! # From retired to dropped
//!
//! ```text
//! retire ──► NEXT ──(a grace period starts)──► WAITING ──(it is over)──► READY ──► being dropped ──► gone
//! ```
//!
//! crossbeam-epoch could call the closures' `Drop` itself, but then they would run on firing threads, a panic
//! in one would take others along, and nobody could tell when they have been dropped. So it is asked for one
//! thing only: when a grace period is over. The function deferred through it is one store.
//!
//! **One grace period is in flight at a time.** What is retired meanwhile waits for the next. So crossbeam
//! holds one deferred function of ours however much is retired, and however long a reader stalls.
//!
//! **The lists are intrusive**: retiring allocates nothing and cannot fail.
//!
//! **Closures carry numbers.** [`synchronize`](crate::synchronize()) takes a number and waits until a grace
//! period that started later is over and everything with a smaller number is gone, what other threads have
//! taken to drop included. An empty list would say less, and a count of what was reclaimed could be that of
//! others. Later retires have larger numbers, so they cannot hold it up.
//!
//! **The drain** takes one closure at a time, unlocks, drops it, and locks again. It runs on threads that call
//! detach, commit, `synchronize` or `reclaim`, never inside a firing, a `pinned` scope or another captured
//! `Drop`. A `Drop` that detaches probes only retires them; the drain that is running continues with those. So
//! there is no recursion, however long the chain. Only what descends from what it was asked for can lead it on,
//! not what others detach meanwhile: otherwise a thread that detaches in a loop could keep another's `synchronize`
//! forever.
//!
//! **Waiting is polling.** A firing that ends knows nothing of those who wait, so it costs nothing to be waited
//! for, and there is no wake-up to lose.
//!
//! # fork
//!
//! In the child only one thread lives on; the others are gone, pinned as they were. Before a fork the lock is
//! taken, so that nobody is in the midst of an update; in the child it is released, a new collector takes the
//! old one's place, and what waited for a grace period waits again. The old collector is leaked, since it would
//! wait forever. This is done through `pthread_atfork`; a look at the process's number would be paid by every
//! firing.
//!
//! # What was tried and dropped
//!
//! * **A type and a static of the same name** for each event, as `lazy_static!` makes them: rustdoc cannot tell
//!   links to them apart. Now an event is a unit struct, and the static is hidden behind it.
//! * **Arguments of `fire!` evaluated in place**: then `fire!(E, s.parse()?)` changes what the function
//!   returns, but only while somebody looks. Now they are in a closure; the machine code is the same.
//! * **crossbeam's own atomic pointer**: it keeps tag bits, which the off check would have to mask out.
//! * **Flushing crossbeam at each retire**: memory grows with each, as long as a reader stalls.
//! * **Flushing a fixed number of times**: enough on a quiet machine, not where readers are busy or thousands
//!   of threads have ended. Now there is a budget, and later calls continue.
//!
//! * **A list of events that they put themselves into when they first fire**: it would lack those that matter most,
//!   which have not fired yet. **Constructors before `main`**: they run in an order that nobody chooses, before
//!   the program has set up anything.
//!
//! # A map of the source
//!
//! The workspace has one crate for each use. The core, at the root, is small and has no features: a library that declares
//! events depends on nothing else, so a new major version of axum or prost never forces a new core.
//! (Two versions of the core in one program are two catalogues.) Cargo unifies features, so a feature
//! of the core could be switched on by any dependency and change everybody's events; separate crates
//! rule that out, and the compiler enforces that they use the public API only.
//!
//! | folder | crate |
//! |---|---|
//! | `src/` | `hotprobe`, the core: events, probes, batches, grace periods, the catalogue |
//! | `crates/hotprobe-clock/` | the clock of recordings and measurements; internal |
//! | `crates/hotprobe-record/` | recording: the ring and its buffers in `capture/`, the file formats in `formats/` |
//! | `crates/hotprobe-profile/` | `latency/`, `counts/`, `stacks/`, and what they write in `output/` |
//! | `crates/hotprobe-testing/` | tests that take a concurrent program's events one at a time |
//! | `crates/hotprobe-admin/` | `/debug/probes`: who has access (`access.rs`), the page, one file for each endpoint |
//! | `crates/hotprobe-cli/` | the program `hotprobe`, one file for each command |
//! | `examples/`, `benches/`, `ci/checks/`, `tests/support/` | packages that are not published |
//! | `tests/consumers/` | a workspace of its own: crates that use the macros from outside |
//!
//! The tests of a crate are in its `tests/it/`; the core's models in `tests/loom/`, its stress in `tests/stress/`; what must
//! not compile in `tests/ui/`. `ci/` has one script for each concern.
//!
//! Each crate's front page is its guide. The core, in layers, from the bottom up:
//!
//! | layer | modules |
//! |---|---|
//! | leaves, which import nothing else of the crate | `metadata` (names, docs, parameters) · `attribute` (an event's attributes, read at compile time) · `options` (how a probe is attached) · `value` (an argument as dynamic probes see it) · `error` · `sync` (the std/loom switch) |
//! | `rcu/`, which imports only leaves | `mod` (the invariants I1 to I5, and the state that all events share) · `cell` (the atomic pointer; **here a snapshot is swapped in**) · `update` (what writers do around the swap) · `snapshot` (the immutable vector) · `slot` (one probe's memory) · `gate` (a batch's instant) · `panic` (what a panicking probe does) · `pin` (a thread's state) · `reclaim`, `lists` (retire, grace periods, drop) · `fork` |
//! | what a user holds | `event`, `probe`, `batch` · `grace` (waiting), `stats` (counters) |
//! | the type-safe wrapper | `place`: between the macros, which know an event's types, and `rcu`, which does not · `dynamic` (probes that see values) |
//! | any event | `typed` (code generic over events), `any` (type-erased events) · `catalog` (the list of all events) |
//! | the macros | `macros`: `event!`, `fire!`, `register!` |
//!
//! `ci/layers.sh` checks the layers: `rcu/` imports nothing from above, leaves import nothing else of the crate, and there is no cycle
//! among the other modules.
//!
//! `unsafe` is in `rcu/` and `place.rs` only (and, for models, in `sync.rs`). Each block cites the invariants that it relies on (I1 to I5, at the head of
//! `rcu/mod.rs`).
//!
//! # What it guarantees
//!
//! "Happens after" is meant as in the language's memory model. Tests are those of `tests/it/`, module and name;
//! `model::any_sequence_of_operations_does_what_a_vec_would` checks G2, G3, G4, G8 and G14 together, on random
//! sequences.
//!
//! | | guarantee | shown by |
//! |---|---|---|
//! | G1 | Off is free: a load, a test, a branch; arguments are not evaluated | `off::arguments_are_not_evaluated_while_nothing_is_attached`, `off::an_event_is_off_before_between_and_after_probes`, `off::firing_allocates_nothing_on_a_registered_thread`; `ci/off-path.sh` |
//! | G2 | Probes run in attach order, on the firing thread, before `fire` returns | `order::attach_order_is_firing_order_at_each_step`, `order::probes_run_on_the_firing_thread_before_fire_returns`, `order::a_batch_keeps_the_order_of_queuing_and_comes_after_what_is_there` |
//! | G3 | A firing calls the probes of one snapshot, each at most once; changes meanwhile make no other probe be skipped or called twice | `snapshot::a_probe_that_detaches_itself_makes_no_other_be_skipped_or_called_twice`, `snapshot::a_probe_that_detaches_its_neighbour_…`, `snapshot::two_constant_probes_are_called_once_by_each_firing_while_others_come_and_go` |
//! | G4 | When `detach` has returned, no firing that happens after calls the probe; when `synchronize` has, none is running it and its captures have been dropped | `detach::a_thread_that_fires_in_a_loop_sees_the_probe_and_then_never_again`, `detach::no_firing_that_happens_after_a_detach_calls_the_probe_whichever_call_won`, `detach::a_firing_in_flight_may_run_on_but_synchronize_waits_for_it` |
//! | G5 | A batch begins at one instant over all its events, and its group ends at one | `instant::a_batch_is_found_at_both_events_or_at_neither`, `instant::inside_pinned_too`, `instant::inside_one_firing_a_group_is_gone_for_all_its_later_probes_once_it_is_gone` |
//! | G6 | No user code runs under a lock | `locks::a_captured_drop_may_attach_detach_fire_and_commit`, `locks::an_allocator_may_fire_events_whose_probes_attach_and_detach`, `locks::a_probe_may_attach_detach_fire_commit_and_reclaim` |
//! | G7 | Captures are dropped by detach, commit, synchronize and reclaim; never in `attach`, never inside a firing, never recursively | `captures::an_outside_detach_has_dropped_the_captures_when_it_returns`, `captures::captures_never_drop_on_a_firing_thread_nor_in_attach`, `captures::inside_a_firing_or_pinned_a_detach_only_retires`, `captures::a_chain_of_probes_that_own_probes_drops_without_recursion`, `captures::a_drop_that_panics_is_counted_and_does_not_stop_the_others` |
//! | G8 | A panic stays in its probe, which is switched off; `OnPanic::Propagate` lets it out | `panics::a_probe_that_panics_is_switched_off_and_later_probes_run`, `panics::propagate_is_counted_goes_through_and_leaves_the_event_as_it_was`, `panics::a_detach_is_not_undone_by_a_quarantine` |
//! | G9 | Recursion ends after 8 nested firings | `depth::eight_firings_nest_and_the_ninth_is_skipped_and_counted`, `depth::two_events_that_fire_one_another_are_bounded_and_the_depth_comes_back` |
//! | G10 | `synchronize` never waits for itself, and later detaches do not hold it up | `synchronize::inside_a_probe_pinned_or_a_captured_drop_it_returns_in_probe`, `synchronize::with_a_thread_stuck_in_a_probe_it_times_out_and_can_be_called_again`, `synchronize::a_stream_of_later_retires_cannot_starve_it` |
//! | G11 | Firing works in thread-local destructors, at exit, and in a forked child | `anywhere::in_the_thread_local_destructors_of_ten_thousand_threads`, `anywhere::while_the_process_exits`, `anywhere::fork::while_another_thread_is_inside_a_probe`, `anywhere::fork::inside_of_a_probe_itself` |
//! | G12 | Other crates' epochs do not hold ours up, nor ours theirs | `epoch::a_pin_of_the_default_collector_does_not_hold_up_synchronize`, `epoch::a_pinned_scope_of_ours_does_not_hold_up_the_default_collector` |
//! | G13 | Memory is bounded, also while a reader stalls | `memory::a_million_attach_detach_pairs_under_firing_threads_leave_nothing`, `memory::a_stalled_reader_costs_a_snapshot_and_a_slot_for_each_swap_and_it_all_comes_back`; the size: an assertion in `src/event.rs` |
//! | G14 | Counts are exact; what is lost is counted | `counts::stats_count_exactly_in_a_process_of_their_own`, `counts::every_firing_of_every_thread_is_seen_by_the_probe_once` |
//! | G15 | A detach is never lost, not even for want of memory | `alloc_failure::a_detach_without_memory_takes_effect_and_is_made_good_later`, `alloc_failure::each_nth_allocation_of_a_group_detach_may_fail` |
//!
//! The details, with their exceptions, are in the documentation of each function and on the page of
//! [limitations](super::limitations).
