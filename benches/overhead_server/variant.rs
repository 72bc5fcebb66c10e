//! What is compared.

use crate::recorded;
use crate::service;
use axum::Router;
use clap::ValueEnum;

/// The same server, in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Variant {
    /// Built without events
    None,
    /// With four events a request, and no probes
    Off,
    /// With four events a request, and a probe at each that does nothing
    On,
    /// With four events a request, all of them recorded
    Recorded,
}

/// Detaches the probes of a variant, and returns what was wrong with them.
pub(crate) type Detach = Box<dyn FnOnce() -> Result<(), String>>;

impl Variant {
    pub(crate) const ALL: [Self; 4] = [Self::None, Self::Off, Self::On, Self::Recorded];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Off => "off",
            Self::On => "on",
            Self::Recorded => "recorded",
        }
    }

    /// How much of the throughput its events may cost. (Without any, it is what the others are
    /// compared with.)
    pub(crate) fn allowed(self) -> Option<f64> {
        match self {
            Self::None => None,
            Self::Off | Self::On => Some(0.01),
            Self::Recorded => Some(0.02),
        }
    }

    /// Its server. The variants with events have the same server, and differ in the probes.
    pub(crate) fn routes(self) -> Router {
        if self == Self::None {
            service::routes::<false>()
        } else {
            service::routes::<true>()
        }
    }

    /// Its probes.
    pub(crate) fn attach(self) -> Result<Detach, String> {
        match self {
            Self::None | Self::Off => Ok(Box::new(|| Ok(()))),
            Self::On => {
                let mut group = service::attach_no_ops();
                Ok(Box::new(move || {
                    group.detach();
                    Ok(())
                }))
            }
            Self::Recorded => recorded::start(),
        }
    }
}
