//! The `live_server` example, as its user runs it.

use crate::hello::example;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A started program, killed if the test ends before it does.
pub(crate) struct Running(Child);

impl Running {
    fn start(arguments: &[&str]) -> Self {
        Self::program("live_server", arguments)
    }

    pub(crate) fn program(name: &str, arguments: &[&str]) -> Self {
        let child = Command::new(example(name))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        Self(child.expect("it starts"))
    }

    /// Waits for its end, not forever. What it prints fits into a pipe.
    pub(crate) fn end(mut self) -> Output {
        let deadline = Instant::now() + Duration::from_secs(60);
        let status = loop {
            if let Some(status) = self.0.try_wait().expect("it can be asked") {
                break status;
            }
            assert!(Instant::now() < deadline, "it has not ended in a minute");
            thread::sleep(Duration::from_millis(10));
        };
        let mut output = Output {
            status,
            stdout: Vec::new(),
            stderr: Vec::new(),
        };
        if let Some(mut pipe) = self.0.stdout.take() {
            pipe.read_to_end(&mut output.stdout).expect("it is text");
        }
        if let Some(mut pipe) = self.0.stderr.take() {
            pipe.read_to_end(&mut output.stderr).expect("it is text");
        }
        output
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, signal: &str) {
        let sent = Command::new("kill")
            .args([signal, &self.0.id().to_string()])
            .status();
        assert!(sent.expect("there is a `kill`").success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail if it has ended, as it should have.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_short_run_fails_no_request_and_all_checks_hold() {
    let output = Running::start(&["--seconds", "1", "--connections", "4"]).end();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{out}\n{err}");

    let total = out.lines().find(|line| line.starts_with("total"));
    let total: Vec<_> = total.expect("a summary").split_whitespace().collect();
    let [_, requests, failed] = total[..] else {
        panic!("{total:?}");
    };
    assert!(requests.parse::<u64>().expect("a number") > 0, "{out}");
    assert_eq!(failed, "0", "{out}");
    for phase in ["1 off", "2 attached", "3 detached", "4 panicking"] {
        let lines = out.lines().filter(|line| line.starts_with(phase)).count();
        assert_eq!(lines, 2, "one of progress, one of the summary: {out}");
    }
    assert!(out.contains("all checks held"), "{out}");
    // The deliberate panic: a line, and no more.
    assert!(err.contains("as it is meant to"), "{err}");
    assert!(!err.contains("thread '"), "{err}");
}

#[test]
fn a_bad_value_is_named_with_what_is_expected_and_the_exit_code_is_2() {
    for (option, value, expected) in [
        ("--seconds", "0", "from 1 to 600"),
        ("--seconds", "soon", "from 1 to 600"),
        ("--connections", "0", "from 1 to 10000"),
        ("--connections", "-3", "from 1 to 10000"),
        ("--port", "http", "from 0 to 65535"),
        ("--port", "65536", "from 0 to 65535"),
    ] {
        let output = Running::start(&[option, value]).end();
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{option} {value}: {err}");
        for part in [option, &format!("'{value}'"), expected] {
            assert!(err.contains(part), "{option} {value}: {err}");
        }
    }
}

#[test]
fn a_port_in_use_is_named_and_the_exit_code_is_2() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("bound").port().to_string();
    let output = Running::start(&["--port", &port]).end();
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(err.contains(&format!("--port {port}")), "{err}");
    assert!(err.contains("another program uses it"), "{err}");
}

/// A server that only serves, and its address. Its output is read further through the reader.
fn serving() -> (Running, String, BufReader<ChildStdout>) {
    serving_with(&[])
}

pub(crate) fn serving_with(further: &[&str]) -> (Running, String, BufReader<ChildStdout>) {
    let mut server = Running::start(&[&["--serve", "--port", "0"], further].concat());
    let mut out = BufReader::new(server.0.stdout.take().expect("piped"));
    let mut line = String::new();
    out.read_line(&mut line).expect("it is text");
    let address = line
        .split_once("http://")
        .and_then(|(_, rest)| rest.split_whitespace().next());
    let address = address.unwrap_or_else(|| panic!("an address: {line:?}"));
    (server, address.to_owned(), out)
}

/// Sends a request and returns the whole response, up to the end of the connection.
pub(crate) fn ask(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it accepts");
    let limit = Some(Duration::from_secs(30));
    stream.set_read_timeout(limit).expect("a good limit");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("it answers");
    response
}

#[test]
fn it_serves_orders() {
    let (_server, address, _out) = serving();
    let new = r#"{"item":"tea","quantity":3}"#;
    let created = ask(
        &address,
        &format!(
            "POST /orders HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{new}",
            new.len()
        ),
    );
    assert!(created.starts_with("HTTP/1.1 201 "), "{created}");
    assert!(created.contains(r#""id":0"#), "{created}");

    for (path, status) in [
        ("/orders", "200"),
        ("/orders/0", "200"),
        ("/orders/report", "200"),
        ("/orders/99", "404"),
        ("/orders/tea", "400"),
        ("/elsewhere", "404"),
    ] {
        let response = ask(
            &address,
            &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
        );
        let expected = format!("HTTP/1.1 {status} ");
        assert!(response.starts_with(&expected), "{path}: {response}");
    }
}

#[cfg(unix)]
#[test]
fn a_serving_server_stops_cleanly_on_ctrl_c_and_on_sigterm() {
    for signal in ["-INT", "-TERM"] {
        let (server, address, mut out) = serving();
        // An idle keep-alive connection is closed, not waited for.
        let mut idle = TcpStream::connect(&address).expect("it accepts");
        let limit = Some(Duration::from_secs(30));
        idle.set_read_timeout(limit).expect("a good limit");
        idle.write_all(b"GET /orders HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .expect("it reads");
        let mut first = [0; 12];
        idle.read_exact(&mut first).expect("it answers");
        assert_eq!(&first, b"HTTP/1.1 200");

        server.signal(signal);
        let output = server.end();
        assert_eq!(output.status.code(), Some(0), "{signal}: {output:?}");
        let mut rest = String::new();
        out.read_to_string(&mut rest).expect("it is text");
        assert!(rest.ends_with("stopped\n"), "{signal}: {rest}");
    }
}

#[cfg(unix)]
#[test]
fn a_server_that_asks_itself_serves_until_it_is_told_to_stop_and_says_how_many_were_answered() {
    let (server, _, mut out) = serving_with(&["--connections", "2"]);
    let mut line = String::new();
    while line != "asked over 2 connections\n" {
        line.clear();
        assert_ne!(out.read_line(&mut line).expect("it is text"), 0, "it ends");
    }
    server.signal("-TERM");
    let output = server.end();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("it is text");
    let answered = rest
        .lines()
        .find_map(|line| line.strip_suffix(" requests were answered"));
    let answered = answered.unwrap_or_else(|| panic!("{rest}")).parse::<u64>();
    assert!(answered.expect("a number") > 0, "{rest}");
    assert!(rest.ends_with("stopped\n"), "{rest}");
}

#[cfg(unix)]
#[test]
fn a_serving_server_can_be_looked_into_and_stops_with_a_tail_open() {
    let (server, address, mut out) = serving();
    let page = ask(
        &address,
        &format!("GET /debug/probes HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"),
    );
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    assert!(
        page.contains("live_server::events::REQUEST_BEGIN"),
        "{page}"
    );
    let version = concat!(
        "<span id=program>live_server</span> <span class=dim>",
        env!("CARGO_PKG_VERSION")
    );
    assert!(page.contains(version), "{page}");

    let mut tail = TcpStream::connect(&address).expect("it accepts");
    let limit = Some(Duration::from_secs(30));
    tail.set_read_timeout(limit).expect("a good limit");
    let request =
        format!("GET /debug/probes/tail?match=*&seconds=300 HTTP/1.1\r\nHost: {address}\r\n\r\n");
    tail.write_all(request.as_bytes()).expect("it reads");
    let mut first = [0; 12];
    tail.read_exact(&mut first).expect("it answers");
    assert_eq!(&first, b"HTTP/1.1 200");
    server.signal("-TERM");
    let output = server.end();
    // (It gives up, with another code, if something is open for 5 s.)
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let mut rest = String::new();
    tail.read_to_string(&mut rest).expect("it is text");
    assert!(rest.contains(r#""reason":"shutdown""#), "{rest}");
    let mut said = String::new();
    out.read_to_string(&mut said).expect("it is text");
    let where_to = format!("look into it: http://{address}/debug/probes\n");
    assert!(said.starts_with(&where_to), "{said}");
}

#[test]
fn a_report_has_what_was_ordered_of_each_item() {
    let (_server, address, _out) = serving();
    for quantity in [3, 4] {
        let new = format!(r#"{{"item":"cocoa","quantity":{quantity}}}"#);
        let created = ask(
            &address,
            &format!(
                "POST /orders HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
                 Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{new}",
                new.len()
            ),
        );
        assert!(created.starts_with("HTTP/1.1 201 "), "{created}");
    }
    let report = ask(
        &address,
        "GET /orders/report HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    );
    for sales in [
        r#"{"item":"tea","orders":0,"total":0}"#,
        r#"{"item":"cocoa","orders":2,"total":4900}"#,
    ] {
        assert!(report.contains(sales), "{report}");
    }
}
