//! The formats in which results are written.

mod buckets;
pub(crate) mod exposition;
mod file;
mod flame_graph;
mod folded;
mod hlog;
mod latency_svg;
mod pprof;
mod pprof_proto;
mod prometheus;
mod replace;
#[cfg(feature = "serde")]
mod serialize;
mod text;
