//! A dependency of `catalog`, of which most of its programs never say the name.

#![forbid(unsafe_code)]
#![deny(warnings, missing_docs)]

hotprobe::event! {
    /// An event that the linker may not hear of.
    pub static LOST: fn(id: u64);
    /// One beside it.
    pub static BESIDE: fn();
}
