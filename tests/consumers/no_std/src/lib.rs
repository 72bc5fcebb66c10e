//! A `no_std` crate declares and fires. (hotprobe itself uses `std`, so what it is linked into has
//! it.)

#![no_std]
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs)]

hotprobe::event! {
    /// A frame has been decoded.
    pub static DECODED: fn(bytes: &[u8], checksum: Option<&u32>);
    static DROPPED: fn();
}

/// Decodes a frame.
#[must_use]
pub fn decode(bytes: &[u8]) -> usize {
    if bytes.is_empty() {
        hotprobe::fire!(DROPPED);
    } else {
        hotprobe::fire!(DECODED, bytes, None);
    }
    bytes.len()
}
