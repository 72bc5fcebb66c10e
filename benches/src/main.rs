//! The gate: measures what [`rows::ROWS`] name, prints them as a table, and fails if one is above its gate.
//!
//! ```text
//! overhead                      all rows, and exit code 1 if one is above its gate
//! overhead --rows fire          one group of them: fire, attach, …
//! overhead --attempts 1         no second try for a row that fails
//! overhead markdown             the rows and the peers, as `docs::performance` shows them
//! overhead measure fire         the figures behind a group: name, undisturbed, median (a process of the above)
//! overhead run fire_1 1000      one subject, so many iterations (what callgrind counts)
//! ```

mod code;
mod count;
mod groups;
mod rows;
mod table;
#[cfg(feature = "peers")]
mod versus;

use rows::{ROWS, Values};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["measure", group] => groups::print(group),
        ["run", subject, iterations] => {
            groups::run(subject, iterations.parse().expect("a number of iterations"));
            ExitCode::SUCCESS
        }
        #[cfg(feature = "peers")]
        ["markdown"] => {
            let mut values = Values::default();
            for (group, processes) in groups::GROUPS {
                for _ in 0..2 * *processes {
                    groups::measure_apart(group, &mut values);
                }
            }
            print!("{}{}", table::markdown(&values), versus::markdown());
            ExitCode::SUCCESS
        }
        ref options => gate(options),
    }
}

fn gate(options: &[&str]) -> ExitCode {
    let mut wanted: Vec<&str> = Vec::new();
    let mut attempts = 4;
    let mut rest = options.iter();
    while let Some(option) = rest.next() {
        match (*option, rest.next()) {
            ("--rows", Some(group)) => wanted.push(group),
            ("--attempts", Some(n)) => attempts = n.parse().expect("a number of attempts"),
            (other, _) => panic!("what is `{other}`? (see the head of benches/src/main.rs)"),
        }
    }
    if wanted.is_empty() {
        wanted.extend(groups::GROUPS.iter().map(|(group, _)| group));
    }
    let mut values = Values::default();
    for (group, processes) in groups::GROUPS {
        if !wanted.contains(group) {
            continue;
        }
        for _ in 0..*processes {
            groups::measure_apart(group, &mut values);
        }
        // What fails may have been disturbed: the best of all attempts counts.
        let fails = |values: &Values| {
            ROWS.iter()
                .any(|row| row.group == *group && !row.passes(values))
        };
        // (Code and instructions will not change.)
        let again = if matches!(*group, "code" | "count") {
            1
        } else {
            attempts
        };
        for _ in 1..again {
            if !fails(&values) {
                break;
            }
            for _ in 0..*processes {
                groups::measure_apart(group, &mut values);
            }
        }
    }
    table::print(&values, &wanted)
}
