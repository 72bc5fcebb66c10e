//! Options of a probe: [`ProbeOptions`], [`OnPanic`].

use std::borrow::Cow;

/// The effect of a panic in a probe.
///
/// With `panic = "abort"`, nothing can be caught: a panicking probe ends the process.
///
/// ```
/// use hotprobe::{OnPanic, ProbeOptions};
///
/// assert_eq!(OnPanic::default(), OnPanic::Quarantine);
/// let options = ProbeOptions::new().on_panic(OnPanic::Propagate);
/// # drop(options);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnPanic {
    /// The panic is caught and counted, and the probe is switched off permanently. The traced code
    /// does not see the panic, and later probes of the same firing run. The probe stays attached
    /// (it is counted, and keeps its captures) until it is detached.
    #[default]
    Quarantine,
    /// For tests: the panic is counted and continues through the traced code. Later probes of that
    /// firing do not run. The probe is not switched off.
    Propagate,
}

/// The name and the panic policy of a probe.
///
/// ```
/// use hotprobe::{OnPanic, ProbeOptions};
/// hotprobe::event! { static TICK: fn(); }
///
/// let options = ProbeOptions::new().name("assert order").on_panic(OnPanic::Propagate);
/// let probe = TICK.attach_with(options, || ());
/// assert_eq!(probe.name(), Some("assert order"));
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "options do nothing by themselves: pass them to `attach_with` or `attach_in_with`"]
pub struct ProbeOptions {
    pub(crate) name: Option<Cow<'static, str>>,
    pub(crate) on_panic: OnPanic,
}

impl ProbeOptions {
    /// Creates options without a name, with [`OnPanic::Quarantine`].
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the panic policy.
    pub fn on_panic(mut self, policy: OnPanic) -> Self {
        self.on_panic = policy;
        self
    }

    /// Sets a name, which [`Event::probes`](crate::Event::probes) shows.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = Some(name.into());
        self
    }
}

static_assertions::assert_impl_all!(ProbeOptions: Send, Sync);
