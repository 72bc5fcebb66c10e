//! A firing's stack, weight and labels, taken on its thread: addresses only, and nothing allocated.

use super::system;
use super::table::{LabelBytes, StackAddresses};
use hotprobe::__private::{Written, write_user_text};
use hotprobe::Value;
use std::cell::Cell;

/// How many more frames are taken than are kept: those between the firing and here, of which no name is known yet.
/// (20 in a debug build, 5 in a release build, or so.)
pub(super) const INNER: usize = 64;

/// The most that can be asked for: with those above they fit into [`StackAddresses`] without an allocation.
pub(super) const MAX_FRAMES: usize = 448;

/// How many bytes are kept of a label's value.
pub(super) const LABEL_BYTES: usize = 64;

const CUT: &str = "…";

thread_local! {
    // Without a destructor: firings come at any moment of a thread's life.
    static BUSY: Cell<bool> = const { Cell::new(false) };
}

/// While it lives, what this thread fires comes of the profile's own work (a global allocator, or a `Debug`, can have
/// events), and no stack is taken of it: that would never end.
pub(super) struct Busy(());

impl Busy {
    /// None if it is already.
    #[inline]
    pub(super) fn enter() -> Option<Self> {
        // (Not `then_some`: what that makes in vain would be dropped.)
        (!BUSY.replace(true)).then(|| Self(()))
    }
}

impl Drop for Busy {
    #[inline]
    fn drop(&mut self) {
        BUSY.set(false);
    }
}

/// Returns the return addresses, the innermost first, at most `max`.
#[inline]
pub(super) fn stack(max: usize) -> StackAddresses {
    let mut addresses = StackAddresses::new();
    system::return_addresses(|address| {
        if address != 0 {
            addresses.push(address);
        }
        addresses.len() < max
    });
    addresses
}

/// The weight, if the value is one.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "compared before"
)]
#[allow(clippy::cast_precision_loss, reason = "2^64 is a float")]
pub(super) fn weight(value: Value<'_>) -> Option<u64> {
    match value.as_f64() {
        Some(float) => {
            let rounded = float.round();
            // (Not a number compares with nothing.)
            (rounded >= 0.0 && rounded < u64::MAX as f64).then_some(rounded as u64)
        }
        None => value.as_u64(),
    }
}

/// Puts a value behind the others: its length, and so much of its text.
pub(super) fn push_label(labels: &mut LabelBytes, value: Value<'_>) {
    let start = labels.len();
    labels.push(0);
    // A `Debug` is the program's own code. (An error of its own: what it wrote before is the label.)
    let mut put = |text: &str| labels.extend_from_slice(text.as_bytes());
    match write_user_text(format_args!("{value}"), LABEL_BYTES, &mut put) {
        Written::Whole | Written::Failed => {}
        Written::Cut => labels.extend_from_slice(CUT.as_bytes()),
        Written::Panicked => {
            labels.truncate(start + 1);
            labels.extend_from_slice(b"(its `Debug` panicked)");
        }
    }
    let len = labels.len() - start - 1;
    labels[start] = u8::try_from(len).unwrap_or(u8::MAX);
}

/// The values, in the order in which they were put.
pub(super) fn labels(mut bytes: &[u8]) -> Vec<String> {
    let mut labels = Vec::new();
    while let Some((&len, rest)) = bytes.split_first() {
        let (label, rest) = rest.split_at(len.into());
        labels.push(String::from_utf8_lossy(label).into_owned());
        bytes = rest;
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::{LABEL_BYTES, LabelBytes, labels, push_label, weight};
    use hotprobe::Value;
    use std::fmt;

    #[test]
    fn a_weight_is_a_whole_number_that_is_not_negative() {
        for (value, expected) in [
            (Value::U64(7), Some(7)),
            (Value::I64(7), Some(7)),
            (Value::I64(-7), None),
            (Value::U128(1 << 64), None),
            (Value::F64(1.5), Some(2)),
            (Value::F64(-0.4), Some(0)),
            (Value::F64(-0.6), None),
            (Value::F64(f64::NAN), None),
            (Value::F64(f64::INFINITY), None),
            (Value::F64(1e300), None),
            (Value::F32(3.0), Some(3)),
            (Value::Bool(true), None),
            (Value::Str("7"), None),
        ] {
            assert_eq!(weight(value), expected, "{value:?}");
        }
    }

    #[test]
    fn labels_come_out_as_they_went_in_or_cut_between_characters() {
        struct Endless;
        impl fmt::Debug for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                loop {
                    f.write_str("é-")?;
                }
            }
        }
        struct Heedless;
        impl fmt::Debug for Heedless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                loop {
                    let _ = f.write_str("é-");
                }
            }
        }
        let mut bytes = LabelBytes::new();
        let long = "é".repeat(LABEL_BYTES);
        for value in [
            Value::Str(""),
            Value::Str("/orders"),
            Value::U64(7),
            Value::Str(&long),
            Value::Debug(&Endless),
            Value::Debug(&Heedless),
        ] {
            push_label(&mut bytes, value);
        }
        let half = format!("{}…", "é".repeat(LABEL_BYTES / 2));
        let third = format!("{}…", "é-".repeat(LABEL_BYTES / 3));
        let expected = ["", "/orders", "7", &half, &third, &third];
        assert_eq!(labels(&bytes), expected);
    }
}
