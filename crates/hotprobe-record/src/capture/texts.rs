//! What `Debug`s write, and how much of a text is kept.

use hotprobe::__private::{Written, write_user_text};
use hotprobe::Value;
use std::fmt;

/// As much of the text as is kept: whole characters.
#[inline(always)]
pub(super) fn cut(text: &str, at: usize) -> &str {
    if text.len() <= at {
        text
    } else {
        cut_inside(text, at)
    }
}

#[cold]
fn cut_inside(text: &str, mut at: usize) -> &str {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    &text[..at]
}

/// What `Debug`s wrote, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    bytes: String,
    /// Where each ends, whether it was cut, and whether it panicked.
    ends: Vec<(usize, bool, bool)>,
}

impl Texts {
    pub(crate) const fn new() -> Self {
        Self {
            bytes: String::new(),
            ends: Vec::new(),
        }
    }

    /// Calls each `Debug` of the values: user code, which may panic, write without end, or fire
    /// events.
    pub(crate) fn format(&mut self, values: &[Value<'_>], cut_at: usize) {
        self.bytes.clear();
        self.ends.clear();
        for value in values {
            match value {
                Value::Debug(value) => self.format_one(format_args!("{value:?}"), cut_at),
                Value::Display(value) => self.format_one(format_args!("{value}"), cut_at),
                _ => {}
            }
        }
    }

    fn format_one(&mut self, value: fmt::Arguments<'_>, cut_at: usize) {
        let begin = self.bytes.len();
        let bytes = &mut self.bytes;
        let written = write_user_text(value, cut_at, &mut |text| bytes.push_str(text));
        let cut = written == Written::Cut;
        // An error of its own: what it wrote before is no value.
        let failed = matches!(written, Written::Failed | Written::Panicked);
        if failed {
            self.bytes.truncate(begin);
        }
        self.ends.push((self.bytes.len(), cut, failed));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], bool, bool)> {
        let mut begin = 0;
        self.ends.iter().map(move |&(end, cut, failed)| {
            let text = &self.bytes.as_bytes()[begin..end];
            begin = end;
            (text, cut, failed)
        })
    }
}
