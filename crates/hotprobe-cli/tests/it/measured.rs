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
mod quiet {
    hotprobe::event! {
        pub static BEGIN: fn(id: u64);
        pub static END: fn(id: u64);
    }
}
mod cut {
    hotprobe::event! {
        pub static BEGIN: fn(id: u64);
        pub static END: fn(id: u64, path: &str);
    }
}
mod every {
    hotprobe::event! { pub static ITEM: fn(); }
}
mod guessed {
    hotprobe::event! {
        pub static SHIP_BEGIN: fn(order: u64, route: &str);
        pub static SHIP_DONE: fn(order: u64);
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

/// The answer is complete, but not of the time that was asked for.
#[test]
fn a_shutdown_that_cuts_it_short_is_a_failure_and_the_result_is_there() {
    let directory = Directory::new();
    let [record, svg, folded] = ["a.json", "b.svg", "c.folded"].map(|name| directory.file(name));
    let json = "application/json";
    let (latency, stacks) = (fake::latency("<svg/>"), fake::stacks("main 7"));
    let commands: [(&[&str], &str); 7] = [
        (&["record", "a", "-o", &record], "[\n]\n"),
        (&["record", "a", "-o", "-", "--format", "chrome"], "[\n]\n"),
        (&["latency", "a", "b", "id"], &latency),
        (&["latency", "a", "b", "id", "--json"], &latency),
        (&["latency", "a", "b", "id", "-o", &svg], &latency),
        (&["stacks", "a"], &stacks),
        (&["stacks", "a", "-o", &folded], &stacks),
    ];
    // Then it refuses another session; or it has been restarted, and begins one.
    let message = r#"{"error":{"status":503,"kind":"shutdown","message":"it shuts down"}}"#;
    let refused = fake::answer("503 Service Unavailable", json, message);
    let first = "event: begin\ndata: {\"seconds\":60.0,\"events\":[]}\n\n";
    let begun = fake::answer("200 OK", "text/event-stream", first);
    for after in [refused, begun] {
        for (command, body) in &commands {
            for (seconds, of) in [(&[][..], "10"), (&["--seconds", "300"], "300")] {
                let answers = [fake::answer("200 OK", json, body), after.clone()];
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

/// All that was fired until the signal is in the result, in each form that it has.
#[test]
#[cfg(unix)]
fn ctrl_c_ends_a_measurement_with_what_there_is() {
    let server = Server::start(Admin::new());
    let directory = Directory::new();
    let (begin, end) = (cut::BEGIN.name(), cut::END.name());
    let latency = ["latency", begin, end, "id", "--label", "path"];
    let stacks = ["stacks", begin];
    let svg = directory.file("a.svg");
    let pprof = directory.file("b.pb.gz");
    let commands: [(&[&str], &[&str], super::Signal); 6] = [
        (&latency, &[], super::ctrl_c()),
        (&latency, &["--json"], super::TERMINATE),
        (&latency, &["-o", &svg], super::ctrl_c()),
        (&stacks, &[], super::TERMINATE),
        (&stacks, &["--json"], super::ctrl_c()),
        (&stacks, &["-o", &pprof], super::TERMINATE),
    ];
    for (command, options, signal) in commands {
        let command = [command, options, &["--for", "300s"]].concat();
        let child = server.hotprobe(&command).spawn().unwrap();
        eventually("it is attached", || cut::BEGIN.is_enabled());
        for id in 0..3 {
            cut::BEGIN.fire(id);
            cut::END.fire(id, "/orders");
        }
        let told = super::end_by(signal, child);
        let said = "hotprobe: interrupted: it ended after ";
        assert!(told.err.contains(said), "{told:?}");
        assert!(told.err.contains(" of 300 s; "), "{told:?}");
        eventually("it is detached", || cut::BEGIN.probe_count() == 0);
        eventually("the session is over", || server.open() == 0);
        if options == ["--json"] {
            let value: serde_json::Value = serde_json::from_str(&told.out).unwrap();
            let count = if command[0] == "latency" {
                &value["labels"][0]["count"]
            } else {
                &value["sampled"]
            };
            assert_eq!(*count, 3, "{value}");
        } else if options.is_empty() {
            let expected = match command[0] {
                "latency" => "/orders      3  ",
                _ => " 3\n",
            };
            assert!(told.out.contains(expected), "{told:?}");
        } else {
            assert!(told.err.contains(" into "), "{told:?}");
        }
    }
    assert_eq!(directory.names(), ["a.svg", "b.pb.gz"]);
    assert!(fs::read(svg).unwrap().starts_with(b"<svg"));
    assert!(fs::read(pprof).unwrap().starts_with(&[0x1f, 0x8b]));
}

/// The server has got the request to stop, and never ends the session.
#[test]
#[cfg(unix)]
fn a_second_ctrl_c_kills_a_measurement_that_does_not_end() {
    let server = fake::Steps::new();
    let json = "application/json";
    let commands: [&[&str]; 2] = [&["latency", "a", "b", "id"], &["stacks", "a"]];
    for command in commands {
        let url = server.url();
        let command = [command, &["--url", &url]].concat();
        let child = super::hotprobe(&command).spawn().unwrap();
        let _open = server.answer(
            if command[0] == "stacks" {
                "GET "
            } else {
                "POST /debug/probes/latency"
            },
            &fake::begun(json),
        );
        super::send(super::ctrl_c().0, &child);
        let _stop = server.answer("POST /debug/probes/stop?session=7 ", "");
        let told = super::interrupt(child);
        assert_eq!((&*told.out, &*told.err), ("", ""), "{told:?}");
    }
}

/// The second is a server that ends the session by itself as the request to stop arrives.
#[test]
#[cfg(unix)]
fn where_the_server_does_not_stop_a_measurement_that_is_said() {
    let json = "application/json";
    let refusal = r#"{"error":{"status":403,"kind":"forbidden","message":"it is not allowed"}}"#;
    let forbidden = fake::answer("403 Forbidden", json, refusal);
    let over = fake::answer("404 Not Found", json, "{}");
    for (answer, is_printed) in [(forbidden, false), (over, true)] {
        let server = fake::Steps::new();
        let child = super::hotprobe(&["stacks", "a", "--url", &server.url()])
            .spawn()
            .unwrap();
        let mut open = server.answer("GET ", &fake::begun(json));
        super::send(super::ctrl_c().0, &child);
        drop(server.answer("POST /debug/probes/stop?session=7 ", &answer));
        if is_printed {
            let rest = fake::rest(&fake::stacks("main 7"));
            std::io::Write::write_all(&mut open, rest.as_bytes()).unwrap();
        }
        let output = child.wait_with_output().unwrap();
        let signal = std::os::unix::process::ExitStatusExt::signal(&output.status);
        assert_eq!(signal, Some(super::ctrl_c().1), "{output:?}");
        let told = CommandOutput::of(output);
        if is_printed {
            assert_eq!(told.out, "main 7\n");
            assert!(told.err.contains("interrupted: it ended"), "{told:?}");
        } else {
            let said = "interrupted: nothing had arrived; the session could not be stopped: \
                        the server refused (403): it is not allowed\n";
            assert!(told.err.contains(said), "{told:?}");
        }
    }
}

#[test]
fn without_seconds_a_server_that_allows_less_has_not_shut_down() {
    let server = Server::start(Admin::new().max_duration(Duration::from_secs(1)).unwrap());
    let stacks: [&[&str]; 2] = [
        &["stacks", allowed::ITEM.name()],
        &["stacks", allowed::ITEM.name(), "--seconds", "1"],
    ];
    for command in stacks {
        // (Whether the event is fired within that second is not what this is about.)
        let told = server.run(command);
        assert!(told.err.contains("0 sampled"), "{told:?}");
        assert!(!told.err.contains("shut down"), "{told:?}");
    }
}

/// Neither a table, nor a picture of nothing, nor exit code 0.
#[test]
fn what_measured_nothing_fails_and_writes_no_file() {
    let server = Server::start(Admin::new());
    let directory = Directory::new();
    let (begin, end) = (quiet::BEGIN.name(), quiet::END.name());
    for name in ["a.svg", "a.hlog", "a.txt", "a.json"] {
        let file = directory.file(name);
        let command = ["latency", begin, end, "id", "--for", "100ms", "-o", &file];
        server
            .run(&command)
            .fails(1, &["no pair ended in 100 ms (0 begins, 0 ends)"]);
    }
    for name in ["a.svg", "a.folded", "a.pb.gz"] {
        let command = [
            "stacks",
            begin,
            "--for",
            "100ms",
            "-o",
            &directory.file(name),
        ];
        server.run(&command).fails(1, &["was not fired in 100 ms"]);
    }
    assert!(directory.names().is_empty(), "{:?}", directory.names());
    server
        .run(&["latency", begin, end, "id", "--for", "100ms"])
        .fails(1, &["no pair ended"]);
    server
        .run(&["stacks", begin, "--for", "100ms"])
        .fails(1, &["was not fired"]);
    // A program reads the document, which counts nothing.
    for command in [&["latency", begin, end, "id"][..], &["stacks", begin]] {
        let told = server.run(&[command, &["--json", "--for", "100ms"]].concat());
        assert_eq!(told.code, Some(1), "{told:?}");
        let value: serde_json::Value = serde_json::from_str(&told.out).unwrap();
        assert_eq!(value["version"], 1);
    }
}

#[test]
fn every_nth_stack_is_taken_and_printed_as_json() {
    let server = Server::start(Admin::new());
    let mut stacks = server.hotprobe(&["stacks", every::ITEM.name(), "--every", "4"]);
    stacks.args(["--for", "2s", "--json"]);
    let child = stacks.spawn().unwrap();
    eventually("it is attached", || every::ITEM.is_enabled());
    (0..12).for_each(|_| every::ITEM.fire());
    let out = CommandOutput::of(child.wait_with_output().unwrap()).out();
    let value: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&value["version"], &value["fired"]),
        (&1.into(), &12.into()),
        "{value}"
    );
    assert_eq!(value["sampled"], 3, "{value}");
    let stacks = value["stacks"].as_array().unwrap();
    assert!(!stacks.is_empty(), "{value}");
    for stack in stacks {
        assert!(!stack["frames"].as_array().unwrap().is_empty(), "{value}");
    }
}

#[test]
fn a_latency_without_its_end_and_key_is_guessed() {
    let server = Server::start(Admin::new());
    // A part of its name is enough.
    let mut latency = server.hotprobe(&["latency", "guessed::SHIP_BEGIN", "--for", "2s"]);
    let child = latency.env("COLUMNS", "40").spawn().unwrap();
    eventually("it is attached", || guessed::SHIP_DONE.is_enabled());
    for order in 0..3 {
        guessed::SHIP_BEGIN.fire(order, "/ship");
        guessed::SHIP_DONE.fire(order);
    }
    let told = CommandOutput::of(child.wait_with_output().unwrap());
    let (begin, done) = (guessed::SHIP_BEGIN.name(), guessed::SHIP_DONE.name());
    let expected = format!("guessed: hotprobe latency {begin} {done} order --label route\n");
    assert!(told.err.contains(&expected), "{told:?}");
    let out = told.out();
    assert!(out.contains("/ship") && out.contains("3 pairs"), "{out}");
    assert!(out.lines().all(|line| line.chars().count() <= 40), "{out}");
}

#[test]
fn a_latency_without_its_begin_is_the_best_pair_of_all() {
    // One that attaches nothing: the events are those of other tests.
    let server = Server::start(Admin::new().max_sessions(0).unwrap());
    let told = server.run(&["latency"]);
    let told = told.fails(1, &["(403)", "lets nobody attach"]);
    let line = |what: &str| {
        let found = told.err.lines().find(|line| line.contains(what));
        found.unwrap_or_default()
    };
    // It has a label, which most of the others do not have.
    let guessed = line("guessed: hotprobe latency ");
    assert!(guessed.contains(" --label "), "{told:?}");
    let others = line("other begins: ");
    assert!(others.contains(quiet::BEGIN.name()), "{told:?}");
}

#[test]
fn names_that_say_nothing_are_not_guessed() {
    let server = Server::start(Admin::new());
    server
        .run(&["latency", led::STORED.name(), "--for", "100ms"])
        .fails(1, &["cannot guess the end of `", "; give END"]);
    server
        .run(&["latency", led::STORED.name(), allowed::ITEM.name()])
        .fails(1, &["have no parameter in common that could be the key"]);
}
