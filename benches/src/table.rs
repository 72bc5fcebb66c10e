//! The table of rows, as text and as Markdown.

use crate::code::KNOWN;
use crate::rows::{Figure, Judge, ROWS, Row};
use crate::values::Values;
#[cfg(feature = "peers")]
use std::fmt::Write;
use std::process::ExitCode;

/// Prints the rows of these groups. Fails if a counted row is above its gate, or was not measured
/// although the platform supports it. A timed row never fails.
pub(crate) fn print(values: &Values, groups: &[&str]) -> ExitCode {
    println!(
        "{:<84} {:>9} {:>9} {:>9} {:>9} {:>8} {:>8} {:>8}",
        "", "ours", "floor", "judged", "typical", "target", "stretch", "gate"
    );
    let mut failed = Vec::new();
    let mut missed = 0;
    let mut not_measured = Vec::new();
    for row in ROWS.iter().filter(|row| groups.contains(&row.group)) {
        let Some(value) = row.value(values) else {
            not_measured.push(row);
            continue;
        };
        let best = |name: &str| values.best(name);
        let verdict = verdict(row, values);
        println!(
            "{:<84} {:>9} {:>9} {:>9} {:>9} {:>8} {:>8} {:>8}  {verdict}",
            row.what,
            number(row.ours.get(best), row.unit),
            number(
                row.floor.get(best),
                if matches!(row.floor, Figure::None) {
                    ""
                } else {
                    row.unit
                }
            ),
            judged(row, Some(value)),
            judged(row, row.typical(values)),
            judged(row, row.limits.target),
            judged(row, row.limits.stretch),
            judged(row, row.limits.gate),
        );
        if !row.passes(values) {
            failed.push(row.what);
        }
        missed += usize::from(!meets_target(row, values));
    }
    println!(
        "\nours, floor, judged: the best of all places and processes; typical: their median; {} cores",
        std::thread::available_parallelism().map_or(1, usize::from)
    );
    for row in not_measured {
        println!("not measured: {}", row.what);
        let possible = !row.needs_membarrier || values.best("membarrier") != Some(0.0);
        if row.limits.gate.is_some() && KNOWN && possible {
            failed.push(row.what);
        }
    }
    println!(
        "{missed} targets missed, {} rows above their gate or without a count",
        failed.len()
    );
    for row in &failed {
        println!("FAILED: {row}");
    }
    ExitCode::from(u8::from(!failed.is_empty()))
}

fn meets_target(row: &Row, values: &Values) -> bool {
    row.limits.target.is_none() || row.meets(values, |limits| limits.target)
}

/// Returns the table of rows in Markdown, for the page of documentation.
#[cfg(feature = "peers")]
pub(crate) fn markdown(values: &Values) -> String {
    let mut text = String::from(
        "| group | what | ours | floor | judged | target | |\n|---|---|---|---|---|---|---|\n",
    );
    for row in ROWS {
        let Some(value) = row.value(values) else {
            let _ = writeln!(
                text,
                "| {} | {} | not measured | | | | |",
                row.group, row.what
            );
            continue;
        };
        let best = |name: &str| values.best(name);
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} |",
            row.group,
            row.what,
            number(row.ours.get(best), row.unit),
            number(row.floor.get(best), row.unit),
            judged(row, Some(value)),
            judged(row, row.limits.target),
            if meets_target(row, values) {
                ""
            } else {
                "missed"
            },
        );
    }
    text
}

fn verdict(row: &Row, values: &Values) -> &'static str {
    if row.limits.target.is_none() {
        ""
    } else if !row.passes(values) {
        "FAILED"
    } else if row.meets(values, |limits| limits.stretch) {
        "stretch"
    } else if meets_target(row, values) {
        "ok"
    } else {
        "misses its target"
    }
}

fn number(value: Option<f64>, unit: &str) -> String {
    value.map_or_else(String::new, |value| match unit {
        "" => format!("{value:.0}"),
        "x" => format!("{value:.2} x"),
        "bytes" => format!("{value:.0} B"),
        "instr" => format!("{value:.1} i"),
        _ if value < 10.0 => format!("{value:.2} ns"),
        _ if value < 10_000.0 => format!("{value:.0} ns"),
        _ if value < 10_000_000.0 => format!("{:.1} µs", value / 1e3),
        _ => format!("{:.1} ms", value / 1e6),
    })
}

fn judged(row: &Row, value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| match row.judge {
        Judge::Ratio => format!("{value:.2} x"),
        Judge::Above if value < 0.0 => number(Some(value), row.unit),
        Judge::Above => format!("+{}", number(Some(value), row.unit)),
        Judge::Plain => number(Some(value), row.unit),
    })
}
