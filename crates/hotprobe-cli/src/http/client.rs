//! The client of a server's `/debug/probes`.

use crate::arguments::Server;
use crate::failure::{Failure, note};
use crate::http::address::{Address, OF_SOCKET, USUAL, VARIABLE};
use crate::http::answer::{Answer, not_ours};
use crate::http::query::Query;
use crate::http::token;
#[cfg(unix)]
use crate::http::unix::{NoResolver, SocketConnector};
use crate::output::shown;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use ureq::http::StatusCode;
use ureq::{Agent, Error};

/// How long it may take to connect.
const CONNECT: Duration = Duration::from_secs(10);
/// How long the server has to answer `POST /stop`, in which it waits for nothing.
const STOP: Duration = Duration::from_secs(10);

/// A server, and the agent that queries it.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    agent: Agent,
    /// Without a slash at the end.
    base: String,
    token: Option<String>,
    /// The Unix socket that it connects to, if it is none of a host.
    socket: Option<PathBuf>,
}

impl Client {
    /// Returns a client of the server that the command line, the variable or the default gives.
    pub(crate) fn new(server: &Server) -> Result<Self, Failure> {
        let address = Address::of(server)?;
        let token = token::of(server)?;
        if token.is_some() && !address.is_loopback && io::stderr().is_terminal() {
            note("the token is sent without TLS over the network; `ssh -L` would encrypt it");
        }
        Ok(Self {
            agent: agent(address.socket.as_deref()),
            base: address.base,
            token,
            socket: address.socket,
        })
    }

    /// Returns a client of the process at a Unix socket.
    pub(crate) fn of_socket(path: &Path) -> Self {
        Self {
            agent: agent(Some(path)),
            base: OF_SOCKET.to_owned(),
            token: None,
            socket: Some(path.to_owned()),
        }
    }

    /// Adds the token that the command line or the variable gives.
    pub(crate) fn with_token(mut self, server: &Server) -> Result<Self, Failure> {
        self.token = token::of(server)?;
        Ok(self)
    }

    /// Returns the Unix socket that it connects to.
    pub(crate) fn socket(&self) -> Option<&Path> {
        self.socket.as_deref()
    }

    /// Returns the URL that it queries, without a slash at the end.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Sends a query. `Ok` is a response of hotprobe that is not an error.
    pub(crate) fn ask(&self, query: &Query<'_>) -> Result<Answer, Failure> {
        let answer = self.send(query)?;
        let status = answer.response.status();
        if status != StatusCode::OK {
            return Err(answer.refusal());
        }
        let kind = answer.kind();
        let is_expected = match query.kind {
            Some(expected) => kind == expected,
            None => kind != "text/html",
        };
        if is_expected {
            Ok(answer)
        } else {
            Err(answer.foreign())
        }
    }

    /// Ends a session early. Its response is complete soon.
    pub(crate) fn stop(&self, session: u64) -> Result<(), Failure> {
        let query = Query::get("stop").posted().within(STOP);
        let answer = self.send(&query.and("session", Some(session)))?;
        match answer.response.status() {
            // It has just ended by itself.
            StatusCode::OK | StatusCode::NOT_FOUND => Ok(()),
            _ => Err(answer.refusal()),
        }
    }

    fn send(&self, query: &Query<'_>) -> Result<Answer, Failure> {
        let url = format!("{}/{}", self.base, query.endpoint);
        let response = if query.posts {
            query
                .put(self.agent.post(&url), self.token.as_deref())
                .send_empty()
        } else {
            query
                .put(self.agent.get(&url), self.token.as_deref())
                .call()
        };
        let response = response.map_err(|error| self.unreachable(&url, error))?;
        Ok(Answer { response, url })
    }

    fn unreachable(&self, url: &str, error: Error) -> Failure {
        let socket = self
            .socket
            .as_ref()
            .map(|path| format!("unix:{}", path.display()));
        let base = shown(socket.as_deref().unwrap_or(&self.base));
        let url = socket.as_deref().unwrap_or(url);
        let why = match error {
            Error::HostNotFound => "no such host".to_owned(),
            Error::Timeout(_) => "no answer in time".to_owned(),
            Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                return Failure::Unavailable(format!(
                    "nobody listens at `{base}`; start the server, or give its address with --url or the variable \
                     {VARIABLE}, as in `--url {USUAL}`"
                ));
            }
            Error::Io(error) => match error.kind() {
                io::ErrorKind::NotFound => "no such socket".to_owned(),
                io::ErrorKind::PermissionDenied => "it is another user's".to_owned(),
                io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
                    "it closed the connection without an answer".to_owned()
                }
                _ => error.to_string(),
            },
            // It answers, but not in HTTP.
            Error::Protocol(error) => {
                return Failure::failed(format!(
                    "{}: {}",
                    not_ours(url, "answered with invalid HTTP"),
                    shown(&error.to_string())
                ));
            }
            error => error.to_string(),
        };
        Failure::Unavailable(format!("cannot query `{}`: {}", shown(url), shown(&why)))
    }
}

fn agent(socket: Option<&Path>) -> Agent {
    let config = Agent::config_builder()
        // A redirect would send the token elsewhere.
        .max_redirects(0)
        .proxy(None)
        // The server may close an idle connection before the next query.
        .max_idle_connections(0)
        .http_status_as_error(false)
        .timeout_connect(Some(CONNECT))
        .user_agent(concat!("hotprobe/", env!("CARGO_PKG_VERSION")))
        .build();
    #[cfg(unix)]
    if let Some(path) = socket {
        let connector = SocketConnector {
            path: path.to_owned(),
        };
        return Agent::with_parts(config, connector, NoResolver);
    }
    let _ = socket;
    config.new_agent()
}
