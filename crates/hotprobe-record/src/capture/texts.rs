//! What `Debug`s write, and how much of a text is kept.

use hotprobe::Value;
use std::fmt::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

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

    /// Calls each `Debug` of the values: user code, which may panic, write without end, or fire events.
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
        let mut bounded = Bounded {
            bytes: &mut self.bytes,
            room: cut_at,
            refused: 0,
        };
        let result = catch_unwind(AssertUnwindSafe(|| bounded.write_fmt(value)));
        let cut = bounded.refused > 0;
        let failed = match result {
            // An error of its own: what it wrote before is no value.
            Ok(result) => result.is_err() && !cut,
            Err(payload) => {
                let stopped = payload.is::<Stop>();
                crate::discard::discard(payload);
                !stopped
            }
        };
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

/// Takes so much and no more.
struct Bounded<'a> {
    bytes: &'a mut String,
    room: usize,
    /// How often it was asked to take more.
    refused: u32,
}

/// The end of a `Debug` that does not heed errors. (No panic: nobody is told.)
struct Stop;

impl Write for Bounded<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.refused == 0 {
            let kept = cut(text, self.room);
            self.bytes.push_str(kept);
            self.room -= kept.len();
            if kept.len() == text.len() {
                return Ok(());
            }
        }
        self.refused += 1;
        // Where panics abort there is no way out of it.
        if self.refused > 100 && cfg!(panic = "unwind") {
            resume_unwind(Box::new(Stop));
        }
        Err(fmt::Error)
    }
}
