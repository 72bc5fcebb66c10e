//! Dynamic probes: closures that see an event's arguments as values, whatever its signature.

use crate::metadata::Metadata;
use crate::rcu::slot::Slot;
use crate::value::Value;
use std::fmt;

type Call = dyn Fn(&'static Metadata, &[Value<'_>]) + Send + Sync;

/// A probe that sees values: one type for all events, so that they need to know nothing else of it.
#[doc(hidden)]
pub struct DynamicProbe {
    metadata: &'static Metadata,
    call: Box<Call>,
}

impl DynamicProbe {
    pub(crate) fn new(
        metadata: &'static Metadata,
        probe: impl Fn(&'static Metadata, &[Value<'_>]) + Send + Sync + 'static,
    ) -> Self {
        Self {
            metadata,
            call: Box::new(probe),
        }
    }

    /// Calls the one in this slot, for `event!`, with the arguments of a firing. (Not inlined: each
    /// event would have a copy of its own.)
    #[inline(never)]
    pub fn run(slot: Slot<'_>, values: &[Value<'_>]) {
        slot.run(|probe: &Self| (probe.call)(probe.metadata, values));
    }
}

impl fmt::Debug for DynamicProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamicProbe")
            .field("event", &self.metadata.name())
            .finish_non_exhaustive()
    }
}
