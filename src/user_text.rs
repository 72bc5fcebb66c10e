//! What the program's own `Debug` or `Display` writes: bounded, and whatever it does. All that
//! formats arguments uses this.

use crate::rcu::panic::discard;
use std::fmt::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// What became of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// All of it was written.
    Whole,
    /// It was longer than there was room for.
    Cut,
    /// The implementation returned an error of its own.
    Failed,
    /// The implementation panicked.
    Panicked,
}

/// Passes what `value` writes to `put`, in pieces of whole characters, at most `room` bytes
/// together.
///
/// An implementation that does not heed errors is stopped by unwinding, where panics unwind. A
/// panic's payload is dropped, even if that panics, too.
pub fn write_user_text(
    value: fmt::Arguments<'_>,
    room: usize,
    put: &mut dyn FnMut(&str),
) -> Written {
    let mut bounded = Bounded {
        put,
        room,
        refused: 0,
    };
    let result = catch_unwind(AssertUnwindSafe(|| bounded.write_fmt(value)));
    let cut = bounded.refused > 0;
    match result {
        Ok(Ok(())) => {
            if cut {
                Written::Cut
            } else {
                Written::Whole
            }
        }
        Ok(Err(fmt::Error)) if cut => Written::Cut,
        Ok(Err(fmt::Error)) => Written::Failed,
        Err(payload) => {
            let stopped = payload.is::<Stop>();
            discard(payload);
            if stopped {
                Written::Cut
            } else {
                Written::Panicked
            }
        }
    }
}

/// Takes so much and no more.
struct Bounded<'a> {
    put: &'a mut dyn FnMut(&str),
    room: usize,
    /// How often it was asked to take more.
    refused: u32,
}

/// The end of an implementation that does not heed errors. (No panic: no hook is called.)
struct Stop;

impl Write for Bounded<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.refused == 0 {
            let mut end = text.len().min(self.room);
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            (self.put)(&text[..end]);
            self.room -= end;
            if end == text.len() {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &dyn fmt::Debug, room: usize) -> (String, Written) {
        let mut text = String::new();
        let written = write_user_text(format_args!("{value:?}"), room, &mut |piece| text += piece);
        (text, written)
    }

    /// A `Debug` that does what its function does.
    struct Does(fn(&mut fmt::Formatter<'_>) -> fmt::Result);

    impl fmt::Debug for Does {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            (self.0)(f)
        }
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(written(&7, 1), ("7".to_owned(), Written::Whole));
        assert_eq!(written(&17, 1), ("1".to_owned(), Written::Cut));
        let text = Does(|f| f.write_str("aé"));
        assert_eq!(written(&text, 2), ("a".to_owned(), Written::Cut));
        assert_eq!(written(&text, 3), ("aé".to_owned(), Written::Whole));
    }

    #[test]
    fn one_that_heeds_no_error_is_stopped() {
        let endless = Does(|f| {
            loop {
                let _ = f.write_str("more ");
            }
        });
        assert_eq!(written(&endless, 7), ("more mo".to_owned(), Written::Cut));
    }

    #[test]
    fn an_error_and_a_panic_are_known_even_if_the_payload_panics_when_it_is_dropped() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                resume_unwind(Box::new("from the payload"));
            }
        }
        let failing = Does(|_| Err(fmt::Error));
        assert_eq!(written(&failing, 7).1, Written::Failed);
        let panicking = Does(|_| resume_unwind(Box::new(Bomb)));
        assert_eq!(written(&panicking, 7).1, Written::Panicked);
    }
}
