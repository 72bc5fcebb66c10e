//! Tables for people.

use crate::{CountsSnapshot, EventCount, LabelLatency, LatencySnapshot};
use std::fmt::{self, Write};
use std::time::Duration;

/// Three significant digits and a unit: `1.23 ms`.
pub(crate) fn duration(duration: Duration) -> String {
    let nanoseconds = duration.as_nanos();
    if nanoseconds < 1000 {
        return format!("{nanoseconds} ns");
    }
    #[allow(clippy::cast_precision_loss, reason = "three digits are written")]
    let mut value = nanoseconds as f64;
    for unit in ["ns", "µs", "ms"] {
        // What would be rounded to 1000 belongs to the next unit.
        if value < 999.5 {
            return format!("{} {unit}", three_digits(value));
        }
        value /= 1000.0;
    }
    format!("{} s", three_digits(value))
}

pub(crate) fn three_digits(value: f64) -> String {
    if value < 9.995 {
        format!("{value:.2}")
    } else if value < 99.95 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}

/// A count with a comma between thousands: `7,174`.
pub(crate) fn thousands(count: impl Into<u128>) -> String {
    let digits = count.into().to_string();
    let mut separated = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            separated.push(',');
        }
        separated.push(digit);
    }
    separated
}

/// Returns the labels with the greatest p50 first.
pub(crate) fn slowest_first(labels: &[LabelLatency]) -> Vec<&LabelLatency> {
    let mut slowest: Vec<_> = labels.iter().collect();
    slowest.sort_by_cached_key(|label| std::cmp::Reverse(label.percentile(50.0)));
    slowest
}

/// On one line, and nothing that a terminal obeys: labels come from anywhere.
pub(crate) fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        // Those that turn the direction of writing, break lines, or are not seen, too.
        let is_format = matches!(
            c,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
        );
        if c.is_control() || is_format {
            printable.extend(c.escape_default());
        } else {
            printable.push(c);
        }
    }
    printable
}

/// A label in a table or a picture.
pub(crate) fn named(label: &str) -> String {
    if label.is_empty() {
        "(empty)".to_owned()
    } else {
        printable(label)
    }
}

/// Rows of cells, the first column on the left, the others on the right.
fn table(rows: &[Vec<String>], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells
            .map(|cell: &String| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = widths[column];
            if column == 0 {
                write!(line, "{cell:<width$}")?;
            } else {
                write!(line, "  {cell:>width$}")?;
            }
        }
        writeln!(f, "{}", line.trim_end())?;
    }
    Ok(())
}

fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

impl fmt::Display for LatencySnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        latencies(self, f)
    }
}

impl fmt::Display for CountsSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        counts(self, f)
    }
}

fn latencies(snapshot: &LatencySnapshot, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let title = printable(snapshot.title());
    let mut rows = vec![row([&title, "count", "p50", "p90", "p99", "max"])];
    for label in slowest_first(snapshot.labels()) {
        let percentile = |percent| duration(label.percentile(percent));
        rows.push(vec![
            named(label.label()),
            thousands(label.count()),
            percentile(50.0),
            percentile(90.0),
            percentile(99.0),
            duration(label.max()),
        ]);
    }
    table(&rows, f)?;
    let counts = snapshot.counts();
    let carried = match counts.carried {
        0 => String::new(),
        carried => format!(" and {} open before", thousands(carried)),
    };
    writeln!(
        f,
        "{} begins{carried}: {} matched, {} unmatched, {} evicted, {} open",
        thousands(counts.begins),
        thousands(counts.matched),
        thousands(counts.unmatched_begins),
        thousands(counts.evicted),
        thousands(counts.open)
    )?;
    writeln!(
        f,
        "{} ends: {} matched, {} unmatched",
        thousands(counts.ends),
        thousands(counts.matched),
        thousands(counts.unmatched_ends)
    )?;
    let sum = |of: fn(&LabelLatency) -> u64| snapshot.labels().iter().map(of).sum();
    if let Some(filter) = snapshot.filter() {
        let rejected = thousands(counts.rejected);
        writeln!(f, "where {}: {rejected} rejected", printable(filter))?;
    }
    let rest = [
        (counts.begins_without_key, "begins without key"),
        (counts.ends_without_key, "ends without key"),
        (counts.skipped, "skipped inside a key's `Eq`"),
        (sum(LabelLatency::too_short), "shorter than the range"),
        (sum(LabelLatency::too_long), "longer than the range"),
    ];
    for (count, what) in rest {
        if count > 0 {
            writeln!(f, "{} {what}", thousands(count))?;
        }
    }
    Ok(())
}

fn counts(snapshot: &CountsSnapshot, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut rows = Vec::new();
    if !snapshot.events().is_empty() {
        rows.push(row(["event", "count", "per second"]));
    }
    for event in snapshot.events() {
        rows.push(vec![
            printable(event.name()),
            thousands(event.count()),
            three_digits(event.rate()),
        ]);
    }
    table(&rows, f)?;
    if let Some(filter) = snapshot.filter() {
        let rejected: u64 = snapshot.events().iter().map(EventCount::rejected).sum();
        let rejected = thousands(rejected);
        writeln!(f, "where {}: {rejected} rejected", printable(filter))?;
    }
    for breakdown in snapshot.breakdowns() {
        let title = format!("{} by {}", breakdown.event(), breakdown.parameter());
        let exact = breakdown.is_exact();
        let mut heading = vec![
            printable(&title),
            "count".to_owned(),
            "per second".to_owned(),
        ];
        if !exact {
            heading.push("count too high by at most".to_owned());
        }
        let mut rows = vec![heading];
        for label in breakdown.labels() {
            let mut row = vec![
                named(label.label()),
                thousands(label.count()),
                three_digits(label.rate()),
            ];
            if !exact {
                row.push(thousands(label.error()));
            }
            rows.push(row);
        }
        writeln!(f)?;
        table(&rows, f)?;
        if !exact {
            writeln!(
                f,
                "of {}; labels that are not listed: {} at most each",
                thousands(breakdown.total()),
                thousands(breakdown.max_unlisted())
            )?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_three_digits_and_a_unit() {
        let written = |nanoseconds| duration(Duration::from_nanos(nanoseconds));
        assert_eq!(written(0), "0 ns");
        assert_eq!(written(999), "999 ns");
        assert_eq!(written(1_000), "1.00 µs");
        assert_eq!(written(9_994), "9.99 µs");
        assert_eq!(written(9_996), "10.0 µs");
        assert_eq!(written(99_960), "100 µs");
        assert_eq!(written(999_499), "999 µs");
        assert_eq!(written(999_500), "1.00 ms");
        assert_eq!(written(1_234_000_000), "1.23 s");
        assert_eq!(written(5_000_000_000_000), "5000 s");
    }

    #[test]
    fn a_terminal_obeys_no_label() {
        assert_eq!(printable("a\x1b[31m\n\u{202e}é"), r"a\u{1b}[31m\n\u{202e}é");
    }

    #[test]
    fn what_is_not_seen_is_written_out() {
        // Two labels that would look the same.
        for unseen in ['\u{61c}', '\u{200b}', '\u{2060}', '\u{feff}'] {
            let expected = format!("a\\u{{{:x}}}", u32::from(unseen));
            assert_eq!(printable(&format!("a{unseen}")), expected);
        }
    }
}
