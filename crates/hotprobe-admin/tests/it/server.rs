//! Over real sockets, behind axum's own server.

use super::{block_on, eventually};
use crate::alloc::live_bytes;
use axum::Router;
use hotprobe_admin::{Admin, Shutdown, router};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

mod left {
    hotprobe::event! { pub static ITEM: fn(n: u64); }
}
mod held {
    hotprobe::event! { pub static ITEM: fn(n: u64); }
}
mod stuck {
    hotprobe::event! { pub static ITEM: fn(text: &str); }
}

mod left_out {
    hotprobe::event! {
        pub static ITEM: fn(n: u64);
        pub static DONE: fn(n: u64);
    }
}

struct Server {
    address: SocketAddr,
    shutdown: Shutdown,
    end: oneshot::Sender<()>,
    served: JoinHandle<Option<std::io::Result<()>>>,
}

impl Server {
    fn start(admin: Admin) -> Self {
        Self::start_draining(admin, Duration::from_secs(300))
    }

    /// Waits for connections that are open at the shutdown for so long.
    fn start_draining(admin: Admin, drain: Duration) -> Self {
        let shutdown = admin.shutdown();
        let app: Router = Router::new().nest_service("/debug/probes", router(admin));
        // Connections have the listener's size, and what the system takes for a client that does
        // not read stays the same.
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_send_buffer_size(16 << 10).unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let listener = socket.listen(1024).unwrap();
        let address = listener.local_addr().unwrap();
        let (end, ended) = oneshot::channel();
        let ending = shutdown.clone();
        let serve = axum::serve(
            listener,
            app.into_make_service_with_connect_info::<SocketAddr>(),
        );
        let served = tokio::spawn({
            let shutdown = shutdown.clone();
            async move {
                let serve = serve.with_graceful_shutdown(async move {
                    let _ = ended.await;
                    ending.begin();
                });
                shutdown.serve(serve, drain).await
            }
        });
        Self {
            address,
            shutdown,
            end,
            served,
        }
    }

    /// Sends a request; the connection, and what came with the first bytes.
    async fn ask(&self, method: &str, path: &str) -> (TcpStream, String) {
        let mut connection = TcpStream::connect(self.address).await.unwrap();
        let request = format!(
            "{method} /debug/probes{path} HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\n\r\n",
            self.address
        );
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = vec![0; 4096];
        let count = connection.read(&mut bytes).await.unwrap();
        (
            connection,
            String::from_utf8_lossy(&bytes[..count]).into_owned(),
        )
    }
}

/// Each way to have something attached.
fn paths(module: &str) -> Vec<(&'static str, String)> {
    let mut paths = vec![
        (
            "GET",
            format!("/tail?match=*::server::{module}::*&seconds=300"),
        ),
        (
            "GET",
            format!("/rates?match=*::server::{module}::*&seconds=300"),
        ),
    ];
    paths.push((
        "GET",
        format!("/stacks?event=*::server::{module}::ITEM&seconds=300"),
    ));
    for format in ["perfetto", "chrome", "ctf"] {
        paths.push((
            "POST",
            format!("/record?match=*::server::{module}::*&seconds=300&format={format}"),
        ));
    }
    paths
}

#[test]
fn a_client_that_goes_away_leaves_nothing_attached() {
    block_on(async {
        let server = Server::start(Admin::new());
        for (method, path) in paths("left") {
            let (connection, answer) = server.ask(method, &path).await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
            assert_eq!(left::ITEM.probe_count(), 1, "{path}");
            drop(connection);
            eventually("it is detached", || left::ITEM.probe_count() == 0).await;
            eventually("the session is over", || {
                server.shutdown.open_sessions() == 0
            })
            .await;
        }
    });
}

#[test]
fn a_graceful_shutdown_is_not_held_up_by_what_is_open() {
    block_on(async {
        let server = Server::start(Admin::new().max_sessions(10).unwrap());
        let mut open = Vec::new();
        for (method, path) in paths("held") {
            let (connection, answer) = server.ask(method, &path).await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
            open.push((path, connection, answer));
        }
        held::ITEM.fire(4711);
        server.end.send(()).unwrap();
        // Not 300 s. (Nothing else is promised on a machine that is busy with other tests.)
        let ended = tokio::time::timeout(Duration::from_secs(30), async {
            for (path, connection, answer) in &mut open {
                let mut rest = Vec::new();
                connection.read_to_end(&mut rest).await.unwrap();
                *answer += &String::from_utf8_lossy(&rest);
                // Names are looked up for `/stacks`, which may take longer than half a second.
                assert!(
                    answer.ends_with("\r\n0\r\n\r\n") || path.starts_with("/stacks"),
                    "{path} was cut off: {answer}"
                );
            }
            server.served.await.unwrap().unwrap().unwrap();
        });
        ended.await.expect("it is held up");
        assert_eq!(held::ITEM.probe_count(), 0);
        super::in_time(server.shutdown.ended()).await;
        for (path, _, answer) in &open {
            if path.contains("tail") || path.contains("chrome") {
                assert!(answer.contains("4711"), "{path}: {answer}");
            }
        }
    });
}

#[test]
fn a_client_that_never_reads_is_detached_when_the_time_is_up() {
    block_on(async {
        let server = Server::start(Admin::new());
        let path = "/tail?match=*::server::stuck::*&seconds=0.5&rate=1000";
        let (connection, answer) = server.ask("GET", path).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let text = "x".repeat(256);
        eventually("it is detached", || {
            (0..100).for_each(|_| stuck::ITEM.fire(&text));
            stuck::ITEM.probe_count() == 0
        })
        .await;
        drop(connection);
        eventually("the session is over", || {
            server.shutdown.open_sessions() == 0
        })
        .await;
    });
}

/// How much a connection whose client does not read may keep: 16 pieces of 8 KiB, and what each
/// connection has.
const KEPT: isize = 176 << 10;
/// How much hyper keeps on average while no client reads, at least.
const STUCK: isize = 64 << 10;

/// Opens recordings whose clients never read, and fires until nothing more fits into any.
async fn clients_that_never_read(server: &Server) -> Vec<TcpStream> {
    let before = live_bytes();
    let mut open = Vec::new();
    for format in ["perfetto", "chrome", "perfetto", "chrome"] {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let mut connection = socket.connect(server.address).await.unwrap();
        let request = format!(
            "POST /debug/probes/record?match=*::server::stuck::*&seconds=300&format={format} HTTP/1.1\r\n\
             Host: {}\r\nContent-Length: 0\r\n\r\n",
            server.address
        );
        connection.write_all(request.as_bytes()).await.unwrap();
        open.push(connection);
    }
    eventually("all are attached", || {
        stuck::ITEM.probe_count() == open.len()
    })
    .await;
    let text = "x".repeat(1000);
    // What waits in the server, for each: 64 KiB in the recording, 256 KiB to be sent, and what
    // hyper keeps.
    let full = open.len().cast_signed() * ((64 << 10) + (256 << 10) + STUCK);
    eventually("no more fits", || {
        (0..50).for_each(|_| stuck::ITEM.fire(&text));
        live_bytes() - before > full
    })
    .await;
    open
}

#[test]
fn a_client_that_never_reads_keeps_little_and_does_not_hold_up_a_graceful_shutdown() {
    test_support::isolated(
        "server::a_client_that_never_reads_keeps_little_and_does_not_hold_up_a_graceful_shutdown",
        || {
            block_on(async {
                let admin = || Admin::new().max_memory_bytes(1 << 20).unwrap();
                let start = || Server::start_draining(admin(), Duration::from_millis(100));
                // What is allocated once, is allocated here.
                let server = start();
                let path = "/record?match=*::server::stuck::*&seconds=0.1";
                let (connection, _) = server.ask("POST", path).await;
                super::in_time(server.shutdown.ended()).await;
                drop(connection);

                let before = live_bytes();
                let server = start();
                let open = clients_that_never_read(&server).await;
                server.shutdown.begin();
                super::in_time(server.shutdown.ended()).await;
                assert_eq!(stuck::ITEM.probe_count(), 0);
                let count = open.len().cast_signed();
                eventually("little is kept", || {
                    hotprobe::reclaim();
                    live_bytes() - before < count * KEPT
                })
                .await;

                server.end.send(()).unwrap();
                let outcome = super::in_time(server.served).await.unwrap();
                assert!(outcome.is_none(), "the clients have read");
                drop(open);
            });
        },
    );
}

#[test]
fn the_peer_is_known_over_a_socket() {
    block_on(async {
        let server = Server::start(Admin::new());
        let (_, answer) = server.ask("GET", "/events?match=*::server::stuck::*").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains("server::stuck::ITEM"), "{answer}");
    });
}

#[test]
fn what_nginx_sends_with_a_bare_proxy_pass_is_refused() {
    block_on(async {
        let server = Server::start(Admin::new());
        let answer_to = async |head: String| {
            let mut connection = TcpStream::connect(server.address).await.unwrap();
            connection.write_all(head.as_bytes()).await.unwrap();
            let mut answer = String::new();
            let read = connection.read_to_string(&mut answer);
            super::in_time(read).await.unwrap();
            answer
        };
        let address = server.address;
        // Byte by byte what nginx 1.22 sends for `curl http://shop.example/debug/probes/events`.
        let answer = answer_to(format!(
            "GET /debug/probes/events HTTP/1.0\r\nHost: {address}\r\nConnection: close\r\n\
             User-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n"
        ))
        .await;
        assert!(answer.starts_with("HTTP/1.0 403 "), "{answer}");
        assert!(answer.contains("set `Admin::token`"), "{answer}");
        let answer = answer_to(format!(
            "GET /debug/probes/events HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        ))
        .await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        server.end.send(()).unwrap();
    });
}

#[test]
fn what_could_be_cut_off_unnoticed_is_refused_by_http_1_0() {
    block_on(async {
        let server = Server::start(Admin::new().token("word").unwrap());
        let ask = async |method: &str, path: &str, version: &str| {
            let mut connection = TcpStream::connect(server.address).await.unwrap();
            let head = format!(
                "{method} /debug/probes{path} HTTP/{version}\r\nHost: shop.example\r\nConnection: close\r\n\
                 Authorization: Bearer word\r\nContent-Length: 0\r\n\r\n"
            );
            connection.write_all(head.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            let read = connection.read_to_end(&mut answer);
            super::in_time(read).await.unwrap();
            String::from_utf8_lossy(&answer).into_owned()
        };
        let events = "begin=*::server::left_out::ITEM&end=*::server::left_out::DONE&key=n";
        let mut streams = vec![("POST", format!("/latency?{events}&seconds=0.1"))];
        for (method, path) in paths("left_out") {
            streams.push((method, path.replace("seconds=300", "seconds=0.1")));
        }
        for (method, path) in streams {
            let answer = ask(method, &path, "1.0").await;
            assert!(answer.starts_with("HTTP/1.0 505 "), "{path}: {answer}");
            assert!(answer.contains("`proxy_http_version 1.1`"), "{answer}");
            assert_eq!(left_out::ITEM.probe_count(), 0, "{path}");
            // By HTTP/1.1, the last chunk says that it is complete.
            let answer = ask(method, &path, "1.1").await;
            assert!(answer.ends_with("0\r\n\r\n"), "{path}: {answer}");
        }
        for path in ["", "/events", "/guess", "/stats", "/metrics"] {
            let answer = ask("GET", path, "1.0").await;
            assert!(answer.starts_with("HTTP/1.0 200 "), "{path}: {answer}");
            assert!(answer.contains("content-length: "), "{path}: {answer}");
        }
        server.end.send(()).unwrap();
    });
}

#[cfg(unix)]
#[test]
fn over_a_unix_socket_it_answers() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let listener = tokio::net::UnixListener::bind(&path).unwrap();
        let app: Router = Router::new().nest_service("/probes", router(Admin::new().unix_socket()));
        let served = tokio::spawn(axum::serve(listener, app.into_make_service()).into_future());
        let mut connection = tokio::net::UnixStream::connect(&path).await.unwrap();
        let head = "GET /probes/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        connection.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let read = connection.read_to_string(&mut answer);
        super::in_time(read).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        served.abort();
    });
}
