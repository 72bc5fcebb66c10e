//! What is compared.

use crate::service;
use axum::Router;
use clap::ValueEnum;
use hotprobe::ProbeGroup;

/// The same server, three times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Variant {
    /// Built without events
    None,
    /// With four events a request, and no probes
    Off,
    /// With four events a request, and a probe at each that does nothing
    On,
}

impl Variant {
    pub(crate) const ALL: [Self; 3] = [Self::None, Self::Off, Self::On];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Off => "off",
            Self::On => "on",
        }
    }

    /// Its server. That of off and on is one and the same: they differ by what is attached.
    pub(crate) fn routes(self) -> Router {
        match self {
            Self::None => service::routes::<false>(),
            Self::Off | Self::On => service::routes::<true>(),
        }
    }

    /// Its probes.
    pub(crate) fn attach(self) -> ProbeGroup {
        match self {
            Self::None | Self::Off => ProbeGroup::new(),
            Self::On => service::attach_no_ops(),
        }
    }
}
