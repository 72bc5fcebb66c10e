//! The endpoints, a file each.

pub(super) mod events;
pub(super) mod guess;
pub(super) mod latency;
pub(super) mod page;
pub(super) mod rates;
pub(super) mod record;
pub(super) mod stacks;
pub(super) mod stats;
pub(super) mod stop;
pub(super) mod tail;
