//! What an event costs, off and on, and how to see it for yourself.
//!
//! There are no figures on this page: they depend on the machine, and on how code happens to be laid out.
//! What is here can be counted in the machine code.
//!
//! # Off
//!
//! One relaxed load, one test, one branch that falls through. The arguments are not evaluated. Everything else
//! lies in a function of its own, never inlined, on a branch that is marked as the unlikely one, so that the code
//! around the event keeps its registers and its place in the instruction cache. (That function itself is not
//! marked cold: it would be compiled for size, and a firing that is on would pay for it.)
//!
//! To see it, put this into a binary crate, call `f` from `main`, and build it with `--release`:
//!
//! ```
//! use hotprobe::fire;
//!
//! hotprobe::event! {
//!     static E: fn(x: u64);
//! }
//!
//! #[inline(never)]
//! pub fn f(x: u64) {
//!     fire!(E, x)
//! }
//! # let probe = E.attach(|_| ());
//! # f(1);
//! # drop(probe);
//! ```
//!
//! ```text
//! $ objdump --disassemble --demangle --no-show-raw-insn -M intel target/release/NAME | grep -A 4 '::f>:$'
//!     mov    rax,QWORD PTR [rip+0x47729]
//!     test   rax,rax
//!     jne    … <…::fire_enabled>
//!     ret
//! ```
//!
//! (x86-64 Linux; addresses cut off.) There is no prologue, and the arguments are already where `fire_enabled`
//! wants them, so the way on is a mere jump. `ci/off-path.sh` in the repository fails if that ever changes. The
//! method, `E.fire(x)`, gives the same code; but its arguments are evaluated before.
//!
//! Two things are the surrounding function's own affair. Values that only the arguments need must be kept until
//! the event, which may cost a register. And code that is compiled to be shared (a library crate's, before it
//! is linked) finds the address of an exported event by one instruction more.
//!
//! # On
//!
//! An outermost firing, in order:
//!
//! 1. The off check, and a call of `fire_enabled`.
//! 2. The thread's state, one word in thread-local storage: a comparison with zero, and a store.
//! 3. The pin, by crossbeam-epoch, inlined: it notes the current epoch in the thread's own record, and issues a
//!    full memory barrier (on x86-64 as a locked instruction). At each 128th pin of a thread, crossbeam also
//!    tries to advance the epoch and works off a few of its bags; of our code such a bag contains one store.
//! 4. The snapshot: an acquire load. (The acquire fence before it is no instruction on x86-64.)
//! 5. For each probe: an indirect call of its thunk, whose address lies in the snapshot and is loaded into a
//!    register first. (A compiler fence sees to that. With a call through memory, the same loop was seen to
//!    take three times as long in some runs of one binary, and not in others.) In the thunk: a null test of the gate (and a load, if the probe came by a batch), a
//!    load of the state, a comparison of one address, and the closure, which the compiler can inline there.
//!    `catch_unwind` is a landing pad, which costs nothing until somebody panics.
//! 6. The unpin: a store into the thread's own record. And the word in thread-local storage again.
//!
//! No lock, no allocation, and nothing written that other threads write, so firings on many cores do not slow
//! each other down. Three exceptions: a thread's first enabled firing registers it, which allocates; each 128th
//! pin, as above; and a probe that panics takes the lock for a moment, to switch itself off.
//!
//! # Nested, and `pinned`
//!
//! A firing inside another firing, or inside [`pinned`](crate::pinned()), finds the pin already there and
//! leaves out steps 3 and 6; instead it goes through one function more. In a loop that fires much, `pinned`
//! around the loop pays the barrier once:
//!
//! ```
//! use hotprobe::fire;
//! hotprobe::event! { static ITEM: fn(n: u64); }
//! # let probe = ITEM.attach(|_| ());
//!
//! hotprobe::pinned(|| {
//!     for n in 0..1000 {
//!         fire!(ITEM, n);
//!     }
//! });
//! # drop(probe);
//! ```
//!
//! It is not free when everything is off: it pins all the same. And it holds up every grace period of the
//! process while it lasts ([limitations](super::limitations#waiting)).
//!
//! # Attach and detach
//!
//! Neither waits for a firing; both hold the process-wide lock for a copy of the event's probe vector, at 16
//! bytes a probe on a 64-bit machine.
//!
//! * **attach** allocates the probe's memory (state and closure in one piece) and the next snapshot (which
//!   holds up to two probes; a vector beside it, if there are more), copies, stores one pointer, and retires
//!   the old snapshot, which allocates nothing.
//! * **detach** swaps one byte, allocates the shorter snapshot, copies, stores one pointer. Then, if it is not
//!   inside a firing, it tries to get a grace period over, by a few flushes of crossbeam-epoch, and drops what
//!   is past it. If a firing in flight is in the way, it leaves that to a later call.
//! * **commit**, and a group's **detach**, make one copy for each event, however many of its probes they
//!   concern. *n* attaches to one event one by one copy *n*²/2 entries; in a batch, *n*.
//!
//! # Dynamic probes
//!
//! A dynamic probe ([`AnyEvent`](crate::AnyEvent)) lies in the same snapshot as the typed ones, behind a thunk of its
//! own, which the compiler makes for each event beside the others. So firings and typed probes do not know of it.
//! When it is called, its thunk makes one [`Value`](crate::Value) for each parameter, in an array on the stack, and
//! calls the closure through one pointer more than a typed one. Nothing is allocated, and nothing is formatted
//! before the probe does it. What is marked `#[redact]` is not even read.
//!
//! [`events`](crate::events()), [`find`](crate::find()) and [`matching`](crate::matching()) go through a list
//! that the linker has put together: 16 bytes for each event, on a 64-bit machine. The first and the last sort
//! what they found.
//!
//! # Memory
//!
//! An event is a static of at most 64 bytes, and what is in the catalogue beside it: its metadata, and the
//! code that attaches dynamic probes. A thread that has fired an enabled event has a record in
//! crossbeam-epoch.
//!
//! # Benchmarks that lie
//!
//! **The check is there,** even if no attach is reachable in the whole program: since every event is in the
//! [catalogue](crate::events()), through which anybody could attach, the optimizer cannot take it to be off for
//! ever (not with `lto = "fat"` either: looked at). Two exceptions: under loom, and for targets without linker
//! lists ([limitations](super::limitations#the-catalogue)), there is no catalogue; attach and detach once
//! before measuring there.
//!
//! **The loop may be gone.** Hide the argument behind [`std::hint::black_box`], and measure the same loop
//! without the event beside it.
//!
//! **Layout.** Where the loop lies in memory moves results of this size by more than many a change to the code.
//! Compare several layouts, and look at the instructions as well.
