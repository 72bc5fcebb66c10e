//! `latency` and `stacks` against the endpoints of hotprobe-admin.

use super::{CommandOutput, Directory, Server, fake};
use hotprobe_admin::Admin;
use std::fs;
use std::time::Duration;
use test_support::eventually;

mod timed {
    hotprobe::event! {
        pub static BEGIN: fn(id: u64);
        pub static END: fn(id: u64, path: &str);
    }
}
mod shut {
    hotprobe::event! {
        pub static BEGIN: fn(id: u64);
        pub static END: fn(id: u64);
    }
}
mod allowed {
    hotprobe::event! { pub static ITEM: fn(); }
}
mod led {
    hotprobe::event! { pub static STORED: fn(bytes: u64, path: &str); }
}

#[test]
fn a_latency_is_measured_while_the_program_waits() {
    let server = Server::start(Admin::new());
    let mut latency = server.hotprobe(&["latency", timed::BEGIN.name(), timed::END.name(), "id"]);
    latency.args(["--label", "path", "--seconds", "2", "--json"]);
    let child = latency.spawn().unwrap();
    eventually("it is attached", || timed::BEGIN.is_enabled());
    for id in 0..10 {
        timed::BEGIN.fire(id);
        timed::END.fire(id, if id < 7 { "/orders" } else { "/report" });
    }
    let out = CommandOutput::of(child.wait_with_output().unwrap()).out();
    let value: serde_json::Value = serde_json::from_str(&out).unwrap();
    let mut labels: Vec<_> = value["labels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|label| (label["label"].as_str().unwrap(), label["count"].as_u64()))
        .collect();
    labels.sort_unstable();
    assert_eq!(labels, [("/orders", Some(7)), ("/report", Some(3))]);
    assert!(!timed::BEGIN.is_enabled() && !timed::END.is_enabled());
}

#[test]
fn what_a_latency_lacks_is_said_in_the_servers_words() {
    let server = Server::start(Admin::new());
    server
        .run(&["latency", timed::BEGIN.name(), timed::END.name(), "path"])
        .fails(1, &["has no parameter `path`", "`id: u64`"]);
}

#[test]
fn stacks_are_taken_while_the_program_waits() {
    let server = Server::start(Admin::new());
    let directory = Directory::new();
    let file = directory.file("stacks.folded");
    let mut stacks = server.hotprobe(&["stacks", led::STORED.name(), "--weight", "bytes"]);
    stacks.args(["--seconds", "2", "-o", &file]);
    let child = stacks.spawn().unwrap();
    eventually("it is attached", || led::STORED.is_enabled());
    for bytes in 1..=10 {
        led::STORED.fire(bytes, "/orders");
    }
    CommandOutput::of(child.wait_with_output().unwrap()).out();
    let folded = fs::read_to_string(&file).unwrap();
    let weight = |line: &str| line.rsplit_once(' ')?.1.parse::<u64>().ok();
    assert_eq!(
        folded.lines().filter_map(weight).sum::<u64>(),
        55,
        "{folded}"
    );
    assert!(!led::STORED.is_enabled());
}

/// The answer is complete, but not of the time that was asked for.
#[test]
fn a_shutdown_that_cuts_it_short_is_a_failure_and_the_result_is_there() {
    let directory = Directory::new();
    let [record, svg, folded] = ["a.json", "b.svg", "c.folded"].map(|name| directory.file(name));
    let json = "application/json";
    let commands: [(&[&str], &str); 7] = [
        (&["record", "a", "-o", &record], json),
        (&["record", "a", "-o", "-", "--format", "chrome"], json),
        (&["latency", "a", "b", "id"], "text/plain"),
        (&["latency", "a", "b", "id", "--json"], json),
        (&["latency", "a", "b", "id", "-o", &svg], "image/svg+xml"),
        (&["stacks", "a"], "text/plain"),
        (&["stacks", "a", "-o", &folded], "text/plain"),
    ];
    // Then it refuses another session; or it has been restarted, and begins one.
    let message = r#"{"error":{"status":503,"kind":"shutdown","message":"it shuts down"}}"#;
    let refused = fake::answer("503 Service Unavailable", json, message);
    let first = "event: begin\ndata: {\"seconds\":60.0,\"events\":[]}\n\n";
    let begun = fake::answer("200 OK", "text/event-stream", first);
    for after in [refused, begun] {
        for (command, kind) in &commands {
            for (seconds, of) in [(&[][..], "10"), (&["--seconds", "300"], "300")] {
                let answers = [fake::answer("200 OK", kind, "[\n]\n"), after.clone()];
                let url = fake::saying_each(answers.map(String::into_bytes));
                let told = super::run(&[command, seconds, &["--url", &url]].concat());
                assert_eq!(told.code, Some(1), "{told:?}");
                assert!(told.err.contains("the server shut down after "), "{told:?}");
                assert!(told.err.contains(&format!(" of {of} s; ")), "{told:?}");
                let is_printed = command.contains(&"-") || !command.contains(&"-o");
                assert_eq!(!told.out.is_empty(), is_printed, "{told:?}");
            }
        }
    }
    assert_eq!(directory.names(), ["a.json", "b.svg", "c.folded"]);
}

/// By a real one, of which the answer may be cut as well: it has half a second.
#[test]
fn a_real_server_that_shuts_down_makes_it_a_failure() {
    let server = Server::start(Admin::new());
    let directory = Directory::new();
    let file = directory.file("a.json");
    let (begin, end) = (shut::BEGIN.name(), shut::END.name());
    let commands: [&[&str]; 2] = [
        &["record", begin, "-o", &file, "--seconds", "300"],
        &["latency", begin, end, "id", "--seconds", "300"],
    ];
    let children = commands.map(|command| server.hotprobe(command).spawn().unwrap());
    eventually("they are attached", || shut::BEGIN.probe_count() == 2);
    server.shutdown.as_ref().unwrap().begin();
    for child in children {
        let told = CommandOutput::of(child.wait_with_output().unwrap());
        assert_eq!(told.code, Some(1), "{told:?}");
        let is_told = ["the server shut down after ", "the connection broke off"];
        assert!(
            is_told.iter().any(|told_as| told.err.contains(told_as)),
            "{told:?}"
        );
    }
}

#[test]
fn without_seconds_a_server_that_allows_less_has_not_shut_down() {
    let server = Server::start(Admin::new().seconds_at_most(Duration::from_secs(1)));
    server.run(&["stacks", allowed::ITEM.name()]).out();
    let told = server.run(&["stacks", allowed::ITEM.name(), "--seconds", "1"]);
    told.out();
}
