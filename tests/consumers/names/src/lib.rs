//! Names that the macros use, or could, given to the crate's own things: the macros mean theirs.

#![forbid(unsafe_code)]
#![deny(warnings)]
#![allow(
    dead_code,
    non_camel_case_types,
    clippy::wrong_self_convention,
    reason = "they are there to be in the way"
)]

/// Parameters of any name.
pub mod parameters {
    hotprobe::event! {
        /// Names of locals.
        pub static LOCALS: fn(
            slot: u8, probe: u8, event: u8, thunk: u8, options: u8, batch: u8, fire: u8, call: u8, who: u8,
            name: u8, f: u8, value: u8, metadata: u8, argument: u8, place: u8
        );
        /// Names of hidden functions.
        pub static HIDDEN: fn(__place: u8, __thunk: u8, __attach: u8, core: u8, r#type: &str, _unused: u8, __: u8);
    }

    hotprobe::span! {
        /// Names of locals.
        pub static SPAN_LOCALS: fn(
            slot: u8, probe: u8, begin: u8, end: u8, span: u8, thunks: u8, guard: u8, raw: u8, pair: u8, batch: u8
        ) -> (slot: u8, probe: u8, begin: u8, end: u8, span: u8, raw: u8, options: u8, value: u8, status: u8);
        /// Names of hidden functions.
        pub static SPAN_HIDDEN: fn(__end: u8, __dropped: u8, core: u8, r#type: &str, _unused: u8, __: u8)
            -> (__end: u8, __thunks: u8, r#type: &str);
    }

    /// Fires them.
    pub fn fire() {
        let (begin, span) = (1, 2);
        let guard = hotprobe::start!(SPAN_LOCALS, 1, 2, begin, 4, span, 6, 7, 8, 9, 10);
        let raw = 3;
        hotprobe::end!(guard, 1, 2, begin, 4, span, raw, 7, 8, 9);
        hotprobe::start!(SPAN_HIDDEN, 1, 2, 3, "4", 5, 6).end(1, 2, "3");
        let (slot, probe, event, fire, batch) = (1, 2, 3, 7, 6);
        hotprobe::fire!(
            LOCALS, slot, probe, event, 4, 5, batch, fire, 8, 9, 10, 11, 12, 13, 14, 15
        );
        LOCALS.fire(
            slot, probe, event, 4, 5, batch, fire, 8, 9, 10, 11, 12, 13, 14, 15,
        );
        hotprobe::fire!(HIDDEN, 1, 2, 3, 4, "5", 6, 7);
    }
}

/// Types and traits of the macros' names, generic ones too.
pub mod types {
    macro_rules! structs {
        ($($name:ident)*) => { $(
            /// In the way.
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub struct $name;
        )* }
    }
    structs! {
        P T F A E Probe Event Box Send Sync Copy Debug Deref TypedEvent Metadata Parameter Place Slot Signature
        Thunk Some None Ok Err bool u64 usize
    }
    macro_rules! traits {
        ($($name:ident)*) => { $(
            /// In the way.
            pub trait $name { }
        )* }
    }
    traits! { Fn FnOnce FnMut Argument Sized Clone_ Into From Default }

    /// A generic one.
    #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
    pub struct Option<'a, T, const N: ::core::primitive::usize> {
        /// A value.
        pub value: &'a [T; N],
    }

    hotprobe::event! {
        /// One-letter ones.
        pub static LETTERS: fn(p: P, t: T, f: F, a: A, e: E);
        /// The macros'.
        pub static MACROS: fn(
            probe: Probe, event: Event, boxed: Box, send: Send, sync: Sync, copy: Copy, place: Place, slot: Slot,
            some: &Some, boolean: bool, number: &usize, option: Option<'_, T, 2>
        );
    }

    structs! { Span SpanBegin SpanEnd Outcome Begin End Guard }

    hotprobe::span! {
        /// The macros'.
        pub static SPANS: fn(span: Span, begin: SpanBegin, guard: Guard, option: Option<'_, T, 2>)
            -> (end: SpanEnd, outcome: Outcome, kind: &End, b: Begin, boolean: bool);
    }

    /// Fires them, and attaches.
    pub fn fire() -> ::core::primitive::bool {
        let _span = SPANS.attach(
            |_, _, _, _, option| ::core::assert_eq!(option.value, &[T, T]),
            |_, _, _, _, _, _| (),
        );
        hotprobe::start!(SPANS, Span, SpanBegin, Guard, Option { value: &[T, T] })
            .end(SpanEnd, Outcome, &End, Begin, bool);
        let _probe = LETTERS.attach(|p, _, _, _, _| ::core::assert_eq!(p, P));
        let _other = MACROS.attach(|_, _, _, _, _, _, _, _, _, _, _, option| {
            ::core::assert_eq!(option.value, &[T, T]);
        });
        hotprobe::fire!(LETTERS, P, T, F, A, E);
        hotprobe::fire!(
            MACROS,
            Probe,
            Event,
            Box,
            Send,
            Sync,
            Copy,
            Place,
            Slot,
            &Some,
            bool,
            &usize,
            Option { value: &[T, T] }
        );
        let enabled: ::core::primitive::bool = LETTERS.is_enabled();
        enabled && MACROS.is_enabled()
    }
}

/// Modules and macros of the macros' names.
pub mod modules {
    /// In the way.
    pub mod core {}
    /// In the way.
    pub mod std {}
    /// In the way.
    pub mod alloc {}
    /// In the way.
    pub mod hotprobe {}
    /// In the way.
    pub mod __private {}

    #[allow(unused_macros)]
    macro_rules! concat {
        () => {};
    }
    #[allow(unused_macros)]
    macro_rules! stringify {
        () => {};
    }
    #[allow(unused_macros)]
    macro_rules! module_path {
        () => {};
    }
    #[allow(unused_macros)]
    macro_rules! compile_error {
        () => {};
    }

    ::hotprobe::event! {
        /// The module's.
        pub static IN_THE_WAY: fn(who: &str);
    }

    ::hotprobe::span! {
        /// The module's span.
        pub static SPAN_IN_THE_WAY: fn(who: &str) -> (ok: bool);
    }

    /// In the way.
    #[macro_export]
    macro_rules! SHOUTED {
        () => {};
    }

    ::hotprobe::event! {
        /// A macro has its name.
        pub static SHOUTED: fn(who: &str);
    }

    /// Fires them.
    pub fn fire() {
        SHOUTED!();
        ::hotprobe::fire!(IN_THE_WAY, "JP");
        ::hotprobe::start!(SPAN_IN_THE_WAY, "JP").end(true);
        ::hotprobe::fire!(SHOUTED, "JP");
    }
}

/// A module without a prelude.
#[no_implicit_prelude]
pub mod no_prelude {
    ::hotprobe::event! {
        /// An event without a prelude.
        pub static BARE: fn(who: &str, id: ::core::option::Option<&u64>);
        static PRIVATE: fn();
    }

    ::hotprobe::span! {
        /// A span without a prelude.
        pub static BARE_SPAN: fn(who: &str) -> (id: ::core::option::Option<&u64>);
        static PRIVATE_SPAN: fn();
    }

    /// Fires it.
    pub fn fire() {
        let span = ::hotprobe::start!(BARE_SPAN, "JP");
        ::hotprobe::end!(span, ::core::option::Option::None);
        ::hotprobe::start!(PRIVATE_SPAN).entered().exit().end();
        let pair = BARE_SPAN.attach(|_, _| (), |_, _| ());
        ::core::assert!(pair.detach());
        ::hotprobe::fire!(BARE, "JP", ::core::option::Option::None);
        ::hotprobe::fire!(PRIVATE);
        let probe = BARE.attach(|_, _| ());
        ::core::assert!(probe.detach());
    }
}

/// A blanket trait whose methods have the events' names.
pub mod blanket {
    /// Implemented by everything.
    pub trait Blanket {
        /// In the way.
        fn is_enabled(&self) -> &str {
            "blanket"
        }
        /// In the way.
        fn fire(&self, _: &str) -> &str {
            "blanket"
        }
        /// In the way.
        fn attach<T>(&self, _: T) -> &str {
            "blanket"
        }
        /// In the way.
        fn attach_with<T>(&self, _: hotprobe::ProbeOptions, _: T) -> &str {
            "blanket"
        }
        /// In the way.
        fn name(&self) -> u8 {
            0
        }
        /// In the way.
        fn metadata(&self) -> u8 {
            0
        }
        /// In the way.
        fn probe_count(&self) -> &str {
            "blanket"
        }
    }
    impl<T: ?Sized> Blanket for T {}

    /// Implemented by everything, and takes it by value.
    pub trait ByValue: Sized {
        /// In the way.
        fn is_enabled(self) -> &'static str {
            "blanket"
        }
        /// In the way.
        fn fire(self, _: &str) -> &'static str {
            "blanket"
        }
        /// In the way.
        fn attach<T>(self, _: T) -> &'static str {
            "blanket"
        }
        /// In the way.
        fn take(self) -> &'static str {
            "blanket"
        }
        /// In the way.
        fn is_on(self) -> &'static str {
            "blanket"
        }
        /// In the way.
        fn id(self) -> &'static str {
            "blanket"
        }
    }
    impl<T> ByValue for T {}

    hotprobe::span! {
        /// A span among blanket traits.
        pub static GREETING: fn(who: &str) -> (ok: bool);
    }

    hotprobe::event! {
        /// An event among blanket traits.
        pub static HELLO: fn(who: &str);
    }

    /// Uses the event's own methods.
    pub fn fire() {
        let pair: hotprobe::Probe = GREETING.attach_begin(|_, _| ());
        let span = &GREETING;
        let guard = hotprobe::start!(span, "JP");
        hotprobe::end!(guard, true);
        let enabled: bool = GREETING.is_enabled();
        let entered = GREETING.start("JP").entered();
        assert!(enabled && hotprobe::SpanId::current().is_some());
        drop((entered, pair));
        let probe: hotprobe::Probe = HELLO.attach(|_| ());
        let other: hotprobe::Probe = HELLO.attach_with(hotprobe::ProbeOptions::new(), |_| ());
        let enabled: bool = HELLO.is_enabled();
        let name: &'static str = HELLO.name();
        assert!(enabled && name == "names::blanket::HELLO");
        assert_eq!(HELLO.probe_count(), 2);
        assert_eq!(HELLO.metadata().name(), name);
        let unit: () = HELLO.fire("JP");
        hotprobe::fire!(HELLO, "JP");
        let event = &HELLO;
        hotprobe::fire!(event, "JP");
        drop((probe, other, unit));
    }
}

/// Events inside functions.
pub fn inside() -> usize {
    hotprobe::event! {
        /// The function's.
        static INSIDE: fn(who: &str);
        static OTHER: fn();
    }
    {
        hotprobe::event! { static INSIDE: fn(id: u64); }
        hotprobe::fire!(INSIDE, 1);
    }
    let probe = INSIDE.attach(|_| OTHER.fire());
    hotprobe::fire!(INSIDE, "JP");
    drop(probe);
    INSIDE.probe_count()
}

/// The same name in two modules.
pub mod twice {
    hotprobe::event! {
        /// The first.
        pub static INSIDE: fn();
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_macros_mean_their_own_names() {
        super::parameters::fire();
        assert!(super::types::fire());
        super::modules::fire();
        super::no_prelude::fire();
        super::blanket::fire();
        assert_eq!(super::inside(), 0);
        super::twice::INSIDE.fire();
    }

    #[test]
    fn the_catalogue_tells_them_apart() {
        let inside: Vec<_> = hotprobe::matching("names::INSIDE")
            .iter()
            .map(|event| event.metadata().parameters()[0].name())
            .collect();
        assert_eq!(inside, ["who", "id"]);
        assert_eq!(hotprobe::matching("*::INSIDE").len(), 3);
        assert!(hotprobe::find("names::modules::SHOUTED").is_some());
    }

    #[test]
    fn what_the_dynamic_probe_sees_is_not_what_is_in_the_way() {
        let event = hotprobe::find("names::types::MACROS").unwrap();
        let probe = event.attach(|_, values| {
            let values: Vec<_> = values.iter().map(|value| format!("{value:?}")).collect();
            assert_eq!(values[..3], ["Probe", "Event", "Box"]);
            assert_eq!(values[11], "Option { value: [T, T] }");
        });
        super::types::fire();
        assert!(!probe.has_panicked());
    }
}
