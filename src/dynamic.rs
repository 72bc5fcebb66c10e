//! Dynamic probes: closures that see an event's arguments as values, whatever its signature.

use crate::metadata::Metadata;
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

    /// Calls it, for `event!`, with the arguments of a firing.
    #[inline]
    pub fn call(&self, values: &[Value<'_>]) {
        (self.call)(self.metadata, values);
    }
}

impl fmt::Debug for DynamicProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamicProbe")
            .field("event", &self.metadata.name())
            .finish_non_exhaustive()
    }
}
