//! Every atomic access, what it orders, and its partner.
//!
//! Everything that a writer does to an event happens under one mutex, so only few accesses order anything:
//! those by which firings, which take no lock, meet writers. They are explained where they stand in the source;
//! here they are together. Paths are relative to `src/`.
//!
//! # The snapshot pointer (`Cell::published`, `rcu/cell.rs`)
//!
//! | where | access | orders | partner |
//! |---|---|---|---|
//! | `is_enabled` | load, `Relaxed` | nothing: the pointer is only compared with null | |
//! | `read` | fence, `Acquire` | what this thread did after an off check that read null comes after what the writer of that null did before; that is, the gate is seen closed (G5) | the Release store in `publish` |
//! | `read` | load, `Acquire` | the snapshot's contents | the Release store in `publish` |
//! | `publish` | store, `Release` | the snapshot's contents before its address; a closed gate before the null | both accesses in `read` |
//!
//! **Why there is a fence.** A thread fires two events of a group that is being detached. At the first it reads
//! null by the relaxed off check, and goes on. At the second it must not start a probe any more. An off check
//! by itself orders nothing; an acquire load in its place would put an instruction into every disabled event on
//! machines where acquire is not free. So the enabled path begins with the fence, which turns every relaxed
//! load of this thread before it into an acquire one, and those who stay off pay nothing.
//!
//! # The gate (`Gate::open`, `batch.rs`)
//!
//! | where | access | orders | partner |
//! |---|---|---|---|
//! | `is_open` | load, `Acquire` | who finds the gate open finds all snapshots of the batch in place | the Release store in `open` |
//! | `open` | store, `Release` | all snapshots of the batch, stored before it | the Acquire load in `is_open` |
//! | `close` | store, `Relaxed` | nothing by itself; the swaps that follow under the same lock release it | `Header::detach` with `is_live`, `Cell::publish` with `read` |
//!
//! # A slot's state (`Header::state`, `rcu/slot.rs`)
//!
//! | where | access | orders | partner |
//! |---|---|---|---|
//! | `is_live` | load, `Acquire` | who finds one probe of a group detached finds the gate closed from then on | the swap in `detach` |
//! | `is_attached` | load, `Acquire` | who sees the detach sees what came before it | the swap in `detach` |
//! | `is_detached` | load, `Relaxed` | nothing: for writers, who hold the lock, and for a handle that spares itself a detach | |
//! | `detach` | swap, `AcqRel` | releases the closed gate, and what the caller did before; acquires what a quarantine did | `is_live`, `is_attached`; `quarantine` |
//! | `quarantine` | compare-exchange, `AcqRel` (failure: `Relaxed`) | as `detach` | `is_live`, `detach` |
//!
//! For the one probe itself, `is_live` could be relaxed. A firing that happens after the detach reads the new
//! state by coherence; one that does not is waited for by the grace period.
//!
//! # The end of a grace period (`Domain::grace_done`; `rcu/reclaim.rs`)
//!
//! | where | access | orders | partner |
//! |---|---|---|---|
//! | `flush`, the deferred function | store, `Release` | the firings that were waited for, before the end | the Acquire load in `finish` |
//! | `flush` | load, `Relaxed` | nothing: a hint to flush no more | |
//! | `Writer::finish` | load, `Acquire` | whatever those firings did comes before what is done to the memory now | the Release store above |
//! | `fork.rs`, `child` | store, `Relaxed` | nothing: there is one thread | |
//!
//! # The collector (`Domain::collector`, `rcu/mod.rs`)
//!
//! | where | access | orders | partner |
//! |---|---|---|---|
//! | `collector` | load, `Acquire` | the collector's contents | the exchange |
//! | `collector` | compare-exchange, `AcqRel` (failure: `Acquire`) | publishes the collector, or acquires the one that another thread published | both |
//! | `fork.rs`, `child` | store, `Relaxed` | nothing: there is one thread | |
//! | `Domain::drop` (models only) | load, `Relaxed` | nothing: nobody else can reach it | |
//!
//! # What orders nothing
//!
//! | what | accesses | why that is enough |
//! |---|---|---|
//! | `Cell::attached` | `Relaxed` | touched under the lock only |
//! | `Cell::count`, `Cell::entries` | `Relaxed` | written under the lock; read without it as a number to show, and as a guess that is checked under the lock |
//! | `Header::panicked` | `Relaxed` | says that it has happened; who wants to know what happened before it has to find out otherwise |
//! | `Counters::*` | `Relaxed` | statistics. `departed` is also a hint how long to go on flushing |
//!
//! # The mutex
//!
//! `Domain::writer` orders writers among themselves, and with that two steps that may be taken by different
//! threads: who retires does so under the lock before who starts the grace period takes it; and who learns that
//! it is over does so before who drops takes it. Reference counts (of slots, and of gates) are those of
//! [`Arc`](std::sync::Arc).
//!
//! # The one that is not ours
//!
//! That memory is not freed under a firing's feet (I3 in `rcu/mod.rs`) rests on a pair inside crossbeam-epoch.
//! The reader writes down its epoch, then a full barrier, then loads the snapshot pointer or the slot's state.
//! The reclaimer swaps the pointer or the state, then a full barrier, then reads the readers' epochs. At least
//! one sees the other. On x86-64 the reader's barrier is a locked compare-exchange; elsewhere it is a `SeqCst`
//! fence. (crossbeam's source says of the former that it rests on what such processors do, rather than on the
//! letter of the language's memory model.) Our off check comes before that barrier, so what it loaded is never
//! dereferenced: `read` loads again.
//!
//! # What the models cannot see
//!
//! The loom models run this code on the real crossbeam-epoch. Loom explores interleavings, and the stale
//! values that the orderings allow, but not all that a machine may do:
//!
//! * It treats `SeqCst` fences as one shared causality, which is stronger than the standard says: a fence that
//!   is too weak may go unnoticed.
//! * It explores no load buffering: a load never reads a value that is stored later in the execution.
//! * Its acquire fences also synchronize with what causally earlier threads have read, which the standard does
//!   not promise.
//!
//! Where an argument above needs more than that, it is made in words, from the standard's rules, and not left
//! to the model.
