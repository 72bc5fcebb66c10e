//! A picture: a histogram for each label, on a common logarithmic axis.

use super::text::{duration, named, slowest_first, thousands};
use crate::{LabelLatency, LatencySnapshot};
use std::io::{self, Write};
use std::time::Duration;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 24.0;
const RIGHT: f64 = 24.0;
/// The title, and the axis' legend.
const TOP: f64 = 84.0;
/// A label: a line of text, and its bars.
const TEXT: f64 = 26.0;
const BARS: f64 = 64.0;
const GAP: f64 = 18.0;
const BOTTOM: f64 = 12.0;
/// Bars for each power of ten.
const PER_DECADE: f64 = 24.0;

/// Colours for light pages, and for dark ones. A picture that is opened by itself has a page of its
/// own.
const STYLE: &str = "\
svg { --paper: #ffffff; --ink: #1f2328; --muted: #59636e; --grid: #d1d9e0; --bar: #0969da; --mark: #bc4c00; }
@media (prefers-color-scheme: dark) {
  svg { --paper: #0d1117; --ink: #f0f6fc; --muted: #9198a1; --grid: #3d444d; --bar: #4493f8; --mark: #f0883e; }
}
.paper { fill: var(--paper); }
text { font: 13px ui-sans-serif, system-ui, sans-serif; fill: var(--ink); paint-order: stroke; stroke: var(--paper); stroke-width: 3px; }
.title { font-size: 18px; font-weight: 600; }
.muted { fill: var(--muted); }
.label { font-weight: 600; }
.end { text-anchor: end; }
.middle { text-anchor: middle; }
.grid { stroke: var(--grid); }
.bar { fill: var(--bar); }
.mark { stroke: var(--mark); stroke-width: 1.5; stroke-dasharray: 4 2; }
.marked { fill: var(--mark); font-size: 11px; }
";

/// Where durations lie: from a power of ten to another one.
struct Axis {
    from: i32,
    decades: i32,
}

impl Axis {
    #[allow(clippy::cast_possible_truncation, reason = "at most 20")]
    fn new(labels: &[LabelLatency]) -> Self {
        let nanoseconds = |duration: Duration| log10(duration.as_nanos());
        let shortest = labels.iter().map(|label| nanoseconds(label.min()));
        let longest = labels.iter().map(|label| nanoseconds(label.max()));
        let from = shortest.reduce(f64::min).unwrap_or(3.0).floor() as i32;
        let to = longest.reduce(f64::max).unwrap_or(9.0).floor() as i32 + 1;
        Self {
            from,
            decades: to - from,
        }
    }

    fn x_of_log(&self, log: f64) -> f64 {
        let part = (log - f64::from(self.from)) / f64::from(self.decades);
        LEFT + part * (WIDTH - LEFT - RIGHT)
    }

    fn x(&self, duration: Duration) -> f64 {
        self.x_of_log(log10(duration.as_nanos()))
    }
}

#[allow(clippy::cast_precision_loss, reason = "it is a place in a picture")]
fn log10(nanoseconds: u128) -> f64 {
    (nanoseconds.max(1) as f64).log10()
}

impl LatencySnapshot {
    /// Writes a picture (SVG): a histogram for each label, the one with the greatest p50 first, on
    /// a common logarithmic axis, for light and dark pages.
    ///
    /// # Errors
    /// The error of `writer`.
    ///
    /// ```
    /// # let latency = hotprobe_profile::LatencyMeter::new();
    /// # latency.begin(7);
    /// # latency.end(&7, "<GET>");
    /// let mut picture = Vec::new();
    /// latency.snapshot().write_svg(&mut picture)?;
    /// assert!(String::from_utf8(picture).unwrap().contains("&lt;GET&gt;"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn write_svg(&self, mut writer: impl Write) -> io::Result<()> {
        write(self, &mut writer)
    }
}

fn write(snapshot: &LatencySnapshot, writer: &mut impl Write) -> io::Result<()> {
    let labels = snapshot.labels();
    let axis = Axis::new(labels);
    let rows = u32::try_from(labels.len()).unwrap_or(u32::MAX);
    let height = TOP + f64::from(rows) * (TEXT + BARS + GAP) + BOTTOM;
    let title = escaped(snapshot.title());
    writeln!(
        writer,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         role=\"img\" aria-label=\"{title}\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n\
         <rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\"/>"
    )?;
    let counts = snapshot.counts();
    text(writer, (LEFT, 32.0), "title", &title)?;
    let heading = format!(
        "{} pairs in {}; without partner: {} begins, {} ends",
        thousands(counts.matched),
        duration(snapshot.duration()),
        thousands(counts.unmatched_begins + counts.evicted),
        thousands(counts.unmatched_ends)
    );
    text(writer, (LEFT, 52.0), "muted", &escaped(&heading))?;
    for decade in 0..=axis.decades {
        let log = axis.from + decade;
        let x = axis.x_of_log(log.into());
        let at = Duration::from_nanos(10_u64.saturating_pow(log.unsigned_abs()));
        let class = match decade {
            0 => "muted",
            last if last == axis.decades => "muted end",
            _ => "muted middle",
        };
        line(writer, "grid", x, (TOP - 6.0, height - BOTTOM))?;
        text(writer, (x, TOP - 12.0), class, &legend(at))?;
    }
    let mut y = TOP;
    for label in slowest_first(labels) {
        row(writer, &axis, y, label)?;
        y += TEXT + BARS + GAP;
    }
    writeln!(writer, "</svg>")
}

/// A power of ten: `100 µs`.
fn legend(at: Duration) -> String {
    duration(at).replace(".00", "").replace(".0", "")
}

fn row(writer: &mut impl Write, axis: &Axis, y: f64, label: &LabelLatency) -> io::Result<()> {
    let name = shortened(&named(label.label()));
    text(writer, (LEFT, y + 18.0), "label", &escaped(&name))?;
    let figures = format!(
        "{} · p50 {} · p90 {} · p99 {} · max {}",
        thousands(label.count()),
        duration(label.percentile(50.0)),
        duration(label.percentile(90.0)),
        duration(label.percentile(99.0)),
        duration(label.max()),
    );
    text(writer, (WIDTH - RIGHT, y + 18.0), "muted end", &figures)?;

    let bins = bins(axis, label);
    let most = bins.iter().copied().max().unwrap_or(1).max(1);
    let base = y + TEXT + BARS;
    let width = axis.x_of_log(f64::from(axis.from) + 1.0 / PER_DECADE) - LEFT;
    for (bin, &count) in (0_u32..).zip(&bins).filter(|(_, count)| **count > 0) {
        #[allow(clippy::cast_precision_loss, reason = "it is a height in a picture")]
        let part = count as f64 / most as f64;
        // The smallest bar is visible.
        let height = (part * BARS).max(1.0);
        writeln!(
            writer,
            "<rect class=\"bar\" x=\"{:.2}\" y=\"{:.2}\" width=\"{:.2}\" height=\"{height:.2}\"><title>{count}</title></rect>",
            LEFT + f64::from(bin) * width + 0.5,
            base - height,
            width - 1.0
        )?;
    }
    line(writer, "grid", LEFT, (base, base))?;
    for (percent, name) in [(50.0, "p50"), (99.0, "p99")] {
        let x = axis.x(label.percentile(percent));
        line(writer, "mark", x, (y + TEXT, base))?;
        text(writer, (x + 3.0, y + TEXT + 10.0), "marked", name)?;
    }
    Ok(())
}

/// The number of pairs in each bar.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "they are a few hundred"
)]
fn bins(axis: &Axis, label: &LabelLatency) -> Vec<u64> {
    let mut bins = vec![0; (f64::from(axis.decades) * PER_DECADE) as usize];
    let histogram = label.histogram();
    for value in histogram.iter_recorded() {
        // The middle of what it cannot be told from.
        let middle = histogram.median_equivalent(value.value_iterated_to());
        let log = log10(middle.into()) - f64::from(axis.from);
        let last = bins.len() - 1;
        bins[((log * PER_DECADE).max(0.0) as usize).min(last)] += value.count_at_value();
    }
    bins
}

/// So that it does not run into the figures.
fn shortened(text: &str) -> String {
    const MOST: usize = 48;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST - 1).chain(['…']).collect()
}

fn text(writer: &mut impl Write, at: (f64, f64), class: &str, text: &str) -> io::Result<()> {
    let (x, y) = at;
    writeln!(
        writer,
        "<text class=\"{class}\" x=\"{x:.2}\" y=\"{y:.2}\">{text}</text>"
    )
}

fn line(writer: &mut impl Write, class: &str, x: f64, (from, to): (f64, f64)) -> io::Result<()> {
    // A level one goes all the way.
    let end = if from < to { x } else { WIDTH - RIGHT };
    writeln!(
        writer,
        "<line class=\"{class}\" x1=\"{x:.2}\" y1=\"{from:.2}\" x2=\"{end:.2}\" y2=\"{to:.2}\"/>"
    )
}

/// Nothing of a label is markup, and nothing is a character that XML does not have.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
