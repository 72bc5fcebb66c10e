//! An event as a place in memory, [`Event`], and what its arguments can be.

use crate::metadata::Metadata;
use crate::probe::ProbeInfo;
use crate::rcu::EventCell;
use std::fmt;
use std::marker::PhantomData;

/// An event whose probes are of type `F`, `dyn Fn(…) + Send + Sync`.
///
/// What [`event!`](crate::event!) declares dereferences to this. Attaching and firing have the event's own
/// signature, and are methods of the declared type.
///
/// ```
/// use hotprobe::Event;
///
/// hotprobe::event! {
///     /// About to greet `who`.
///     pub static HELLO: fn(who: &str);
/// }
///
/// let event: &Event<dyn Fn(&str) + Send + Sync> = &HELLO;
/// assert!(event.name().ends_with("::HELLO"));
/// assert!(!event.is_enabled());
/// ```
#[repr(transparent)]
pub struct Event<F: ?Sized> {
    cell: EventCell,
    /// Invariant, and neither owned nor borrowed: events are `Send` and `Sync` whatever `F` is.
    probe: PhantomData<fn(*const F) -> *const F>,
}

impl<F: ?Sized> Event<F> {
    /// Whether firing it would call a probe: one relaxed load.
    ///
    /// The answer may be out of date when it arrives; it is for skipping work, not for synchronizing.
    #[inline]
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.cell.is_enabled()
    }

    /// Returns, to `start!`, a type whose name is what the error shows.
    #[doc(hidden)]
    #[must_use]
    pub fn is_startable(&self) -> crate::__private::AnEventIsFiredByFire {
        crate::__private::AnEventIsFiredByFire
    }

    /// How many probes are attached, those switched off after a panic included.
    #[must_use]
    pub fn probe_count(&self) -> usize {
        self.cell.probe_count()
    }

    /// Its probes, in attach order, those switched off after a panic included.
    ///
    /// By the time they are looked at, others may be attached. Takes the process-wide lock for as long as it
    /// takes to count one reference more for each.
    ///
    /// ```
    /// use hotprobe::ProbeOptions;
    /// hotprobe::event! { static TICK: fn(); }
    ///
    /// let first = TICK.attach_with(ProbeOptions::new().name("watch"), || ());
    /// let second = TICK.attach(|| ());
    /// let names: Vec<_> = TICK.probes().iter().map(|probe| probe.name().map(str::to_owned)).collect();
    /// assert_eq!(names, [Some("watch".to_owned()), None]);
    /// # drop((first, second));
    /// ```
    #[must_use]
    pub fn probes(&self) -> Vec<ProbeInfo> {
        ProbeInfo::of(&self.cell)
    }

    /// Its full name: `crate::module::NAME`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.metadata().name()
    }

    /// What is known of it: where it is declared, its docs and parameters.
    ///
    /// ```
    /// hotprobe::event! {
    ///     /// A user logs in.
    ///     pub static LOGIN: fn(user: &str, #[redact] token: &str);
    /// }
    ///
    /// let metadata = LOGIN.metadata();
    /// assert_eq!(metadata.docs().trim(), "A user logs in.");
    /// let names: Vec<_> = metadata.parameters().iter().map(|p| p.name()).collect();
    /// assert_eq!(names, ["user", "token"]);
    /// assert!(metadata.parameters()[1].is_redacted());
    /// ```
    #[must_use]
    pub fn metadata(&self) -> &'static Metadata {
        self.cell.metadata()
    }
}

impl<F: ?Sized> fmt::Debug for Event<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cell.fmt(f)
    }
}

/// What can be an argument of an event: anything `Copy`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of an event: every probe gets it, so it must be `Copy`",
    label = "not `Copy`",
    note = "pass it by shared reference: declare the parameter as `&T` (`&str` for a `String`)"
)]
pub trait Argument {}

#[diagnostic::do_not_recommend]
impl<T: Copy> Argument for T {}

static_assertions::assert_impl_all!(Event<dyn Fn(&str) + Send + Sync>: Send, Sync);
#[allow(clippy::assertions_on_constants, reason = "models are larger")]
const _: () = assert!(
    crate::sync::MODEL || size_of::<Event<dyn Fn(&str) + Send + Sync>>() <= 64,
    "an idle event is at most 64 bytes"
);
