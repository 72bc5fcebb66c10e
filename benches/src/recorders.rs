//! Recorders, each in processes of its own.

use crate::apart;
use crate::values::{self, Values};
use hotprobe_benches::recorded::{RECORDERS, RUNS, Start, lttng_version};
use std::fmt::Write;

/// The number of processes that measure a recorder. The best counts.
const PROCESSES: usize = 3;

/// Measures one recorder, in this process, as `NAME:RUN` says, and prints the values.
pub(crate) fn print(what: &str) {
    let (name, run) = what.split_once(':').expect("a recorder and a run");
    let recorder = RECORDERS.iter().find(|recorder| recorder.name == name);
    let (_, kind, pace) = RUNS
        .into_iter()
        .find(|(each, ..)| *each == run)
        .expect("a run");
    let recorder = recorder.expect("a recorder of that name");
    if let Some(outcome) = recorder.measure(kind, pace) {
        values::print(
            &format!("{name}_{run}"),
            outcome.figures.best,
            outcome.figures.median,
        );
        if let Some(lost) = outcome.lost {
            values::print_exact(&format!("{name}_{run}_lost"), lost);
        }
    }
}

/// Measures all recorders. Returns the values.
pub(crate) fn measure() -> String {
    let mut values = String::new();
    for _ in 0..PROCESSES {
        for recorder in RECORDERS {
            for (run, ..) in RUNS {
                values += &apart::measure(&format!("recorded:{}:{run}", recorder.name));
            }
        }
    }
    values
}

/// Returns the table of recorders.
pub(crate) fn markdown(values: &Values) -> String {
    let mut text = String::from(
        "| nanoseconds a record | `u64`, paced | lost | hot | lost | text, paced | lost | hot | lost | when full |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
    );
    for recorder in RECORDERS {
        let version = match recorder.start {
            Start::Lttng => {
                lttng_version().map_or(String::new(), |version| format!(" ({version})"))
            }
            _ => String::new(),
        };
        let _ = write!(text, "| {}{version} |", recorder.what);
        for run in ["number_paced", "number_hot", "text_paced", "text_hot"] {
            let name = format!("{}_{run}", recorder.name);
            // The loss goes with the typical run: it is the same in all but the disturbed ones.
            let lost = values.typical(&format!("{name}_lost"));
            let figure = values.best(&name);
            let _ = write!(text, " {} | {} |", nanoseconds(figure), share(lost));
        }
        let _ = writeln!(text, " {} |", recorder.when_full);
    }
    text
}

/// Nanoseconds as the tables of peers show them.
pub(crate) fn nanoseconds(figure: Option<f64>) -> String {
    match figure {
        Some(figure) if figure < 100.0 => format!("{figure:.1}"),
        Some(figure) => format!("{figure:.0}"),
        None => "not installed".into(),
    }
}

fn share(lost: Option<f64>) -> String {
    match lost {
        None => "–".into(),
        Some(lost) if lost <= 0.0 => "0".into(),
        Some(lost) if lost < 0.01 => "< 1 %".into(),
        Some(lost) => format!("{:.0} %", lost * 100.0),
    }
}
