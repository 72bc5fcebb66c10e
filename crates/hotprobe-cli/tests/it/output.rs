//! What needs no session: `list`, `completions`, `--help`; and that nothing a server says reaches
//! the terminal as it is.

use super::{Server, fake, hotprobe, run};
use hotprobe::ProbeOptions;
use hotprobe_admin::Admin;
use std::io::Write as _;
use std::process::{Command, Stdio};

mod listed {
    hotprobe::event! {
        /// An order.
        pub static PLACED: fn(id: u64, symbol: &str, #[redact] token: &str);
        pub static CLOSED: fn();
    }
}

const PATTERN: &str = "*::output::listed::*";

#[test]
fn events_are_listed_by_name_with_their_state_probes_and_parameters() {
    let server = Server::start(Admin::new());
    let _probe = listed::PLACED.attach_with(ProbeOptions::new().name("watch"), |_, _, _| {});
    let _other = listed::PLACED.attach(|_, _, _| {});
    let closed = listed::CLOSED.name();
    let placed = listed::PLACED.name();
    let gap = " ".repeat(closed.len() - "EVENT".len());
    let expected = format!(
        "EVENT{gap}  STATE  PROBES       PARAMETERS\n\
         {closed}  off    0\n\
         {placed}  on     2: watch, ?  id: u64, symbol: &str, token: &str (redacted)\n"
    );
    assert_eq!(server.run(&["list", PATTERN]).out(), expected);
}

#[test]
fn with_json_a_list_is_what_the_server_says() {
    let server = Server::start(Admin::new());
    let value: serde_json::Value =
        serde_json::from_str(&server.run(&["list", "--json", PATTERN]).out()).unwrap();
    assert_eq!(value["version"], 1);
    assert_eq!(value["events"].as_array().unwrap().len(), 2);
    assert_eq!(value["events"][1]["name"], listed::PLACED.name());
    assert_eq!(value["events"][1]["docs"], "An order.");
    // Several patterns, and none.
    let of = |arguments: &[&str]| server.run(arguments).out().lines().count() - 1;
    assert_eq!(
        of(&["list", listed::PLACED.name(), listed::CLOSED.name()]),
        2
    );
    assert_eq!(of(&["list"]), hotprobe::events().len());
}

#[test]
fn the_address_comes_from_the_variable_where_it_is_not_said() {
    let server = Server::start(Admin::new());
    let mut command = hotprobe(&["list", PATTERN]);
    command.env("HOTPROBE_URL", format!("{}/", server.url));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let told = hotprobe(&["list"])
        .env("HOTPROBE_URL", "nowhere")
        .output()
        .unwrap();
    assert_eq!(told.status.code(), Some(2));
    let err = String::from_utf8(told.stderr).unwrap();
    assert!(
        err.contains("HOTPROBE_URL is `nowhere`: expected `HOST:PORT`"),
        "{err}"
    );
}

#[test]
fn nothing_that_a_server_says_moves_the_terminal() {
    const EVIL: &str = "\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}\r";
    let evil = serde_json::to_string(EVIL).unwrap();
    let event = format!(
        r#"{{"name":{evil},"module":"m","file":{evil},"line":1,"column":1,"docs":{evil},"parameters":
            [{{"name":{evil},"type":{evil},"redacted":false}}],"enabled":true,"probe_count":1,
            "probes":[{{"name":{evil},"panicked":true}}]}}"#
    );
    let listed = fake::answer(
        "200 OK",
        "application/json",
        &format!(r#"{{"total":1,"events":[{event}]}}"#),
    );
    let record = format!(r#"{{"at":1.0,"event":{evil},"values":{{{evil}:{evil}}}}}"#);
    let end = r#"{"reason":"limit","records":1,"lost":0}"#;
    let tailed = format!("event: record\ndata: {record}\n\nevent: end\ndata: {end}\n\n");
    let tailed = fake::answer("200 OK", "text/event-stream", &tailed);
    let begin = format!(
        r#"{{"seconds":1.0,"events":[{{"name":{evil},"file":{evil},"line":1,"column":1}}]}}"#
    );
    let rates = format!(
        "event: begin\ndata: {begin}\n\nevent: rates\ndata: {{\"seconds\":1.0,\"fired\":[1]}}\n\n"
    );
    let rates = fake::answer("200 OK", "text/event-stream", &rates);
    let escaped = evil.trim_matches('"');
    let latency = fake::latency("")
        .replace("/slow", escaped)
        .replace("from a", escaped);
    let latency = fake::answer("200 OK", "application/json", &latency);
    let stacks = fake::answer("200 OK", "application/json", &fake::stacks(escaped));
    let refusal = format!(r#"{{"error":{{"message":{evil},"nearest":[{evil}]}}}}"#);
    let refused = fake::answer("404 Not Found", "application/json", &refusal);
    let away = format!("HTTP/1.1 302 Found\r\nLocation: /\t\r\nContent-Length: 0\r\n\r\n{EVIL}");
    let commands: [(&[&str], &str); 13] = [
        (&["list"], &listed),
        (&["list", "--json"], &listed),
        (&["tail", "*"], &tailed),
        (&["tail", "*", "--json"], &tailed),
        (&["watch", "*", "--count", "1"], &rates),
        (&["watch", "*", "--count", "1", "--json"], &rates),
        (&["latency", "a", "b", "id"], &latency),
        (&["latency", "a", "b", "id", "--json"], &latency),
        (&["stacks", "a"], &stacks),
        (&["stacks", "a", "--json"], &stacks),
        (&["complete-event"], &listed),
        (&["list"], &refused),
        (&["list"], &away),
    ];
    for (arguments, answer) in commands {
        let url = fake::saying(answer);
        let told = run(&[arguments, &["--url", &url]].concat());
        let all = told.out.clone() + &told.err;
        assert!(!all.is_empty(), "{arguments:?}");
        let obeyed = |character: char| {
            character != '\n' && (character.is_control() || character == '\u{202e}')
        };
        assert!(!all.contains(obeyed), "{arguments:?}: {told:?}");
    }
}

#[test]
fn completions_are_scripts_of_their_shells() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run(&["completions", shell]).out();
        assert!(
            script.contains("hotprobe") && script.contains("latency"),
            "{shell}: {script}"
        );
        assert!(
            !script.contains("--token "),
            "{shell} offers what is refused: {script}"
        );
    }
    let script = run(&["completions", "bash"]).out();
    let Ok(mut bash) = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn() else {
        // No bash, nothing to complete in it.
        return;
    };
    bash.stdin
        .take()
        .unwrap()
        .write_all(script.as_bytes())
        .unwrap();
    assert!(bash.wait().unwrap().success());
}

/// In bash, which splits words at colons.
#[test]
#[cfg(unix)]
fn names_of_events_are_completed() {
    let server = Server::start(Admin::new());
    let placed = listed::PLACED.name();
    let names = |word: &str| server.run(&["complete-event", word]).out();
    assert_eq!(names("it::output::listed::PL"), format!("{placed}\n"));
    assert_eq!(names("output::listed::PL"), format!("{placed}\n"));
    assert_eq!(names("it::output::listed::").lines().count(), 2);
    // A server that is down completes nothing, and says nothing.
    let url = ["--url", "http://127.0.0.1:1"];
    let told = run(&[&["complete-event", "a"][..], &url].concat());
    assert_eq!((told.code, &*told.out, &*told.err), (Some(0), "", ""));

    for (shell, call) in [
        ("zsh", "_hotprobe_events() {"),
        ("fish", "(hotprobe complete-event (commandline -ct)"),
    ] {
        let script = run(&["completions", shell]).out();
        assert!(script.contains(call), "{shell}: {script}");
        assert!(!script.contains("_hosts"), "{shell}: {script}");
    }
    let complete = |line: &str| {
        let program = std::path::Path::new(env!("CARGO_BIN_EXE_hotprobe"));
        let script = format!(
            "source <(hotprobe completions bash); COMP_LINE='{line}'; COMP_POINT=${{#COMP_LINE}}
             COMP_WORDS=(hotprobe tail it :: output :: listed :: PL); COMP_CWORD=8
             [[ $COMP_LINE = *-o* ]] && COMP_WORDS=(hotprobe record -o x) && COMP_CWORD=3
             _hotprobe_with_events hotprobe; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}:{path}", program.parent().unwrap().display());
        let output = Command::new("bash")
            .args(["--norc", "-c", &script])
            .env("PATH", path)
            .env("HOTPROBE_URL", &server.url)
            .output()
            .ok()?;
        Some(String::from_utf8(output.stdout).unwrap())
    };
    let Some(completed) = complete("hotprobe tail it::output::listed::PL") else {
        return;
    };
    // Without what is before the last colon, which bash keeps.
    assert_eq!(completed, "PLACED\n");
    let files = complete("hotprobe record -o x").unwrap();
    assert!(!files.contains("::"), "{files}");
}

#[test]
fn manual_pages_are_printed_and_written() {
    let page = run(&["man"]).out();
    assert!(page.contains(".TH hotprobe 1"), "{page}");
    let page = run(&["man", "latency"]).out();
    for said in [".TH hotprobe", "\\-\\-label", "Examples:", "guessed"] {
        assert!(page.contains(said), "no `{said}` in {page}");
    }
    let directory = super::Directory::new();
    run(&["man", "--dir", directory.path().to_str().unwrap()]).out();
    let names = directory.names();
    assert_eq!(names.len(), 11, "{names:?}");
    for name in ["hotprobe.1", "hotprobe-record.1", "hotprobe-man.1"] {
        assert!(names.iter().any(|other| other == name), "{names:?}");
    }
    run(&["man", "--dir", &directory.file("none")]).fails(1, &["cannot write `"]);
}

#[test]
fn a_list_fits_the_terminal() {
    let server = Server::start(Admin::new());
    for width in [40, 80, 120] {
        let mut list = server.hotprobe(&["list", "output::listed"]);
        let output = list.env("COLUMNS", width.to_string()).output().unwrap();
        let out = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && !out.is_empty());
        for line in out.lines() {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
    }
}

#[test]
fn help_is_coloured_where_that_is_asked_for() {
    for (color, is_colored) in [("always", true), ("never", false), ("auto", false)] {
        let out = run(&["--help", "--color", color]).out();
        assert_eq!(out.contains("\u{1b}["), is_colored, "{color}");
        let told = run(&["lst", "--color", color]);
        assert_eq!(told.err.contains("\u{1b}["), is_colored, "{color}");
    }
}

#[test]
fn help_tells_the_exit_codes_and_each_command() {
    let help = run(&["--help"]).out();
    for said in [
        "Exit codes:\n  0  success",
        "NO_COLOR",
        "man",
        "HOTPROBE_URL",
        "HOTPROBE_TOKEN",
        "list",
        "watch",
        "tail",
        "record",
        "latency",
        "stacks",
    ] {
        assert!(help.contains(said), "no `{said}` in {help}");
    }
    assert_eq!(
        run(&["--version"]).out(),
        concat!("hotprobe ", env!("CARGO_PKG_VERSION"), "\n")
    );
}
