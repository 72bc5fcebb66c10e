//! The client of a server's `/debug/probes`.

use crate::arguments::Server;
use crate::failure::{Failure, note};
use crate::http::address::{Address, USUAL, VARIABLE};
use crate::http::answer::{Answer, not_ours};
use crate::http::query::Query;
use crate::http::token;
use crate::output::shown;
use std::io::{self, IsTerminal as _};
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
}

impl Client {
    pub(crate) fn new(server: &Server) -> Result<Self, Failure> {
        let address = Address::of(server)?;
        let token = token::of(server)?;
        if token.is_some() && !address.is_loopback && io::stderr().is_terminal() {
            note("the token is sent without TLS over the network; `ssh -L` would encrypt it");
        }
        let agent = Agent::config_builder()
            // A redirect would send the token elsewhere.
            .max_redirects(0)
            .proxy(None)
            // The server may close an idle connection before the next query.
            .max_idle_connections(0)
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT))
            .user_agent(concat!("hotprobe/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Ok(Self {
            agent,
            base: address.base,
            token,
        })
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
        let base = shown(&self.base);
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
                io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
                    "it closed the connection without an answer".to_owned()
                }
                _ => error.to_string(),
            },
            // It answers, but not in HTTP.
            Error::Protocol(error) => {
                return Failure::failed(format!(
                    "{}: {}",
                    not_ours(url, "answered"),
                    shown(&error.to_string())
                ));
            }
            error => error.to_string(),
        };
        Failure::Unavailable(format!("cannot query `{}`: {}", shown(url), shown(&why)))
    }
}
