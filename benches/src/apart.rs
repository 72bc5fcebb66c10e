//! Measures in a separate process: the loader places the program at another address each time, and
//! some peers have one state for the whole process.

use crate::values::Values;
use std::process::Command;

/// Runs this program's `measure GROUP`, and adds what it prints.
pub(crate) fn measure(group: &str, values: &mut Values) {
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
    values.read(&String::from_utf8_lossy(&output.stdout));
}
