//! How often events fire.

pub(crate) mod counters;
pub(crate) mod counting;
pub(crate) mod frequent;
pub(crate) mod snapshot;
