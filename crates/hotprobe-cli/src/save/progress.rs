//! A progress bar: the time that has passed, and the bytes that have arrived. On a terminal only.

use console::Term;
use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use std::fmt::Write;
use std::time::Duration;

/// The most cells of the bar, and the columns that what is beside it needs.
const CELLS: usize = 30;
const BESIDE: usize = 30;

/// Returns how many cells the bar has in a terminal of this width.
fn cells(width: usize) -> usize {
    width.saturating_sub(BESIDE).min(CELLS)
}

/// A bar on standard error, until it is dropped.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn new(seconds: f64, has_bytes: bool, message: String) -> Self {
        let template = if has_bytes {
            "{over} {of}  {decimal_bytes}  {wide_msg}"
        } else {
            "{over} {of}  {wide_msg}"
        };
        let width = Term::stderr().size_checked();
        let cells = width.map_or(CELLS, |(_, columns)| cells(columns.into()));
        let over = move |state: &ProgressState, out: &mut dyn Write| {
            let part = (state.elapsed().as_secs_f64() / seconds).min(1.0);
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "between 0 and 30"
            )]
            let full = (part * cells as f64) as usize;
            let _ = write!(out, "{}{}", "█".repeat(full), "░".repeat(cells - full));
        };
        let of = move |state: &ProgressState, out: &mut dyn Write| {
            let _ = write!(
                out,
                "{:.1} of {seconds} s",
                state.elapsed().as_secs_f64().min(seconds)
            );
        };
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::no_length()
            .with_style(style.with_key("over", over).with_key("of", of))
            .with_message(message);
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    /// Shows that the session is about to end.
    pub(crate) fn stopping(&self) {
        self.0.set_message("stopping; a second Ctrl-C kills it");
    }

    pub(crate) fn bytes(&self, bytes: u64) {
        self.0.set_position(bytes);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_leaves_room_for_what_is_beside_it() {
        assert_eq!([20, 40, 80, 120].map(cells), [0, 10, 30, 30]);
    }
}
