//! Groups of rows. Each is measured in processes of its own, which print what they find: where the loader puts a
//! program's parts is different each time.

use crate::count;
use crate::rows::Values;
use overhead::{Subject, layout_a, layout_b, layout_c, measure};
use std::process::{Command, ExitCode};

/// Each with the number of processes that measure it.
pub const GROUPS: &[(&str, usize)] = &[("count", 1), ("fire", 3), ("attach", 2)];

/// Measures a group in a process of its own.
pub fn measure_apart(group: &str, values: &mut Values) {
    let program = std::env::current_exe().expect("the path of this program");
    let output = Command::new(program)
        .args(["measure", group])
        .output()
        .expect("another process");
    assert!(
        output.status.success(),
        "measuring {group} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let mut words = line.split_whitespace();
        if let (Some(name), Some(Ok(best)), Some(Ok(median))) = (
            words.next(),
            words.next().map(str::parse),
            words.next().map(str::parse),
        ) {
            values.add(name, best, median);
        }
    }
}

/// Measures a group in this process, and prints it.
pub fn print(group: &str) -> ExitCode {
    match group {
        "count" => count::print(),
        "fire" => interleaved(
            [
                layout_a::ours::FIRE,
                layout_b::ours::FIRE,
                layout_c::ours::FIRE,
            ],
            150,
        ),
        "attach" => interleaved(
            [
                layout_a::ours::ATTACH,
                layout_b::ours::ATTACH,
                layout_c::ours::ATTACH,
            ],
            150,
        ),
        other => panic!("no group `{other}`"),
    }
    ExitCode::SUCCESS
}

pub fn line(name: &str, best: f64, median: f64) {
    println!("{name} {best:.4} {median:.4}");
}

fn interleaved(layouts: [&[Subject]; 3], rounds: usize) {
    let _attached = [
        layout_a::ours::attached(),
        layout_b::ours::attached(),
        layout_c::ours::attached(),
    ];
    for subjects in layouts {
        for (subject, figures) in subjects.iter().zip(measure::interleave(subjects, rounds)) {
            line(subject.name, figures.best, figures.median);
        }
    }
}

/// Runs one subject, `iterations` times.
pub fn run(name: &str, iterations: u64) {
    let _attached = layout_a::ours::attached();
    let subject = layout_a::ours::FIRE
        .iter()
        .chain(layout_a::ours::ATTACH)
        .find(|subject| subject.name == name)
        .expect("a subject of that name");
    (subject.run)(iterations);
}
