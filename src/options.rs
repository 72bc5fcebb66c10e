//! How a probe is attached: [`ProbeOptions`], [`OnPanic`].

use std::borrow::Cow;

/// What a panic in a probe does.
///
/// With `panic = "abort"` there is nothing to catch: a panicking probe ends the process.
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
    /// The panic is caught and counted, and the probe switched off for good: the traced code never
    /// sees it, and later probes of the same firing run. The probe stays attached (it is counted,
    /// and keeps its captures) until it is detached.
    #[default]
    Quarantine,
    /// For tests: the panic is counted, and continues through the traced code. Later probes of that
    /// firing do not run; the probe is not switched off.
    Propagate,
}

/// How a probe is attached: its name, and its panic policy.
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
    /// Creates options without a name; a panic quarantines.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets what a panic in the probe does.
    pub fn on_panic(mut self, policy: OnPanic) -> Self {
        self.on_panic = policy;
        self
    }

    /// Sets a name, for callers that list an event's probes.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = Some(name.into());
        self
    }
}

static_assertions::assert_impl_all!(ProbeOptions: Send, Sync);
