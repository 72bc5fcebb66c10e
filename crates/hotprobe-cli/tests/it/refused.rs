//! What fails, what is said then, and with which exit code: 1 where a server or a file failed, 2
//! for the command line.

use super::{Directory, Server, fake, run};
use hotprobe_admin::Admin;
use std::fs;
use std::net::TcpListener;
use std::process::Stdio;
use test_support::eventually;

mod known {
    hotprobe::event! { pub static ORDER_PLACED: fn(n: u64); }
}
mod full {
    hotprobe::event! { pub static ITEM: fn(n: u64); }
}

#[test]
fn where_nobody_listens_it_says_what_to_do() {
    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let url = format!("http://{address}/debug/probes");
    let directory = Directory::new();
    let file = directory.file("x.pftrace");
    let commands: [&[&str]; 6] = [
        &["list"],
        &["tail", "*"],
        &["watch", "*"],
        &["record", "*", "-o", &file],
        &["latency", "a", "b", "id"],
        &["stacks", "a"],
    ];
    for arguments in commands {
        run(&[arguments, &["--url", &url]].concat())
            .fails(1, &["nobody listens at", &url, "--url"]);
    }
    assert!(directory.names().is_empty(), "{:?}", directory.names());
}

#[test]
fn a_name_that_is_none_is_answered_with_the_nearest() {
    let server = Server::start(Admin::new());
    let name = known::ORDER_PLACED.name();
    server
        .run(&["list", &name.replace("PLACED", "PLACD")])
        .fails(
            1,
            &[
                "no event matches `",
                &format!(" (of {}); try `{name}`", hotprobe::events().len()),
            ],
        );
}

/// Of two names, the server says only of the first what is similar to it.
#[test]
fn of_several_names_the_unknown_one_is_answered_with_its_own_nearest() {
    let server = Server::start(Admin::new());
    let wrong = full::ITEM.name().replace("ITEM", "ITME");
    let expected = format!("; try `{}`", full::ITEM.name());
    let said = format!("no event matches `{wrong}`");
    for command in [
        &["list", "refused::known", &wrong][..],
        &["latency", "refused::known", &wrong, "n"],
    ] {
        server.run(command).fails(1, &[&said, &expected]);
    }
}

#[test]
fn a_name_that_several_events_have_is_answered_with_them() {
    let server = Server::start(Admin::new());
    for command in [
        &["latency", "it::refused", full::ITEM.name(), "n"][..],
        &["latency", "it::refused"],
    ] {
        server.run(command).fails(
            1,
            &[
                "2 events match",
                "name one of ",
                full::ITEM.name(),
                known::ORDER_PLACED.name(),
            ],
        );
    }
}

#[test]
fn the_token_comes_from_a_file_or_a_variable_and_never_from_an_argument() {
    let server = Server::start(Admin::new().token("open-sesame").unwrap());
    let directory = Directory::new();
    let file = directory.file("token");
    fs::write(&file, "open-sesame\n").unwrap();
    server.run(&["list", "--token-file", &file]).out();
    let with_variable = server
        .hotprobe(&["list"])
        .env("HOTPROBE_TOKEN", "open-sesame")
        .output();
    assert!(with_variable.unwrap().status.success());

    server
        .run(&["list"])
        .fails(1, &["(401)", "a token is needed", "--token-file FILE"]);
    fs::write(&file, "open-barley").unwrap();
    let told = server.run(&["list", "--token-file", &file]);
    let told = told.fails(1, &["(401)", "not that of this server"]);
    assert!(!told.err.contains("barley"), "{told:?}");

    let attempts: [&[&str]; 4] = [
        &["--token", "open-sesame", "list"],
        &["list", "--token", "open-sesame"],
        &["list", "--token=open-sesame"],
        &["list", "--token"],
    ];
    for arguments in attempts {
        let told = run(arguments).fails(
            2,
            &[
                "there is no `--token`",
                "--token-file FILE",
                "HOTPROBE_TOKEN",
            ],
        );
        assert!(!told.err.contains("sesame"), "{told:?}");
    }

    run(&["list", "--token-file", &directory.file("none")])
        .fails(1, &["cannot read the token", "none"]);
    for unusable in ["", "\n", "two words", "caf\u{e9}"] {
        fs::write(&file, unusable).unwrap();
        run(&["list", "--token-file", &file]).fails(2, &["the token in the file", "visible ASCII"]);
    }
}

#[test]
fn what_the_server_refuses_it_says_in_its_own_words() {
    let server = Server::start(Admin::new().max_sessions(0).unwrap());
    server
        .run(&["tail", known::ORDER_PLACED.name()])
        .fails(1, &["(403)", "lets nobody attach"]);
    let server = Server::start(Admin::new());
    server
        .run(&["tail", known::ORDER_PLACED.name(), "--seconds", "4000"])
        .fails(
            1,
            &[
                "(400)",
                "`seconds` is `4000`: expected a number from 0.1 to 300",
            ],
        );
}

#[test]
fn when_too_many_are_open_it_says_when_to_try_again() {
    let server = Server::start(Admin::new().max_sessions(1).unwrap());
    let mut child = server
        .hotprobe(&["tail", full::ITEM.name(), "--seconds", "200"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    eventually("it is attached", || full::ITEM.is_enabled());
    for command in ["tail", "watch"] {
        server
            .run(&[command, full::ITEM.name()])
            .fails(1, &["(429)", "1 sessions are open", "retry after "]);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    eventually("it is detached", || full::ITEM.probe_count() == 0);
}

#[test]
fn what_is_no_hotprobe_is_told_from_one_that_refuses() {
    let page = "<!doctype html><title>Shop</title>";
    let not_ours = "which is not hotprobe's `/debug/probes`";
    let html = |status| fake::answer(status, "text/html; charset=utf-8", page);
    for (answer, said) in [
        (html("404 Not Found"), "answered 404"),
        (html("200 OK"), "answered with `text/html`, which is not"),
        (html("502 Bad Gateway"), "answered 502"),
        (
            fake::answer(
                "404 Not Found",
                "application/json",
                r#"{"error":"not found"}"#,
            ),
            "answered 404",
        ),
        (
            fake::answer("404 Not Found", "text/plain", ""),
            "answered 404",
        ),
        (
            "HTTP/1.1 301 Moved\r\nLocation: https://shop.example/\r\nContent-Length: 0\r\n\r\n"
                .to_owned(),
            "https://shop.example/",
        ),
        (
            "SSH-2.0-OpenSSH_9.9\r\n".to_owned(),
            "answered with invalid HTTP",
        ),
    ] {
        let url = fake::saying(answer);
        let directory = Directory::new();
        let file = directory.file("x.pftrace");
        let commands: [&[&str]; 6] = [
            &["list"],
            &["tail", "*"],
            &["watch", "*"],
            &["record", "*", "-o", &file],
            &["latency", "a", "b", "id"],
            &["stacks", "a"],
        ];
        for arguments in commands {
            run(&[arguments, &["--url", &url]].concat()).fails(1, &[not_ours, said, "--url"]);
        }
        assert!(directory.names().is_empty(), "{:?}", directory.names());
    }
    let url = fake::saying(fake::answer("200 OK", "application/json", "{}"));
    run(&["list", "--url", &url]).fails(1, &["did not answer with hotprobe's events"]);
    let url = fake::saying("");
    run(&["list", "--url", &url]).fails(1, &["closed the connection without an answer"]);
    // (The last chunk, cut short.)
    let url = fake::saying(fake::half("application/json", r#"{"total":0,"events":[]}"#) + "0\r\n");
    let told = run(&["list", "--url", &url]);
    assert!(!told.err.contains("panicked"), "{told:?}");
}

#[test]
fn what_the_command_line_cannot_mean_is_a_usage_error() {
    for (arguments, said) in [
        (
            &["list", "--url", "https://shop.example/debug/probes"][..],
            "TLS is not supported",
        ),
        (
            &["list", "--url", "localhost"],
            "--url is `localhost`: expected `HOST:PORT`, `http://",
        ),
        (
            &["list", "--url", "http://me:pw@127.0.0.1/"],
            "--token-file",
        ),
        (&["tail"], "<MATCH>"),
        (
            &["tail", "*", "--seconds", "soon"],
            "--for <DURATION> is `soon`: expected a duration, such as `10s`, `2m` or `500ms`, of at most `277h`",
        ),
        (
            &["watch", "*", "--interval", "0"],
            "expected whole seconds from `1s` to `1h`",
        ),
        (&["record", "*"], "--output"),
        (&["record", "-o", "x.pftrace"], "MATCH"),
        (
            &["record", "*", "-o", "x.txt"],
            "cannot tell the format from the extension of `x.txt`; use .pftrace, ",
        ),
        (&["record", "*", "-o", "."], "--format"),
        (&["record", "*", "-o", "x", "--format", "svg"], "perfetto"),
        (
            &["latency", "a", "b", "id", "-o", "x.png"],
            ".svg, .hlog or .json",
        ),
        (
            &["latency", "a", "b", "id", "-o", "x.json", "--json"],
            "cannot be used with",
        ),
        (&["stacks", "a", "-o", "x.png"], "or .pb.gz"),
        (&["stacks", "a", "--every", "0"], "--every <N> is `0`"),
        (
            &["man", "lst"],
            "there is no command `lst`; expected one of ps, ",
        ),
        (&["completions", "tcsh"], "bash"),
        (&["lst"], "list"),
        (&[], "Usage"),
    ] {
        let told = run(arguments).fails(2, &[said]);
        // In one voice: a line, which begins as any other and ends without a full stop.
        if !arguments.is_empty() {
            assert!(told.err.starts_with("hotprobe: "), "{told:?}");
            assert_eq!(told.err.lines().count(), 1, "{told:?}");
            assert!(!told.err.ends_with(".\n"), "{told:?}");
        }
    }
}

#[test]
#[cfg(unix)]
fn variables_that_are_not_text_are_refused_or_do_not_matter() {
    use std::os::unix::ffi::OsStrExt as _;
    let bad = std::ffi::OsStr::from_bytes(b"\xff");
    for (variable, said) in [
        (
            "HOTPROBE_URL",
            "HOTPROBE_URL is `\u{fffd}`, which is not UTF-8",
        ),
        ("HOTPROBE_TOKEN", "HOTPROBE_TOKEN cannot be used"),
    ] {
        let output = super::hotprobe(&["list"]).env(variable, bad).output();
        super::CommandOutput::of(output.unwrap()).fails(2, &[said]);
    }
    let server = Server::start(Admin::new());
    let mut command = server.hotprobe(&["list"]);
    command.envs(["COLUMNS", "NO_COLOR", "TERM"].map(|variable| (variable, bad)));
    super::CommandOutput::of(command.output().unwrap()).out();
}

#[test]
fn an_address_needs_neither_scheme_nor_path() {
    let server = Server::start(Admin::new());
    let url = server.url.strip_suffix("/debug/probes").unwrap();
    let place = url.strip_prefix("http://").unwrap();
    for url in [url, place, &format!("{place}/debug/probes")] {
        run(&["list", "--url", url]).out();
    }
}

#[test]
fn an_output_that_cannot_be_written_is_a_failure() {
    let out = fs::File::options().write(true).open("/dev/full");
    let Ok(out) = out else { return };
    let server = Server::start(Admin::new());
    let output = server.hotprobe(&["list"]).stdout(out).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.contains("cannot write to standard output"), "{err}");
}
