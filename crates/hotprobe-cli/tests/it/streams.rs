//! `watch` and `tail`: what goes on for a time, and how it ends.

use super::{CommandOutput, Server, fake, interrupt, run};
use hotprobe_admin::Admin;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Child;
use std::thread;
use test_support::eventually;

mod tailed {
    hotprobe::event! { pub static ITEM: fn(z: u64, a: &str, #[redact] token: &str); }
}
mod json {
    hotprobe::event! { pub static ITEM: fn(n: u64); }
}
mod many {
    hotprobe::event! { pub static ITEM: fn(n: u64); }
}
mod silent {
    hotprobe::event! { pub static ITEM: fn(); }
}
mod lost {
    hotprobe::event! { pub static ITEM: fn(n: u64); }
}
mod watched {
    hotprobe::event! {
        pub static BUSY: fn();
        pub static QUIET: fn();
    }
}
mod interrupted {
    hotprobe::event! { pub static ITEM: fn(n: u64); }
}
mod headed {
    hotprobe::event! { pub static ITEM: fn(n: u64); }
}
mod drawn {
    hotprobe::event! { pub static ITEM: fn(); }
}
mod shut {
    hotprobe::event! { pub static ITEM: fn(n: u64); }
}

fn ended(child: Child) -> CommandOutput {
    CommandOutput::of(child.wait_with_output().unwrap())
}

#[test]
fn a_tail_is_a_line_a_record() {
    let server = Server::start(Admin::new());
    let child = server
        .hotprobe(&["tail", tailed::ITEM.name(), "--limit", "2"])
        .spawn()
        .unwrap();
    eventually("it is attached", || tailed::ITEM.is_enabled());
    tailed::ITEM.fire(7, "say \"\n", "secret");
    tailed::ITEM.fire(u64::MAX, "", "secret");
    let told = ended(child);
    assert_eq!(told.err, "");
    let out = told.out();
    // (The time is not known.)
    let lines: Vec<_> = out
        .lines()
        .map(|line| line.split_once("  it::").unwrap())
        .collect();
    assert!(
        lines.iter().all(|(at, _)| at.trim().parse::<f64>().is_ok()),
        "{out}"
    );
    assert_eq!(
        lines[0].1,
        "streams::tailed::ITEM  z=7  a=\"say \\\"\\n\"  token=(redacted)"
    );
    assert_eq!(
        lines[1].1,
        "streams::tailed::ITEM  z=\"18446744073709551615\"  a=\"\"  token=(redacted)"
    );
    eventually("it is detached", || tailed::ITEM.probe_count() == 0);
}

/// What is fired after the limit is not lost: nobody asked for it.
#[test]
fn a_tail_that_has_reached_its_limit_says_nothing_of_what_comes_after() {
    let server = Server::start(Admin::new());
    // A part of its name is enough.
    let child = server
        .hotprobe(&["tail", "streams::many::ITEM", "--limit", "3"])
        .spawn()
        .unwrap();
    eventually("it is attached", || many::ITEM.is_enabled());
    (0..30).for_each(|n| many::ITEM.fire(n));
    let told = ended(child);
    assert_eq!((&*told.err, told.code), ("", Some(0)), "{told:?}");
    assert_eq!(told.out.lines().count(), 3, "{told:?}");
}

#[test]
fn a_tail_of_what_is_not_fired_says_so() {
    let server = Server::start(Admin::new());
    let told = server.run(&["tail", silent::ITEM.name(), "--for", "100ms"]);
    let said = "hotprobe: 0 records: no event was fired in 100 ms; ";
    assert!(told.err.starts_with(said), "{told:?}");
    assert_eq!(told.out(), "");
}

#[test]
fn with_json_a_tail_is_a_document_a_line() {
    let server = Server::start(Admin::new());
    let child = server
        .hotprobe(&["tail", "*::streams::json::*", "--limit", "3", "--json"])
        .spawn()
        .unwrap();
    eventually("it is attached", || json::ITEM.is_enabled());
    (0..3).for_each(|n| json::ITEM.fire(n));
    let out = ended(child).out();
    for (n, line) in out.lines().enumerate() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(value["event"], json::ITEM.name());
        assert_eq!(value["values"]["n"], n);
    }
    assert_eq!(out.lines().count(), 3);
}

#[test]
fn what_a_tail_has_lost_is_said_beside_it() {
    let server = Server::start(Admin::new());
    let _firing = Firing::start(|| lost::ITEM.fire(1));
    let told = server.run(&["tail", lost::ITEM.name(), "--seconds", "1", "--rate", "1"]);
    let records = told.out.lines().count();
    let (_, rest) = told
        .err
        .split_once(&format!("hotprobe: {records} records, "))
        .unwrap();
    let (lost, _) = rest.split_once(" lost: they were fired faster").unwrap();
    assert!(lost.parse::<u64>().unwrap() > 0, "{told:?}");
    assert!(records > 0 && told.code == Some(0), "{told:?}");
}

/// Fires until it is dropped.
struct Firing(std::sync::Arc<std::sync::atomic::AtomicBool>);

impl Firing {
    fn start(fire: fn()) -> Self {
        use std::sync::atomic::Ordering::Relaxed;
        let goes_on = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
        let firing = Self(goes_on.clone());
        thread::spawn(move || {
            while goes_on.load(Relaxed) {
                fire();
                thread::sleep(std::time::Duration::from_millis(1));
            }
        });
        firing
    }
}

impl Drop for Firing {
    fn drop(&mut self) {
        self.0.store(false, std::sync::atomic::Ordering::Relaxed);
    }
}

#[test]
fn rates_are_shown_as_lines_where_there_is_no_terminal_and_go_on_over_sessions() {
    // A session at once, of a second: it has to begin another, twice.
    let server = Server::start(
        Admin::new()
            .max_duration(std::time::Duration::from_secs(1))
            .unwrap()
            .max_sessions(1)
            .unwrap(),
    );
    let _firing = Firing::start(|| watched::BUSY.fire());
    let pattern = "*::streams::watched::*";
    let out = server.run(&["watch", pattern, "--count", "3"]).out();
    let rows: Vec<Vec<_>> = out
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(rows.len(), 6, "{out}");
    for (index, row) in rows.iter().enumerate() {
        let rate: f64 = row[1].parse().unwrap();
        if index % 2 == 0 {
            assert!(row[2] == watched::BUSY.name() && rate > 0.0, "{out}");
        } else {
            assert!(row[2] == watched::QUIET.name() && rate == 0.0, "{out}");
        }
    }
    eventually("it is detached", || watched::QUIET.probe_count() == 0);

    let out = server
        .run(&[
            "watch",
            pattern,
            "--count",
            "1",
            "--interval",
            "2",
            "--top",
            "1",
            "--json",
        ])
        .out();
    let value: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert!(value["seconds"].as_f64().unwrap() > 1.9, "{out}");
    assert_eq!(value["events"].as_array().unwrap().len(), 1);
    assert_eq!(value["events"][0]["name"], watched::BUSY.name());
    assert!(value["events"][0]["fired"].as_u64().unwrap() > 0, "{out}");
    assert!(
        value["events"][0]["per_second"].as_f64().unwrap() > 0.0,
        "{out}"
    );
}

#[test]
fn the_session_that_is_just_over_may_count_for_a_moment() {
    let event = r#"{"name":"a","file":"a.rs","line":1,"column":1}"#;
    let begin = format!("event: begin\ndata: {{\"seconds\":1.0,\"events\":[{event}]}}\n\n");
    let rates = "event: rates\ndata: {\"seconds\":1.0,\"fired\":[7]}\n\n";
    let end = "event: end\ndata: {\"reason\":\"time\"}\n\n";
    let session = fake::answer("200 OK", "text/event-stream", &(begin + rates + end));
    let busy = r#"{"error":{"status":429,"kind":"sessions","message":"1 sessions are open"}}"#;
    let busy = fake::answer("429 Too Many Requests", "application/json", busy);
    let answers = [&session, &busy, &busy, &session].map(|answer| answer.clone().into_bytes());
    let url = fake::saying_each(answers);
    let out = run(&["watch", "a", "--count", "2", "--url", &url]).out();
    assert_eq!(out, "1s  7.0  a\n2s  7.0  a\n");
    // But not for ever, and not at first.
    let url = fake::saying_each([session.into_bytes(), busy.clone().into_bytes()]);
    let told = run(&["watch", "a", "--count", "2", "--url", &url]);
    assert_eq!(
        (told.code, &*told.out),
        (Some(1), "1s  7.0  a\n"),
        "{told:?}"
    );
    run(&["watch", "a", "--url", &fake::saying(busy)]).fails(1, &["(429)"]);
}

#[test]
#[cfg(unix)]
fn ctrl_c_ends_it_and_the_server_detaches() {
    let server = Server::start(Admin::new());
    for command in ["tail", "watch"] {
        let child = server
            .hotprobe(&[command, "*::streams::interrupted::*"])
            .spawn()
            .unwrap();
        eventually("it is attached", || interrupted::ITEM.is_enabled());
        let told = interrupt(child);
        assert!(told.err.contains("hotprobe: interrupted: 0 "), "{told:?}");
        eventually("it is detached", || interrupted::ITEM.probe_count() == 0);
        eventually("the session is over", || server.open() == 0);
    }
}

#[test]
fn a_reader_that_has_enough_ends_it_quietly() {
    let server = Server::start(Admin::new());
    let mut child = server
        .hotprobe(&["tail", headed::ITEM.name(), "--seconds", "300"])
        .spawn()
        .unwrap();
    eventually("it is attached", || headed::ITEM.is_enabled());
    headed::ITEM.fire(1);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert!(line.ends_with("n=1\n"), "{line}");
    drop(out);
    eventually("it notices", || {
        headed::ITEM.fire(2);
        thread::sleep(std::time::Duration::from_millis(5));
        headed::ITEM.probe_count() == 0
    });
    let mut err = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut err)
        .unwrap();
    assert_eq!((child.wait().unwrap().code(), &*err), (Some(0), ""));
}

#[test]
fn a_shutdown_of_the_server_is_said() {
    let server = Server::start(Admin::new());
    let commands = ["tail", "watch"];
    let children = commands.map(|command| {
        server
            .hotprobe(&[command, shut::ITEM.name()])
            .spawn()
            .unwrap()
    });
    eventually("they are attached", || shut::ITEM.probe_count() == 2);
    server.shutdown.as_ref().unwrap().begin();
    for child in children {
        let told = ended(child);
        assert_eq!(told.code, Some(1), "{told:?}");
        assert!(told.err.contains("the server shut down"), "{told:?}");
    }
}

#[test]
fn a_stream_that_breaks_off_is_a_failure_and_what_came_is_printed() {
    let record = r#"{"at":1.5,"event":"shop::PLACED","values":{"id":1}}"#;
    let whole = format!("event: record\ndata: {record}\n\n");
    for chunk in [
        whole.clone(),
        format!("{whole}event: record\ndata: {{\"at\""),
    ] {
        let url = fake::saying(fake::half("text/event-stream", &chunk));
        let told = run(&["tail", "*", "--url", &url]);
        assert_eq!(told.code, Some(1), "{told:?}");
        assert_eq!(told.out, "    1.500000  shop::PLACED  id=1\n");
        assert!(told.err.contains("the connection broke off"), "{told:?}");
    }
}

#[test]
fn a_stream_of_another_version_is_a_failure() {
    for (command, name) in [("tail", "record"), ("watch", "rates")] {
        let url = fake::saying(fake::half(
            "text/event-stream",
            &format!("event: {name}\ndata: 17\n\n"),
        ));
        run(&[command, "*", "--url", &url])
            .fails(1, &[&format!("a message `{name}`"), "another version"]);
    }
}

/// Runs it on a terminal; all that the terminal got. None where there is no `script` to make one.
fn on_a_terminal(command: &std::process::Command) -> Option<String> {
    let words: Vec<_> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| format!("'{}'", word.to_str().unwrap()))
        .collect();
    let output = std::process::Command::new("script")
        .args(["-qec", &words.join(" "), "/dev/null"])
        .env("TERM", "xterm")
        .stdin(std::process::Stdio::null())
        .output()
        .ok()?;
    assert!(output.status.success(), "{output:?}");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
#[cfg(target_os = "linux")]
fn on_a_terminal_rates_are_redrawn_and_a_bar_shows_how_far_it_is() {
    let server = Server::start(Admin::new());
    let pattern = "*::streams::drawn::*";
    let Some(drawn) = on_a_terminal(&server.hotprobe(&["watch", pattern, "--count", "2"])) else {
        return;
    };
    assert_eq!(
        drawn.matches(drawn::ITEM.name()).count(),
        drawn.matches("PER SECOND").count()
    );
    assert!(drawn.matches("PER SECOND").count() >= 2, "{drawn:?}");
    // Up a line.
    assert!(drawn.contains("\u{1b}[1A"), "{drawn:?}");
    {
        let directory = super::Directory::new();
        let file = directory.file("trace.json");
        let arguments = ["record", pattern, "--seconds", "0.5", "-o", &file];
        let drawn = on_a_terminal(&server.hotprobe(&arguments)).unwrap();
        assert!(drawn.contains(" of 0.5 s  "), "{drawn:?}");
        assert!(drawn.contains('█'), "{drawn:?}");
        // It is gone before anything else is said.
        assert!(drawn.contains("\r\u{1b}[2Khotprobe: "), "{drawn:?}");
    }
}

#[test]
fn a_server_whose_sessions_end_at_once_is_not_asked_on_and_on() {
    let session = |reason: &str| {
        let stream = format!(
            "event: begin\ndata: {{\"events\":[]}}\n\nevent: end\ndata: {{\"reason\":\"{reason}\"}}\n\n"
        );
        fake::answer("200 OK", "text/event-stream", &stream).into_bytes()
    };
    let over = || session("time");
    let url = fake::saying_each([over(), over(), session("shutdown")]);
    let begun = std::time::Instant::now();
    run(&["watch", "a", "--url", &url]).fails(1, &["the server shut down"]);
    // A second from each to the next, whatever the machine.
    assert!(begun.elapsed() >= std::time::Duration::from_secs(2));
}

#[test]
fn what_a_hostile_server_sends_overflows_nothing_and_moves_no_cursor() {
    let max = u64::MAX;
    let stream = |text: &str| fake::saying(fake::answer("200 OK", "text/event-stream", text));
    let end = "event: end\ndata: {\"reason\":\"time\",\"records\":1,\"lost\":0}\n\n";
    let lost = format!("event: lost\ndata: {{\"lost\":{max}}}\n\n");
    let told = run(&["tail", "a", "--url", &stream(&format!("{lost}{lost}{end}"))]);
    assert_eq!(told.out(), "");

    let record = "event: record\ndata: {\"at\":1,\r\"event\":\"a\",\"values\":\r{}}\n\n";
    let url = stream(&format!("{record}{end}"));
    let out = run(&["tail", "a", "--json", "--url", &url]).out();
    assert_eq!(
        out,
        "{\"version\":1,\"at\":1, \"event\":\"a\",\"values\": {}}\n"
    );

    let begin = "event: begin\ndata: {\"events\":[{\"name\":\"a\",\"file\":\"f\",\"line\":1,\"column\":1}]}\n\n";
    let rates = |seconds: &str, fired: u64| {
        format!("event: rates\ndata: {{\"seconds\":{seconds},\"fired\":[{fired}]}}\n\n")
    };
    let rates = [rates("0.5", max), rates("-1e308", max), rates("0.5", max)].concat();
    let url = stream(&format!("{begin}{rates}"));
    let out = run(&["watch", "a", "--json", "--count", "1", "--url", &url]).out();
    let value: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(value["seconds"], 1.0);
    assert_eq!(value["events"][0]["fired"], max);
}
