//! `latency` and `stacks`, against a router that has the shape of theirs: it answers with its
//! query.

use super::{Directory, Server, fake};
use axum::Router;
use axum::http::{Response, Uri};
use axum::routing::{get, post};
use std::fs;

fn json(body: &str) -> Response<String> {
    // (What keeps the connection alive may come before.)
    Response::builder()
        .header("content-type", "application/json")
        .body(format!(" \n {body}\n"))
        .unwrap()
}

/// Answers with a picture that is the query.
async fn latency(uri: Uri) -> Response<String> {
    json(&fake::latency(uri.query().unwrap_or_default()))
}

/// Answers with stacks that are the query.
async fn stacks(uri: Uri) -> Response<String> {
    json(&fake::stacks(uri.query().unwrap_or_default()))
}

fn server() -> Server {
    Server::of(
        Router::new()
            .route("/debug/probes/latency", post(latency))
            .route("/debug/probes/stacks", get(stacks)),
    )
}

const LATENCY: [&str; 4] = ["latency", "shop::BEGIN", "shop::END", "id"];
const ASKED: &str = "begin=shop%3A%3ABEGIN&end=shop%3A%3AEND&key=id";
const TABLE: &str = "\
from a to b
label  count      p50      p90      p99      max
/slow      1  1.00 ms  1.00 ms  1.00 ms  1.00 ms
/fast      1  1.00 µs  1.00 µs  1.00 µs  1.00 µs
3 pairs; 0 ends without a begin, 0 begins without an end, 0 still open
";

#[test]
fn a_latency_is_printed_as_a_table_or_as_json() {
    let server = server();
    assert_eq!(server.run(&LATENCY).out(), TABLE);
    assert_eq!(
        server.run(&[&LATENCY[..], &["-o", "-"]].concat()).out(),
        TABLE
    );
    let with = ["--label", "path", "--for", "2500ms", "--json"];
    let out = server.run(&[&LATENCY[..], &with].concat()).out();
    let value: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(value["version"], 1);
    assert_eq!(
        value["svg"],
        format!("{ASKED}&label=path&seconds=2.5&format=json")
    );
}

#[test]
fn a_table_is_coloured_where_that_is_asked_for() {
    let server = server();
    for (variable, color, is_colored) in [
        ("", "auto", false),
        ("", "always", true),
        ("1", "always", true),
        ("", "never", false),
    ] {
        let mut command = server.hotprobe(&LATENCY);
        command.args(["--color", color]).env("NO_COLOR", variable);
        let out = String::from_utf8(command.output().unwrap().stdout).unwrap();
        assert_eq!(out.contains("\u{1b}["), is_colored, "{color}: {out}");
        // Nothing but colours is between.
        let mut plain = String::new();
        for (index, part) in out.split('\u{1b}').enumerate() {
            plain += if index == 0 {
                part
            } else {
                part.split_once('m').unwrap().1
            };
        }
        assert_eq!(plain, TABLE);
    }
}

#[test]
fn a_latency_goes_into_a_file_by_its_ending() {
    let server = server();
    let directory = Directory::new();
    let picture = format!("{ASKED}&format=all");
    for (name, expected) in [("a.svg", &*picture), ("b.hlog", "log"), ("c.txt", TABLE)] {
        let file = directory.file(name);
        let told = server.run(&[&LATENCY[..], &["-o", &file]].concat());
        assert!(told.err.contains(&file), "{told:?}");
        assert_eq!(told.out(), "");
        // Byte by byte.
        assert_eq!(fs::read_to_string(&file).unwrap(), expected);
    }
    let file = directory.file("d.json");
    server.run(&[&LATENCY[..], &["-o", &file]].concat()).out();
    let value: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(value["version"], 1);
    assert_eq!(directory.names(), ["a.svg", "b.hlog", "c.txt", "d.json"]);
}

#[test]
fn stacks_are_printed_folded_or_go_into_a_file() {
    let server = server();
    let command = ["stacks", "shop::PLACED", "--weight", "bytes"];
    let more = ["--label", "path", "--every", "10"];
    assert_eq!(
        server.run(&[command, more].concat()).out(),
        "event=shop%3A%3APLACED&weight=bytes&label=path&every=10&format=all\n"
    );
    let directory = Directory::new();
    let asked = "event=shop%3A%3APLACED&seconds=1&format=all";
    for (name, expected) in [
        ("a.pb.gz", &b"\x00\xff"[..]),
        ("b.svg", b"<svg/>"),
        ("c.folded", asked.as_bytes()),
    ] {
        let file = directory.file(name);
        let told = server.run(&["stacks", "shop::PLACED", "--seconds", "1", "-o", &file]);
        assert!(told.err.contains("7 fired, 7 sampled"), "{told:?}");
        told.out();
        assert_eq!(fs::read(&file).unwrap(), expected);
    }
    assert_eq!(directory.names(), ["a.pb.gz", "b.svg", "c.folded"]);
}
