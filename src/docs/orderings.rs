//! Every atomic access, what it orders, and its partner.
//!
//! Everything that a writer does to an event happens under one mutex. So only a few accesses order
//! anything: those by which firings, which take no lock, meet writers. The source explains each one
//! where it is; this page collects them. Paths are relative to `src/`.
//!
//! The last column names the model that fails if the access is weakened by one step, or says why no
//! model fails. (Models are in `tests/loom/`, in files named after their theorems.) `ci/mutants.sh`
//! plants these and other bugs and checks that they are caught; [the whole list](#planted-bugs) is
//! below.
//!
//! # The snapshot pointer (`EventCell::published`, `rcu/cell.rs`)
//!
//! | where | access | orders | partner | weakened |
//! |---|---|---|---|---|
//! | `is_enabled` | load, `Relaxed` | nothing: the pointer is only compared with null | | |
//! | `read` | fence, `Acquire` | after an off check that read null, what this thread does comes after what the writer of that null did before it: the gate is seen closed (G5) | the Release store in `publish` | `batch_is_one_instant::a_detach_seen_inside_pinned` |
//! | `read` | load, `Acquire` | the snapshot's contents | the Release store in `publish` | `attach_is_seen_whole` |
//! | `publish` | store, `Release` | the snapshot's contents before its address; a closed gate before the null | both accesses in `read` | `attach_is_seen_whole`; null only: `batch_is_one_instant::a_detach_in_order` |
//!
//! **Why there is a fence.** A thread fires two events of a group that is being detached. At the
//! first event, the relaxed off check reads null, and the thread continues. At the second, it must
//! not start a probe any more. An off check by itself orders nothing, and an acquire load in its
//! place would cost an instruction in every disabled event on machines where acquire is not free.
//! So the enabled path begins with the fence, which turns every earlier relaxed load of this thread
//! into an acquire load. A disabled event pays nothing.
//!
//! If the second firing enters its lane with a full barrier, that is enough. Inside `pinned` or
//! another firing there is no barrier, and there the models show the failure.
//!
//! # The sequence and the gate (`Sequence`, `Gate::closed`, `rcu/gate.rs`)
//!
//! | where | access | orders | partner | weakened |
//! |---|---|---|---|---|
//! | `Sequence::now` | load, `Acquire` | a firing that finds the number of a batch finds all snapshots of the batch in place; a span that begins after an attach finds the probe in its snapshot | the Release store in `publish` | `batch_is_one_instant::an_attach_in_order`, `spans::an_event_and_a_span_of_one_batch` |
//! | `Sequence::publish` | store, `Release` | all snapshots of the batch, stored before it | the Acquire load in `now` | `batch_is_one_instant::an_attach_in_order`, `spans::an_attach_beside_another` |
//! | `Gate::is_closed` | load, `Relaxed` | nothing: a firing that saw one of the swaps sees what they release, and one that saw the gate closed sees it so again | | |
//! | `Gate::close` | store, `Relaxed` | nothing by itself; the swaps that follow under the same lock release it | `Header::detach` with `state`, `EventCell::publish` with `read` | |
//! | `Header::born` | load and store, `Relaxed` | nothing: written before the slot is published, and read by those who have it from a snapshot or a handle | `EventCell::publish` with `read` | |
//!
//! # A slot's state (`Header::state`, `rcu/slot.rs`)
//!
//! | where | access | orders | partner | weakened |
//! |---|---|---|---|---|
//! | `state`, for `is_on` and `is_live` | load, `Acquire` | a firing that finds one probe of a group detached finds the gate closed from then on | the swap in `detach` | `batch_is_one_instant::a_detach_within_one_firing` |
//! | `is_attached` | load, `Acquire` | a thread that sees the detach sees what came before it | the swap in `detach` | `two_detachers::who_sees_it_detached_sees_what_came_before` |
//! | `is_detached` | load, `Relaxed` | nothing: for writers, which hold the lock, and for a handle that skips a needless detach | | |
//! | `detach` | swap, `AcqRel` | releases the closed gate and what the caller did before; acquires what a quarantine did | `state`, `is_attached`; `quarantine` | without Release: `batch_is_one_instant::a_detach_within_one_firing`. Without Acquire: none, since a quarantine changes only the state itself and statistics |
//! | `quarantine` | compare-exchange, `AcqRel` (failure: `Relaxed`) | as `detach` | `state`, `detach` | none, for the same reason; both are kept in case a quarantine will change more |
//!
//! For a single probe, the load of `state` could be relaxed: a firing that happens after the detach
//! reads the new state by coherence, and the grace period waits for every other firing. A group
//! needs the Acquire.
//!
//! Is the swap in `detach` needed under the lock? By the standard, a load and a store would be
//! enough: only one of two detachers holds the lock, and a detach may overwrite a quarantine. But
//! loom does not order a plain store after an exchange that it did not read, and reports
//! `panic_against_detach`. What would be wrong is to read the state before taking the lock, or to
//! store it after releasing the lock (see below).
//!
//! # The lanes (`rcu/lane.rs`)
//!
//! | where | access | orders | partner | weakened |
//! |---|---|---|---|---|
//! | `Record::enter`, `generation` | load, `Acquire` | a firing of a generation sees what was unlinked before it | the Release store in `advance` | none that loom can see: the fence in `read` follows. A `pinned` scope that reads the program's own pointers has no such fence, and needs it |
//! | `Record::enter`, `word` | store, `Release` | what this thread's earlier firings did, for a scan that reads this entry instead of the exit before it | the Acquire load in `is_past` | `lane::two_firings_against_detach_and_synchronize` |
//! | `Record::enter` | light barrier | the entry before the load of the snapshot | the heavy barrier in `Scan::drive` | `lane::a_firing_against_detach_and_reclaim` |
//! | `Record::enter_full` | exchange or fence, `SeqCst` | the same, where there is no `membarrier` | the fence in `Barriers::heavy` | `no_use_after_retire::fire_against_detach_and_reclaim` |
//! | `Record::leave`, `word` | store, `Release` | what the firing did | the Acquire load in `is_past` | `lane::a_firing_against_detach_and_reclaim` |
//! | `Record::acknowledge` | store, `Release` | the thread's firings without a barrier are over | the Acquire load in `is_past` | `lane::a_barrier_is_refused_for_good` |
//! | `Lanes::advance`, `generation` | store, `Release` | all that the grace period covers is unlinked before it | the Acquire load in `enter` | `lane::a_detach_and_synchronize_against_two_firings` |
//! | `Chunk::take`, `taken` | compare-exchange, `AcqRel` | the record's last exit before its next entry | the Release in `give_back` | `lane::a_firing_on_a_record_that_another_thread_had` |
//! | `Lanes::give_back`, `taken` | and, `Release` | what the thread's firings did | the Acquire loads in `take` and `is_past` | `lane::a_firing_whose_record_is_given_back` |
//! | `Lanes::take_any`, `head` | compare-exchange, `Release`, and load, `Acquire` | a chunk's contents before its address | each other; `Scan::drive` | `lane::a_firing_on_a_record_of_a_new_chunk` |
//! | `Scan::drive` | heavy barrier | the unlinking before the look at the records | the light barrier | `lane::a_firing_against_detach_and_reclaim` |
//! | `Chunk::is_past`, `taken`, `word`, `acknowledged` | loads, `Acquire` | what those firings did comes before what is now done to the memory | `give_back`, `enter` and `leave`, `acknowledge` | `lane::a_firing_whose_record_is_given_back`, `lane::a_firing_against_detach_and_reclaim`; `acknowledged`: none planted |
//!
//! **Light and heavy.** A light barrier is one for the compiler only. A heavy one is the system
//! call `membarrier`, which is a full barrier on each processor that runs a thread of the process.
//! In models, both are an `AcqRel` update of one location: of the two, one comes first, and the
//! other sees what came before it. They are no `SeqCst` fences there, since loom synchronizes all
//! of those with each other: crossbeam's own fences would hide a missing heavy barrier.
//!
//! **When a scan looks**, crossbeam's epochs have been flushed already. In the other order, the
//! fences of the flush would lend the scan's loads an order that they must have by themselves.
//!
//! # The end of a grace period (`Domain::grace_done`; `rcu/reclaim.rs`)
//!
//! | where | access | orders | partner | weakened |
//! |---|---|---|---|---|
//! | `flush`, the deferred function | store, `Release` | the firings that crossbeam waited for, before the end of the grace period | the Acquire load in `finish` | none: see [below](#planted-bugs) |
//! | `flush` | load, `Relaxed` | nothing: a hint to stop flushing | | |
//! | `DomainWriter::finish` | load, `Acquire` | what those firings did comes before what is now done to the memory | the Release store above | none, for the same reason |
//! | `fork.rs`, `child` | store, `Relaxed` | nothing: there is one thread | | |
//!
//! # The collector (`Domain::collector`, `rcu/mod.rs`)
//!
//! | where | access | orders | partner | weakened |
//! |---|---|---|---|---|
//! | `collector` | load, `Acquire` | the collector's contents | the exchange | `first_registration::two_threads_register_first` |
//! | `collector` | compare-exchange, `AcqRel` (failure: `Acquire`) | publishes the collector, or acquires the one that another thread published | both | without Release, and on failure: `first_registration::two_threads_register_first`. Without Acquire on success: none, since only null can be read then |
//! | `fork.rs`, `child` | store, `Relaxed` | nothing: there is one thread | | |
//! | `Domain::drop` (models only) | load, `Relaxed` | nothing: no other thread can reach it | | |
//!
//! # What orders nothing
//!
//! | what | accesses | why that is enough |
//! |---|---|---|
//! | `EventCell::attached` | `Relaxed` | accessed only under the lock |
//! | `EventCell::count`, `EventCell::entries` | `Relaxed` | written under the lock; read without it as a number to display, and as a guess that is checked under the lock |
//! | `Header::panicked` | `Relaxed` | it only reports that a panic happened; to see what the probe did, a thread waits for it, as for any probe |
//! | `Counters::*` | `Relaxed` | statistics. `departed` is also a hint for how long to flush |
//!
//! # The mutex
//!
//! `Domain::writer` orders writers among themselves. It also orders two pairs of steps that
//! different threads may take: retiring comes before the start of the grace period, and learning
//! that the period has ended comes before dropping. In each pair, both steps hold the lock.
//! Reference counts (of slots and gates) are those of [`Arc`](std::sync::Arc).
//!
//! # The pair inside crossbeam-epoch
//!
//! Threads whose thread-local destructors have run have no lane. For their firings, a pair inside
//! crossbeam-epoch ensures that memory is not freed while they use it (I3 in `rcu/mod.rs`). The
//! reader stores its epoch, then has a full barrier, then loads the snapshot pointer or the slot's
//! state. The reclaimer swaps the pointer or the state, then has a full barrier, then reads the
//! readers' epochs. At least one of them sees the other. The off check comes before that barrier,
//! so the pointer that it loads is never dereferenced: `read` loads again.
//!
//! Each such firing joins the collector for itself, and crossbeam collects at the first pin after
//! joining, which has a `SeqCst` fence. So weakening the barrier of the pin itself changes nothing
//! for this crate. Planted bugs weaken the Release of the unpin, and what the collection reads.
//!
//! # Litmus tests
//!
//! Each access by which threads meet is also in a litmus test, in `ci/rc11/`: a few accesses of two
//! or three threads, checked by all rules of the standard, load buffering included. `ci/rc11.sh`
//! runs them, and each with one ordering weakened by one step. The program of the checker
//! (`ci/checks/src/bin/rc11/`) explains its memory model. Each row names its line of the source, so
//! this list cannot be out of date: an ordering that is changed, or one that is new, fails the
//! script. What [orders nothing](#what-orders-nothing) under the lock has no row.
//!
//! That `membarrier` itself does what the lanes rely on is measured: `ci/membarrier.sh` runs store
//! buffering with it on one side, next to controls that reorder without it. `ci/spin.sh` explores
//! whole grace periods with two firing threads and two workers, and shows that `synchronize`
//! returns.
//!
//! <!-- ci/rc11.sh --write: begin -->
//! | access | weakened to | litmus test that fails |
//! |---|---|---|
//! | `Record::enter`, `generation`: load | `Relaxed` | `a_scope_that_reads_the_programs_own_pointer` |
//! | `Record::enter`, `word`: store | `Relaxed` | `two_firings_against_a_grace_period` |
//! | `Record::enter`: light barrier | none | `a_firing_against_a_grace_period` |
//! | `Record::enter_full`, `word`: store | `Relaxed` | `a_firing_with_a_full_barrier` |
//! | `Record::enter_full`: fence | `AcqRel` | `a_firing_with_a_full_barrier` |
//! | `Record::enter_full`, `word`: swap, on x86 only | | no litmus: the standard knows no update that is a full barrier. On x86 each is, whatever its ordering; the compiler keeps it in front of the loads (and a light barrier follows) |
//! | `Record::enter_full`: light barrier | none | `a_firing_with_a_full_barrier_against_a_heavy_one` |
//! | `Record::acknowledge`: store | `Relaxed` | `a_barrier_is_refused_for_good` |
//! | `Record::leave`, `word`: store | `Relaxed` | `a_firing_against_a_grace_period` |
//! | `Chunk::take`, `taken`: compare-exchange | `Acquire` | none: an update continues the release sequence of each `give_back` before it, whatever its own ordering |
//! | `Chunk::take`, `taken`: compare-exchange | `Release` | `a_record_is_given_back_and_taken` |
//! | `Lanes::advance`, `generation`: store | `Relaxed` | `a_firing_against_a_grace_period` |
//! | `Lanes::take`, `generation`: load | `Relaxed` | none: the record's first firing loads the generation again, and finds this one or a later one |
//! | `Lanes::take_any`, `head`: load | `Relaxed` | `a_new_chunk_is_seen_whole` |
//! | `Lanes::take_any`, `head`: compare-exchange | `Relaxed` | `a_firing_on_a_record_of_a_new_chunk` |
//! | `Lanes::give_back`, `taken`: and | `Relaxed` | `a_record_is_given_back` |
//! | `Lanes::chunks`, `head`: load | `Relaxed` | `a_new_chunk_is_seen_whole` |
//! | `Scan::drive`, `head`: load | `Relaxed` | `a_firing_on_a_record_of_a_new_chunk` |
//! | `Scan::drive`: heavy barrier | a fence of its own | `a_firing_against_a_grace_period` |
//! | `Barriers::heavy`: fence | `AcqRel` | `a_firing_with_a_full_barrier` |
//! | `Chunk::is_past`, `taken`: load | `Relaxed` | `a_record_is_given_back` |
//! | `Chunk::is_past`, `word`: load | `Relaxed` | `a_firing_against_a_grace_period` |
//! | `Chunk::is_past`, `acknowledged`: load | `Relaxed` | `a_barrier_is_refused_for_good` |
//! | `flush`, the deferred function, `grace_done`: store | `Relaxed` | `a_third_thread_runs_the_deferred_function` |
//! | `DomainWriter::finish`, `grace_done`: load | `Relaxed` | `a_third_thread_runs_the_deferred_function` |
//! | `Domain::collector`: load | `Relaxed` | `two_threads_are_the_first_to_join` |
//! | `Domain::collector`: compare-exchange | `Acquire`, on failure `Acquire` | `two_threads_are_the_first_to_join` |
//! | `Domain::collector`: compare-exchange | `Release`, on failure `Acquire` | none: if it succeeds, it has read null |
//! | `Domain::collector`: compare-exchange | `AcqRel` | `two_threads_are_the_first_to_join` |
//! | `visit_processors`: fence | | no litmus: the kernel orders threads when one changes processors |
//! | `EventCell::read`: fence | none | `a_group_is_detached_at_once` |
//! | `EventCell::read`: load | `Relaxed` | `attach_is_seen_whole` |
//! | `EventCell::publish`: store | `Relaxed` | `attach_is_seen_whole` |
//! | `Sequence::now`: load | `Relaxed` | `a_batch_is_attached_at_once` |
//! | `Sequence::publish`: store | `Relaxed` | `a_batch_is_attached_at_once` |
//! | `Header::state`: load | `Relaxed` | `a_group_is_detached_at_once_within_one_firing` |
//! | `Header::is_attached`: load | `Relaxed` | `a_detach_is_seen_with_what_came_before` |
//! | `Header::detach`: swap | `Acquire` | `a_group_is_detached_at_once_within_one_firing` |
//! | `Header::detach`: swap | `Release` | none: a quarantine changes only the state itself and statistics |
//! | `Header::quarantine`: compare-exchange | `Acquire` | none: nothing is written before it that its readers need |
//! | `Header::quarantine`: compare-exchange | `Release` | none: it reads nothing that its state would order |
//! <!-- ci/rc11.sh --write: end -->
//!
//! # Planted bugs
//!
//! Each is a patch in `tests/loom/mutants/`, whose head describes the interleaving that it allows.
//! `ci/mutants.sh` applies each patch to the source of this crate or of crossbeam-epoch, and fails
//! if no model catches it.
//!
//! | bug | caught by the model |
//! |---|---|
//! | `batch_attaches_first` | `batch_detaches_and_attaches::the_detach_comes_before_the_attach` |
//! | `closure_dropped_at_once` | `no_use_after_retire::fire_against_detach_and_reclaim` |
//! | `collector_published_relaxed` | `first_registration::two_threads_register_first` |
//! | `collector_read_relaxed` | `first_registration::two_threads_register_first` |
//! | `crossbeam_advances_past_the_pinned` | `lane::a_firing_past_the_destructors_against_detach_and_reclaim` |
//! | `crossbeam_bag_expires_at_once` | `lane::a_firing_past_the_destructors_against_detach_and_reclaim` |
//! | `crossbeam_bag_expires_one_epoch_early` | `lane::a_firing_past_the_destructors_against_detach_and_reclaim` |
//! | `crossbeam_no_acquire_in_advance` | `lane::a_firing_past_the_destructors_against_detach_and_reclaim` |
//! | `crossbeam_unpin_relaxed` | `lane::a_firing_past_the_destructors_against_detach_and_reclaim` |
//! | `deferred_function_drops` | `deferred_runs_anywhere::a_third_thread_ends_the_grace_period` |
//! | `detach_in_two_steps` | `two_detachers::one_wins_and_for_both_it_is_off` |
//! | `detach_is_seen_without_what_came_before` | `two_detachers::who_sees_it_detached_sees_what_came_before` |
//! | `dropped_is_read_off_an_empty_list` | `three_items_two_drainers::synchronize_waits_for_what_the_other_has_taken` |
//! | `dropped_is_read_off_counters` | `three_items_two_drainers::synchronize_waits_for_what_the_other_has_taken` |
//! | `end_goes_to_all_attached` | `spans::an_attach_beside_another` |
//! | `events_not_by_the_sequence` | `batch_is_one_instant::an_attach_in_order` |
//! | `gate_closed_after_the_swaps` | `batch_is_one_instant::a_detach_in_order` |
//! | `gate_never_closed` | `batch_is_one_instant::a_detach_in_order` |
//! | `gated_end_goes_to_all_attached` | `spans::an_attach_in_a_batch_beside_another` |
//! | `lane_acknowledged_relaxed` | `lane::a_barrier_is_refused_for_good` |
//! | `lane_bitmap_read_relaxed` | `lane::a_firing_whose_record_is_given_back` |
//! | `lane_chunk_published_relaxed` | `lane::a_firing_on_a_record_of_a_new_chunk` |
//! | `lane_chunks_read_before_the_barrier` | `lane::a_firing_on_a_record_of_a_new_chunk` |
//! | `lane_entered_relaxed` | `lane::two_firings_against_detach_and_synchronize` |
//! | `lane_full_barrier_missing` | `no_use_after_retire::fire_against_detach_and_reclaim` |
//! | `lane_generation_before_the_unlink` | `lane::a_firing_against_detach_and_reclaim` |
//! | `lane_generation_stored_relaxed` | `lane::a_detach_and_synchronize_against_two_firings` |
//! | `lane_given_back_relaxed` | `lane::a_firing_whose_record_is_given_back` |
//! | `lane_heavy_barrier_after_the_scan` | `lane::a_firing_against_detach_and_reclaim` |
//! | `lane_heavy_barrier_before_the_unlink` | `lane::a_firing_against_detach_and_reclaim` |
//! | `lane_left_by_the_inner_firing` | `nested_fire::what_an_inner_firing_found_is_not_reclaimed_before_the_outer_ends` |
//! | `lane_left_relaxed` | `lane::a_firing_against_detach_and_reclaim` |
//! | `lane_no_heavy_barrier` | `lane::a_firing_against_detach_and_reclaim` |
//! | `lane_no_light_barrier` | `lane::a_firing_against_detach_and_reclaim` |
//! | `lane_no_scan` | `no_use_after_retire::fire_against_detach_and_reclaim` |
//! | `lane_refusal_is_forgotten` | `lane::a_barrier_is_refused_for_good` |
//! | `lane_scan_is_one_generation_early` | `lane::a_firing_against_detach_and_reclaim` |
//! | `lane_scan_passes_those_inside` | `lane::a_firing_against_detach_and_reclaim` |
//! | `lane_scan_stops_for_nobody` | `lane::a_firing_against_detach_and_reclaim` |
//! | `lane_scanned_relaxed` | `lane::a_firing_against_detach_and_reclaim` |
//! | `lane_taken_relaxed` | `lane::a_firing_on_a_record_that_another_thread_had` |
//! | `lane_trusted_after_a_refusal` | `lane::a_barrier_is_refused_for_good` |
//! | `lane_without_crossbeam` | `lane::a_firing_past_the_destructors_against_detach_and_reclaim` |
//! | `marked_after_unlinked` | `two_detachers::one_wins_and_for_both_it_is_off` |
//! | `no_fence_before_the_reload` | `batch_is_one_instant::a_detach_seen_inside_pinned` |
//! | `no_mutex` | `two_writers::of_two_attaches_none_is_lost` |
//! | `no_pin` | `no_use_after_retire::fire_against_detach_and_reclaim` |
//! | `panic_in_a_drop_gets_out` | `drop_panics::the_rest_is_dropped` |
//! | `pin_after_the_load` | `no_use_after_retire::fire_against_detach_and_reclaim` |
//! | `pinned_does_not_pin` | `pinned_against_synchronize::synchronize_waits_for_the_scope` |
//! | `publish_relaxed` | `attach_is_seen_whole::a_firing_finds_the_probes_in_attach_order_and_whole` |
//! | `quarantine_by_a_plain_store` | `panic_against_detach::a_detached_probe_stays_detached` |
//! | `quarantine_lost` | `panic_against_fire::whoever_saw_it_panic_sees_it_off` |
//! | `quarantine_without_the_lock` | `panic_against_fire::an_attach_beside_it_is_not_lost` |
//! | `reload_relaxed` | `attach_is_seen_whole::a_firing_finds_the_probes_in_attach_order_and_whole` |
//! | `retired_before_unlinked` | `no_use_after_retire::detach_against_reclaim_and_fire` |
//! | `retired_joins_a_running_grace_period` | `reclaim_drops_once::one_fires_one_retires_one_reclaims` |
//! | `sequence_read_relaxed` | `batch_is_one_instant::an_attach_in_order` |
//! | `sequence_stored_before_the_last_swap` | `batch_is_one_instant::an_attach_in_order` |
//! | `sequence_stored_before_publishing` | `spans::an_attach_beside_another` |
//! | `sequence_stored_relaxed` | `batch_is_one_instant::an_attach_in_order` |
//! | `since_read_after_the_begin` | `spans::an_attach_beside_another` |
//! | `snapshot_freed_at_once` | `no_use_after_retire::fire_against_detach_and_reclaim` |
//! | `state_read_relaxed` | `batch_is_one_instant::a_detach_within_one_firing` |
//! | `state_swapped_relaxed` | `batch_is_one_instant::a_detach_within_one_firing` |
//! | `swap_to_null_relaxed` | `batch_is_one_instant::a_detach_in_order` |
//! | `synchronize_does_not_flush_again` | `detach_then_synchronize::it_never_runs_again_and_its_captures_are_dropped` |
//! | `synchronize_does_not_wait` | `detach_then_synchronize::it_never_runs_again_and_its_captures_are_dropped` |
//! | `synchronize_flushes_once` | `detach_then_synchronize::it_never_runs_again_and_its_captures_are_dropped` |
//! | `synchronize_inside_a_probe` | `pinned_against_synchronize::synchronize_inside_does_not_wait` |
//! | `synchronize_waits_for_a_running_grace_period` | `detach_then_synchronize::every_firing_in_flight_has_ended` |
//! | `taken_without_ownership` | `three_items_two_drainers::synchronize_waits_for_what_the_other_has_taken` |
//!
//! These bugs cannot be planted so that a model would notice:
//!
//! * *The scan's fence missing where there is no `membarrier`*: the flush of crossbeam's epochs,
//!   just before, has one.
//! * *`Domain::grace_done` stored or read by a `Relaxed` access*: only firings on threads past
//!   their destructors depend on it. A model of such a firing, of a third thread that runs the
//!   deferred function, and of a reclaimer needs two preemptions, which is more than loom can
//!   explore.
//! * *Retired before unlinked*, or *marked after unlinked*, within one critical section: no other
//!   thread sees the order. The planted bugs use two critical sections.
//! * *A tombstone that is never removed*: allocations do not fail in models.
//!   `tests/it/alloc_failure.rs` makes them fail.
//! * *A drain inside a probe or a captured `Drop`*, and *a drop under the lock*: in models, detach
//!   does not drain. `tests/it/locks.rs` and `tests/it/captures.rs` test both.
//! * *A fork after which the child is not repaired*: a model has no processes.
//!   `tests/it/anywhere.rs` forks.
//!
//! # What the models cannot see
//!
//! The loom models run this code on the real crossbeam-epoch. Loom explores interleavings, and the
//! stale values that the orderings allow, but not everything that a machine may do:
//!
//! * It synchronizes each `SeqCst` fence with all earlier ones, which is stronger than the
//!   standard: a fence that is too weak may go unnoticed.
//! * It explores no load buffering: a load never reads a value that is stored later in the
//!   execution. (The litmus tests do.)
//! * Its acquire fences also synchronize with what causally earlier threads have read, which the
//!   standard does not promise.
//!
//! * Some models limit the number of preemptions: those with three threads, or with two that flush.
//!   Each one gives its reason.
//! * In models, a flush gives up after three passes instead of eight, and detach leaves the
//!   draining to `reclaim` and `synchronize`. Otherwise no model would end.
//! * An execution is finite: a bug that needs more firings than a model has is not found.
//!
//! What needs more than the models show is in the [litmus tests](#litmus-tests).
