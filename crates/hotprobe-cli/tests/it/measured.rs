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
        /// Not fired: to look up names takes its time.
        pub static LED: fn();
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
    let server = Server::start(Admin::new().sessions_at_most(6));
    let directory = Directory::new();
    let (begin, end) = (shut::BEGIN.name(), shut::END.name());
    let [record, svg, folded] = ["a.json", "b.svg", "c.folded"].map(|name| directory.file(name));
    let commands: [&[&str]; 5] = [
        &["record", begin, "-o", &record, "--seconds", "300"],
        &[
            "record",
            begin,
            "-o",
            "-",
            "--format",
            "chrome",
            "--seconds",
            "300",
        ],
        &["latency", begin, end, "id", "--seconds", "300"],
        &["latency", begin, end, "id", "-o", &svg, "--seconds", "300"],
        &[
            "stacks",
            shut::LED.name(),
            "-o",
            &folded,
            "--seconds",
            "300",
        ],
    ];
    let children = commands.map(|command| server.hotprobe(command).spawn().unwrap());
    eventually("they are attached", || {
        shut::BEGIN.probe_count() == 4 && shut::LED.is_enabled()
    });
    shut::BEGIN.fire(1);
    shut::END.fire(1);
    server.shutdown.as_ref().unwrap().begin();
    for (child, command) in children.into_iter().zip(commands) {
        let told = CommandOutput::of(child.wait_with_output().unwrap());
        assert_eq!(told.code, Some(1), "{told:?}");
        assert!(told.err.contains("the server shut down after "), "{told:?}");
        assert!(told.err.contains(" of 300 s"), "{told:?}");
        let is_printed = command.contains(&"-") || !command.contains(&"-o");
        assert_eq!(!told.out.is_empty(), is_printed, "{told:?}");
    }
    assert_eq!(directory.names(), ["a.json", "b.svg", "c.folded"]);
}

#[test]
fn without_seconds_a_server_that_allows_less_has_not_shut_down() {
    let server = Server::start(Admin::new().seconds_at_most(Duration::from_secs(1)));
    server.run(&["stacks", allowed::ITEM.name()]).out();
    let told = server.run(&["stacks", allowed::ITEM.name(), "--seconds", "1"]);
    told.out();
    // One that has gone cannot be asked.
    let url = fake::saying_each([
        fake::answer("200 OK", "text/plain", "a;b 1\n").into_bytes(),
        fake::answer(
            "503 Service Unavailable",
            "application/json",
            r#"{"error":{"status":503,"kind":"shutdown","message":"it shuts down"}}"#,
        )
        .into_bytes(),
    ]);
    let told = super::run(&["stacks", "a", "--url", &url]);
    assert_eq!((told.code, &*told.out), (Some(1), "a;b 1\n"), "{told:?}");
    assert!(told.err.contains("the server shut down after "), "{told:?}");
}
