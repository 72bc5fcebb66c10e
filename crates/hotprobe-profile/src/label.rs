//! Labels as texts of bounded length, and arguments of dynamic probes as such texts.

use hotprobe::__private::{Written, write_user_text};
use hotprobe::Value;
use std::fmt::{self, Write};

/// The label of everything beyond the limit on labels.
pub(crate) const OTHER: &str = "(other)";

/// At most this many bytes of a label are kept.
pub(crate) const LABEL_BYTES: usize = 128;

/// The label as it is kept: not too long, in whole characters.
pub(crate) fn cut(text: &str) -> &str {
    if text.len() <= LABEL_BYTES {
        return text;
    }
    let end = (0..=LABEL_BYTES)
        .rev()
        .find(|&end| text.is_char_boundary(end));
    &text[..end.unwrap_or(0)]
}

/// Calls `with` with an argument as a label, cut to its length.
#[inline]
pub(crate) fn with_label<R>(value: Value<'_>, with: impl FnOnce(&str) -> R) -> R {
    if let Value::Str(text) = value {
        return with(cut(text));
    }
    let mut text = ShortText::<LABEL_BYTES>::new();
    let failed = match value {
        Value::Debug(value) => text.user(format_args!("{value:?}")) == Err(Failed::Panicked),
        Value::Display(value) => text.user(format_args!("{value}")) == Err(Failed::Panicked),
        // Cut is enough for a label.
        value => {
            let _ = write!(text, "{value}");
            false
        }
    };
    with(if failed { "(failed)" } else { text.as_str() })
}

/// Why a `Debug` is not there whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    /// It said so, or it is too long.
    Cut,
    Panicked,
}

/// A text of bounded length, on the stack. What has no room is cut off, between characters.
pub(crate) struct ShortText<const BYTES: usize> {
    bytes: [u8; BYTES],
    len: usize,
}

impl<const BYTES: usize> ShortText<BYTES> {
    pub(crate) const fn new() -> Self {
        Self {
            bytes: [0; BYTES],
            len: 0,
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }

    /// Writes what a `Debug` or `Display` of the program writes, which may panic.
    pub(crate) fn user(&mut self, value: fmt::Arguments<'_>) -> Result<(), Failed> {
        let room = BYTES - self.len;
        let mut put = |text: &str| {
            // (There is room for what it is given.)
            let _ = self.write_str(text);
        };
        match write_user_text(value, room, &mut put) {
            Written::Whole => Ok(()),
            Written::Cut | Written::Failed => Err(Failed::Cut),
            Written::Panicked => Err(Failed::Panicked),
        }
    }
}

impl<const BYTES: usize> fmt::Write for ShortText<BYTES> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = BYTES - self.len;
        let fits = (0..=room.min(text.len()))
            .rev()
            .find(|&end| text.is_char_boundary(end))
            .unwrap_or(0);
        self.bytes[self.len..self.len + fits].copy_from_slice(&text.as_bytes()[..fits]);
        self.len += fits;
        if fits == text.len() {
            Ok(())
        } else {
            Err(fmt::Error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_debug_that_heeds_no_error_is_stopped() {
        struct Heedless;
        impl fmt::Debug for Heedless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                loop {
                    let _ = f.write_str("more ");
                }
            }
        }
        let label = with_label(Value::Debug(&Heedless), str::to_owned);
        assert_eq!(label.len(), LABEL_BYTES);
        let mut key = ShortText::<7>::new();
        assert_eq!(key.user(format_args!("{Heedless:?}")), Err(Failed::Cut));
        assert_eq!(key.as_str(), "more mo");
    }

    #[test]
    fn a_long_label_is_cut_between_characters() {
        let long = "é".repeat(LABEL_BYTES);
        assert_eq!(cut(&long), "é".repeat(LABEL_BYTES / 2));
        let odd = format!("a{long}");
        assert_eq!(cut(&odd).len(), LABEL_BYTES - 1);
    }
}
