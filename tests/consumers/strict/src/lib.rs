//! A crate that denies every lint it can, those of `clippy::restriction` included: what the macros
//! make passes.

#![forbid(
    unsafe_code,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    rust_2018_idioms,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason
)]
#![deny(
    warnings,
    future_incompatible,
    keyword_idents,
    let_underscore,
    nonstandard_style,
    refining_impl_trait,
    rust_2018_compatibility,
    rust_2021_compatibility,
    rust_2024_compatibility,
    unused,
    explicit_outlives_requirements,
    missing_copy_implementations,
    non_ascii_idents,
    redundant_lifetimes,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unit_bindings,
    unnameable_types,
    unsafe_op_in_unsafe_fn,
    unused_crate_dependencies,
    unused_import_braces,
    unused_lifetimes,
    unused_qualifications,
    unused_results,
    variant_size_differences
)]
#![deny(clippy::all, clippy::nursery, clippy::pedantic, clippy::restriction)]
#![expect(
    clippy::blanket_clippy_restriction_lints,
    clippy::implicit_return,
    clippy::pub_with_shorthand,
    clippy::redundant_pub_crate,
    clippy::single_call_fn,
    reason = "of this crate's own code, not of what the macros make"
)]

hotprobe::event! {
    /// No parameters.
    pub static NONE: fn();
    /// One, and a name of two words.
    pub static SAY_HELLO: fn(who: &str);
    /// One that only this crate fires.
    pub static STORED: pub(crate) fn(id: u64);
    /// Named lifetimes.
    pub static SPLIT: for<'whole> fn(whole: &'whole str, parts: &'whole [&'whole str]);
    /// Twelve parameters.
    pub static TWELVE: fn(
        first: u8, second: u16, third: u32, fourth: u64, fifth: i8, sixth: i16, seventh: i32, eighth: i64,
        ninth: f32, tenth: f64, #[redact] eleventh: &str, twelfth: Option<&str>
    );
    /// On its way out.
    #[deprecated(note = "use `SAY_HELLO`")]
    pub static HELLO: fn(who: &str);
    /// Has attributes.
    #[must_use]
    #[doc(alias = "attributes")]
    #[cfg_attr(all(), doc = "Conditional ones, too.")]
    #[cfg(not(target_pointer_width = "16"))]
    pub static ATTRIBUTED: fn();
    static NOT_USED: fn(id: u64);
    pub(crate) static INSIDE: fn(id: u64, path: &str);
    static PRIVATE: fn(id: u64);
}

hotprobe::span! {
    /// Nothing but a begin and an end.
    pub static SPAN: fn();
    /// A request.
    pub static REQUEST: fn(route: &str, bytes: usize) -> (status: u16, note: Option<&str>);
    /// One that only this crate begins.
    pub static QUERY: pub(crate) fn(table: &str) -> (rows: usize);
    /// Named lifetimes.
    pub static PARTS: for<'whole> fn(whole: &'whole str) -> (parts: &'whole [&'whole str]);
    /// On its way out.
    #[deprecated(note = "use `REQUEST`")]
    pub static OLD_REQUEST: fn(route: &str) -> (status: u16);
    pub(crate) static INSIDE_SPAN: fn(id: u64);
    static NOT_USED_SPAN: fn(id: u64) -> (#[redact] token: &str);
    static PRIVATE_SPAN: fn(id: u64) -> (ok: bool);
}

/// Visibilities other than `pub`.
mod inner {
    hotprobe::event! {
        pub(super) static SUPER: fn();
        pub(in crate::inner) static WITHIN: fn();
    }

    /// Fires what only this module can.
    pub(super) fn fire() {
        hotprobe::fire!(WITHIN);
        hotprobe::fire!(SUPER);
    }
}

/// Begins and ends them all.
#[inline]
pub fn begin_all() {
    hotprobe::start!(SPAN).end();
    let request = hotprobe::start!(REQUEST, "/", 7);
    let query = hotprobe::start!(QUERY, "orders").entered();
    hotprobe::start!(PARTS, "a b").end(&["a", "b"]);
    hotprobe::end!(request, 200, None);
    query.exit().end(3);
    let inside = hotprobe::start!(INSIDE_SPAN, 1);
    drop(inside);
    hotprobe::end!(PRIVATE_SPAN.start(1), true);
}

/// Attaches to spans in each way.
#[inline]
pub fn attach_spans() -> hotprobe::ProbeGroup {
    let mut batch = hotprobe::Batch::new();
    SPAN.attach_in(&mut batch, |_begin| (), |_end| ());
    QUERY.attach_in_with(
        &mut batch,
        hotprobe::ProbeOptions::new().name("watch"),
        |_begin, _table| (),
        |_end, _rows| (),
    );
    let mut group = batch.commit();
    group.add(REQUEST.attach(|_begin, _route, _bytes| (), |_end, _status, _note| ()));
    group.add(PRIVATE_SPAN.attach_begin(|_begin, _id| ()));
    group.add(PARTS.attach_end(|_end, _parts| ()));
    group
}

/// Fires them all.
#[inline]
pub fn fire_all() {
    hotprobe::fire!(NONE);
    hotprobe::fire!(SAY_HELLO, "JP");
    hotprobe::fire!(STORED, 1);
    hotprobe::fire!(SPLIT, "a b", &["a", "b"]);
    hotprobe::fire!(
        TWELVE,
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        8,
        9.0,
        10.0,
        "eleven",
        Some("twelve"),
    );
    hotprobe::fire!(INSIDE, 1, "/");
    hotprobe::fire!(PRIVATE, 1);
    hotprobe::fire!(inner::SUPER);
    inner::fire();
    NONE.fire();
    SAY_HELLO.fire("JP");
    STORED.fire(1);
}

/// Attaches probes in each way.
#[inline]
pub fn attach_all() -> hotprobe::ProbeGroup {
    let mut batch = hotprobe::Batch::new();
    NONE.attach_in(&mut batch, || ());
    PRIVATE.attach_in_with(
        &mut batch,
        hotprobe::ProbeOptions::new().name("watch"),
        |_id| (),
    );
    let mut group = batch.commit();
    group.add(SAY_HELLO.attach(|_who| ()));
    group.add(SPLIT.attach(|_whole, _parts| ()));
    group.add(TWELVE.attach(|_1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, _12| ()));
    group.add(INSIDE.attach_with(hotprobe::ProbeOptions::new(), |_id, _path| ()));
    group
}
