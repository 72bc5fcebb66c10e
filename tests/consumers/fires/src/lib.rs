//! Fires and probes events of another crate, in every kind of place.

#![forbid(unsafe_code)]
#![warn(missing_docs, missing_debug_implementations, unreachable_pub, unused)]
#![warn(rust_2018_idioms, clippy::pedantic, clippy::nursery)]

use hotprobe::{Event, Probe, TypedEvent, fire};

pub use declares::HELLO as GREETED;
use declares::{HELLO, NONE, events};

/// Through a path, a re-export, a name of another module, a reference, a copy, a block.
pub fn through() {
    fire!(declares::events::REQUEST_DONE, 1, "/", 200);
    fire!(events::REQUEST_DONE, 2, "/", 200);
    fire!(declares::DONE, 3, "/", 200);
    fire!(crate::GREETED, "JP");
    let reference = &HELLO;
    fire!(reference, "Kirr");
    reference.fire("Kirr");
    let copy = HELLO;
    fire!(copy, "Varya",);
    fire!({ HELLO }, "a block");
    fire!(&HELLO, "a reference");
}

/// In a generic function, with arguments of its types.
pub fn generic<T: AsRef<str>>(who: &T) {
    fire!(HELLO, who.as_ref());
}

/// In a trait's methods.
pub trait Greet {
    /// Its name.
    fn name(&self) -> &str;

    /// Greets.
    fn greet(&self) {
        fire!(HELLO, self.name());
    }
}

/// Someone.
#[derive(Debug)]
pub struct Person(pub String);

impl Greet for Person {
    fn name(&self) -> &str {
        fire!(NONE);
        &self.0
    }
}

/// In an `async fn`, whose future stays `Send`.
pub async fn greet(who: String) -> usize {
    fire!(HELLO, &who);
    std::future::ready(()).await;
    fire!(HELLO, &format!("{who} again"));
    who.len()
}

/// In a closure, a loop, a `match` arm, a `const` block's neighbourhood.
pub fn expressions(count: Option<u8>) {
    let closure = |who: &str| fire!(HELLO, who);
    closure("closure");
    match count {
        Some(0) => fire!(NONE),
        Some(count) => (0..count).for_each(|_| fire!(NONE)),
        None => fire!(NONE),
    }
    if count.is_none() {
        fire!(HELLO, if cfg!(test) { "test" } else { "no test" });
    }
}

/// The arguments that a firing moves.
pub fn moves(who: String) {
    fire!(HELLO, &{ who });
}

/// Attaches to any event, logging it.
pub fn attach_logged<E: TypedEvent>(event: &'static E, probe: Box<E::Probe>) -> Probe {
    println!("attaching to {}", event.event().name());
    event.attach_boxed(probe)
}

/// How many probes an event has, whatever its type.
#[must_use]
pub fn count<F: ?Sized>(event: &Event<F>) -> usize {
    event.probe_count()
}
