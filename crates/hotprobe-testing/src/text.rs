//! Texts in reports: events, their names, and times.

use std::fmt::{self, Debug, Write as _};
use std::time::Duration;

/// What an event is called: its text up to its first field.
pub(crate) fn name_of(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
    &text[..end.unwrap_or(text.len())]
}

/// Formats a value by its `Debug`, and stops after `max` characters.
pub(crate) fn text_up_to(max: usize, value: &dyn Debug) -> String {
    struct Bounded {
        text: String,
        left: usize,
    }
    impl fmt::Write for Bounded {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            for c in text.chars() {
                if self.left == 0 {
                    self.text.push('…');
                    return Err(fmt::Error);
                }
                self.left -= 1;
                self.text.push(c);
            }
            Ok(())
        }
    }
    let mut bounded = Bounded {
        text: String::new(),
        left: max,
    };
    // (The error only says that the rest is cut.)
    let _ = write!(bounded, "{value:?}");
    bounded.text
}

/// A time, as people write it.
pub(crate) fn span(time: Duration) -> String {
    if time.as_millis() % 1000 == 0 {
        format!("{} s", time.as_secs())
    } else if time < Duration::from_secs(1) {
        format!("{} ms", time.as_millis())
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}
