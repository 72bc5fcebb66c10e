//! Measures in a separate process: the loader places the program at another address each time, and
//! some peers have one state for the whole process.

use crate::groups::{Group, Program};
use std::env;
use std::process::Command;

/// The environment variable that names the program that was built with fat LTO.
const FAT_LTO: &str = "OVERHEAD_FAT_LTO";

/// Runs `measure WHAT` of this program. Returns the values that it prints.
pub(crate) fn measure(what: &str) -> String {
    let program = env::current_exe().expect("the path of this program");
    run(&mut Command::new(program), what)
}

/// Runs `measure GROUP` of the group's program. Returns the values that it prints.
pub(crate) fn measure_group(group: &Group) -> String {
    let own = env::current_exe().expect("the path of this program");
    match group.program {
        Program::Own => measure(group.name),
        Program::WithoutMembarrier => {
            let mut command = Command::new(own);
            command.env("HOTPROBE_MEMBARRIER", "off");
            renamed("full_", &run(&mut command, group.name))
        }
        Program::FatLto => match env::var_os(FAT_LTO) {
            Some(program) => renamed("fat_", &run(&mut Command::new(program), group.name)),
            None => String::new(),
        },
    }
}

fn renamed(prefix: &str, values: &str) -> String {
    values
        .lines()
        .fold(String::new(), |all, line| all + prefix + line + "\n")
}

fn run(command: &mut Command, what: &str) -> String {
    let output = command
        .args(["measure", what])
        .output()
        .expect("another process");
    assert!(
        output.status.success(),
        "measuring {what} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
