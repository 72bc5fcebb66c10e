//! The commands, a file each.

pub(crate) mod latency;
pub(crate) mod list;
pub(crate) mod record;
pub(crate) mod tail;
pub(crate) mod watch;
