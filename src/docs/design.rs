//! How the crate works and why, and what it guarantees.
//!
//! # Where it comes from
//!
//! Kirill Smelkov's Go package `tracing` has trace events, probes that are attached to them at run
//! time, and probe groups. There, attaching stops the world: no thread runs while a list of probes
//! changes. That is simple and correct, but too slow for a process that serves traffic. Here,
//! read-copy-update (RCU) replaces the stopped world.
//!
//! * An event is an **atomic pointer to an immutable vector of probes**, the snapshot. Null means
//!   off.
//! * Attach and detach build a new vector and swap it in **under one mutex** for the whole process.
//!   Firings take no lock, except to switch off a probe that panicked.
//! * The old vector is freed after a **grace period**. crossbeam-epoch determines when that ends.
//!
//! # Why these three
//!
//! **RCU**, because firings are frequent and changes are rare: all the work is done by the threads
//! that change something. With a reader-writer lock, each firing would write to memory that every
//! other firing writes to. With a vector that is changed in place, a firing would have to recognize
//! half-finished changes.
//!
//! **One mutex**, because it replaces the stopped world: a batch changes many events in one step,
//! and two batches never interleave. A mutex per event would need a lock order and gain nothing,
//! since the mutex is never held for long: no closure, no `Drop` and no allocation runs under it
//! (I5). Buffers are allocated before and freed after. The same mutex protects the lists of retired
//! memory: every change of an event retires something, so a second mutex would always be taken
//! together with the first.
//!
//! **A lane for each thread**, because a firing should not have a barrier. The barrier that a
//! reader needs between "I am inside" and its first read is two thirds of an enabled firing on
//! Intel's servers. Writers are rare, so they pay for both: `membarrier` is a barrier on every
//! processor that runs a thread of the process. This is how liburcu's readers do without, too.
//!
//! **crossbeam-epoch** for the rest, because it is proven: firings of threads whose thread-local
//! destructors have run, which have no lane any more, pin through it. This crate has a collector of
//! its own, so the pins of other crates do not delay its grace periods, and its pins do not delay
//! theirs.
//!
//! # The path of a firing
//!
//! | step | file |
//! |---|---|
//! | `fire!`: load the pointer, branch if it is not null | `macros.rs`, `place.rs`, `rcu/cell.rs` |
//! | enter the lane, unless this thread is inside a firing already | `rcu/pin.rs`, `rcu/lane.rs` |
//! | load the pointer again, with Acquire | `rcu/cell.rs` |
//! | for each entry of the snapshot: call its thunk | `place.rs`, `rcu/snapshot.rs` |
//! | thunk: if the slot is live, call the closure, and catch a panic | `rcu/slot.rs`, `rcu/panic.rs` |
//!
//! The pointer that the off check loads is only compared with null. The firing enters its lane, and
//! only then loads the snapshot that it reads. From then on the firing walks that vector to its
//! end, whatever happens to the event, so no attach or detach can make it skip a probe or call one
//! twice. The state of each probe is checked again just before the call, so a detach also takes
//! effect within firings in progress.
//!
//! The lane belongs to the thread, not to the firing: the first firing of a thread enters it, and
//! the last one to end leaves it. A word in thread-local storage counts the firings in progress. It
//! is incremented and decremented, never saved and restored, since coroutines on one thread may end
//! in any order. (A firing that finds the word unchanged at its end stores the known previous value
//! instead of decrementing. The result is the same, but the next firing need not wait for the
//! load.) If a panic unwinds through a firing, a separate function ends the firing, using only that
//! word, so the normal path reserves no register for this. To save another register, the outermost
//! firing and the nested one are two functions; a third one, without a prologue, chooses between
//! them.
//!
//! # The path of an attach
//!
//! | step | file |
//! |---|---|
//! | the event's `attach`: allocate the slot | `macros.rs`, `place.rs`, `rcu/slot.rs` |
//! | allocate the next snapshot; lock, copy, swap, unlock | `rcu/update.rs`; the swap itself: `rcu/cell.rs`, `publish` |
//! | retire the old snapshot, wait for a grace period, free it | `rcu/reclaim.rs`, `rcu/lists.rs` |
//!
//! The size of the buffer is a guess at the number of probes. If another writer was faster and the
//! buffer is too small, the writer unlocks, allocates a larger one and starts over. A detach does
//! not start over: it takes effect first and finds memory later.
//!
//! # Slots, thunks, gates
//!
//! A **slot** is the memory of one probe: a state (live, live behind a gate, quarantined,
//! detached), and the closure. The state only moves forward. A detach is one swap of the state;
//! then a snapshot without the slot is published. If there is no memory for a shorter snapshot, the
//! slot stays in the old one as a *tombstone*, which firings skip and a later update removes. A
//! slot lives as long as a snapshot or a handle refers to it. The closure is dropped earlier, as
//! soon as no firing can be running it.
//!
//! A **thunk** is the function that calls a slot's closure, and the only place that knows the
//! closure's type. The snapshot holds the thunk's address beside the slot's, so a firing looks it
//! up neither in the slot nor in a vtable, as it would with a `Box<dyn Fn>`. Two checked steps
//! restore type safety, so the code that [`event!`](crate::event!) generates contains no `unsafe`:
//! an event fixes the type of its thunks, and the thunk compares the closure's `TypeId` with the
//! slot's. (An earlier version compared the address of a table instead, one comparison instead of
//! two. But the compiler copies such a table into each codegen unit. In one program the comparison
//! succeeded; in the next it failed, each call took the slow path, and a firing took 10 ns instead
//! of 6. Addresses of constants do not identify types.)
//!
//! A **snapshot** ends with an empty entry, and the published address is that of its first entry.
//! So a firing walks the entries without loading a length.
//!
//! The **sequence** is one number for the process: that of the last attach or commit that is
//! complete. Each slot has the number of its own. A commit puts all its snapshots in place, and
//! then stores its number: firings call a batch's probes if the sequence has reached their number,
//! so that one store makes the whole batch visible. A **gate** is a flag that all slots of a batch
//! share. A group's detach closes it, then removes the slots from the snapshots. Snapshots alone
//! cannot do this, since two events have two pointers.
//!
//! # Spans
//!
//! A span is **one event cell with two halves**: one off check, one snapshot, one slot for the two
//! closures of a probe. So attaching, detaching and switching off both is one step. What an entry
//! of its snapshot has in place of a thunk is the address of two, for the begin and for the end.
//!
//! A probe must get an end only if it got the begin, and it may be attached in between. So each
//! begin reads the sequence before it loads its snapshot, and the guard keeps it beside the span's
//! id. Both halves call a slot if its own number is not above what the guard keeps: then the begin
//! found the slot in its snapshot, since the Acquire load of the sequence came first, and the end
//! asks the same question with the same answer. Nothing is remembered for each probe and span, and
//! a guard is two words.
//!
//! Batched events use the same number. With a flag of its own for each batch, a batch of an event
//! and a span would not be one instant: a thread could find the flag open at the event, and begin
//! the span with a sequence from before.
//!
//! If a begin is skipped, because it is one too many, the guard is off. The end of a span whose
//! begin ran is never skipped: beyond the limit it counts as a `pinned` scope, so what its probes
//! fire is skipped, and there cannot be more of them than there were begins.
//!
//! The guard's type is the span's own, made by [`span!`](crate::span!): a generic `Span<S>` could
//! have no method `end` with the span's signature (E0116). Its code tests the id, and passes the
//! two words by value to a function that does the rest: a `&mut self` would keep them in memory,
//! also while the span is off.
//!
//! *Current* is a stack of ids for each thread, in a thread-local without a destructor, so that
//! spans work while a thread ends. An entry is taken out by its id, not by its place: entered spans
//! may be left in any order. A poll in a span takes out all that it had entered.
//!
//! # The catalogue and dynamic probes
//!
//! [`events`](crate::events()) needs a list of all events before any of them has fired, without
//! code that runs before `main`. Only the linker sees all events: each one has an entry in a
//! section of its object file, and the linker puts the sections side by side. **linkme** does this
//! in the way that each platform needs. Its macros also work in crates that forbid `unsafe`, and it
//! notices if two lists have the same name. The list is named after this crate's version, so two
//! incompatible versions in one program have two lists, not one list with entries of two types.
//!
//! An entry is a `&'static dyn AnyEvent`. The trait has one method, which returns the event's cell
//! and a thunk. Everything else is written once, for `dyn AnyEvent`, and is not compiled for each
//! event. Each event has two thunks: one for typed probes, which is generic over the closure, and
//! this one. It calls a [dynamic probe](super::glossary), whose type is the same for all events. So
//! a dynamic probe is a slot like any other, and the firing path does not distinguish them.
//!
//! The thunk converts each parameter to a `Value`. It knows the parameter's type, so the compiler
//! selects the conversion: it resolves a method along a chain of dereferences, which offers first
//! the types with a kind of their own, then those with `Debug`, then any type. The methods are
//! inherent, so no trait has to be in scope, and no other trait can interfere. A parameter that is
//! marked `#[redact]` is not passed to the conversion.
//!
//! In a macro, `line!` gives the line of the outermost call, which is the same for a whole block of
//! events. Therefore the position of an event comes from a macro that is called with the event's
//! own tokens: `NAME!(who: &str)`.
//!
//! To list an event's probes, the lock is held only while a reference to each slot is taken. The
//! slots are read afterwards: the probes' names may be `String`s, and nothing is allocated under
//! the lock (I5).
//!
//! # From retired to dropped
//!
//! ```text
//! retire ──► NEXT ──(a grace period starts)──► WAITING ──(it is over)──► READY
//!                                                                          │
//!                                              gone ◄── being dropped ◄────┘
//! ```
//!
//! **A grace period has two parts.** A *scan* looks at the lanes: after a heavy barrier, it passes
//! each record whose thread is outside, or inside since the grace period began. crossbeam-epoch
//! speaks for threads without a lane: the function deferred through it is a single store. It could
//! drop the closures itself. But then they would be dropped on firing threads, a panic in one would
//! keep others from being dropped, and nothing would show when all had been dropped.
//!
//! A record holds the number of the grace period that its thread found when it entered, not a count
//! of entries. So the scan compares once and remembers nothing but the chunk where it stopped, any
//! thread may continue it, a record that goes to another thread needs no reset, and a thread that
//! fires without pause cannot starve it: its next entry has the new number.
//!
//! **Without `membarrier`** (other systems, old kernels, filters), entries have a full barrier, and
//! the scan's heavy barrier is a fence: the lowest bit of the number shows firings which, at the
//! cost of one predictable branch. If the kernel refuses the barrier later, entries made without
//! one may not be visible. Then the scan runs on each processor in turn, which makes every other
//! thread pass a barrier; if that is refused as well, it trusts a record only once its thread has
//! acknowledged that it has full barriers again.
//!
//! **One grace period is in flight at a time.** Memory that is retired meanwhile waits for the next
//! one. So crossbeam holds one deferred function of this crate, however much is retired and however
//! long a reader stalls.
//!
//! **The lists are intrusive**: retiring allocates nothing and cannot fail.
//!
//! **Closures carry numbers.** [`synchronize`](crate::synchronize()) takes a number. It waits until
//! a grace period that started later has ended and every closure with a smaller number has been
//! dropped, including those that other threads are dropping. An empty list would not prove that,
//! since another thread may have taken a closure from it; nor would a count of dropped closures,
//! which may include later ones. Later retires have larger numbers and so cannot delay it.
//!
//! **The drain** takes one closure at a time, unlocks, drops it, and locks again. It runs on
//! threads that call detach, commit, `synchronize` or `reclaim`, never inside a firing, a `pinned`
//! scope or another captured `Drop`. A `Drop` that detaches probes only retires them, and the
//! running drain drops them next. So there is no recursion, however long the chain is. The drain
//! continues only with closures that were retired by those it drops, not with what other threads
//! retire meanwhile. Otherwise a thread that detaches in a loop could keep the `synchronize` of
//! another thread from returning.
//!
//! **Waiting is polling.** A firing that ends does not notify waiting threads. So being waited for
//! costs it nothing, and no wake-up can be lost.
//!
//! # fork
//!
//! In the child, only the thread that forked exists. The others are gone, still inside. The lock is
//! held during the fork, so no update is half done. In the child, the lock is released, the lanes
//! of the others are empty, a new collector replaces the old one, and the memory that waited for a
//! grace period starts waiting again. What the thread itself is inside stays protected by its lane.
//! The old collector is leaked, since its grace periods would never end. This uses
//! `pthread_atfork`; comparing the process ID instead would cost every firing.
//!
//! # What was tried and dropped
//!
//! * **A type and a static of the same name** for each event, as `lazy_static!` has: rustdoc cannot
//!   distinguish links to them. Now an event is a unit struct, with the static hidden behind it.
//! * **Arguments of `fire!` evaluated in place**: then `fire!(E, s.parse()?)` would change what the
//!   function returns, but only while a probe is attached. Now they are evaluated in a closure,
//!   with the same machine code.
//! * **crossbeam's own atomic pointer**: it keeps tag bits, which the off check would have to mask
//!   out.
//! * **Pinning through crossbeam-epoch in each firing**: a locked instruction on x86-64, and on
//!   every 128th pin a walk over all threads that ever fired. With 512 parked threads one firing in
//!   128 took 5 to 7 µs.
//! * **Counting entries and exits**, so that a scan waits until a thread is outside: a thread that
//!   fires without pause starves it.
//! * **Flushing crossbeam at each retire**: as long as a reader stalls, each flush costs memory.
//! * **Flushing a fixed number of times**: enough on an idle machine, but not with busy readers or
//!   after thousands of threads have ended. Now there is a budget, and later calls continue.
//! * **A list that events add themselves to when they first fire**: it would lack the most
//!   interesting ones, those that have not fired yet.
//! * **Constructors before `main`**: their order is undefined, and the program is not set up.
//!
//! # A map of the source
//!
//! The workspace has one crate for each use. The core, at the root, is small and has no features: a
//! library that declares events depends on nothing else, so a new major version of axum or prost
//! never forces a new core. (Two versions of the core in one program are two catalogues.) Cargo
//! unifies features, so a feature of the core could be switched on by any dependency and change
//! everybody's events; separate crates rule that out, and the compiler enforces that they use the
//! public API only.
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
//! The tests of a crate are in its `tests/it/`; the core's models in `tests/loom/`, its stress in
//! `tests/stress/`; what must not compile in `tests/ui/`. `ci/` has one script for each concern.
//!
//! Each crate's front page is its guide. The core, in layers, from the bottom up:
//!
//! | layer | modules |
//! |---|---|
//! | leaves, which import nothing else of the crate | `metadata` (names, docs, parameters) · `attribute` (an event's attributes, read at compile time) · `options` (how a probe is attached) · `current` (which span is current on this thread) · `value` (an argument as dynamic probes see it) · `error` · `sync` (the std/loom switch) |
//! | `rcu/`, which imports only leaves | `mod` (the invariants I1 to I5, and the state that all events share) · `cell` (the atomic pointer; **here a snapshot is swapped in**) · `update` (what writers do around the swap) · `snapshot` (the immutable vector) · `slot` (one probe's memory) · `gate` (the sequence, and a batch's gate: its one instant) · `panic` (what a panicking probe does) · `pin` (a thread's state) · `lane`, `membarrier` (how a firing is seen) · `reclaim`, `lists` (retire, grace periods, drop) · `fork` |
//! | what a user holds | `event`, `span`, `in_span` (spans around futures), `probe`, `batch` · `grace` (waiting), `stats` (counters) |
//! | the type-safe wrapper | `place`: between the macros, which know an event's types, and `rcu`, which does not · `dynamic` (probes that see values) |
//! | any event | `typed`, `typed_span` (code generic over events and spans), `any` (type-erased events) · `catalog` (the list of all events) |
//! | the macros | `macros`: `event!`, `fire!`, `register!`; `span` in it: `span!`, `start!`, `end!` |
//!
//! `ci/layers.sh` checks the layers: `rcu/` imports nothing from above, leaves import nothing else
//! of the crate, and there is no cycle among the other modules.
//!
//! `unsafe` is in `rcu/` and `place.rs` only (and, for models, in `sync.rs`). Each block cites the
//! invariants that it relies on (I1 to I5, at the head of `rcu/mod.rs`).
//!
//! # What it guarantees
//!
//! "Happens after" has the meaning of the language's memory model. Tests are in `tests/it/`, by
//! module and name. `model::any_sequence_of_operations_does_what_a_vec_would` checks G2, G3, G4, G8
//! and G14 together, on random sequences.
//!
//! | | guarantee | shown by |
//! |---|---|---|
//! | G1 | Off is free: a load, a test, a branch; arguments are not evaluated | `off::arguments_are_not_evaluated_while_nothing_is_attached`, `off::an_event_is_off_before_between_and_after_probes`, `off::firing_allocates_nothing_on_a_registered_thread`; `ci/off-path.sh` |
//! | G2 | Probes run in attach order, on the firing thread, before `fire` returns | `order::attach_order_is_firing_order_at_each_step`, `order::probes_run_on_the_firing_thread_before_fire_returns`, `order::a_batch_keeps_the_order_of_queuing_and_comes_after_what_is_there` |
//! | G3 | A firing calls the probes of one snapshot, each at most once; a concurrent change of one probe does not skip another or call it twice | `snapshot::a_probe_that_detaches_itself_makes_no_other_be_skipped_or_called_twice`, `snapshot::a_probe_that_detaches_its_neighbour_…`, `snapshot::two_constant_probes_are_called_once_by_each_firing_while_others_come_and_go` |
//! | G4 | After `detach` returns, no later firing calls the probe; after `synchronize` returns, none is running it and its captures have been dropped | `detach::a_thread_that_fires_in_a_loop_sees_the_probe_and_then_never_again`, `detach::no_firing_that_happens_after_a_detach_calls_the_probe_whichever_call_won`, `detach::a_firing_in_flight_may_run_on_but_synchronize_waits_for_it` |
//! | G5 | The probes of a batch are attached at one instant, over all its events, and its group detaches them at one | `instant::a_batch_is_found_at_both_events_or_at_neither`, `instant::inside_pinned_too`, `instant::inside_one_firing_a_group_is_gone_for_all_its_later_probes_once_it_is_gone` |
//! | G6 | No user code runs under a lock | `locks::a_captured_drop_may_attach_detach_fire_and_commit`, `locks::an_allocator_may_fire_events_whose_probes_attach_and_detach`, `locks::a_probe_may_attach_detach_fire_commit_and_reclaim` |
//! | G7 | Captures are dropped by detach, commit, synchronize and reclaim; never in `attach`, never inside a firing, never recursively | `captures::an_outside_detach_has_dropped_the_captures_when_it_returns`, `captures::captures_never_drop_on_a_firing_thread_nor_in_attach`, `captures::inside_a_firing_or_pinned_a_detach_only_retires`, `captures::a_chain_of_probes_that_own_probes_drops_without_recursion`, `captures::a_drop_that_panics_is_counted_and_does_not_stop_the_others` |
//! | G8 | A panic stays in its probe, which is switched off; `OnPanic::Propagate` lets it out | `panics::a_probe_that_panics_is_switched_off_and_later_probes_run`, `panics::propagate_is_counted_goes_through_and_leaves_the_event_as_it_was`, `panics::a_detach_is_not_undone_by_a_quarantine` |
//! | G9 | Recursion ends after 8 nested firings | `depth::eight_firings_nest_and_the_ninth_is_skipped_and_counted`, `depth::two_events_that_fire_one_another_are_bounded_and_the_depth_comes_back` |
//! | G10 | `synchronize` never waits for itself, and later detaches do not hold it up | `synchronize::inside_a_probe_pinned_or_a_captured_drop_it_returns_in_probe`, `synchronize::with_a_thread_stuck_in_a_probe_it_times_out_and_can_be_called_again`, `synchronize::a_stream_of_later_retires_cannot_starve_it` |
//! | G11 | Firing works in thread-local destructors, at exit, and in a forked child | `anywhere::in_the_thread_local_destructors_of_ten_thousand_threads`, `anywhere::while_the_process_exits`, `anywhere::fork::while_another_thread_is_inside_a_probe`, `anywhere::fork::inside_of_a_probe_itself` |
//! | G12 | Pins of other crates do not delay this crate's grace periods, nor the reverse | `epoch::a_pin_of_the_default_collector_does_not_hold_up_synchronize`, `epoch::a_pinned_scope_of_ours_does_not_hold_up_the_default_collector` |
//! | G13 | Memory is bounded, also while a reader stalls | `memory::a_million_attach_detach_pairs_under_firing_threads_leave_nothing`, `memory::a_stalled_reader_costs_a_snapshot_and_a_slot_for_each_swap_and_it_all_comes_back`; the size: an assertion in `src/event.rs` |
//! | G14 | Counts are exact; what is lost is counted | `counts::stats_count_exactly_in_a_process_of_their_own`, `counts::every_firing_of_every_thread_is_seen_by_the_probe_once` |
//! | G15 | A detach is never lost, even without memory | `alloc_failure::a_detach_without_memory_takes_effect_and_is_made_good_later`, `alloc_failure::each_nth_allocation_of_a_group_detach_may_fail` |
//! | G16 | A probe on both halves of a span gets one end for each begin, however the code leaves the span, and no end without its begin | `spans::however_the_code_leaves_a_span_it_ends_once`, `spans::a_probe_attached_in_between_gets_no_end_and_a_detached_one_none_either`, `spans::a_begin_too_deep_is_skipped_with_its_end_and_an_end_never_is`, `spans::many_threads_begin_attach_and_end_and_each_probe_sees_pairs`; the models of `tests/loom/spans.rs` |
//! | G17 | On threads with a lane, the cost of a firing does not depend on how many threads live or ever fired | by construction: a firing writes only its thread's record and reads one line that grace periods write; `cargo benches --bench contended` measures the tail |
//!
//! Each function's documentation has the details and exceptions, and so has the page of
//! [limitations](super::limitations).
