//! The program `overhead_server`, as its user runs it. `ci/overhead-server.sh` runs these tests.

use std::process::{Command, Output};

const VARIANTS: [&str; 4] = ["none", "off", "on", "recorded"];

fn run(arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_overhead_server"))
        .args(arguments)
        .output();
    output.expect("it runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn each_variant_answers_requests_in_process() {
    for variant in VARIANTS {
        let output = run(&["--requests", "300", "--variant", variant]);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{out}\n{err}");
        assert_eq!(out, format!("300 requests answered, {variant}\n"));
    }
}

#[test]
fn a_short_comparison_has_a_row_for_each_variant() {
    // What a busy machine measures is not judged here, nor by the exit code.
    let output = run(&["--seconds", "1", "--rounds", "5", "--connections", "2"]);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{out}\n{err}");
    for what in ["requests/s", "p99 µs"] {
        for variant in VARIANTS {
            let row = out.lines().find(|line| {
                line.strip_prefix(what)
                    .is_some_and(|rest| rest.split_whitespace().next() == Some(variant))
            });
            assert!(row.is_some(), "{what}, {variant}: {out}");
        }
    }
}

#[test]
fn a_bad_value_is_named_with_what_to_do_and_the_exit_code_is_2() {
    for (arguments, expected) in [
        (&["--seconds", "0"][..], "from 1 to 3600"),
        (&["--rounds", "4"], "from 5 to 10000"),
        (&["--connections", "-3"], "from 1 to 10000"),
        (
            &["--requests", "many", "--variant", "off"],
            "from 1 to 1000000000",
        ),
        (
            &["--requests", "10", "--variant", "of"],
            "none, off, on, recorded",
        ),
        (&["--requests", "10"], "--variant"),
        (&["--variant", "on"], "--requests"),
        (
            &["--seconds", "1", "--rounds", "1000"],
            "give fewer rounds, or more seconds",
        ),
    ] {
        let output = run(arguments);
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {err}");
        assert!(err.contains(expected), "{arguments:?}: {err}");
    }
}
