//! Measures what [`rows::ROWS`] name, and prints them as a table. Fails if a counted row is above
//! its gate: code, instructions, allocations. Times are printed when asked for, and never fail.
//!
//! ```text
//! overhead                      the counted rows, and exit code 1 if one is above its gate
//! overhead --times              the timed rows as well
//! overhead --rows fire          one group of them: fire, attach, … (repeatable)
//! overhead values TABLE         measures what a table of `docs::performance` shows, and prints the
//!                               values: rows, tails, peers, recorded
//! overhead markdown TABLE       the table itself, from values on stdin; also readme
//! overhead picture MACHINE      the picture of tails, from values on stdin
//! overhead measure fire         the values behind a group, of one process: name, best, median
//! overhead run fire_1 1000      one counted subject, 1000 iterations (what callgrind counts)
//! ```

#![allow(
    clippy::cast_precision_loss,
    reason = "counts and nanoseconds of one run are far below 2^53"
)]

mod apart;
mod code;
mod count;
mod groups;
#[cfg(feature = "peers")]
mod readme;
#[cfg(feature = "peers")]
mod recorders;
mod rows;
mod table;
#[cfg(feature = "peers")]
mod tails;
mod times;
mod values;
#[cfg(feature = "peers")]
mod versus;

use groups::GROUPS;
use std::process::ExitCode;
use values::Values;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["measure", group] => {
            groups::measure(group);
            ExitCode::SUCCESS
        }
        ["run", subject, iterations] => {
            count::run(subject, iterations.parse().expect("a number of iterations"));
            ExitCode::SUCCESS
        }
        #[cfg(feature = "peers")]
        ["values", table] => {
            print!("{}", documented(table));
            ExitCode::SUCCESS
        }
        #[cfg(feature = "peers")]
        ["markdown", table] => {
            let values = given();
            let text = match table {
                "rows" => table::markdown(&values),
                "tails" => tails::markdown(&values),
                "peers" => versus::markdown(&values),
                "recorded" => recorders::markdown(&values),
                "readme" => readme::markdown(&values),
                other => panic!("no table `{other}`"),
            };
            print!("{text}");
            ExitCode::SUCCESS
        }
        #[cfg(feature = "peers")]
        ["picture", machine] => {
            print!("{}", tails::picture(&given(), machine));
            ExitCode::SUCCESS
        }
        ref options => gate(options),
    }
}

/// Measures what a table of `docs::performance` shows: twice as often as the gate.
#[cfg(feature = "peers")]
fn documented(table: &str) -> String {
    let groups = |wanted: fn(&groups::Group) -> bool| {
        let mut values = String::new();
        for group in GROUPS.iter().filter(|group| wanted(group)) {
            let processes = if group.timed { 2 * group.processes } else { 1 };
            for _ in 0..processes {
                values += &apart::measure_group(group);
            }
        }
        values
    };
    match table {
        // The rows of tails are computed from the values of the table of tails.
        "rows" => groups(|group| group.name != "tails"),
        "tails" => groups(|group| group.name == "tails"),
        "peers" => versus::measure(),
        "recorded" => recorders::measure(),
        other => panic!("no table `{other}`"),
    }
}

/// The values on stdin.
#[cfg(feature = "peers")]
fn given() -> Values {
    let mut values = Values::default();
    let text = std::io::read_to_string(std::io::stdin()).expect("values on stdin");
    values.read(&text);
    values
}

fn gate(options: &[&str]) -> ExitCode {
    let mut times = false;
    let mut named: Vec<&str> = Vec::new();
    let mut rest = options.iter();
    while let Some(option) = rest.next() {
        match *option {
            "--times" => times = true,
            "--rows" => named.push(rest.next().expect("`--rows` needs the name of a group")),
            other => panic!("unknown option `{other}` (see the head of benches/src/main.rs)"),
        }
    }
    let wanted: Vec<&str> = GROUPS
        .iter()
        .filter(|group| match named[..] {
            [] => times || !group.timed,
            _ => named.contains(&group.name),
        })
        .map(|group| group.name)
        .collect();
    let unknown = named.iter().find(|name| !wanted.contains(name));
    assert!(unknown.is_none(), "no group {unknown:?}");
    let mut values = Values::default();
    for group in GROUPS.iter().filter(|group| wanted.contains(&group.name)) {
        for _ in 0..group.processes {
            values.read(&apart::measure_group(group));
        }
    }
    table::print(&values, &wanted)
}
