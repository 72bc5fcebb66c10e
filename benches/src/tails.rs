//! Distributions of single firings, as a table and as a picture.

use crate::times::PERCENTILES;
use crate::values::Values;
use std::fmt::Write;

/// The distributions of one part of the table, and of one part of the picture.
struct Part {
    title: &'static str,
    tails: &'static [(&'static str, &'static str)],
}

const PARTS: [Part; 2] = [
    Part {
        title: "with threads that have fired and sleep",
        tails: &[
            ("nothing", "the two readings alone"),
            ("alone", "no other thread"),
            ("parked_64", "64 threads"),
            ("parked_512", "512 threads"),
            ("parked_2048", "2048 threads"),
        ],
    },
    Part {
        title: "while another thread changes the event",
        tails: &[
            ("alone", "no changes"),
            ("barriers_100", "100 membarriers a second, no changes"),
            ("changes_100", "100 changes a second"),
            ("barriers", "membarriers without a pause, no changes"),
            ("changes", "changes without a pause"),
        ],
    },
];

const COLUMNS: [(f64, &str); 6] = [
    (50.0, "p50"),
    (99.0, "p99"),
    (99.3, "p99.3"),
    (99.9, "p99.9"),
    (99.99, "p99.99"),
    (100.0, "max"),
];

fn value(values: &Values, name: &str, percentile: f64) -> Option<f64> {
    values.best(&format!("tail_{name}_{percentile}"))
}

/// Returns the table.
pub(crate) fn markdown(values: &Values) -> String {
    let mut text = String::new();
    for (number, part) in PARTS.iter().enumerate() {
        let empty_line = if number == 0 { "" } else { "\n" };
        let names = COLUMNS.map(|(_, name)| name).join(" | ");
        let _ = writeln!(text, "{empty_line}| a firing, {} | {names} |", part.title);
        let _ = writeln!(text, "|---|{}", "---|".repeat(COLUMNS.len()));
        for (name, what) in part.tails {
            let _ = write!(text, "| {what} |");
            for (percentile, _) in COLUMNS {
                let figure = value(values, name, percentile);
                let _ = write!(text, " {} |", figure.map_or_else(String::new, duration));
            }
            text.push('\n');
        }
    }
    text
}

fn duration(nanoseconds: f64) -> String {
    match nanoseconds {
        ns if ns < 1e3 => format!("{ns:.0} ns"),
        ns if ns < 1e4 => format!("{:.1} µs", ns / 1e3),
        ns if ns < 1e6 => format!("{:.0} µs", ns / 1e3),
        ns => format!("{:.1} ms", ns / 1e6),
    }
}

/// The size of one part of the picture, and where its axes are.
const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 330.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 46.0;

const COLOURS: [&str; 5] = ["#888888", "#1b6ca8", "#d1771b", "#3c8d40", "#b0304f"];

/// Returns the picture, in SVG: percentiles to the right, nanoseconds up, both on logarithmic
/// scales.
pub(crate) fn picture(values: &Values, machine: &str) -> String {
    let (width, height) = (WIDTH * 2.0, HEIGHT + 26.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" style=\"max-width: 100%; height: auto\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
         <text x=\"{}\" y=\"{}\" text-anchor=\"middle\" fill=\"#333333\">{machine}</text>\n",
        width / 2.0,
        height - 8.0,
    );
    for (number, part) in PARTS.iter().enumerate() {
        draw(&mut svg, values, part, number as f64 * WIDTH);
    }
    svg + "</svg>\n"
}

/// The lowest and the highest value that have a place, as powers of ten.
const DECADES: (i32, i32) = (1, 7);

fn draw(svg: &mut String, values: &Values, part: &Part, from: f64) {
    let (low, high) = (f64::from(DECADES.0), f64::from(DECADES.1));
    let right = from + WIDTH - RIGHT;
    let left = from + LEFT;
    let bottom = HEIGHT - BOTTOM;
    // 1 - p50 is 10^-0.3; the longest has a place beyond p99.999.
    let nines = |percentile: f64| match percentile {
        100.0 => 5.6,
        _ => -(1.0 - percentile / 100.0).log10(),
    };
    let at_x = |percentile: f64| left + (nines(percentile) - 0.3) / 5.3 * (right - left);
    let at_y = |ns: f64| {
        let share = (ns.max(1.0).log10() - low) / (high - low);
        bottom - share.clamp(0.0, 1.0) * (bottom - TOP)
    };
    let _ = writeln!(
        svg,
        "<text x=\"{left}\" y=\"20\" font-size=\"14\" fill=\"#111111\">A firing {}</text>",
        part.title
    );
    for decade in DECADES.0..=DECADES.1 {
        let ns = 10f64.powi(decade);
        let y = at_y(ns);
        let label = [
            "10 ns", "100 ns", "1 µs", "10 µs", "100 µs", "1 ms", "10 ms",
        ];
        let label = usize::try_from(decade - DECADES.0).map_or("", |n| label[n]);
        let _ = writeln!(
            svg,
            "<path d=\"M{left} {y:.1}H{right}\" stroke=\"#dddddd\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#333333\">{label}</text>",
            left - 6.0,
            y + 4.0,
        );
    }
    for (percentile, label) in [
        (50.0, "p50"),
        (90.0, "p90"),
        (99.0, "p99"),
        (99.9, "p99.9"),
        (99.99, "p99.99"),
        (99.999, "p99.999"),
        (100.0, "max"),
    ] {
        let x = at_x(percentile);
        let _ = writeln!(
            svg,
            "<path d=\"M{x:.1} {TOP}V{bottom}\" stroke=\"#eeeeee\"/>\
             <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\" fill=\"#333333\">{label}</text>",
            bottom + 18.0,
        );
    }
    for (n, ((name, what), colour)) in part.tails.iter().zip(COLOURS).enumerate() {
        let points = PERCENTILES.iter().filter_map(|percentile| {
            let ns = value(values, name, *percentile)?;
            Some(format!("{:.1},{:.1}", at_x(*percentile), at_y(ns)))
        });
        let points: Vec<String> = points.collect();
        let y = TOP + 14.0 + 17.0 * n as f64;
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.8\"/>\
             <path d=\"M{:.1} {:.1}h18\" stroke=\"{colour}\" stroke-width=\"3\"/>\
             <text x=\"{:.1}\" y=\"{y:.1}\" fill=\"#333333\">{what}</text>",
            points.join(" "),
            left + 10.0,
            y - 4.0,
            left + 34.0,
        );
    }
}
