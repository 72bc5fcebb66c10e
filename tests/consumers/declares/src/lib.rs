//! Declares events for other crates. The links to them work: [`HELLO`], [`events::REQUEST_DONE`],
//! [`HELLO::fire`], [`HELLO::attach`], [`hotprobe::Event`].

#![forbid(unsafe_code)]
#![warn(missing_docs, missing_debug_implementations, unreachable_pub, unused)]
#![warn(rust_2018_idioms, clippy::pedantic, clippy::nursery)]

use std::fmt::Debug;

/// What is known of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// Its path.
    pub path: &'a str,
}

/// A value, and where it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At<T, const N: usize> {
    /// The value.
    pub value: T,
    /// Where.
    pub at: [usize; N],
}

hotprobe::event! {
    /// About to greet `who`. Afterwards see [`events::REQUEST_DONE`] and [`HELLO`].
    pub static HELLO: fn(who: &str);

    /// No parameters.
    pub static NONE: fn();

    /// Anyone attaches, only this crate fires; see [`store`].
    ///
    /// ```
    /// let probe = declares::STORED.attach(|id| println!("{id}"));
    /// declares::store(1);
    /// # drop(probe);
    /// ```
    ///
    /// From outside it cannot be fired:
    /// ```compile_fail
    /// declares::STORED.fire(1);
    /// ```
    /// ```compile_fail
    /// hotprobe::fire!(declares::STORED, 1);
    /// ```
    pub static STORED: pub(crate) fn(id: u64);

    /// Own types, with lifetimes elided and named.
    pub static OWN: fn(request: Request<'_>, at: At<&str, 2>);

    /// A lifetime that two parameters share.
    pub static SPLIT: for<'a> fn(whole: &'a str, parts: &'a [&'a str]);

    /// A lifetime of an own type.
    pub static NAMED: for<'a, 'b> fn(request: &'a Request<'b>, other: Option<&'b Request<'b>>);

    /// Trait objects, functions, tuples, arrays, `'static`, raw pointers.
    pub static ODD: fn(
        error: &(dyn std::error::Error + 'static), debug: &dyn Debug, function: fn(&str) -> usize,
        closure: &dyn Fn(&str) -> usize, tuple: (u8, &str), array: [u8; 4], name: &'static str,
        pointer: *const u8, unit: (), option: Option<&str>,
    );

    /// Twelve.
    pub static TWELVE: fn(
        a: u8, b: u16, c: u32, d: u64, e: i8, f: i16, g: i32, h: i64, i: f32, j: f64, k: &str, l: Option<&u8>
    );

    /// Sixteen.
    pub static SIXTEEN: fn(
        a: u8, b: u16, c: u32, d: u64, e: i8, f: i16, g: i32, h: i64, i: f32, j: f64, k: &str, l: Option<&u8>,
        m: char, n: bool, o: &[u8], p: Request<'_>
    );

    /// One parameter that is seen by typed probes only, with a raw name beside it.
    pub static LOGIN: fn(r#type: &str, #[redact] token: &str);

    /// On its way out.
    #[deprecated(note = "use `HELLO`")]
    pub static HI: fn(who: &str);

    /// Compiled out, with what it names.
    #[cfg(any())]
    pub static ABSENT: fn(value: no_such_crate::NoSuchType);

    /// Compiled out another way.
    #[cfg_attr(all(), cfg(any()))]
    pub static ABSENT_TOO: fn(value: no_such_crate::NoSuchType);

    /// Has conditional attributes.
    #[cfg_attr(all(), doc = "And conditional docs.", allow(rustdoc::invalid_html_tags))]
    #[doc(alias = "conditional")]
    #[must_use]
    pub static CONDITIONAL: fn();
}

hotprobe::span! {
    /// A request; see [`REQUEST::start`], [`REQUEST::attach`], [`HELLO`].
    pub static REQUEST: fn(request: Request<'_>) -> (status: u16);

    /// Anyone attaches, only this crate begins and ends it.
    ///
    /// ```compile_fail
    /// declares::QUERY.start("orders");
    /// ```
    /// ```compile_fail
    /// drop(hotprobe::start!(declares::QUERY, "orders"));
    /// ```
    pub static QUERY: pub(crate) fn(table: &str) -> (#[redact] rows: At<&str, 2>);

    /// Twelve, and twelve.
    pub static LARGE: fn(
        a: u8, b: u16, c: u32, d: u64, e: i8, f: i16, g: i32, h: i64, i: f32, j: f64, k: &str, l: Option<&u8>
    ) -> (a: u8, b: u16, c: u32, d: u64, e: i8, f: i16, g: i32, h: i64, i: f32, j: f64, k: &str, l: Option<&u8>);

    /// Compiled out, with what it names.
    #[cfg(any())]
    pub static ABSENT_SPAN: fn(value: no_such_crate::NoSuchType) -> (value: no_such_crate::NoSuchType);

    /// Compiled out another way.
    #[cfg_attr(all(), cfg(any()))]
    pub static ABSENT_SPAN_TOO: fn(value: no_such_crate::NoSuchType);
}

/// Begins [`QUERY`], and ends it.
pub fn query(table: &str) {
    let span = hotprobe::start!(QUERY, table);
    hotprobe::end!(
        span,
        At {
            value: table,
            at: [1, 2]
        }
    );
}

/// A type that is private to the crate, in a span that is.
#[derive(Clone, Copy, Debug)]
struct Own;

hotprobe::span! {
    static OWN_SPAN: fn(own: Own) -> (own: Own);
}

/// Begins it, and ends it.
pub fn own() {
    hotprobe::start!(OWN_SPAN, Own).end(Own);
}

/// Events in a module.
pub mod events {
    hotprobe::event! {
        /// A request has been answered.
        pub static REQUEST_DONE: fn(id: u64, path: &str, status: u16);
    }
}

pub use events::REQUEST_DONE as DONE;

/// Fires [`STORED`].
pub fn store(id: u64) {
    hotprobe::fire!(STORED, id);
    STORED.fire(id);
}

/// Declares events by a macro of its own.
macro_rules! pairs {
    ($($(#[$meta:meta])* $vis:vis $first:ident $second:ident ($($name:ident: $ty:ty),*);)*) => {
        hotprobe::event! { $(
            $(#[$meta])*
            $vis static $first: fn($($name: $ty),*);
            /// The second of the two.
            $vis static $second: fn($($name: $ty),*);
        )* }
    };
}

pairs! {
    /// A request begins.
    pub BEGIN END (id: u64, path: &str);
    OPEN CLOSE (option: Option<&str>);
}

/// Fires those of the macro.
pub fn pairs() {
    hotprobe::fire!(BEGIN, 1, "/");
    hotprobe::fire!(END, 1, "/");
    hotprobe::fire!(OPEN, None);
    hotprobe::fire!(CLOSE, None);
}
