//! The program `hotprobe`, against real servers.

#![allow(
    clippy::items_after_statements,
    clippy::too_many_lines,
    clippy::unused_self,
    clippy::needless_for_each,
    clippy::semicolon_if_nothing_returned,
    clippy::verbose_bit_mask,
    reason = "a test reads best in one piece, with what it needs beside it"
)]
#![allow(
    clippy::incompatible_msrv,
    reason = "the tests are run by the newest compiler; the library keeps to its own"
)]

mod documentation;
mod fake;
mod measured;
mod output;
#[cfg(unix)]
mod processes;
mod profile;
mod recording;
mod refused;
mod streams;

use axum::Router;
use hotprobe_admin::{Admin, Shutdown, router};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
#[cfg(unix)]
use std::process::Child;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// The output of a command, and its exit code.
#[derive(Debug)]
struct CommandOutput {
    code: Option<i32>,
    out: String,
    err: String,
}

impl CommandOutput {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("it prints text"),
            err: String::from_utf8(output.stderr).expect("it prints text"),
        }
    }

    /// All went well; what it printed.
    #[track_caller]
    fn out(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out
    }

    /// It ended with this code, printed nothing, and said all of these.
    #[track_caller]
    fn fails(self, code: i32, said: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.out, "", "{self:?}");
        for said in said {
            assert!(self.err.contains(said), "no `{said}` in {self:?}");
        }
        assert!(!self.err.contains("panicked"), "{self:?}");
        self
    }
}

/// The program, with these arguments, and of the environment nothing that it would heed.
fn hotprobe(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotprobe"));
    command
        .args(arguments)
        .env_remove("HOTPROBE_URL")
        .env_remove("HOTPROBE_TOKEN")
        // What listens on this machine is no part of a test.
        .env("HOTPROBE_DIR", "/nonexistent")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn run(arguments: &[&str]) -> CommandOutput {
    CommandOutput::of(hotprobe(arguments).output().expect("it starts"))
}

/// Ends the program as Ctrl-C does, and waits for it.
#[cfg(unix)]
fn interrupt(child: Child) -> CommandOutput {
    end_by(ctrl_c(), child)
}

/// A signal: its name for `kill`, and its number.
#[cfg(unix)]
type Signal = (&'static str, i32);

#[cfg(unix)]
const TERMINATE: Signal = ("-TERM", 15);

/// Returns the signal of Ctrl-C.
///
/// A shell without job control has what it starts in the background ignore Ctrl-C, and so does what
/// that starts; there it is SIGTERM, which the program handles in the same way.
#[cfg(unix)]
fn ctrl_c() -> Signal {
    if ignores_ctrl_c() {
        TERMINATE
    } else {
        ("-INT", 2)
    }
}

/// Sends the program a signal, and waits until it ends by it.
#[cfg(unix)]
fn end_by((name, number): Signal, child: Child) -> CommandOutput {
    send(name, &child);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(
        std::os::unix::process::ExitStatusExt::signal(&output.status),
        Some(number),
        "{output:?}"
    );
    CommandOutput::of(output)
}

/// Sends it a signal.
#[cfg(unix)]
fn send(signal: &str, child: &Child) {
    let pid = child.id().to_string();
    let killed = Command::new("kill").args([signal, &pid]).status();
    assert!(killed.expect("it starts").success());
}

/// Whether this process, and so what it starts, ignores SIGINT. (Where there is no `/proc`: no.)
#[cfg(unix)]
fn ignores_ctrl_c() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.is_some_and(|mask| {
        let mask = u64::from_str_radix(mask.trim(), 16).expect("a mask is hexadecimal");
        mask & 1 << (2 - 1) != 0
    })
}

/// A server in this process.
struct Server {
    url: String,
    shutdown: Option<Shutdown>,
    _runtime: Runtime,
}

impl Server {
    fn start(admin: Admin) -> Self {
        let shutdown = admin.shutdown();
        let mut server = Self::of(Router::new().nest_service("/debug/probes", router(admin)));
        server.shutdown = Some(shutdown);
        server
    }

    fn of(app: Router) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let service = app.into_make_service_with_connect_info::<SocketAddr>();
        runtime.spawn(axum::serve(listener, service).into_future());
        Self {
            url: format!("http://{address}/debug/probes"),
            shutdown: None,
            _runtime: runtime,
        }
    }

    /// As [`hotprobe`], asking this server.
    fn hotprobe(&self, arguments: &[&str]) -> Command {
        let mut command = hotprobe(arguments);
        command.args(["--url", &self.url]);
        command
    }

    fn run(&self, arguments: &[&str]) -> CommandOutput {
        CommandOutput::of(self.hotprobe(arguments).output().expect("it starts"))
    }

    /// How many sessions are open.
    fn open(&self) -> usize {
        self.shutdown.as_ref().map_or(0, Shutdown::open_sessions)
    }
}

/// A temporary directory, removed when it is dropped.
struct Directory(TempDir);

impl Directory {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn file(&self, name: &str) -> String {
        self.path().join(name).to_str().unwrap().to_owned()
    }

    /// The names of what is in it, sorted.
    fn names(&self) -> Vec<String> {
        let name = |entry: std::io::Result<fs::DirEntry>| {
            entry.unwrap().file_name().into_string().unwrap()
        };
        let mut names: Vec<_> = fs::read_dir(&self.0).unwrap().map(name).collect();
        names.sort();
        names
    }
}
