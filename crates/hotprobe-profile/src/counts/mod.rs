//! How often events fire.

pub(crate) mod builder;
pub(crate) mod counters;
pub(crate) mod frequent;
pub(crate) mod session;
pub(crate) mod snapshot;
