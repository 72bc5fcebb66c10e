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

hotprobe::span! {
    /// Decoding.
    pub static DECODING: fn(bytes: &[u8]) -> (checksum: Option<&u32>);
    static EMPTY: pub(self) fn();
}

/// Decodes a frame.
#[must_use]
pub fn decode(bytes: &[u8]) -> usize {
    let span = hotprobe::start!(DECODING, bytes);
    let empty = hotprobe::start!(EMPTY).entered();
    hotprobe::end!(span, None);
    empty.exit().end();
    if bytes.is_empty() {
        hotprobe::fire!(DROPPED);
    } else {
        hotprobe::fire!(DECODED, bytes, None);
    }
    bytes.len()
}
