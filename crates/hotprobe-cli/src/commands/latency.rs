//! `hotprobe latency`: the time from one event to another, as a table or a file.

use crate::arguments::Latency;
use crate::catalogue::{self, Event};
use crate::color::{self, Paint};
use crate::duration::{shown_nanoseconds, shown_seconds};
use crate::failure::{Failure, alarm, note};
use crate::guess::{self, Pair};
use crate::http::client::Client;
use crate::http::query::Query;
use crate::output::{self, shown, versioned_json};
use crate::save::by_extension;
use crate::save::measured::{Measured, measure};
use crate::save::session_time::SessionTime;
use crate::table::{Cell, Column, table, width, wrapped};
use indicatif::HumanCount;
use serde::Deserialize;
use std::cmp::Reverse;
use std::fmt::Write as _;

/// The default duration, in seconds.
const USUAL: f64 = 10.0;
const EXTENSIONS: [(&str, LatencyFile); 4] = [
    (".txt", LatencyFile::Text),
    (".svg", LatencyFile::Svg),
    (".hlog", LatencyFile::Hlog),
    (".json", LatencyFile::Json),
];
/// The width of a table in a file.
const FILE_WIDTH: usize = 80;
/// How narrow the labels' column may become before the numbers get lines of their own.
const LABEL: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LatencyFile {
    Text,
    Svg,
    Hlog,
    Json,
}

/// A measurement as the server sends it, as far as it is shown.
#[derive(Debug, Deserialize)]
struct LatencyResult {
    title: String,
    #[serde(default = "complete")]
    complete: bool,
    counts: LatencyCounts,
    labels: Vec<LatencyLabel>,
}

/// A server that does not tell has not found anything missing.
fn complete() -> bool {
    true
}

#[derive(Debug, Deserialize)]
struct LatencyCounts {
    begins: u64,
    ends: u64,
    matched: u64,
    unmatched_begins: u64,
    unmatched_ends: u64,
    evicted: u64,
    open: u64,
    skipped: u64,
    begins_without_key: u64,
    ends_without_key: u64,
}

#[derive(Debug, Deserialize)]
struct LatencyLabel {
    label: String,
    count: u64,
    p50_ns: u64,
    p90_ns: u64,
    p99_ns: u64,
    max_ns: u64,
}

/// The pictures and files of a measurement.
#[derive(Debug, Deserialize)]
struct LatencyAll {
    json: LatencyResult,
    svg: String,
    hlog: String,
}

pub(crate) fn run(client: &Client, mut options: Latency) -> Result<(), Failure> {
    let file = match &options.output {
        Some(path) => Some(by_extension(path, &EXTENSIONS, "")?),
        None => None,
    };
    let pair = pair(client, &mut options)?;
    let is_all = matches!(file, Some(LatencyFile::Svg | LatencyFile::Hlog));
    let events = [pair.begin, pair.end];
    let query = |events: &[String]| {
        Query::get("latency")
            .posted()
            .and("begin", events.first())
            .and("end", events.get(1))
            .and("key", Some(&pair.key))
            .and("label", pair.label.as_ref())
            .lasting(options.seconds, USUAL)
            .and("format", Some(if is_all { "all" } else { "json" }))
            .answered_by("application/json")
    };
    let mut time = SessionTime::begin(options.seconds, USUAL);
    let measured = measure(client, &events, query, &mut time, options.output.as_deref())?;
    let result = if is_all {
        let LatencyAll { json, svg, hlog } = measured.parse()?;
        let content = if file == Some(LatencyFile::Svg) {
            svg
        } else {
            hlog
        };
        save_unless_empty(measured, &json, content.as_bytes())?;
        json
    } else {
        let result: LatencyResult = measured.parse()?;
        match file {
            Some(LatencyFile::Json) => {
                let json = versioned_json(measured.json());
                save_unless_empty(measured, &result, json.as_bytes())?;
            }
            Some(_) => {
                let text = result.text(pair.label.as_deref(), FILE_WIDTH, false);
                save_unless_empty(measured, &result, text.as_bytes())?;
            }
            None if options.json => output::text(&versioned_json(measured.json()))?,
            None if result.labels.is_empty() => {}
            None => {
                let text = result.text(pair.label.as_deref(), width(), color::of_output());
                output::text(&text)?;
            }
        }
        result
    };
    if file.is_some() && !result.complete {
        alarm(INCOMPLETE);
    }
    time.check(client)?;
    if result.labels.is_empty() {
        return Err(result.nothing(time.seconds()));
    }
    Ok(())
}

const INCOMPLETE: &str =
    "some firings had not ended when the time was up: the result is incomplete";

/// Saves the file, unless it would be an empty picture.
fn save_unless_empty(
    measured: Measured,
    result: &LatencyResult,
    content: &[u8],
) -> Result<(), Failure> {
    if result.labels.is_empty() {
        return Ok(());
    }
    measured.save(content)
}

/// Returns what is to be measured: as given, and guessed where it is not.
fn pair(client: &Client, options: &mut Latency) -> Result<Pair, Failure> {
    let label = options.label.take();
    let given = (options.begin.take(), options.end.take(), options.key.take());
    if let (Some(begin), Some(end), Some(key)) = given {
        let by_name = false;
        return Ok(Pair {
            begin,
            end,
            key,
            label,
            by_name,
        });
    }
    let (begin, end, _) = given;
    let (mut pair, others) = match (begin, end) {
        (Some(begin), Some(end)) => {
            let events = catalogue::all(client)?;
            let (begin, end) = (one(&begin, &events)?, one(&end, &events)?);
            let pairs = guess::pairs(client, Some(&begin.name), Some(&end.name))?;
            let pair = pairs.into_iter().next().ok_or_else(|| {
                Failure::failed(format!(
                    "`{}` and `{}` have no parameter in common that could be the key",
                    shown(&begin.name),
                    shown(&end.name)
                ))
            })?;
            (pair, Vec::new())
        }
        (Some(begin), None) => {
            let events = catalogue::all(client)?;
            let begin = one(&begin, &events)?;
            let pairs = guess::pairs(client, Some(&begin.name), None)?;
            let pair = pairs.into_iter().find(|pair| pair.by_name);
            let pair = pair.ok_or_else(|| {
                Failure::failed(format!(
                    "cannot guess the end of `{}` by its name; give END",
                    shown(&begin.name)
                ))
            })?;
            (pair, Vec::new())
        }
        (None, _) => {
            let mut pairs = guess::pairs(client, None, None)?;
            pairs.retain(|pair| pair.by_name);
            if pairs.is_empty() {
                return Err(Failure::failed(
                    "no two events are a begin and its end by their names (NAME_BEGIN and NAME_END \
                     with a parameter in common); give BEGIN and END",
                ));
            }
            let others = pairs.split_off(1);
            (pairs.remove(0), others)
        }
    };
    pair.label = label.or(pair.label);
    let label = pair
        .label
        .as_ref()
        .map_or_else(String::new, |label| format!(" --label {}", shown(label)));
    note(format_args!(
        "guessed: hotprobe latency {} {} {}{label}",
        shown(&pair.begin),
        shown(&pair.end),
        shown(&pair.key)
    ));
    if !others.is_empty() {
        let others = catalogue::listed(others.iter().map(|pair| &*pair.begin));
        note(format_args!("other begins: {others}"));
    }
    Ok(pair)
}

/// Returns the event that a name, a pattern or a part of a name means.
fn one<'a>(text: &str, events: &'a [Event]) -> Result<&'a Event, Failure> {
    let found = catalogue::matching(text, events)?;
    if let [event] = found[..] {
        return Ok(event);
    }
    let names = catalogue::listed(found.iter().map(|event| &*event.name));
    Err(Failure::failed(format!(
        "{} events match `{}`; name one of {names}",
        found.len(),
        shown(text)
    )))
}

impl LatencyResult {
    /// Returns the failure of a measurement in which no pair ended.
    fn nothing(&self, seconds: f64) -> Failure {
        let LatencyCounts { begins, ends, .. } = self.counts;
        Failure::failed(format!(
            "nothing was measured: no pair ended in {} ({}, {})",
            shown_seconds(seconds),
            counted(begins, "begin"),
            counted(ends, "end")
        ))
    }

    /// Returns the title, the table, the slowest label first, and what it leaves out.
    fn text(&self, label: Option<&str>, width: usize, is_colored: bool) -> String {
        let mut labels: Vec<_> = self.labels.iter().collect();
        labels.sort_by_key(|label| Reverse((label.p50_ns, label.p99_ns)));
        let mut text = String::new();
        for line in wrapped(&shown(&self.title), width) {
            text += &Paint::Dim.on(&line, is_colored);
            text.push('\n');
        }
        let rows: Vec<_> = labels.iter().map(|label| label.cells()).collect();
        let is_slowest = |index: usize| index == 0 && rows.len() > 1;
        let titles = ["count", "p50", "p90", "p99", "max"].map(str::to_owned);
        let name = label.map_or_else(|| "label".to_owned(), shown);
        let numbers = |row: usize| {
            rows.iter()
                .map(move |(_, cells)| cells[row].chars().count())
                .chain([titles[row].len()])
                .max()
                .unwrap_or(0)
                + 2
        };
        let all_numbers: usize = (0..titles.len()).map(numbers).sum();
        let columns = [Column::Right; 4];
        if all_numbers + LABEL.min(longest(&rows)) <= width {
            let title = title_row(&name, &titles);
            let rows = rows.iter().enumerate().map(|(index, (label, cells))| {
                let [count, p50, p90, p99, max] = cells.clone();
                let row = [label.clone(), count, p50, p90, p99, max];
                row.map(|cell| {
                    if is_slowest(index) {
                        Cell::painted(cell, Paint::Alarm)
                    } else {
                        cell.into()
                    }
                })
            });
            let rows: Vec<_> = std::iter::once(title).chain(rows).collect();
            let [a, b, c, d] = columns;
            text += &table(
                [Column::Wrapped, Column::Right, a, b, c, d],
                &rows,
                Some(width),
                is_colored,
            );
        } else {
            // Too narrow: a label's numbers are in a line of their own.
            let [count, p50, p90, p99, max] = titles;
            let heads = std::iter::once((name, [count, p50, p90, p99, max]));
            let lines: Vec<_> = heads.chain(rows.iter().cloned()).collect();
            let count_width = lines
                .iter()
                .map(|(_, [count, ..])| count.len())
                .max()
                .unwrap_or(0);
            let room = width.saturating_sub(count_width + 2).max(2);
            let label_width = longest(&lines).min(room);
            let numbers: Vec<_> = lines
                .iter()
                .map(|(_, [_, p50, p90, p99, max])| {
                    [p50, p90, p99, max].map(|cell| Cell::from(cell.as_str()))
                })
                .collect();
            let numbers = table(columns, &numbers, Some(width), false);
            for (index, ((label, [count, ..]), numbers)) in
                lines.iter().zip(numbers.lines()).enumerate()
            {
                let paint = match index {
                    0 => Some(Paint::Title),
                    _ if is_slowest(index - 1) => Some(Paint::Alarm),
                    _ => None,
                };
                let painted = |line: &str| {
                    paint.map_or_else(|| line.to_owned(), |paint| paint.on(line, is_colored))
                };
                for (line, part) in wrapped(label, label_width).iter().enumerate() {
                    let free = label_width - console::measure_text_width(part);
                    let count = if line == 0 { count } else { "" };
                    let line = format!("{part}{}  {count:>count_width$}", " ".repeat(free));
                    text += &painted(line.trim_end());
                    text.push('\n');
                }
                text += &painted(numbers);
                text.push('\n');
            }
        }
        for line in self.rest().iter().flat_map(|line| wrapped(line, width)) {
            text += &line;
            text.push('\n');
        }
        text
    }

    /// Returns the sentences about what is in the table, and what is not.
    fn rest(&self) -> Vec<String> {
        let counts = &self.counts;
        let mut first = format!(
            "{}; {} without a begin, {} without an end, {} still open",
            counted(counts.matched, "pair"),
            counted(counts.unmatched_ends, "end"),
            counted(
                counts.unmatched_begins.saturating_add(counts.evicted),
                "begin"
            ),
            HumanCount(counts.open)
        );
        for (count, noun, what) in [
            (counts.begins_without_key, "begin", "without a key"),
            (counts.ends_without_key, "end", "without a key"),
            (counts.skipped, "firing", "skipped"),
        ] {
            if count > 0 {
                let _ = write!(first, ", {} {what}", counted(count, noun));
            }
        }
        let mut lines = vec![first];
        if !self.complete {
            lines.push(INCOMPLETE.to_owned());
        }
        lines
    }
}

/// Writes a number and its noun: `1 pair`, `7,174 pairs`.
fn counted(count: u64, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", HumanCount(count))
}

fn title_row(name: &str, titles: &[String; 5]) -> [Cell; 6] {
    let [count, p50, p90, p99, max] = titles;
    [name, count, p50, p90, p99, max].map(|title| Cell::painted(title, Paint::Title))
}

/// Returns the width of the longest label.
fn longest(rows: &[(String, [String; 5])]) -> usize {
    rows.iter()
        .map(|(label, _)| console::measure_text_width(label))
        .max()
        .unwrap_or(0)
}

impl LatencyLabel {
    fn cells(&self) -> (String, [String; 5]) {
        let label = if self.label.is_empty() {
            "(empty)".to_owned()
        } else {
            shown(&self.label)
        };
        let [p50, p90, p99, max] =
            [self.p50_ns, self.p90_ns, self.p99_ns, self.max_ns].map(shown_nanoseconds);
        (
            label,
            [HumanCount(self.count).to_string(), p50, p90, p99, max],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use console::measure_text_width;

    fn result() -> LatencyResult {
        let label = |label: &str, count: u64, p50_ns: u64| LatencyLabel {
            label: label.to_owned(),
            count,
            p50_ns,
            p90_ns: p50_ns * 2,
            p99_ns: p50_ns * 5,
            max_ns: p50_ns * 30,
        };
        LatencyResult {
            title: "from live_server::events::REQUEST_BEGIN to live_server::events::REQUEST_END"
                .to_owned(),
            complete: true,
            counts: LatencyCounts {
                begins: 141_582,
                ends: 141_582,
                matched: 141_581,
                unmatched_begins: 0,
                unmatched_ends: 1,
                evicted: 0,
                open: 1,
                skipped: 0,
                begins_without_key: 0,
                ends_without_key: 0,
            },
            labels: vec![
                label("GET /orders/{id}", 93_998, 15_100),
                label("GET /orders/report", 588, 1_740_000),
                label(
                    "POST /orders/{id}/positions/{position}/corrections",
                    23_497,
                    19_200,
                ),
            ],
        }
    }

    #[test]
    fn the_table_fits_the_terminal_with_the_slowest_first() {
        for width in [40, 80, 120] {
            let text = result().text(Some("route"), width, false);
            for line in text.lines() {
                assert!(measure_text_width(line) <= width, "{width}: {line}");
                assert!(!line.ends_with(' '), "{width}: {line}");
            }
            let at = |part: &str| {
                text.find(part)
                    .unwrap_or_else(|| panic!("no {part} in {text}"))
            };
            // The title first, and then the slowest.
            assert_eq!(at("from live_server"), 0, "{text}");
            assert!(at("route") < at("GET /orders/report"), "{text}");
            assert!(
                at("1.74 ms") < at("19.2 µs") && at("19.2 µs") < at("15.1 µs"),
                "{text}"
            );
            assert!(at("p50") < at("p90") && at("p99") < at("max"), "{text}");
            for part in ["23,497", "93,998", "52.2 ms", "141,581 pairs", "588"] {
                at(part);
            }
        }
    }

    #[test]
    fn a_wide_terminal_has_a_line_for_each_label() {
        let expected = "\
from live_server::events::REQUEST_BEGIN to live_server::events::REQUEST_END
route                                                count      p50      p90      p99      max
GET /orders/report                                     588  1.74 ms  3.48 ms  8.70 ms  52.2 ms
POST /orders/{id}/positions/{position}/corrections  23,497  19.2 µs  38.4 µs  96.0 µs   576 µs
GET /orders/{id}                                    93,998  15.1 µs  30.2 µs  75.5 µs   453 µs
141,581 pairs; 1 end without a begin, 0 begins without an end, 1 still open
";
        assert_eq!(result().text(Some("route"), 120, false), expected);
    }

    #[test]
    fn a_narrow_terminal_has_the_numbers_below_the_label() {
        let expected = "\
from live_server::events::REQUEST_BEGIN
to live_server::events::REQUEST_END
route                              count
    p50      p90      p99      max
GET /orders/report                   588
1.74 ms  3.48 ms  8.70 ms  52.2 ms
POST /orders/{id}/positions/      23,497
{position}/corrections
19.2 µs  38.4 µs  96.0 µs   576 µs
GET /orders/{id}                  93,998
15.1 µs  30.2 µs  75.5 µs   453 µs
141,581 pairs; 1 end without a begin, 0
begins without an end, 1 still open
";
        assert_eq!(result().text(Some("route"), 40, false), expected);
    }

    #[test]
    fn what_is_missing_is_told_below_the_table() {
        let mut result = result();
        result.complete = false;
        result.counts.skipped = 1200;
        let text = result.text(None, 120, false);
        assert!(text.contains(", 1,200 firings skipped\n"), "{text}");
        assert!(text.ends_with(&format!("{INCOMPLETE}\n")), "{text}");
        assert!(text.contains("\nlabel "), "{text}");
    }
}
