//! The table on paper.

use crate::rows::{Figure, Judge, ROWS, Row, Values};
use std::process::ExitCode;

/// Prints what was measured; fails if a row is above its gate.
pub fn print(values: &Values, groups: &[&str]) -> ExitCode {
    println!(
        "{:<68} {:>9} {:>9} {:>9} {:>9} {:>8} {:>8} {:>8}",
        "", "ours", "floor", "judged", "typical", "target", "stretch", "gate"
    );
    let mut failed = Vec::new();
    let mut missed = 0;
    for row in ROWS {
        let Some(value) = row.value(values) else {
            continue;
        };
        let best = |name: &str| values.best(name);
        let verdict = verdict(row, values);
        println!(
            "{:<68} {:>9} {:>9} {:>9} {:>9} {:>8} {:>8} {:>8}  {verdict}",
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
            judged(row, Some(row.limits.target)),
            judged(row, row.limits.stretch),
            judged(row, Some(row.limits.gate)),
        );
        if !row.passes(values) {
            failed.push(row.what);
        }
        missed += usize::from(
            row.limits.target.is_finite() && !row.meets(values, |limits| Some(limits.target)),
        );
    }
    println!(
        "\nours, floor, judged: the best of all places and processes; typical: their median; {} cores",
        std::thread::available_parallelism().map_or(1, usize::from)
    );
    for row in ROWS {
        if groups.contains(&row.group) && row.value(values).is_none() {
            println!("not measured: {}", row.what);
        }
    }
    println!(
        "{missed} targets missed, {} rows above their gate",
        failed.len()
    );
    for row in &failed {
        println!("FAILED: {row}");
    }
    ExitCode::from(u8::from(!failed.is_empty()))
}

/// The same for a page of documentation.
#[cfg(feature = "peers")]
pub fn markdown(values: &Values) -> String {
    let mut text =
        String::from("| what | ours | floor | judged | target | |\n|---|---|---|---|---|---|\n");
    for row in ROWS {
        let Some(value) = row.value(values) else {
            text += &format!("| {} | not measured | | | | |\n", row.what);
            continue;
        };
        let best = |name: &str| values.best(name);
        text += &format!(
            "| {} | {} | {} | {} | {} | {} |\n",
            row.what,
            number(row.ours.get(best), row.unit),
            number(row.floor.get(best), row.unit),
            judged(row, Some(value)),
            judged(row, Some(row.limits.target)),
            if row.limits.target.is_infinite() || row.meets(values, |limits| Some(limits.target)) {
                ""
            } else {
                "missed"
            },
        );
    }
    text
}

fn verdict(row: &Row, values: &Values) -> &'static str {
    if row.limits.target.is_infinite() {
        ""
    } else if !row.passes(values) {
        "FAILED"
    } else if row.meets(values, |limits| limits.stretch) {
        "stretch"
    } else if row.meets(values, |limits| Some(limits.target)) {
        "ok"
    } else {
        "misses its target"
    }
}

fn number(value: Option<f64>, unit: &str) -> String {
    value.map_or_else(String::new, |value| match unit {
        "" => format!("{value:.0}"),
        _ if value.is_infinite() => "-".into(),
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
        _ if value.is_infinite() => String::new(),
        Judge::Ratio => format!("{value:.2} x"),
        Judge::Above if value < 0.0 => number(Some(value), row.unit),
        Judge::Above => format!("+{}", number(Some(value), row.unit)),
        Judge::Plain => number(Some(value), row.unit),
    })
}
