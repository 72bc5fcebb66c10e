//! A server that says what it is told to, byte by byte: what no real one would.

use std::cell::OnceCell;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use test_support::eventually;

/// Answers each connection with these bytes, and closes it; its address as `--url` wants it.
pub(super) fn saying(answer: impl Into<Vec<u8>>) -> String {
    saying_each([answer.into()])
}

/// As [`saying`]: the first connection the first of them, and so on; the last one for all that come
/// after.
pub(super) fn saying_each(answers: impl Into<Vec<Vec<u8>>>) -> String {
    let mut answers = answers.into();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // (It ends with the process.)
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n")
                && connection.read(&mut byte).is_ok_and(|count| count > 0)
            {
                head.push(byte[0]);
            }
            let _ = connection.write_all(&answers[0]);
            if answers.len() > 1 {
                answers.remove(0);
            }
            let _ = connection.shutdown(Shutdown::Write);
            // (Until the client closes: to close first could take back what has been sent.)
            let _ = connection.read(&mut byte);
        }
    });
    format!("http://{address}/debug/probes")
}

/// A server whose connections stay open until they are dropped: each step is the test's.
pub(super) struct Steps(TcpListener);

impl Steps {
    pub(super) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/debug/probes", self.0.local_addr().unwrap())
    }

    /// Waits for the next request, whose first line begins with `expected`, and writes the answer.
    pub(super) fn answer(&self, expected: &str, answer: &str) -> TcpStream {
        let accepted = OnceCell::new();
        eventually("it queries", || {
            self.0
                .accept()
                .is_ok_and(|found| accepted.set(found).is_ok())
        });
        let (mut connection, _) = accepted.into_inner().unwrap();
        connection.set_nonblocking(false).unwrap();
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            connection.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with(expected), "{head}");
        connection.write_all(answer.as_bytes()).unwrap();
        connection
    }
}

/// The head of the response of session 7, whose body is yet to come.
pub(super) fn begun(kind: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nHotprobe-Session: 7\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
}

/// A piece of such a body, and its end.
pub(super) fn rest(body: &str) -> String {
    format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len())
}

/// An answer of this status and kind.
pub(super) fn answer(status: &str, kind: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The beginning of one: a chunk, and not the last.
pub(super) fn half(kind: &str, chunk: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{chunk}\r\n",
        chunk.len()
    )
}

/// The result of a latency measurement in all its formats, with this picture; as `format=json`, its
/// fields beside it.
pub(super) fn latency(svg: &str) -> String {
    let counts = concat!(
        r#"{"begins":3,"ends":3,"matched":3,"unmatched_begins":0,"unmatched_ends":0,"evicted":0,"open":0,"#,
        r#""skipped":0,"begins_without_key":0,"ends_without_key":0}"#
    );
    let label = |label: &str, ns: u64| {
        format!(
            r#"{{"label":"{label}","count":1,"p50_ns":{ns},"p90_ns":{ns},"p99_ns":{ns},"max_ns":{ns}}}"#
        )
    };
    let labels = [label("/fast", 1000), label("/slow", 1_000_000)].join(",");
    let json =
        format!(r#""title":"from a to b","complete":true,"counts":{counts},"labels":[{labels}]"#);
    format!(r#"{{"json":{{{json}}},"svg":"{svg}","hlog":"log",{json}}}"#)
}

/// A profile of stacks in all its formats, with these folded ones.
pub(super) fn stacks(folded: &str) -> String {
    format!(
        r#"{{"fired":7,"sampled":7,"complete":true,"folded":"{folded}","svg":"<svg/>","pprof":"AP8="}}"#
    )
}
