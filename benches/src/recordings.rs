//! Records, written by this thread into a buffer that has room for all of them.

use crate::{Subject, subject};
use hotprobe::fire;
use hotprobe_record::{Recorder, Recording};
use std::hint::black_box;

hotprobe::event! {
    static NUMBER: fn(x: u64);
    static TEXT: fn(text: &str);
}

/// Starts a recording with this thread's buffer.
///
/// # Panics
/// If the recording cannot start.
pub fn recording() -> Recording {
    let recorder = Recorder::new().event(&NUMBER).event(&TEXT);
    let recording = recorder.max_buffer_bytes(8 << 20).start();
    fire!(NUMBER, 0);
    recording.expect("it can start")
}

#[inline(never)]
fn numbers(n: u64) {
    for i in 0..n {
        fire!(NUMBER, black_box(i));
    }
}

#[inline(never)]
fn texts(n: u64) {
    for _ in 0..n {
        fire!(TEXT, black_box("0123456789abcdef0123456789abcdef"));
    }
}

/// A record of a `u64`, and one of a text of 32 bytes.
pub const RECORDS: [Subject; 2] = [
    subject("record_u64", numbers),
    subject("record_text", texts),
];
