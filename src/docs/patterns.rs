//! How programs and libraries use events and probes.
//!
//! # An events module
//!
//! Events that others may attach to are part of a library's interface. Keep them in one module,
//! with docs, and let only the library fire them (the visibility before `fn`). Re-export what users
//! need to attach, so that they get the same version of this crate:
//!
//! ```
//! # mod orders {
//! /// The events that users of this library can attach to.
//! pub mod events {
//!     hotprobe::event! {
//!         /// An order has been placed and is in the book.
//!         pub static PLACED: pub(crate) fn(order: u64, symbol: &str);
//!         /// An order has been cancelled.
//!         pub static CANCELLED: pub(crate) fn(order: u64);
//!     }
//! }
//! pub use events::{CANCELLED, PLACED};
//! pub use hotprobe::{Probe, ProbeGroup, SynchronizeError};
//!
//! pub fn place(symbol: &str) -> u64 {
//!     let order = 1;
//!     hotprobe::fire!(PLACED, order, symbol);
//!     order
//! }
//! # }
//!
//! // The user of the library:
//! let probe: orders::Probe = orders::PLACED.attach(|order, symbol| println!("{order} {symbol}"));
//! orders::place("ABC");
//! # drop(probe);
//! ```
//!
//! # An event that may grow
//!
//! The signature of a public event is part of the interface: one more parameter breaks every probe.
//! If you expect to add parameters, pass a reference to a struct that only your crate can
//! construct:
//!
//! ```
//! /// A placed order.
//! #[derive(Clone, Copy, Debug)]
//! #[non_exhaustive]
//! pub struct Placed<'a> {
//!     pub order: u64,
//!     pub symbol: &'a str,
//!     // Another field is a compatible change.
//! }
//!
//! hotprobe::event! {
//!     /// An order has been placed.
//!     pub static PLACED: fn(e: &Placed<'_>);
//! }
//!
//! let probe = PLACED.attach(|e| println!("{} {}", e.order, e.symbol));
//! hotprobe::fire!(PLACED, &Placed { order: 1, symbol: "ABC" });
//! # drop(probe);
//! ```
//!
//! `fire!` evaluates its arguments only if a probe is attached, so the struct is constructed only
//! then.
//!
//! # Events that are chosen at run time
//!
//! A console, a recorder or an operator's request names events by text. The
//! [catalogue](crate::events()) finds them, and a dynamic probe receives the arguments as
//! [`Value`](crate::Value)s. Attach them in one batch, so that observation begins at one instant,
//! and name the probes, so that a later listing shows whose they are:
//!
//! ```
//! use hotprobe::{Batch, ProbeGroup, ProbeOptions, fire};
//!
//! mod orders {
//!     hotprobe::event! {
//!         pub static PLACED: fn(order: u64, symbol: &str, #[redact] account: &str);
//!         pub static CANCELLED: fn(order: u64);
//!     }
//! }
//!
//! fn watch(pattern: &str, name: &str) -> ProbeGroup {
//!     let mut batch = Batch::new();
//!     for event in hotprobe::matching(pattern) {
//!         let options = ProbeOptions::new().name(name.to_owned());
//!         event.attach_in_with(&mut batch, options, |metadata, values| {
//!             let mut line = metadata.name().to_owned();
//!             for (parameter, value) in metadata.parameters().iter().zip(values) {
//!                 line += &format!(" {}={value}", parameter.name());
//!             }
//!             println!("{line}"); // … ::orders::PLACED order=1 symbol=ABC account=[redacted]
//!         });
//!     }
//!     batch.commit()
//! }
//!
//! let group = watch("*::orders::*", "console");
//! fire!(orders::PLACED, 1, "ABC", "DE 12 3456");
//! assert_eq!(group.len(), 2);
//! assert_eq!(orders::CANCELLED.probes()[0].name(), Some("console"));
//! ```
//!
//! # A probe for the life of the program
//!
//! Dropping a [`Probe`](crate::Probe) detaches it. In a binary, a `OnceLock` keeps it, and can
//! later report whether it is attached. If nothing needs the handle later, use
//! [`leak`](crate::Probe::leak).
//!
//! ```
//! use hotprobe::Probe;
//! use std::sync::OnceLock;
//!
//! hotprobe::event! { static STARTED: fn(pid: u32); }
//!
//! static WATCH: OnceLock<Probe> = OnceLock::new();
//!
//! WATCH.get_or_init(|| STARTED.attach(|pid| println!("started: {pid}")));
//! hotprobe::fire!(STARTED, std::process::id());
//! assert!(WATCH.get().is_some_and(Probe::is_attached));
//! ```
//!
//! # Probes that are switched on and off
//!
//! In an application, keep a [`ProbeGroup`](crate::ProbeGroup) in the application's state. A
//! [`Batch`](crate::Batch) attaches its probes at one instant, and the group detaches them at one.
//! Replacing the group drops the old one, which detaches it.
//!
//! ```
//! use hotprobe::{Batch, ProbeGroup, fire};
//! use std::sync::Mutex;
//!
//! hotprobe::event! {
//!     static REQUEST: fn(id: u64);
//!     static RESPONSE: fn(id: u64, status: u16);
//! }
//!
//! struct App {
//!     tracing: Mutex<ProbeGroup>,
//! }
//!
//! impl App {
//!     fn tracing_on(&self) {
//!         let mut batch = Batch::new();
//!         REQUEST.attach_in(&mut batch, |id| println!("> {id}"));
//!         RESPONSE.attach_in(&mut batch, |id, status| println!("< {id} {status}"));
//!         let group = batch.commit();
//!         // The old group outlives the statement, so captures are not dropped under the mutex.
//!         let _old = std::mem::replace(&mut *self.tracing.lock().unwrap(), group);
//!     }
//!
//!     fn tracing_off(&self) {
//!         let mut group = std::mem::take(&mut *self.tracing.lock().unwrap());
//!         group.detach();
//!     }
//! }
//!
//! let app = App { tracing: Mutex::default() };
//! app.tracing_on();
//! fire!(REQUEST, 1);
//! fire!(RESPONSE, 1, 200);
//! app.tracing_off();
//! assert!(!REQUEST.is_enabled() && !RESPONSE.is_enabled());
//! ```
//!
//! # From a probe into async code
//!
//! A probe runs on the firing thread, in the middle of the work that it observes, so it must not
//! wait. Use `try_send`, and count what does not fit. A blocking send would stop the traced thread,
//! and with it every grace period. When the probe is dropped, the sender that it captured is
//! dropped too, and the receiver's loop ends:
//!
//! ```
//! use std::sync::Arc;
//! use std::sync::atomic::{AtomicU64, Ordering};
//! use tokio::sync::mpsc;
//!
//! hotprobe::event! { static REQUEST_DONE: fn(id: u64, path: &str); }
//!
//! # type Outcome = Result<(), Box<dyn std::error::Error>>;
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Outcome {
//! let (sender, mut receiver) = mpsc::channel::<(u64, String)>(1024);
//! let lost = Arc::new(AtomicU64::new(0));
//! let counter = Arc::clone(&lost);
//! let probe = REQUEST_DONE.attach(move |id, path| {
//!     if sender.try_send((id, path.to_owned())).is_err() {
//!         counter.fetch_add(1, Ordering::Relaxed);
//!     }
//! });
//! let printer = tokio::spawn(async move {
//!     while let Some((id, path)) = receiver.recv().await {
//!         println!("{id} {path}");
//!     }
//! });
//!
//! hotprobe::fire!(REQUEST_DONE, 1, "/");
//!
//! // `detach_and_wait` blocks, so it runs in the pool for blocking calls.
//! tokio::task::spawn_blocking(move || probe.detach_and_wait()).await??;
//! printer.await?;
//! assert_eq!(lost.load(Ordering::Relaxed), 0);
//! # Ok(())
//! # }
//! ```
//!
//! Or without a thread, by polling ([`is_over`](crate::GracePeriod::is_over) never waits):
//!
//! ```
//! # hotprobe::event! { static TICK: fn(); }
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let probe = TICK.attach(|| ());
//! probe.detach();
//! let grace = hotprobe::grace_period();
//! while !grace.is_over() {
//!     tokio::time::sleep(std::time::Duration::from_millis(1)).await;
//! }
//! // What the probe captured has been dropped.
//! # }
//! ```
//!
//! # An optional dependency
//!
//! A library can make its events optional. With `hotprobe = { version = "…", optional = true }` and
//! a feature `probes = ["dep:hotprobe"]`, keep two files behind one module name:
//!
//! ```text
//! #[cfg_attr(feature = "probes", path = "events_on.rs")]
//! #[cfg_attr(not(feature = "probes"), path = "events_off.rs")]
//! #[macro_use]
//! mod events;
//! ```
//!
//! `events_on.rs` declares the events, and a macro that fires them:
//!
//! ```
//! # #[macro_use] mod events {
//! hotprobe::event! {
//!     /// A page has been read.
//!     pub static PAGE_READ: fn(number: u64);
//! }
//!
//! macro_rules! probe {
//!     ($event:ident $($arguments:tt)*) => {
//!         hotprobe::fire!($crate::events::$event $($arguments)*)
//!     };
//! }
//! # }
//! # fn main() { probe!(PAGE_READ, 1); }
//! ```
//!
//! `events_off.rs` has a macro that expands to nothing:
//!
//! ```
//! macro_rules! probe {
//!     ($($ignored:tt)*) => {};
//! }
//!
//! fn read_page(number: u64) {
//!     let _ = number; // otherwise unused, since only the event used it
//!     probe!(PAGE_READ, number);
//! }
//! # read_page(1);
//! ```
//!
//! Usually this is not worth it: off, an event costs a load and a branch
//! ([performance](super::performance)). It is for libraries whose users count dependencies.
//!
//! # Lints for probes that vanish
//!
//! `let _ = EVENT.attach(…)` drops the probe at once, which detaches it. The compiler's
//! `unused_must_use` reports an `attach` whose result is ignored, but by design not one that is
//! bound to `_`. Two lints report that, and both are off by default: the compiler's
//! `let_underscore_drop`, and `clippy::let_underscore_must_use`.
//!
//! ```compile_fail
//! #![deny(let_underscore_drop)]
//! hotprobe::event! { static TICK: fn(); }
//!
//! let _ = TICK.attach(|| println!("never"));
//! ```
//!
//! ```
//! #![deny(let_underscore_drop)]
//! hotprobe::event! { static TICK: fn(); }
//!
//! let _probe = TICK.attach(|| println!("tick")); // a name: lives to the end of the scope
//! TICK.fire();
//! ```
//!
//! In `Cargo.toml`:
//!
//! ```toml
//! [lints.rust]
//! let_underscore_drop = "warn"
//!
//! [lints.clippy]
//! let_underscore_must_use = "warn"
//! ```
