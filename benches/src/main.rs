//! Measures what [`rows::ROWS`] name, and prints them as a table. Fails if a counted row is above
//! its gate: code, instructions, allocations. Times are printed when asked for, and never fail.
//!
//! ```text
//! overhead                      the counted rows, and exit code 1 if one is above its gate
//! overhead --times              the timed rows as well
//! overhead --rows fire          one group of them: fire, attach, … (repeatable)
//! overhead markdown peers       the tables of peers, as `docs::performance` shows them
//! overhead markdown rows        the table of rows, likewise
//! overhead measure fire         the values behind a group: name, best, median
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
mod rows;
mod table;
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
        ["markdown", "peers"] => {
            print!("{}", versus::markdown());
            ExitCode::SUCCESS
        }
        #[cfg(feature = "peers")]
        ["markdown", "rows"] => {
            let mut values = Values::default();
            for group in GROUPS {
                let processes = if group.timed { 2 * group.processes } else { 1 };
                for _ in 0..processes {
                    apart::measure(group.name, &mut values);
                }
            }
            print!("{}", table::markdown(&values));
            ExitCode::SUCCESS
        }
        ref options => gate(options),
    }
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
            apart::measure(group.name, &mut values);
        }
    }
    table::print(&values, &wanted)
}
