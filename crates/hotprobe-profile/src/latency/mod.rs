//! How long it takes from one event to another.

pub(crate) mod between;
pub(crate) mod histograms;
pub(crate) mod key;
pub(crate) mod label_table;
pub(crate) mod meter;
pub(crate) mod meter_builder;
pub(crate) mod open_pairs;
pub(crate) mod session;
pub(crate) mod snapshot;
