//! What the crate does not do, and what to do instead.
//!
//! # Where an event may fire
//!
//! **Signals.** A *disabled* event is async-signal-safe: it is one load and one branch. An
//! *enabled* one is not: its probes are arbitrary code, the first firing of a thread allocates, and
//! the signal may have interrupted another firing. If a signal handler contains an event, attach
//! only probes that are async-signal-safe themselves; it is better to fire from the code that the
//! signal wakes.
//!
//! **A global allocator** may contain events. A thread's first enabled firing registers the thread,
//! which allocates. Events that the allocator fires meanwhile are skipped and counted in
//! [`Stats::skipped_registering`](crate::Stats::skipped_registering). The same happens when a
//! thread that is ending registers for a single firing.
//!
//! An allocator may also attach and detach, but only inside a firing or a
//! [`pinned`](crate::pinned()) scope, where nothing is reclaimed. Outside, a detach modifies
//! crossbeam-epoch's lists. If crossbeam-epoch was modifying them when it called the allocator, the
//! detach would modify them a second time.
//!
//! **Recursion.** A probe may fire events, including its own. Beyond 8 nested firings on a thread,
//! the inner one is skipped and counted in [`Stats::skipped_nested`](crate::Stats::skipped_nested).
//!
//! ```
//! use hotprobe::fire;
//! use std::sync::Arc;
//! use std::sync::atomic::{AtomicU32, Ordering};
//!
//! hotprobe::event! { static ECHO: fn(); }
//!
//! let calls = Arc::new(AtomicU32::new(0));
//! let counter = Arc::clone(&calls);
//! let probe = ECHO.attach(move || {
//!     counter.fetch_add(1, Ordering::Relaxed);
//!     fire!(ECHO);
//! });
//! fire!(ECHO);
//! assert_eq!(calls.load(Ordering::Relaxed), 8);
//! assert_eq!(hotprobe::stats().skipped_nested, 1);
//! # drop(probe);
//! ```
//!
//! **Coroutines.** A probe or a [`pinned`](crate::pinned()) scope must end on the OS thread on
//! which it began. `async` code cannot break this rule, since a plain closure contains no `.await`.
//! A library that switches stacks can: moving a coroutine to another thread while it is inside a
//! probe is undefined behaviour. Coroutines that stay on their thread may interleave in any order;
//! they share the thread's nesting depth.
//!
//! **Process exit.** Events may fire while the process exits. A probe may call
//! [`std::process::exit`]: then its firing never ends, captures are not dropped, and
//! [`synchronize`](crate::synchronize()) on that thread returns
//! [`InProbe`](crate::SynchronizeError::InProbe). Exiting detaches and drops nothing, since Rust
//! never drops statics. To be sure that a probe has flushed its data, call
//! [`detach_and_wait`](crate::Probe::detach_and_wait).
//!
//! **fork.** On Unix, a child process can fire, attach and detach, within the usual limits of a
//! fork in a process with threads. What other threads were doing in the parent never completes in
//! the child, and captures that another thread was dropping at that moment are leaked. Three things
//! to know:
//!
//! * This uses `pthread_atfork`. A child made by the bare system call, without the C library, is
//!   not repaired: grace periods may never end there.
//! * This crate's lock is held during the fork, so `pthread_atfork` handlers of other libraries
//!   must not attach, detach or synchronize.
//! * The handler is installed when the process first attaches, or first fires with a probe
//!   attached. If another thread forks at that very moment, the child is not repaired.
//!
//! # Spans
//!
//! **What stays open.** A guard that is leaked, by [`std::mem::forget`] or a cycle of `Arc`s, and a
//! task that is never polled again and never dropped, never end their spans. No probe gets an end
//! for them.
//!
//! **Attached too late.** A probe sees no span that began before it was attached, not even its end.
//!
//! **Depth.** A begin beyond 8 nested firings is skipped and counted, and so is its end. An end is
//! never skipped for its depth. A span that began elsewhere and ends inside the allocator while its
//! thread registers is the exception: that end is skipped and counted in
//! [`Stats::skipped_registering`](crate::Stats::skipped_registering).
//!
//! **Current spans.** A thread remembers 32 of them. Further ones are not current: what begins
//! inside them has the 32nd as its parent. Coroutines that share a thread share its current spans.
//!
//! **Panics of several probes.** With [`OnPanic::Propagate`](crate::OnPanic::Propagate), all probes
//! of a half run before the first panic continues; if several panic, only the first one gets out.
//! While the thread unwinds already, the panic of an end is counted and goes no further.
//!
//! **`Outcome::Panicked`** means that the thread was unwinding when the guard was dropped, and was
//! not when the span began. A guard that a destructor drops during an unrelated panic has that
//! outcome, too. [`InSpan`](crate::InSpan) is exact: it knows whether its own poll panicked.
//!
//! **Parents of ends.** A [`Firing`](crate::Firing) has the parent of a span that begins. At its
//! end, look the begin up by the span's id.
//!
//! # What an event can carry
//!
//! **Arguments are `Copy`**, since each probe receives them: references, numbers, `Option<&T>`,
//! your own `Copy` types. `String`, `Box` and `&mut T` are not `Copy`. Pass them by reference:
//!
//! ```
//! use hotprobe::fire;
//! hotprobe::event! { static STORED: fn(key: &str, value: &[u8]); }
//!
//! let (key, value) = (String::from("k"), vec![1, 2, 3]);
//! fire!(STORED, &key, &value);
//! ```
//!
//! ```compile_fail
//! hotprobe::event! { static STORED: fn(key: String); }
//! STORED.fire(String::from("k"));
//! ```
//!
//! **No results, no generics.** An event returns nothing, since it may have any number of probes.
//! It has one list of probes, so each parameter has one type. A probe returns data through what it
//! captures: a channel, a counter.
//!
//! **No control flow in arguments.** [`fire!`](crate::fire!) evaluates them in a closure that
//! changes no variable, so `?`, `.await`, `break`, `return` and `iter.next()` do not compile.
//! Otherwise attaching a probe could make a request fail. An argument can still panic, but only
//! while a probe is attached.
//!
//! ```compile_fail
//! use hotprobe::fire;
//! hotprobe::event! { static PARSED: fn(n: u64); }
//!
//! fn handle(s: &str) -> Result<(), std::num::ParseIntError> {
//!     fire!(PARSED, s.parse()?); // would fail only while a probe is attached
//!     Ok(())
//! }
//! ```
//!
//! # Panics
//!
//! A panic in a probe is caught, but its message is printed, as for any panic. With `panic =
//! "abort"` nothing can be caught: a probe that panics ends the process, and so does a `Drop` of a
//! captured value that panics.
//!
//! **Panic hooks.** An event may fire inside a panic hook. A probe that panics there aborts the
//! process: std aborts on any panic inside a hook. So probes that may run in a hook must not panic.
//! A hook that exits or aborts ends the process when a probe panics, as for any other panic.
//!
//! # Waiting
//!
//! **Grace periods are process-wide.** A probe that blocks, or a [`pinned`](crate::pinned()) scope
//! that does not end, delays every [`synchronize`](crate::synchronize()) of the process, even in
//! code that does not use that event. Captures of probes that are detached meanwhile are not
//! dropped. Attach, detach and fire continue to work. So: do not block in a probe; hand data over
//! with `try_send` ([patterns](super::patterns#from-a-probe-into-async-code)); if a wait must end,
//! use [`synchronize_timeout`](crate::synchronize_timeout()).
//!
//! **`synchronize` blocks its thread.** In async code, poll a
//! [`grace_period`](crate::grace_period()), or call `synchronize` from the runtime's pool for
//! blocking calls.
//!
//! **No background thread.** If a firing is in flight when a probe is detached, a later call drops
//! the captures: the next `detach` of any probe, `commit`, `synchronize`,
//! [`reclaim`](crate::reclaim()) or [`is_over`](crate::GracePeriod::is_over) outside a firing.
//! Without such a call they are never dropped. To have them dropped by a certain point, use
//! [`detach_and_wait`](crate::Probe::detach_and_wait).
//!
//! **Not from inside.** Inside a probe, a `pinned` scope or the `Drop` of a captured value,
//! `synchronize` would wait for itself, so it returns an error at once. Detaching works there; the
//! captures are dropped later.
//!
//! # Barriers
//!
//! On Linux, a detach asks the kernel for a memory barrier on each processor that runs a thread of
//! the process (`membarrier`), so that firings need none.
//!
//! **The first attach outside a firing** registers for it, once: a few milliseconds, up to 50, if
//! the process has more than one thread. Until then, firings have a barrier of their own.
//!
//! **Processors that run the process are interrupted** by each grace period: those that are set
//! apart for it (`nohz_full`), too. How long it takes has no upper bound: since Linux 6.8, all
//! processes of a machine wait for each other there.
//!
//! **If the kernel refuses it**, each outermost firing has a barrier of its own (on x86-64, a
//! locked exchange): before Linux 4.14, on other systems, under a seccomp filter, with
//! `HOTPROBE_MEMBARRIER=off` in the environment. [`Stats::membarrier`](crate::Stats::membarrier)
//! shows which it is.
//!
//! * *For now* (no memory): the grace period continues at the next call.
//! * *From some time on* (a filter that is installed late): the next grace period runs for a moment
//!   on each processor in turn, by `sched_setaffinity`, which is a barrier as well. If that is
//!   refused too, captured values are dropped only when each thread that has fired since the first
//!   attach has fired once more, has attached or detached, or has ended.
//!
//! # Memory
//!
//! **When it runs out.** `detach` takes effect without allocating. If attaching or committing
//! cannot allocate, the process ends, as for every failed allocation in Rust, before anything has
//! changed. If a thread cannot allocate its lane, or crossbeam-epoch cannot allocate, the process
//! ends as well: at a thread's first firing, and when it first reclaims, which a detach does after
//! it has taken effect. Nothing is freed early.
//!
//! **A reader that stalls** keeps one snapshot and one probe's memory for each swap meanwhile.
//! `stats().retired - stats().reclaimed` is their number. They are freed by the next call that
//! reclaims after the reader has ended.
//!
//! **A dropped [`Batch`](crate::Batch) has done nothing.** Groups that were given to its
//! [`detach_group`](crate::Batch::detach_group) stay attached, and without a handle they stay
//! forever, as if [leaked](crate::ProbeGroup::leak).
//!
//! **Large captures move over the stack.** A probe is moved by value a few times before it reaches
//! the heap. In a debug build, a closure that captures 192 KiB by value overflows a stack of 2 MiB:
//! put large values into a `Box` or an `Arc`. A thread's first enabled firing needs about 26 KiB of
//! stack; in a debug build, the program's first one needs about 54 KiB.
//!
//! # Many probes
//!
//! Attaching copies the event's vector of probes. A thousand single attaches to one event copy it a
//! thousand times. A [`Batch`](crate::Batch) copies it once, and so does the detach of a
//! [`ProbeGroup`](crate::ProbeGroup).
//!
//! The instant of a batch concerns the *calls* of its probes. `is_enabled` and `probe_count` read
//! one event's snapshot and may be ahead of that instant: while a commit is in progress, a firing
//! may find the event enabled and call no probe.
//!
//! # The catalogue
//!
//! The linker builds the list behind [`events`](crate::events()), from the object files that it
//! links.
//!
//! **A dependency that no code names** is not linked, even if `Cargo.toml` lists it. Its events
//! cannot fire, and they are not in the list. One line that names the crate adds them:
//! [`register!`](crate::register!) with one of its events, or `use dependency as _;`.
//!
//! **A shared library has its own list** (`cdylib`, `dylib`). Each copy of this crate lists the
//! events of the file that it is linked into.
//!
//! **Some targets have no linker lists**, WebAssembly for one. There the catalogue is empty, as it
//! is in models (`--cfg crossbeam_loom`), where events are not statics. Everything else works, and
//! an event can still be converted to a `&'static dyn AnyEvent`. Linux, Android, macOS, iOS, tvOS,
//! Windows, FreeBSD, OpenBSD, illumos and Fuchsia have the lists.
//!
//! **A static archive** (`staticlib`) that is linked into a C program lists only the events of the
//! object files that the program needs, since the linker takes no others from an archive.
//! [`register!`](crate::register!) in code that the program calls adds the rest; so does
//! `-Wl,--whole-archive`.
//!
//! **Names are not unique.** Two functions of a module can each declare an event of the same name,
//! and two versions of one crate in a program declare all of its events twice. All are listed, and
//! [`matching`](crate::matching()) returns all of them; [`find`](crate::find()) returns the first
//! by file, line and column. [`Metadata::file`](crate::Metadata::file) distinguishes them: for a
//! dependency, the path contains the crate's version.
//!
//! **`Debug` for some lifetimes only** (`impl Debug for Own<'static>`) does not compile in a
//! parameter: the macros can find out whether a type has `Debug`, but not for which lifetimes.
//!
//! **`#[redact]` marks one parameter.** It does not change the `Debug` of another parameter that
//! contains the same value.
//!
//! # Targets
//!
//! 64-bit atomics are required. The crate does not compile for targets without them, such as some
//! 32-bit MIPS and ARM targets.
//!
//! # Two copies of this crate
//!
//! A program that links two incompatible versions has two of everything: locks, grace periods,
//! counters, catalogues. An event belongs to the version that declared it, and only that version
//! can probe it; `synchronize` of one does not wait for firings of the other. `cargo tree
//! --duplicates` shows both. Libraries that re-export their events
//! ([patterns](super::patterns#an-events-module)) avoid the problem for their users.
//!
//! Two copies of *one* version, for example through a patched path, would share a list. Then
//! `events` panics instead of mixing them.
//!
//! A shared library with events must not be unloaded: probes, threads and the C library keep
//! pointers into it.
