//! The commands, a file each. A new one also needs its arguments (`arguments.rs`) and a line in
//! `main.rs`.

pub(crate) mod complete_event;
pub(crate) mod complete_process;
pub(crate) mod completions;
pub(crate) mod latency;
pub(crate) mod list;
pub(crate) mod man;
#[cfg(unix)]
pub(crate) mod open;
pub(crate) mod ps;
pub(crate) mod record;
pub(crate) mod stacks;
pub(crate) mod tail;
pub(crate) mod watch;
