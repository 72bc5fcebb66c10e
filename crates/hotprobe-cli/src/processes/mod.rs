//! The processes that listen on a socket of their own (`hotprobe_admin::listen`): where their
//! sockets are (`sockets.rs`), what each says of itself, and which one `-p` means.

#[cfg_attr(not(unix), path = "no_sockets.rs")]
mod sockets;

use crate::arguments::Server;
use crate::failure::Failure;
use crate::http::address;
use crate::http::answer::Answer;
use crate::http::client::Client;
use crate::http::query::Query;
use crate::output::shown;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use sockets::Socket;

/// How long a process may take to say what it is: one that is stopped never does.
const WITHIN: Duration = Duration::from_secs(5);
/// How many processes are asked at once.
const AT_ONCE: usize = 32;

/// A process that listens.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    pub(crate) uid: u32,
    pub(crate) socket: PathBuf,
    /// `None` if it has not answered in time.
    #[serde(flatten)]
    pub(crate) about: Option<About>,
}

/// What `/stats` says of it. (Its own `pid` is another in a container.)
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct About {
    pub(crate) program: String,
    pub(crate) version: Option<String>,
    pub(crate) uptime_seconds: u64,
    pub(crate) events: u64,
    pub(crate) sessions: u64,
}

/// Returns the processes of this user that listen, sorted by their numbers. Root sees those of all
/// users.
pub(crate) fn all() -> Vec<Process> {
    let sockets = sockets::living();
    let mut processes = Vec::new();
    for sockets in sockets.chunks(AT_ONCE) {
        thread::scope(|scope| {
            let asked: Vec<_> = sockets
                .iter()
                .map(|socket| scope.spawn(|| ask(socket)))
                .collect();
            let answers = asked.into_iter().filter_map(|asked| asked.join().ok());
            processes.extend(answers);
        });
    }
    processes.sort_by_key(|process| process.pid);
    processes
}

fn ask(socket: &Socket) -> Process {
    let query = Query::get("stats")
        .within(WITHIN)
        .answered_by("application/json");
    let answer = Client::of_socket(&socket.path).ask(&query);
    let about = answer
        .and_then(Answer::text)
        .ok()
        .and_then(|json| serde_json::from_str(&json).ok());
    Process {
        pid: socket.pid,
        uid: socket.uid,
        socket: socket.path.clone(),
        about,
    }
}

impl Process {
    /// Returns its program's name, and its number.
    pub(crate) fn name(&self) -> String {
        let program = self
            .about
            .as_ref()
            .map_or("(no answer)", |about| &about.program);
        format!("{} {}", self.pid, shown(program))
    }

    /// Whether it is the one of this number or this program. A part of a name is enough.
    fn is(&self, wanted: &str) -> bool {
        match wanted.parse::<u32>() {
            Ok(pid) => self.pid == pid,
            Err(_) => self
                .about
                .as_ref()
                .is_some_and(|about| about.program.contains(wanted)),
        }
    }
}

/// Returns a client of the server that the command line means: a process, an address, or the one
/// process that listens.
pub(crate) fn client(server: &Server) -> Result<Client, Failure> {
    let process = match &server.process {
        Some(wanted) => Some(named(wanted)?),
        None if address::is_given(server) => None,
        None => only()?,
    };
    match process {
        Some(process) => Client::of_socket(&process.socket).with_token(server),
        None => Client::new(server),
    }
}

/// Returns the process that `-p` means.
fn named(wanted: &str) -> Result<Process, Failure> {
    let all = all();
    let mut found: Vec<_> = all.iter().filter(|process| process.is(wanted)).collect();
    // The whole name counts more than a part.
    let is_whole = |process: &&Process| {
        process
            .about
            .as_ref()
            .is_some_and(|about| about.program == wanted)
    };
    if found.iter().any(is_whole) {
        found.retain(is_whole);
    }
    match found[..] {
        [one] => Ok(one.clone()),
        [] if all.is_empty() => Err(Failure::Unavailable(format!(
            "no process `{}`: none of yours listens; a program does with `hotprobe_admin::listen()`",
            shown(wanted)
        ))),
        [] => Err(Failure::Unavailable(format!(
            "no process `{}` listens; there are {}",
            shown(wanted),
            listed(all.iter())
        ))),
        _ => Err(Failure::usage(format!(
            "`{}` is more than one process: {}; give the number",
            shown(wanted),
            listed(found.into_iter())
        ))),
    }
}

/// Returns the one process that listens; `None` if none does.
fn only() -> Result<Option<Process>, Failure> {
    let mut all = all();
    if all.len() > 1 {
        return Err(Failure::usage(format!(
            "{} processes listen: {}; choose one by `-p`, or a server by `--url`",
            all.len(),
            listed(all.iter())
        )));
    }
    Ok(all.pop())
}

fn listed<'a>(processes: impl Iterator<Item = &'a Process>) -> String {
    const AT_MOST: usize = 8;
    let names: Vec<_> = processes
        .map(|process| format!("`{}`", process.name()))
        .collect();
    let more = names.len().saturating_sub(AT_MOST);
    let first = names[..names.len().min(AT_MOST)].join(", ");
    if more == 0 {
        first
    } else {
        format!("{first} and {more} more")
    }
}
