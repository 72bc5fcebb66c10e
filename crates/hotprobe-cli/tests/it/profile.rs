//! `latency` and `stacks`, against a router that has the shape of theirs: it answers what it was asked.

use super::{Directory, Server};
use axum::Router;
use axum::http::{Response, Uri};
use axum::routing::{get, post};
use std::fs;

/// Says what it was asked, as a kind that the format has.
async fn echo(uri: Uri) -> Response<String> {
    let query = uri.query().unwrap_or_default().to_owned();
    let format = query
        .rsplit_once("format=")
        .map_or("", |(_, format)| format);
    let kind = match format {
        "svg" => "image/svg+xml",
        "json" => "application/json",
        "pprof" => "application/octet-stream",
        _ => "text/plain; charset=utf-8",
    };
    let body = if format == "json" {
        serde_json::json!({ "asked": query }).to_string() + "\n"
    } else {
        format!("asked\t{query}\nend\n")
    };
    Response::builder()
        .header("content-type", kind)
        .body(body)
        .unwrap()
}

fn server() -> Server {
    Server::of(
        Router::new()
            .route("/debug/probes/latency", post(echo))
            .route("/debug/probes/stacks", get(echo)),
    )
}

const LATENCY: [&str; 4] = ["latency", "shop::BEGIN", "shop::END", "id"];
const ASKED: &str = "begin=shop%3A%3ABEGIN&end=shop%3A%3AEND&key=id";

#[test]
fn a_latency_is_printed_as_the_server_says_it() {
    let server = server();
    assert_eq!(
        server.run(&LATENCY).out(),
        format!("asked\t{ASKED}&format=text\nend\n")
    );
    let with = [
        &LATENCY[..],
        &["--label", "path", "--seconds", "2.5", "--json"],
    ]
    .concat();
    let out = server.run(&with).out();
    let value: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        value["asked"],
        format!("{ASKED}&label=path&seconds=2.5&format=json")
    );
}

#[test]
fn a_latency_goes_into_a_file_by_its_ending() {
    let server = server();
    let directory = Directory::new();
    for (name, format) in [("a.svg", "svg"), ("b.hlog", "hlog"), ("c.txt", "text")] {
        let file = directory.file(name);
        let told = server.run(&[&LATENCY[..], &["-o", &file]].concat());
        assert!(told.err.contains(&file), "{told:?}");
        assert_eq!(told.out(), "");
        // Byte by byte.
        let expected = format!("asked\t{ASKED}&format={format}\nend\n");
        assert_eq!(fs::read_to_string(&file).unwrap(), expected);
    }
    assert_eq!(directory.names(), ["a.svg", "b.hlog", "c.txt"]);
}

#[test]
fn stacks_are_printed_folded_or_go_into_a_file() {
    let server = server();
    assert_eq!(
        server
            .run(&[
                "stacks",
                "shop::PLACED",
                "--weight",
                "bytes",
                "--label",
                "path"
            ])
            .out(),
        "asked\tevent=shop%3A%3APLACED&weight=bytes&label=path&format=folded\nend\n"
    );
    let directory = Directory::new();
    for (name, format) in [
        ("a.pb.gz", "pprof"),
        ("b.svg", "svg"),
        ("c.folded", "folded"),
    ] {
        let file = directory.file(name);
        server
            .run(&["stacks", "shop::PLACED", "--seconds", "1", "-o", &file])
            .out();
        let expected = format!("asked\tevent=shop%3A%3APLACED&seconds=1&format={format}\nend\n");
        assert_eq!(fs::read_to_string(&file).unwrap(), expected);
    }
    assert_eq!(directory.names(), ["a.pb.gz", "b.svg", "c.folded"]);
}
