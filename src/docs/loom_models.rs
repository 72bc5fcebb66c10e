//! Events inside your own loom models, and probes that check invariants there.
//!
//! Code that is checked with [loom](https://github.com/tokio-rs/loom) may contain events. Your
//! `--cfg loom` does not change this crate: loom does not see its atomics. So events, off or on,
//! add nothing to the executions that loom explores, and a model may attach and detach. (The models
//! of this crate itself use another flag: [orderings](super::orderings).)
//!
//! # A probe that asserts
//!
//! A model asserts at its end, or where the code under test returns. An event is a point in
//! between. A probe can assert there what must hold at each step of each execution:
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
//! In production the event stays where it is, off. The repository has such a queue,
//! `tests/consumers/bounded_queue`, with a bug that only the probe reveals to its models
//! (`ci/downstream-loom.sh`).
//!
//! # What to know
//!
//! **[`OnPanic::Propagate`](crate::OnPanic::Propagate).** By default a panic stays in its probe. So
//! would a failed assertion, and a report of loom itself, which panics in a probe that uses loom's
//! types. The model would pass.
//!
//! **Arguments rather than captures.** Pass the probe what it needs through the event's arguments.
//! Captures are dropped by a later call on *any* thread of the process, perhaps during another
//! test's model, where loom's types must not be used. Captures of std's types are fine: a counter,
//! or a `Mutex<Vec<_>>` that collects the firings.
//!
//! **Steps of its own.** A probe that uses loom's types takes steps that loom explores, like any
//! other code of the model. Any other probe is part of the step in which the event fires.
//!
//! **One process.** Events are statics, but a model creates its state again for each execution.
//! Attach before the model, or attach and detach inside it. Tests run in parallel, so a probe also
//! sees the firings of other tests' models, unless the tests take turns or the arguments
//! distinguish them.
//!
//! **Waiting.** loom runs all threads of a model on one OS thread. If a probe uses loom's types,
//! loom may switch threads in the middle of it. Then firings of several threads of the model are in
//! progress on this OS thread, and may end in any order. That is sound, but for this crate all of
//! them are one thread, which is inside a firing. So [`synchronize`](crate::synchronize()) returns
//! [`InProbe`](crate::SynchronizeError::InProbe), even if its caller is not the one inside, and a
//! detach takes effect but drops nothing. (Otherwise a thread could wait for itself.) Once all
//! threads that may be inside have been joined, `synchronize` works and detaches drop.
//!
//! **Nesting.** For the same reason, threads of a model whose probes use loom's types share the
//! limit of eight nested firings.
//!
//! **A model that has failed** stops its threads where they are; loom does not run them to their
//! end. If one of them was inside a probe that uses loom's types, it stays there, and no grace
//! period of the process ends any more. If tests continue after a failure, for example with
//! `#[should_panic]`, run such a model in a process of its own, or use
//! [`synchronize_timeout`](crate::synchronize_timeout()).
