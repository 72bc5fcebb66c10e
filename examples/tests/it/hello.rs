//! The `hello` example, as its user runs it.

use std::env;
use std::path::PathBuf;
use std::process::Command;

/// An example's program, built with the profile of these tests.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = env::current_exe().expect("a test knows its program");
    // target/debug/deps/it-0123 → target/debug/examples/hello
    let profile = test.parent().and_then(|deps| deps.parent());
    let path = profile
        .expect("a test lies in target/<profile>/deps")
        .join("examples")
        .join(format!("{name}{}", env::consts::EXE_SUFFIX));
    assert!(
        path.exists(),
        "{} is not there: `cargo test` builds it, `cargo test --test it` does not; \
         run `cargo build -p hotprobe-examples --examples` first, with the same profile",
        path.display()
    );
    path
}

/// What it prints, in two parts: with one probe, with a batch.
fn run() -> (Vec<String>, Vec<String>) {
    let output = Command::new(example("hello")).output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("it prints UTF-8");
    let (one, batch) = text.split_once("\n\n").expect("an empty line in between");
    let lines = |part: &str| part.lines().map(str::to_owned).collect();
    (lines(one), lines(batch))
}

/// The lines that begin so, without that beginning. (Greetings and the lines about them are printed
/// by two threads: in order each, interleaved anyhow.)
fn after<'a>(lines: &'a [String], beginning: &str) -> Vec<&'a str> {
    lines
        .iter()
        .filter_map(|line| line.strip_prefix(beginning))
        .collect()
}

/// Who was greeted, by `Name @ seconds.micros`; the times are checked.
fn greeted<'a>(said: &[&'a str]) -> Vec<&'a str> {
    let mut times = Vec::new();
    let mut names = Vec::new();
    for line in said {
        let (name, time) = line.split_once(" @ ").expect("a name, and a time");
        let (seconds, micros) = time.split_once('.').expect("seconds and micros");
        assert_eq!(micros.len(), 6, "{line}");
        let seconds: u64 = seconds.parse().expect("seconds since the epoch");
        let micros: u32 = micros.parse().expect("microseconds");
        times.push((seconds, micros));
        names.push(name);
    }
    assert!(times.is_sorted(), "{said:?}");
    names
}

const PEOPLE: [&str; 3] = ["JP", "Kirr", "Varya"];

#[test]
fn one_probe_sees_each_greeting_in_order_until_it_is_detached() {
    let (one, _) = run();
    assert_eq!(
        after(&one, "Hello "),
        ["JP", "Kirr", "Varya", "nobody in particular"]
    );
    assert_eq!(greeted(&after(&one, "Said hello to ")), PEOPLE);
    assert_eq!(
        one.len(),
        4 + 3,
        "nothing is said after the detach: {one:?}"
    );
}

#[test]
fn a_batch_sees_both_events_of_each_greeting_in_order() {
    let (_, batch) = run();
    assert_eq!(after(&batch, "Hello "), PEOPLE);
    let mut steps = Vec::new();
    for line in &batch {
        if let Some((what, rest)) = line.split_once(" hello to ") {
            steps.push((what, greeted(&[rest])[0]));
        }
    }
    let expected: Vec<_> = PEOPLE
        .iter()
        .flat_map(|&who| [("About to say", who), ("Said", who)])
        .collect();
    assert_eq!(steps, expected);
    assert_eq!(batch.len(), 3 + 6, "{batch:?}");
}
