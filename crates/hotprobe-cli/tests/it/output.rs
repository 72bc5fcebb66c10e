//! What needs no session: `list`, `completions`, `--help`; and that nothing a server says reaches the terminal as it is.

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
        err.contains("HOTPROBE_URL is `nowhere`: expected `http://"),
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
    let text = fake::answer("200 OK", "text/plain", EVIL);
    let refusal = format!(r#"{{"error":{{"message":{evil},"nearest":[{evil}]}}}}"#);
    let refused = fake::answer("404 Not Found", "application/json", &refusal);
    let away = format!("HTTP/1.1 302 Found\r\nLocation: /\t\r\nContent-Length: 0\r\n\r\n{EVIL}");
    let commands: [(&[&str], &str); 10] = [
        (&["list"], &listed),
        (&["list", "--json"], &listed),
        (&["tail", "*"], &tailed),
        (&["tail", "*", "--json"], &tailed),
        (&["watch", "*", "--count", "1"], &rates),
        (&["watch", "*", "--count", "1", "--json"], &rates),
        (&["latency", "a", "b", "id"], &text),
        (&["stacks", "a"], &text),
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

#[test]
fn help_tells_the_exit_codes_and_each_command() {
    let help = run(&["--help"]).out();
    for said in [
        "Exit codes: 0",
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
