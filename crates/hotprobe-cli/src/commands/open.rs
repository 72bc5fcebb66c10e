//! `hotprobe open`: the page of a process, in the browser.
//!
//! A browser cannot open a Unix socket. So this listens on a port of the loopback interface, and
//! passes requests on. Any account of this machine can connect to that port: the path of the page
//! begins with a secret, and nothing else is answered.

use crate::arguments::Open;
use crate::failure::{Failure, note};
use crate::http::client::Client;
use crate::http::query::Query;
use crate::interrupt::{AtInterrupt, on_interrupt};
use crate::output;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::Duration;

/// The longest head of a request.
const MAX_HEAD: usize = 64 << 10;
/// How long a browser may take for a request's head.
const HEAD: Duration = Duration::from_secs(10);
/// The end of a request's head.
const END: &[u8] = b"\r\n\r\n";

pub(crate) fn run(client: &Client, options: &Open) -> Result<(), Failure> {
    let Some(socket) = client.socket() else {
        // It has a port already.
        let address = format!("{}/", client.base());
        output::text(&format!("{address}\n"))?;
        show(&address, options);
        return Ok(());
    };
    // Before anything else: whether it is there at all.
    client.ask(&Query::get("stats").answered_by("application/json"))?;
    let failed = |error: io::Error| Failure::failed(format!("cannot open a port: {error}"));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
    let port = listener.local_addr().map_err(failed)?.port();
    let secret =
        secret().map_err(|error| Failure::failed(format!("no random numbers: {error}")))?;
    let address = format!("http://127.0.0.1:{port}/{secret}/debug/probes/");
    on_interrupt(|| AtInterrupt::End(None))?;
    output::text(&format!("{address}\n"))?;
    note("the page is there until Ctrl-C");
    show(&address, options);
    serve(&listener, socket, &secret)
}

fn show(address: &str, options: &Open) {
    if !options.no_browser {
        // Where there is no browser, the address has been printed.
        let _ = open::that_detached(address);
    }
}

/// Returns 128 random bits, in hex.
fn secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}

fn serve(listener: &TcpListener, socket: &Path, secret: &str) -> Result<(), Failure> {
    thread::scope(|scope| {
        loop {
            match listener.accept() {
                Ok((browser, _)) => {
                    let passed = move || {
                        // (An error is that of one connection: the browser sees it end.)
                        let _ = pass(browser, socket, secret);
                    };
                    // (Without a thread, this connection is closed.)
                    let _ = thread::Builder::new().spawn_scoped(scope, passed);
                }
                Err(_) => thread::sleep(Duration::from_millis(100)),
            }
        }
    })
}

/// Passes on one request and its answer.
fn pass(mut browser: TcpStream, socket: &Path, secret: &str) -> io::Result<()> {
    browser.set_read_timeout(Some(HEAD))?;
    let mut received = Vec::new();
    let head = loop {
        if let Some(end) = received.windows(END.len()).position(|window| window == END) {
            break end;
        }
        let mut part = [0; 4096];
        let length = browser.read(&mut part)?;
        if length == 0 || received.len() > MAX_HEAD {
            return Ok(());
        }
        received.extend_from_slice(&part[..length]);
    };
    let body = received.split_off(head + END.len());
    let Some(head) = rewritten(&received, secret) else {
        return browser.write_all(
            b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        );
    };
    browser.set_read_timeout(None)?;
    let mut server = crate::http::unix::connect(socket)?;
    server.write_all(&head)?;
    server.write_all(&body)?;
    let (mut from_browser, mut to_server) = (browser.try_clone()?, server.try_clone()?);
    thread::scope(|scope| {
        scope.spawn(move || {
            let _ = io::copy(&mut from_browser, &mut to_server);
            // The browser has gone: so must the server's session.
            let _ = to_server.shutdown(Shutdown::Both);
        });
        let copied = copy_at_once(&mut server, &mut browser);
        let _ = browser.shutdown(Shutdown::Both);
        let _ = server.shutdown(Shutdown::Both);
        copied
    })
}

/// Copies what comes as soon as it comes.
fn copy_at_once(from: &mut UnixStream, to: &mut TcpStream) -> io::Result<()> {
    let mut part = [0; 16 << 10];
    loop {
        match from.read(&mut part)? {
            0 => return Ok(()),
            length => to.write_all(&part[..length])?,
        }
    }
}

/// Returns a request's head for the server: without the secret, and for one request a connection.
/// `None` without the secret.
fn rewritten(head: &[u8], secret: &str) -> Option<Vec<u8>> {
    let head = std::str::from_utf8(head).ok()?;
    let mut lines = head.split("\r\n");
    let (method, rest) = lines.next()?.split_once(' ')?;
    let path = rest.strip_prefix('/')?.strip_prefix(secret)?;
    if !path.starts_with('/') {
        return None;
    }
    let mut rewritten = format!("{method} {path}\r\n");
    for line in lines.filter(|line| !line.is_empty()) {
        let name = line.split(':').next().unwrap_or_default();
        if !name.eq_ignore_ascii_case("connection") {
            rewritten += line;
            rewritten += "\r\n";
        }
    }
    rewritten += "Connection: close\r\n\r\n";
    Some(rewritten.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_requests_with_the_secret_are_passed_on_and_without_it() {
        let head = |path: &str| {
            let head = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
            rewritten(head.as_bytes(), "5ecret").map(|head| String::from_utf8(head).unwrap())
        };
        assert_eq!(
            head("/5ecret/debug/probes/?match=a").unwrap(),
            "GET /debug/probes/?match=a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        );
        for path in [
            "/debug/probes/",
            "/",
            "/5ecre/debug",
            "/5ecretdebug",
            "5ecret/",
            "/5ecret",
        ] {
            assert_eq!(head(path), None, "{path}");
        }
    }

    #[test]
    fn secrets_differ_and_are_long() {
        let (one, other) = (secret().unwrap(), secret().unwrap());
        assert_eq!(one.len(), 32);
        assert_ne!(one, other);
    }
}
