//! Instructions, counted by callgrind: the same on a noisy machine as on a quiet one.

use crate::groups;
use std::process::{Command, Stdio};

/// What is counted, and how many operations one iteration is.
const COUNTED: &[(&str, f64)] = &[
    ("nothing", 8.0),
    ("guard", 8.0),
    ("off", 8.0),
    ("call", 1.0),
    ("cas_call", 1.0),
    ("pin_call", 1.0),
    ("loop_1", 1.0),
    ("loop_16", 1.0),
    ("fire_1", 1.0),
    ("fire_16", 1.0),
    ("fire_pinned", 1.0),
    ("fire_nested", 1.0),
    ("swaps_0", 1.0),
    ("attach_detach_0", 1.0),
];

/// Crossbeam does more at each 128th pin: whole multiples of it.
const FEW: u64 = 128 * 8;
const MANY: u64 = 128 * 24;

/// Prints the instructions of one operation of each subject. Prints nothing where there is no callgrind.
pub fn print() {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        return;
    }
    for (name, per_iteration) in COUNTED {
        // The difference of two runs: what is done once does not count.
        let (few, many) = (instructions(name, FEW), instructions(name, MANY));
        let each = (many - few) / (MANY - FEW) as f64 / per_iteration;
        groups::line(&format!("count_{name}"), each, each);
    }
}

fn instructions(subject: &str, iterations: u64) -> f64 {
    let program = std::env::current_exe().expect("the path of this program");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        // Only there: some peers measure the machine's clock before `main`, each time differently.
        .arg("--toggle-collect=overhead::groups::run_counted")
        .arg(program)
        .args(["run", subject, &iterations.to_string()])
        .stdout(Stdio::null())
        .output()
        .expect("valgrind (ci/overhead.sh installs it)");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "callgrind failed: {said}");
    said.lines()
        .find_map(|line| line.split_once("Collected :"))
        .and_then(|(_, count)| count.trim().parse().ok())
        .expect("callgrind's `Collected :`")
}
