//! What it does not do, and what to do instead.
//!
//! # Where an event may fire
//!
//! **Signals.** A *disabled* event is async-signal-safe: it is one load and one branch. An
//! *enabled* one is not: its probes are arbitrary code, the first firing of a thread allocates, and
//! a firing may have been interrupted half-way. If a signal's code must contain an event, attach
//! nothing to it that is not prepared for this; better, fire from the code that the signal wakes
//! up.
//!
//! **A global allocator** may contain events. A thread's first enabled firing registers the thread,
//! which allocates; events that the allocator fires meanwhile are skipped, and counted in
//! [`Stats::skipped_registering`](crate::Stats::skipped_registering). The same happens when a
//! thread that is ending registers for a single firing.
//!
//! An allocator may also attach and detach, but only inside a firing or a
//! [`pinned`](crate::pinned()) scope, where nothing is reclaimed. Outside, a detach works on
//! crossbeam-epoch's lists, and an allocator that detaches while it is called from there enters
//! them a second time.
//!
//! **Recursion.** A probe may fire events, its own too. Beyond 8 nested firings on a thread, the
//! inner one is skipped, and counted in [`Stats::skipped_nested`](crate::Stats::skipped_nested).
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
//! **Coroutines.** A probe, and a [`pinned`](crate::pinned()) scope, must end on the OS thread on
//! which it began. `async` code cannot break this, since a closure that is no `async` block
//! contains no `.await`; a library that switches stacks can, by moving a coroutine that is inside a
//! probe to another thread. That is undefined behaviour. Coroutines that stay on their thread may
//! interleave in any order; they share the thread's nesting depth.
//!
//! **Process exit.** Events may fire while the process exits, and a probe may call
//! [`std::process::exit`]: the firing then never ends, captures are not dropped, and
//! [`synchronize`](crate::synchronize()) on that thread returns
//! [`InProbe`](crate::SynchronizeError::InProbe). Nothing is detached or dropped at exit by itself:
//! statics are never dropped in Rust. To be sure that a probe has flushed what it holds, detach it
//! and wait.
//!
//! **fork.** On Unix a child process can fire, attach and detach, as far as a threaded process may
//! fork at all: what other threads were about to do in the parent has not happened and never will,
//! and captures that another thread was dropping at that moment are leaked. This is done by
//! `pthread_atfork`, so a child made by the bare system call, past the C library, is not mended:
//! grace periods may never end there. Our lock is held around the fork, so code that other
//! libraries run there (their own `pthread_atfork`) must not attach, detach or synchronize. It is
//! arranged when the process first attaches or fires with a probe attached; a fork in that very
//! moment, by another thread, is not mended.
//!
//! # What an event can carry
//!
//! **Arguments are `Copy`**, since each probe gets them: references, numbers, `Option<&T>`, own
//! `Copy` types. Not `String`, `Box` or `&mut T`. Pass by reference:
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
//! **No results, no generics.** An event has any number of probes, or none, so it returns nothing;
//! it has one list of probes, so its parameters have one type each. A probe that has something to
//! say says it through what it captures.
//!
//! **No control flow in arguments.** [`fire!`](crate::fire!) evaluates them in a closure that
//! changes no variable, so `?`, `.await`, `break`, `return` and `iter.next()` do not compile.
//! Otherwise attaching a probe could make a request fail. An argument that panics does so only
//! while a probe is attached.
//!
//! ```compile_fail
//! use hotprobe::fire;
//! hotprobe::event! { static PARSED: fn(n: u64); }
//!
//! fn handle(s: &str) -> Result<(), std::num::ParseIntError> {
//!     fire!(PARSED, s.parse()?); // would fail only while somebody looks
//!     Ok(())
//! }
//! ```
//!
//! # Panics
//!
//! A panic in a probe is caught, but its message is printed all the same, as for any panic. With
//! `panic = "abort"` there is nothing to catch: a panicking probe ends the process, and so does a
//! panicking `Drop` of what it captured.
//!
//! **Panic hooks.** An event may fire inside a panic hook. A probe that panics there aborts the
//! process: std does so for any panic inside a hook, before anything can be caught. A hook that
//! itself exits or aborts ends the process at any probe's panic, as at any other. Probes that may
//! run in a hook must not panic.
//!
//! # Waiting
//!
//! **Grace periods are process-wide.** A probe that blocks, or a [`pinned`](crate::pinned()) scope
//! that does not end, holds up every [`synchronize`](crate::synchronize()) of the process, also of
//! those who know nothing of that event, and nothing detached in the meantime is dropped. Attach,
//! detach and fire continue to work. So: do not block in a probe; hand over with `try_send`
//! ([patterns](super::patterns#from-a-probe-into-async-code)); where a wait must end, use
//! [`synchronize_timeout`](crate::synchronize_timeout()).
//!
//! **`synchronize` blocks its thread.** In async code poll a
//! [`grace_period`](crate::grace_period()), or use the runtime's threads for blocking calls.
//!
//! **Nobody works in the background.** There is no thread of ours. If a firing was in flight when a
//! probe was detached, its captures are dropped by the next `detach` (of any probe), `commit`,
//! `synchronize` or [`reclaim`](crate::reclaim()) (or `is_over`) from outside any firing; if none
//! ever comes, never. To have them dropped by a certain point, use
//! [`detach_and_wait`](crate::Probe::detach_and_wait).
//!
//! **Not from inside.** Inside a probe, a `pinned` scope or the `Drop` of a captured value,
//! `synchronize` would wait for itself; it returns an error at once. Detaching works there, and the
//! captures are dropped later.
//!
//! # Memory
//!
//! **When it runs out.** `detach` takes effect without any memory of its own. Attaching and
//! committing end the process as every failed allocation in Rust does, before anything has changed.
//! Inside crossbeam-epoch a failed allocation ends the process as well: when a thread registers,
//! and when retired memory is handed over, which a detach does after it has taken effect. Nothing
//! is freed early.
//!
//! **A reader that stalls** keeps, for each swap meanwhile, a snapshot and a probe's memory.
//! `stats().retired - stats().reclaimed` tells how many there are. All of it comes back at the next
//! call that reclaims after the reader has moved on.
//!
//! **A dropped [`Batch`](crate::Batch) has done nothing**, so the groups given to its
//! [`detach_group`](crate::Batch::detach_group) are still attached, and now nobody has their
//! handles: they stay forever, as if [leaked](crate::ProbeGroup::leak).
//!
//! **Large captures move over the stack.** A probe is moved a few times by value before it is in
//! its place on the heap. In a debug build, a closure that captures 192 KiB by value overflows a
//! stack of 2 MiB: put large values into a `Box` or an `Arc`. A thread's first enabled firing needs
//! some 26 KiB of stack.
//!
//! # Many probes
//!
//! Attaching copies the event's vector. A thousand attaches one by one to the same event copy it a
//! thousand times; a [`Batch`](crate::Batch) copies it once, and a
//! [`ProbeGroup`](crate::ProbeGroup) detaches it with one copy.
//!
//! What a batch makes one instant is the *calling* of its probes. `is_enabled` and `probe_count`
//! look at one event's snapshot and may run ahead of it; a firing in the midst of a commit may find
//! the event enabled and call nobody.
//!
//! # The catalogue
//!
//! [`events`](crate::events()) is put together by the linker, so it holds what the linker was
//! given.
//!
//! **A dependency that no code names** is not given to it, even if it stands in `Cargo.toml`. Its
//! events cannot fire, but they are not listed either. One line that names the crate is enough:
//! [`register!`](crate::register!) with one of its events, or `use dependency as _;`.
//!
//! **A shared library has its own list** (`cdylib`, `dylib`): a copy of this crate sees the events
//! that were linked into the same file as itself.
//!
//! **Some targets have no such lists**, WebAssembly for one: there the catalogue is empty. So it is
//! in models (`--cfg crossbeam_loom`), where events are no statics. Everything else works; an event
//! can still be turned into a `&'static dyn AnyEvent` by hand. It is not empty on Linux, Android,
//! macOS, iOS, tvOS, Windows, FreeBSD, OpenBSD, illumos and Fuchsia.
//!
//! **A static archive** (`staticlib`) that is linked into a C program lists only the events of
//! those object files that the program needs: the linker takes no others out of an archive.
//! [`register!`](crate::register!) in code that the program calls adds the rest; so does
//! `-Wl,--whole-archive`.
//!
//! **A name is no identity.** Two events of one name can be declared in two functions of a module,
//! and two versions of one crate in a program declare all of its events twice. All are listed, and
//! [`matching`](crate::matching()) returns all of them; [`find`](crate::find()) returns the first
//! by file, line and column. To tell them apart, look at [`Metadata::file`](crate::Metadata::file),
//! which has the crate's version for a dependency.
//!
//! **`Debug` for some lifetimes only** (`impl Debug for Own<'static>`) does not compile in a
//! parameter: the macros can ask whether a type has `Debug`, not for which lifetimes. Nor does
//! `#[redact]` make an argument's own `Debug` discreet where it is part of another one.
//!
//! # Targets
//!
//! 64-bit atomics are needed. Targets without them (some 32-bit MIPS and ARM ones) do not compile.
//!
//! # Two copies of this crate
//!
//! A program that links two incompatible versions has two of everything: two locks, two sets of
//! grace periods, two counts, two catalogues. An event belongs to the version that declared it, and
//! can be probed only through that one; `synchronize` of one does not wait for firings of the
//! other. `cargo tree --duplicates` shows it. (Two copies of *one* version, by a patched path say,
//! would share a list; `events` panics then, instead of mixing them.) Libraries that re-export
//! their events ([patterns](super::patterns#an-events-module)) spare their users the question.
//!
//! A library with events that is loaded at run time must not be unloaded again: probes, threads and
//! the C library keep pointers into it.
