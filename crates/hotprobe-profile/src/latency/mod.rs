//! How long it takes from one event to another.

pub(crate) mod builder;
pub(crate) mod histograms;
pub(crate) mod key;
pub(crate) mod label_table;
pub(crate) mod measurement;
pub(crate) mod open_pairs;
pub(crate) mod probe;
pub(crate) mod snapshot;
