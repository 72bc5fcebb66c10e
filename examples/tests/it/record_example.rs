//! The example `record`, and `live_server --record`, as their user runs them.

use crate::directory::{Directory, ran};
#[cfg(unix)]
use crate::live_server::{ask, serving_with};
use std::fs;
use std::path::Path;

/// Of the printed table: fired, written, lost; of an event by the end of its name, or of the sum.
fn counted(out: &str, event: &str) -> [u64; 3] {
    let line = out.lines().find(|line| {
        line.split_whitespace()
            .next()
            .is_some_and(|name| name.ends_with(event))
            && line.split_whitespace().count() == 4
    });
    let line = line.unwrap_or_else(|| panic!("no row for {event}: {out}"));
    let numbers: Vec<_> = line
        .split_whitespace()
        .skip(1)
        .map(|number| number.parse().expect("a number"))
        .collect();
    numbers.try_into().expect("three numbers")
}

const EVENTS: [&str; 6] = [
    "::REQUEST_BEGIN",
    "::REQUEST_END",
    "::LOOKUP_BEGIN",
    "::LOOKUP_END",
    "::STORE_BEGIN",
    "::STORE_END",
];

/// Checks the table, and that Chrome's file has what it says, of each event.
fn compare(out: &str, json: &Path) {
    let file = fs::read_to_string(json).expect("it was written");
    let mut sum = [0; 3];
    for event in EVENTS {
        let [fired, written, lost] = counted(out, event);
        assert_eq!(fired, written + lost, "{event}: {out}");
        sum = [sum[0] + fired, sum[1] + written, sum[2] + lost];
        let name = format!("{event}\"");
        let records = file
            .lines()
            .filter(|line| line.contains(r#""cat":"event""#) && line.contains(&name))
            .count();
        assert_eq!(records as u64, written, "{event}: {out}");
    }
    assert_eq!(sum, counted(out, "sum"));
    for kind in ["lookup", "store", "request"] {
        let of = |phase: &str| {
            let begins = format!(r#""ph":"{phase}","#);
            let called = format!(r#""cat":"{kind}""#);
            let is = |line: &&str| line.contains(&begins) && line.contains(&called);
            file.lines().filter(is).count()
        };
        assert_eq!(of("b"), of("e"), "{kind}: {out}");
        assert!(of("b") > 0, "{kind}: {out}");
    }
}

#[test]
fn the_example_records_each_request_and_writes_three_formats() {
    let directory = Directory::new("record");
    let to = directory.path("new/traces");
    let (output, out, err) = ran(
        "record",
        &["--out", &to, "--seconds", "1", "--connections", "2"],
    );
    assert_eq!(output.status.code(), Some(0), "{out}\n{err}");
    let to = Path::new(&to);
    compare(&out, &to.join("trace.json"));
    for (file, least) in [("trace.pftrace", 10_000), ("ctf/metadata", 1_000)] {
        let size = fs::metadata(to.join(file)).expect("it was written").len();
        assert!(size > least, "{file}: {size}");
        let folder = file.split('/').next().expect("there is one");
        assert!(out.contains(folder), "{file}: {out}");
    }
    let [begun, ..] = counted(&out, "::REQUEST_BEGIN");
    let said = format!("{begun} requests asked, {begun} requests in the trace from begin to end");
    assert!(out.contains(&said), "{out}");
}

#[test]
fn where_no_traces_can_be_written_the_example_says_so_before_it_runs() {
    let directory = Directory::new("nowhere");
    let file = directory.path("file");
    fs::write(&file, "mine").expect("it can be written");
    let below = format!("{file}/below");
    for (to, expected) in [
        (&file, "it is a file; give a directory"),
        (&below, "give another one"),
    ] {
        let (output, out, err) = ran("record", &["--out", to]);
        assert_eq!(output.status.code(), Some(2), "{to}: {out}\n{err}");
        assert_eq!(out, "", "nothing was served");
        for part in ["--out", to, expected] {
            assert!(err.contains(part), "{to}: {err}");
        }
    }
    assert_eq!(fs::read_to_string(&file).expect("it is there"), "mine");
}

#[test]
fn the_example_names_a_bad_value_and_what_is_expected() {
    for (arguments, expected) in [
        (&["--out", "x", "--seconds", "0"][..], "from 1 to 20"),
        (&["--out", "x", "--seconds", "-1"], "from 1 to 20"),
        (&["--out", "x", "--connections", "many"], "from 1 to 10000"),
        (&["--seconds", "1"], "--out <DIR>"),
    ] {
        let (output, _, err) = ran("record", arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {err}");
        assert!(err.contains(expected), "{arguments:?}: {err}");
    }
    assert!(!Path::new("x").exists(), "nothing was made");
}

#[test]
fn a_live_server_streams_its_phases_to_a_file() {
    let directory = Directory::new("live");
    let to = directory.path("phases.json");
    let arguments = ["--seconds", "1", "--connections", "2", "--record", &to];
    let (output, out, err) = ran("live_server", &arguments);
    assert_eq!(output.status.code(), Some(0), "{out}\n{err}");
    assert!(out.contains("all checks held"), "{out}");
    // (The first table is that of the probes of phase 2.)
    let (_, out) = out.split_once("all checks held").expect("it is there");
    compare(out, Path::new(&to));
    let size = fs::metadata(&to).expect("it was written").len();
    assert!(out.contains(&format!("{size} bytes")), "{out}");
}

#[test]
fn each_request_of_a_live_server_is_recorded_from_begin_to_end() {
    let directory = Directory::new("requests");
    let to = directory.path("phases.pftrace");
    let arguments = ["--seconds", "1", "--connections", "2", "--record", &to];
    let (output, out, err) = ran("live_server", &arguments);
    assert_eq!(output.status.code(), Some(0), "{out}\n{err}");
    let total = out.lines().find(|line| line.starts_with("total"));
    let requests = total.and_then(|line| line.split_whitespace().nth(1));
    let requests: u64 = requests.expect("a summary").parse().expect("a number");
    let (_, recorded) = out.split_once("all checks held").expect("it is there");
    for event in ["::REQUEST_BEGIN", "::REQUEST_END"] {
        assert_eq!(counted(recorded, event)[0], requests, "{out}");
    }
}

#[cfg(unix)]
#[test]
fn a_serving_server_finishes_the_file_when_it_is_told_to_stop() {
    use std::io::Read;
    let directory = Directory::new("serve");
    let to = directory.path("served.json");
    let (server, address, mut rest) = serving_with(&["--record", &to]);
    for path in ["/orders/report", "/orders", "/orders", "/elsewhere"] {
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        assert!(ask(&address, &request).starts_with("HTTP/1.1 "));
    }
    server.signal("-TERM");
    let output = server.end();
    let mut out = String::new();
    rest.read_to_string(&mut out).expect("it is text");
    assert_eq!(output.status.code(), Some(0), "{out}\n{output:?}");
    assert_eq!(counted(&out, "::REQUEST_BEGIN"), [4, 4, 0]);
    assert_eq!(counted(&out, "::REQUEST_END"), [4, 4, 0]);
    // A report asks for four prices and sixteen shelves, a list for one shelf.
    assert_eq!(counted(&out, "::LOOKUP_END"), [4, 4, 0]);
    assert_eq!(counted(&out, "::STORE_END"), [18, 18, 0]);
    compare(&out, Path::new(&to));
    let file = fs::read_to_string(&to).expect("it was written");
    assert!(file.contains("Sum { shelf: 15 }") && file.contains("GET /orders/report"));
}

#[test]
fn what_cannot_be_recorded_to_is_named_before_anything_is_served() {
    let directory = Directory::new("unwritable");
    let ending = directory.path("trace.txt");
    let nowhere = directory.path("none/trace.pftrace");
    for (to, expected) in [(&ending, "use `.pftrace`"), (&nowhere, "`: No such file")] {
        let (output, out, err) = ran("live_server", &["--serve", "--record", to]);
        assert_eq!(output.status.code(), Some(2), "{to}: {err}");
        assert_eq!(out, "", "nothing was served");
        for part in ["--record", to, expected] {
            assert!(err.contains(part), "{to}: {err}");
        }
        assert!(!Path::new(to).exists());
    }
}
