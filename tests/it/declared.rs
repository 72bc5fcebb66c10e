//! What a declaration keeps, wherever it stands: private types, names that are taken, attributes
//! that another macro has parsed.

use hotprobe::{AnyEvent, Event, Metadata, Parameter, TypedEvent, fire};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Private to this crate's module.
#[derive(Clone, Copy)]
struct Order {
    id: u64,
}

mod events {
    hotprobe::event! {
        pub static PLACED: fn(order: &super::Order);
        pub static SPLIT: for<'a> fn(order: &'a super::Order, parts: &'a [super::Order]);
    }

    // The same of a function, which is allowed.
    #[deny(private_interfaces)]
    #[allow(unreachable_pub, clippy::trivially_copy_pass_by_ref)]
    pub fn placed(_: &super::Order) {}
}

#[test]
fn a_public_event_in_a_private_module_may_have_a_private_type() {
    let seen = Arc::new(AtomicU64::new(0));
    let probe = events::PLACED.attach({
        let seen = Arc::clone(&seen);
        move |order| _ = seen.fetch_add(order.id, Ordering::Relaxed)
    });
    // Through each of the traits that name the type.
    let event: &Event<dyn Fn(&Order) + Send + Sync> = &events::PLACED;
    assert!(event.is_enabled());
    let typed: &'static dyn TypedEvent<Probe = dyn Fn(&Order) + Send + Sync> = &events::PLACED;
    let boxed = typed.attach_boxed({
        let seen = Arc::clone(&seen);
        Box::new(move |order| _ = seen.fetch_add(100 * order.id, Ordering::Relaxed))
    });
    fire!(events::PLACED, &Order { id: 3 });
    events::placed(&Order { id: 3 });
    assert_eq!(seen.load(Ordering::Relaxed), 303);
    drop((probe, boxed));

    let probe = events::SPLIT.attach(|whole, parts| {
        assert_eq!(whole.id, parts.iter().map(|part| part.id).sum::<u64>());
    });
    fire!(
        events::SPLIT,
        &Order { id: 3 },
        &[Order { id: 1 }, Order { id: 2 }]
    );
    assert!(!probe.has_panicked());
}

mod taken {
    #![allow(non_upper_case_globals)]

    pub(super) const id: u64 = 3;
    pub(super) static total: u64 = 4;

    hotprobe::event! {
        pub(super) static size: fn(size: usize);
        pub(super) static STORED: fn(size: usize, id: u64, total: u64, probe: u8, event: u8);
    }
}

#[test]
fn a_parameter_may_have_the_name_of_a_constant_a_static_or_an_event() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let stored = taken::STORED.attach({
        let seen = Arc::clone(&seen);
        move |size, id, total, probe, event| {
            seen.lock().unwrap().push((size, id, total, probe, event));
        }
    });
    let any: &dyn AnyEvent = &taken::size;
    let size = any.attach(|_, values| assert_eq!(format!("{values:?}"), "[7]"));
    fire!(taken::STORED, 1, 2, 5, 6, 7);
    taken::size.fire(7);
    assert!(!size.has_panicked());
    assert_eq!(*seen.lock().unwrap(), [(1, 2, 5, 6, 7)]);
    assert_eq!((taken::id, taken::total), (3, 4));
    assert!(hotprobe::find(taken::size.name()).is_some());
    drop(stored);
}

/// Passes attributes on as tokens.
macro_rules! by_tokens {
    ($(#[$($attribute:tt)*])* $vis:vis $name:ident(
        $($(#[$($mark:tt)*])* $parameter:ident: $ty:ty),*
    )) => {
        hotprobe::event! {
            $(#[$($attribute)*])*
            $vis static $name: fn($($(#[$($mark)*])* $parameter: $ty),*);
        }
    };
}

/// Passes attributes on as the compiler has parsed them.
macro_rules! by_meta {
    ($(#[$attribute:meta])* $vis:vis $name:ident(
        $($(#[$mark:meta])* $parameter:ident: $ty:ty),*
    )) => {
        hotprobe::event! {
            $(#[$attribute])*
            $vis static $name: fn($($(#[$mark])* $parameter: $ty),*);
        }
    };
}

by_tokens! {
    /// A user "logs in", by `C:\`.
    #[allow(dead_code)]
    #[cfg(all())]
    ///
    #[doc = "escaped:\t\u{e9}\x41"]
    TOKENS(user: &str, #[redact] token: &str)
}

by_meta! {
    /// A user "logs in", by `C:\`.
    #[allow(dead_code)]
    #[cfg(all())]
    ///
    #[doc = "escaped:\t\u{e9}\x41"]
    META(user: &str, #[redact] token: &str)
}

by_meta! {
    #[cfg(any())]
    GONE(user: &no::such::Type)
}

#[test]
fn docs_and_marks_are_found_however_a_macro_passes_them_on() {
    fn check(metadata: &Metadata, event: &'static dyn AnyEvent) {
        assert_eq!(
            metadata.docs(),
            " A user \"logs in\", by `C:\\`.\n\nescaped:\t\u{e9}A\n"
        );
        let redacted: Vec<_> = metadata
            .parameters()
            .iter()
            .map(Parameter::is_redacted)
            .collect();
        assert_eq!(redacted, [false, true]);
        event
            .attach(|_, values| assert_eq!(format!("{values:?}"), "[\"JP\", [redacted]]"))
            .leak();
    }
    check(TOKENS.metadata(), &TOKENS);
    check(META.metadata(), &META);
    fire!(TOKENS, "JP", "secret");
    fire!(META, "JP", "secret");
    assert!(!TOKENS.probes()[0].has_panicked() && !META.probes()[0].has_panicked());
}
