//! Events inside your own loom models, and probes that check them.
//!
//! Code that is checked with [loom](https://github.com/tokio-rs/loom) may have events in it. Built
//! with your `--cfg loom`, this crate is what it always is: loom does not see its atomics, so that
//! events, off or on, add nothing to the executions that loom explores, and attaching and detaching
//! inside a model is allowed. (How this crate itself is checked is another matter, with another
//! flag: [orderings](super::orderings).)
//!
//! # A probe that asserts
//!
//! A model asserts at its end, or where the code under test returns. An event is a place in
//! between, and a probe can assert there what must hold at each step of each execution:
//!
//! ```
//! # // (Without the flag: one execution, on real threads.)
//! # mod loom {
//! #     pub use std::{sync, thread};
//! #     pub fn model(f: impl Fn() + Send + Sync + 'static) { f(); }
//! # }
//! use hotprobe::{OnPanic, ProbeOptions, fire};
//! use loom::sync::atomic::{AtomicUsize, Ordering};
//! use loom::sync::{Arc, Mutex};
//!
//! hotprobe::event! {
//!     /// An item has been appended; `len` items were there then.
//!     pub static PUSHED: fn(len: usize, capacity: usize);
//! }
//!
//! struct Queue {
//!     reserved: AtomicUsize,
//!     items: Mutex<Vec<u64>>,
//!     capacity: usize,
//! }
//!
//! impl Queue {
//!     fn push(&self, item: u64) -> bool {
//!         let reserve = |n| (n < self.capacity).then_some(n + 1);
//!         if self.reserved.fetch_update(Ordering::Acquire, Ordering::Relaxed, reserve).is_err() {
//!             return false;
//!         }
//!         let len = {
//!             let mut items = self.items.lock().unwrap();
//!             items.push(item);
//!             items.len()
//!         };
//!         fire!(PUSHED, len, self.capacity);
//!         true
//!     }
//! }
//!
//! let options = ProbeOptions::new().on_panic(OnPanic::Propagate);
//! let probe = PUSHED.attach_with(options, |len, capacity| {
//!     assert!(len <= capacity, "the queue holds {len}, more than {capacity}");
//! });
//!
//! loom::model(|| {
//!     let queue = Arc::new(Queue {
//!         reserved: AtomicUsize::new(0),
//!         items: Mutex::new(Vec::new()),
//!         capacity: 1,
//!     });
//!     let other = {
//!         let queue = Arc::clone(&queue);
//!         loom::thread::spawn(move || queue.push(1))
//!     };
//!     let pushed = queue.push(2);
//!     assert!(pushed != other.join().unwrap(), "one of them finds room");
//! });
//! # drop(probe);
//! ```
//!
//! In production the event stays where it is, off. This crate's repository has such a queue as a
//! crate of its own, `tests/consumers/bounded_queue`, with a bug that its models see through the
//! probe only (`ci/downstream-loom.sh`).
//!
//! # What to know
//!
//! **[`OnPanic::Propagate`](crate::OnPanic::Propagate).** By default a panic stays in its probe, an
//! assertion's too, and what loom itself says by panicking if the probe uses loom's types. The
//! model would pass.
//!
//! **Arguments rather than captures.** What the probe is to look at, hand it by the event's
//! arguments. What a probe captures is dropped by a later call on *any* thread of the process,
//! perhaps in the midst of another test's model, where a value of loom's types has no business.
//! Types of std may be captured: a `Mutex<Vec<_>>` that the firings are written down in, a counter.
//!
//! **Steps of its own.** A probe that uses loom's types takes steps that loom explores, like any
//! other code of the model. One that does not is part of the step it is in.
//!
//! **One process.** Events are statics, while models make everything again. Attach before the
//! model, or inside it and detach there; and as tests run beside one another, a probe sees the
//! firings of the others' models too, unless they take turns, or the arguments tell them apart.
//!
//! **Waiting.** loom runs all threads of a model on one thread of the system. If a probe uses
//! loom's types, loom may switch in the midst of it; then firings of several threads of the model
//! are in progress on this one, and end in any order. That is sound, but for all of them this
//! thread is inside a firing: [`synchronize`](crate::synchronize()) returns
//! [`InProbe`](crate::SynchronizeError::InProbe), also if the caller is not the one who is inside,
//! and a detach takes effect, but drops nothing. Where all that could be inside have been joined,
//! both work. (Otherwise one thread would wait for itself.)
//!
//! **Nesting.** For the same reason the eight levels that firings may be nested are shared by the
//! threads of a model whose probes use loom's types.
//!
//! **A model that has failed** stops its threads where they are: loom does not run them to their
//! end. If one of them was inside a probe (again one that uses loom's types), it stays there: no
//! grace period of the process ends any more. Tests that continue after a failure, those with
//! `#[should_panic]` say, should run such a model in a process of its own, or use
//! [`synchronize_timeout`](crate::synchronize_timeout()).
