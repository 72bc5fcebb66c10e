//! `hotprobe watch`: how often events are fired per second.
//!
//! A session of the server ends after a while; then another one is begun, until the program ends.

use crate::arguments::Watch;
use crate::catalogue;
use crate::color::{self, Paint};
use crate::failure::Failure;
use crate::http::answer::Answer;
use crate::http::client::Client;
use crate::http::query::Query;
use crate::http::sse::EventStream;
use crate::interrupt::{AtInterrupt, on_interrupt};
use crate::output::{self, JSON_VERSION, shown};
use crate::table::{Cell, Column, table, width};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::{Deserialize, Serialize};
use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How much shorter an interval may be, in seconds, by the difference of two clocks.
const TOLERANCE: f64 = 0.05;
/// The pause before another attempt: a session that has just ended may count for a moment.
const AGAIN: Duration = Duration::from_millis(200);
const ATTEMPTS: u32 = 10;
/// The least time from the beginning of a session to the next, so that a server whose sessions end
/// at once is not queried on and on.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest session, in seconds: a day.
const LONGEST: f64 = 24.0 * 3600.0;

#[derive(Deserialize)]
struct WatchBegin {
    events: Vec<Watched>,
}

#[derive(Clone, Deserialize, PartialEq, Eq, Serialize)]
struct Watched {
    name: String,
    file: String,
    line: u32,
    column: u32,
}

#[derive(Deserialize)]
struct Rates {
    seconds: f64,
    fired: Vec<u64>,
}

#[derive(Deserialize)]
struct WatchEnd {
    reason: String,
}

/// The firings since the last line.
#[derive(Default)]
struct Interval {
    seconds: f64,
    fired: Vec<u64>,
}

/// A line of `--json`.
#[derive(Serialize)]
struct WatchLine<'a> {
    version: u32,
    seconds: f64,
    events: Vec<WatchRow<'a>>,
}

#[derive(Serialize)]
struct WatchRow<'a> {
    #[serde(flatten)]
    event: &'a Watched,
    fired: u64,
    per_second: f64,
}

pub(crate) fn run(client: &Client, options: &Watch) -> Result<(), Failure> {
    let query = |patterns: &[String]| {
        Query::get("rates")
            .all("match", patterns)
            .lasting(None, 60.0)
            .answered_by("text/event-stream")
    };
    let mut view = View::new(options);
    let mut events = Vec::new();
    let mut interval = Interval::default();
    let mut left = options.count;
    let shown = Arc::new(AtomicU64::new(0));
    let at_interrupt = Arc::clone(&shown);
    // Before anything is attached. (Relaxed: a number for people.)
    on_interrupt(move || {
        let intervals = at_interrupt.load(Ordering::Relaxed);
        AtInterrupt::End(Some(format!("interrupted: {intervals} intervals shown")))
    })?;
    let mut asked = Instant::now();
    let (mut answer, patterns) = catalogue::ask_for(client, &options.patterns, query)?;
    let query = query(&patterns);
    loop {
        let mut stream = EventStream::of(answer);
        loop {
            let message = stream.next()?;
            match &*message.name {
                "begin" => {
                    let begin: WatchBegin = stream.read(&message)?;
                    if begin.events != events {
                        interval = Interval::default();
                        events = begin.events;
                    }
                }
                "rates" => interval.add(&stream.read(&message)?, events.len()),
                "end" => {
                    if stream.read::<WatchEnd>(&message)?.reason == "shutdown" {
                        return Err(Failure::failed("the server shut down"));
                    }
                    break;
                }
                _ => {}
            }
            if interval.seconds + TOLERANCE >= f64::from(options.interval) {
                view.show(&events, &interval)?;
                shown.fetch_add(1, Ordering::Relaxed);
                interval = Interval::default();
                left = left.map(|left| left - 1);
                if left == Some(0) {
                    return Ok(());
                }
            }
        }
        drop(stream);
        thread::sleep(PAUSE.saturating_sub(asked.elapsed()));
        asked = Instant::now();
        answer = again(client, &query)?;
    }
}

/// Begins another session.
fn again(client: &Client, query: &Query<'_>) -> Result<Answer, Failure> {
    let mut attempts = 0;
    loop {
        match client.ask(query) {
            Err(Failure::Busy(_)) if attempts < ATTEMPTS => {
                attempts += 1;
                thread::sleep(AGAIN);
            }
            result => return result,
        }
    }
}

impl Interval {
    fn add(&mut self, rates: &Rates, events: usize) {
        // (No server of ours sends an interval that is negative, or longer than a session.)
        self.seconds += rates.seconds.clamp(0.0, LONGEST);
        self.fired.resize(events, 0);
        for (sum, fired) in self.fired.iter_mut().zip(&rates.fired) {
            *sum = sum.saturating_add(*fired);
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "a rate, for people")]
    fn line<'a>(&self, events: &'a [Watched], top: Option<u16>) -> WatchLine<'a> {
        let mut rows: Vec<_> = events
            .iter()
            .zip(&self.fired)
            .map(|(event, &fired)| WatchRow {
                event,
                fired,
                per_second: fired as f64 / self.seconds,
            })
            .collect();
        if let Some(top) = top {
            // (Stable: what is fired as often stays sorted by name.)
            rows.sort_by_key(|row| std::cmp::Reverse(row.fired));
            rows.truncate(top.into());
        }
        WatchLine {
            version: JSON_VERSION,
            seconds: self.seconds,
            events: rows,
        }
    }
}

/// The output: on a terminal, the same place each time; otherwise lines.
struct View<'a> {
    options: &'a Watch,
    place: Option<ProgressBar>,
    seconds: f64,
}

impl<'a> View<'a> {
    fn new(options: &'a Watch) -> Self {
        let place = (!options.json && io::stdout().is_terminal()).then(|| {
            let place = ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout());
            // (It knows the terminal's size, and keeps within.)
            place.with_style(
                ProgressStyle::with_template("{msg}")
                    .unwrap_or_else(|_| ProgressStyle::default_bar()),
            )
        });
        Self {
            options,
            place: place.filter(|place| !place.is_hidden()),
            seconds: 0.0,
        }
    }

    fn show(&mut self, events: &[Watched], interval: &Interval) -> Result<(), Failure> {
        self.seconds += interval.seconds;
        let line = interval.line(events, self.options.top);
        if self.options.json {
            // (Numbers and text always can be written.)
            let json = serde_json::to_string(&line).unwrap_or_default();
            return output::text(&(output::shown_json(&json) + "\n"));
        }
        let rate = |row: &WatchRow<'_>| format!("{:.1}", row.per_second);
        let Some(place) = &self.place else {
            let at = format!("{:.0}s", self.seconds);
            let rows: Vec<_> = line
                .events
                .iter()
                .map(|row| [at.clone(), rate(row), shown(&row.event.name)].map(Cell::from))
                .collect();
            // A program reads it: a line each, however long.
            let columns = [Column::Right, Column::Right, Column::Left];
            return output::text(&table(columns, &rows, None, color::of_output()));
        };
        let title = ["PER SECOND", "EVENT"].map(|title| Cell::painted(title, Paint::Title));
        let rows = line
            .events
            .iter()
            .map(|row| [rate(row), shown(&row.event.name)].map(Cell::from));
        let rows: Vec<_> = std::iter::once(title).chain(rows).collect();
        let columns = [Column::Right, Column::Wrapped];
        let table = table(columns, &rows, Some(width()), color::of_output());
        place.set_message(table.trim_end().to_owned());
        Ok(())
    }
}

impl Drop for View<'_> {
    /// Leaves what was shown last.
    fn drop(&mut self) {
        if let Some(place) = &self.place {
            place.abandon();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events() -> Vec<Watched> {
        ["a", "b", "c"]
            .map(|name| Watched {
                name: name.to_owned(),
                file: "x.rs".to_owned(),
                line: 1,
                column: 1,
            })
            .into()
    }

    #[test]
    fn seconds_and_firings_add_up() {
        let mut interval = Interval::default();
        for fired in [[1, 0, 4], [2, 0, 4]] {
            let fired = fired.into();
            interval.add(
                &Rates {
                    seconds: 0.5,
                    fired,
                },
                3,
            );
        }
        let events = events();
        let line = interval.line(&events, None);
        let rates: Vec<_> = line
            .events
            .iter()
            .map(|row| (row.fired, row.per_second))
            .collect();
        assert_eq!(rates, [(3, 3.0), (0, 0.0), (8, 8.0)]);
        for (seconds, fired) in [(1e308, u64::MAX), (1e308, u64::MAX), (-5.0, 1)] {
            let fired = vec![fired];
            interval.add(&Rates { seconds, fired }, 3);
        }
        let line = interval.line(&events, None);
        assert_eq!(
            (line.seconds.round(), line.events[0].fired),
            (172_801.0, u64::MAX)
        );
        let top = interval.line(&events, Some(2));
        let names: Vec<_> = top.events.iter().map(|row| &*row.event.name).collect();
        assert_eq!(names, ["a", "c"]);
    }
}
