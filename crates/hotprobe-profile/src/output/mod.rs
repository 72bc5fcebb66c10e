//! The formats in which results are written.

pub(crate) mod flame_graph;
pub(crate) mod folded;
pub(crate) mod hlog;
pub(crate) mod latency_svg;
pub(crate) mod pprof;
mod pprof_proto;
pub(crate) mod prometheus;
pub(crate) mod text;
