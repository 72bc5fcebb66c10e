//! The catalogue: every event of the program.
//!
//! [`event!`](crate::event!) puts a reference to each event into a section of the object file, and
//! the linker joins the sections (through the crate `linkme`). No code runs for this before `main`.

use crate::any::AnyEvent;
use crate::metadata::Metadata;
use std::ptr;

/// The list, on targets whose linker can build it.
#[cfg(any(
    target_os = "linux",
    target_os = "macos",
    target_os = "ios",
    target_os = "tvos",
    target_os = "windows",
    target_os = "android",
    target_os = "fuchsia",
    target_os = "illumos",
    target_os = "freebsd",
    target_os = "openbsd",
))]
pub mod list {
    use crate::any::AnyEvent;

    /// The list that the linker builds. Its name is the name of the section. It contains this
    /// crate's version, since two versions in one program have elements of different types.
    #[linkme::distributed_slice]
    pub static HOTPROBE_0_1: [&'static dyn AnyEvent];

    /// In no particular order; an event may occur twice.
    pub(super) fn all() -> &'static [&'static dyn AnyEvent] {
        HOTPROBE_0_1.static_slice()
    }

    /// Adds an event to the list, without code that names the entry.
    #[doc(hidden)]
    #[macro_export]
    macro_rules! __catalog_entry {
        ($event:path) => {
            #[$crate::__private::linkme::distributed_slice($crate::__private::list::HOTPROBE_0_1)]
            #[linkme(crate = $crate::__private::linkme)]
            static __IN_CATALOG: &'static dyn $crate::AnyEvent = &$event;
        };
    }
}

/// The empty list, on other targets (WebAssembly, for example).
#[cfg(not(any(
    target_os = "linux",
    target_os = "macos",
    target_os = "ios",
    target_os = "tvos",
    target_os = "windows",
    target_os = "android",
    target_os = "fuchsia",
    target_os = "illumos",
    target_os = "freebsd",
    target_os = "openbsd",
)))]
pub mod list {
    use crate::any::AnyEvent;

    pub(super) fn all() -> &'static [&'static dyn AnyEvent] {
        &[]
    }

    #[doc(hidden)]
    #[macro_export]
    macro_rules! __catalog_entry {
        ($event:path) => {};
    }
}

/// Returns every event of the program and its dependencies, sorted by name. Events of the same name
/// (in two functions of a module) are sorted by file, line and column.
///
/// Some events of dependencies may be missing: see [`register!`](crate::register!), which adds
/// them.
///
/// ```
/// hotprobe::event! {
///     /// An order has been placed.
///     pub static PLACED: fn(order: u64, symbol: &str);
/// }
///
/// for event in hotprobe::events() {
///     let metadata = event.metadata();
///     println!("{} at {}:{}", metadata.name(), metadata.file(), metadata.line());
///     for parameter in metadata.parameters() {
///         println!("    {}: {}", parameter.name(), parameter.type_name());
///     }
///     for probe in event.probes() {
///         println!("    probed by {}", probe.name().unwrap_or("somebody"));
///     }
/// }
/// # assert!(hotprobe::events().iter().any(|event| event.name().ends_with("::PLACED")));
/// ```
///
/// # Cost
/// Allocates and sorts the list on each call, and takes no lock. Works on any thread, also inside a
/// probe.
///
/// # Panics
/// If the program contains two copies of the same version of this crate, from different sources
/// ([two copies](crate::docs::limitations#two-copies-of-this-crate)). Copies of different versions
/// have a list each.
#[must_use]
pub fn events() -> Vec<&'static dyn AnyEvent> {
    select(|_| true)
}

/// Returns the event with this full name, `crate::module::NAME`; for half of a span,
/// `crate::module::NAME/begin` or `/end`.
///
/// If several events have that name (in two functions of a module, or in two versions of one
/// crate), returns the first by file, line and column; [`matching`] returns all of them.
///
/// ```
/// mod shop {
///     hotprobe::event! { pub static PLACED: fn(order: u64); }
/// }
///
/// let name = shop::PLACED.name();
/// let event = hotprobe::find(name).expect("it is in this program");
/// let probe = event.attach(|_, values| println!("{values:?}"));
/// shop::PLACED.fire(1);
/// assert!(hotprobe::find("shop").is_none(), "a full name is wanted, or `matching`");
/// # drop(probe);
/// ```
///
/// # Cost
/// Walks all events. Allocates nothing and takes no lock.
///
/// # Panics
/// As [`events`].
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn AnyEvent> {
    list::all()
        .iter()
        .copied()
        .filter(|event| event.name() == name)
        .min_by_key(|event| key(event.metadata()))
}

/// Returns the events whose full name matches the pattern, sorted as [`events`].
///
/// In a pattern, `*` matches any text, including `::` and the empty text. Every other character
/// matches itself, and the pattern has to match the whole name. `shop::orders::*` matches
/// everything in that module and below it, `*::PLACED` every event of that name, `*` everything,
/// and the empty pattern nothing. A pattern without `/` matches both halves of a span by the span's
/// name, `shop::REQUEST`; one with `/` matches `shop::REQUEST/begin` and `shop::REQUEST/end`.
///
/// ```
/// mod orders {
///     hotprobe::event! { pub static PLACED: fn(); pub static CANCELLED: fn(); }
/// }
///
/// let events = hotprobe::matching("*::orders::*");
/// assert_eq!(events.len(), 2);
/// assert!(events[0].name().ends_with("::orders::CANCELLED"));
///
/// hotprobe::span! { static REQUEST: fn(); }
/// assert_eq!(hotprobe::matching("*::REQUEST").len(), 2, "both halves");
/// assert_eq!(hotprobe::matching("*::REQUEST/end").len(), 1);
/// ```
///
/// # Cost
/// As [`events`].
#[must_use]
pub fn matching(pattern: &str) -> Vec<&'static dyn AnyEvent> {
    // A span's halves have one name, unless the pattern asks for a half.
    let halves = pattern.contains('/');
    select(|metadata| {
        let name = if halves {
            metadata.name()
        } else {
            metadata.whole_name()
        };
        matches(pattern, name)
    })
}

fn select(wanted: impl Fn(&'static Metadata) -> bool) -> Vec<&'static dyn AnyEvent> {
    let all = list::all().iter().copied();
    let mut events: Vec<_> = all.filter(|event| wanted(event.metadata())).collect();
    // The same event twice is the same key twice, unless a macro made several at one place; among
    // those they lie by address.
    events.sort_unstable_by_key(|event| {
        (
            key(event.metadata()),
            ptr::from_ref(event.erased().cell()).addr(),
        )
    });
    events.dedup();
    events
}

/// The key by which the catalogue is sorted.
fn key(metadata: &'static Metadata) -> (&'static str, &'static str, u32, u32) {
    (
        metadata.name(),
        metadata.file(),
        metadata.line(),
        metadata.column(),
    )
}

/// Whether the name matches the pattern, in which only `*` is special.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(last) = parts.next_back() else {
        return first == name;
    };
    let Some(middle) = name
        .strip_prefix(first)
        .and_then(|rest| rest.strip_suffix(last))
    else {
        return false;
    };
    // The earliest place for each part leaves the most to those after it.
    let found = parts.try_fold(middle, |rest, part| {
        rest.find(part).map(|at| &rest[at + part.len()..])
    });
    found.is_some()
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn the_slice_is_named_after_the_version() {
        let version = concat!(
            "HOTPROBE_",
            env!("CARGO_PKG_VERSION_MAJOR"),
            "_",
            env!("CARGO_PKG_VERSION_MINOR")
        );
        let declared = format!("pub static {version}:");
        assert!(
            include_str!("catalog.rs").contains(&declared),
            "rename it to {version}"
        );
    }

    #[test]
    fn a_star_stands_for_anything_and_nothing_else_does() {
        let yes = [
            ("", ""),
            ("*", ""),
            ("*", "shop::orders::PLACED"),
            ("shop::orders::PLACED", "shop::orders::PLACED"),
            ("shop::orders::*", "shop::orders::PLACED"),
            ("shop::orders::*", "shop::orders::book::FULL"),
            ("shop::*::PLACED", "shop::a::b::PLACED"),
            ("*PLACED", "shop::PLACED"),
            ("*a*b*", "xxaxxbxx"),
            ("*ab*ab*", "abab"),
            ("**", "x"),
            ("a*a", "aa"),
            ("*ab", "aab"),
            ("é*é", "éé"),
        ];
        for (pattern, name) in yes {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        let no = [
            ("", "x"),
            ("shop", "shop::PLACED"),
            ("shop::*", "shop"),
            ("shop::*", "workshop::PLACED"),
            ("*::PLACED", "shop::PLACED_TWICE"),
            ("a*a", "a"),
            ("*ab*ab*", "abxa"),
            ("*ab*b", "ab"),
            ("shop?PLACED", "shopxPLACED"),
            ("sh.p", "shop"),
            ("[a-z]*", "shop"),
        ];
        for (pattern, name) in no {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }
}
