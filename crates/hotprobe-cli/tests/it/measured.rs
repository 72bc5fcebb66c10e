//! `latency` and `stacks` against the endpoints of hotprobe-admin.

use super::{CommandOutput, Directory, Server};
use hotprobe_admin::Admin;
use std::fs;
use test_support::eventually;

mod timed {
    hotprobe::event! {
        pub static BEGIN: fn(id: u64);
        pub static END: fn(id: u64, path: &str);
    }
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
