//! How a server is asked, and what its refusals become.

use crate::arguments::Server;
use crate::failure::{Failure, note};
use crate::http::token;
use crate::output::shown;
use serde::Deserialize;
use std::env;
use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Read};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;
use ureq::http::{Response, StatusCode, Uri, header};
use ureq::{Agent, Body, Error, RequestBuilder};

const VARIABLE: &str = "HOTPROBE_URL";
const USUAL: &str = "http://127.0.0.1:9000/debug/probes";
/// How long a connection may take, and what is known at once.
const CONNECT: Duration = Duration::from_secs(10);
const SOON: Duration = Duration::from_secs(30);
/// How long the rest may take when a session's time is up: the server cuts off after two minutes.
const REST: Duration = Duration::from_secs(150);
/// How much is read of a refusal, and of what is read as a whole.
const REFUSAL: u64 = 64 << 10;
const WHOLE: u64 = 256 << 20;

/// A server, and the agent that asks it.
#[derive(Debug)]
pub(crate) struct Client {
    agent: Agent,
    /// Without a slash at the end.
    base: String,
    token: Option<String>,
}

/// What is asked.
#[derive(Debug)]
pub(crate) struct Question<'a> {
    endpoint: &'a str,
    posts: bool,
    parameters: Vec<(&'a str, String)>,
    within: Duration,
    kind: Option<&'a str>,
}

impl<'a> Question<'a> {
    /// Something that is known at once.
    pub(crate) fn get(endpoint: &'a str) -> Self {
        Self {
            endpoint,
            posts: false,
            parameters: Vec::new(),
            within: SOON,
            kind: None,
        }
    }

    /// As a `POST`.
    pub(crate) fn posted(mut self) -> Self {
        self.posts = true;
        self
    }

    /// Something that takes so many seconds, if not `seconds`.
    pub(crate) fn lasting(mut self, seconds: Option<f64>, usual: f64) -> Self {
        self.within = Duration::from_secs_f64(seconds.unwrap_or(usual)) + REST;
        // (If nothing is said, it is the server's to say: its cap may be lower than what is usual.)
        self.and("seconds", seconds)
    }

    /// A parameter, if it was said.
    pub(crate) fn and(mut self, name: &'a str, value: Option<impl ToString>) -> Self {
        let value = value.map(|value| (name, value.to_string()));
        self.parameters.extend(value);
        self
    }

    /// A parameter that may be said several times.
    pub(crate) fn all(mut self, name: &'a str, values: &[String]) -> Self {
        let values = values.iter().map(|value| (name, value.clone()));
        self.parameters.extend(values);
        self
    }

    /// The kind that the answer has to be of.
    pub(crate) fn answered_by(mut self, kind: &'a str) -> Self {
        self.kind = Some(kind);
        self
    }

    fn put<Any>(&self, mut request: RequestBuilder<Any>, client: &Client) -> RequestBuilder<Any> {
        // (Refusals come as JSON then, whatever else is asked for.)
        request = request.header(header::ACCEPT, "application/json, */*");
        if let Some(token) = &client.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        request
            .query_pairs(
                self.parameters
                    .iter()
                    .map(|(name, value)| (*name, value.as_str())),
            )
            .config()
            .timeout_global(Some(self.within))
            .build()
    }
}

impl Client {
    pub(crate) fn new(server: &Server) -> Result<Self, Failure> {
        let (url, whence) = match (&server.url, env::var(VARIABLE)) {
            (Some(url), _) => (url.clone(), "--url"),
            (None, Ok(url)) if !url.is_empty() => (url, VARIABLE),
            _ => (USUAL.to_owned(), "--url"),
        };
        let address = checked(&url).map_err(|why| {
            let url = shown(&url);
            Failure::usage(format!("{whence} is `{url}`: {why}"))
        })?;
        let token = token::of(server)?;
        if token.is_some() && !is_loopback(&address) && io::stderr().is_terminal() {
            note(
                "the token goes over the network as it is, since TLS is not spoken here; `ssh -L` would hide it",
            );
        }
        let agent = Agent::config_builder()
            // Not where somebody else wants the token to go.
            .max_redirects(0)
            .proxy(None)
            // One that waited for the next question may be closed when it comes.
            .max_idle_connections(0)
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT))
            .user_agent(concat!("hotprobe/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Ok(Self {
            agent,
            base: url.trim_end_matches('/').to_owned(),
            token,
        })
    }

    /// Asks. What comes back is of a hotprobe, and no refusal.
    pub(crate) fn ask(&self, question: &Question<'_>) -> Result<Answer, Failure> {
        let url = format!("{}/{}", self.base, question.endpoint);
        let response = if question.posts {
            question.put(self.agent.post(&url), self).send_empty()
        } else {
            question.put(self.agent.get(&url), self).call()
        };
        let response = response.map_err(|error| self.unreachable(&url, error))?;
        let answer = Answer { response, url };
        let status = answer.response.status();
        if status != StatusCode::OK {
            return Err(answer.refusal());
        }
        let kind = answer.kind();
        let is_expected = match question.kind {
            Some(expected) => kind == expected,
            None => kind != "text/html",
        };
        if is_expected {
            Ok(answer)
        } else {
            Err(answer.foreign())
        }
    }

    fn unreachable(&self, url: &str, error: Error) -> Failure {
        let base = shown(&self.base);
        let why = match error {
            Error::HostNotFound => "there is no host of this name".to_owned(),
            Error::Timeout(_) => "it did not answer in time".to_owned(),
            Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                return Failure::failed(format!(
                    "nobody listens at `{base}`: is the server running? If it is elsewhere, say where, by --url or the \
                     variable {VARIABLE}, as in `--url {USUAL}`"
                ));
            }
            Error::Io(error) => match error.kind() {
                io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
                    "it closed the connection without an answer".to_owned()
                }
                _ => error.to_string(),
            },
            // It speaks, but not HTTP.
            Error::Protocol(error) => {
                return Failure::failed(format!(
                    "{}: {}",
                    not_ours(url, "answered"),
                    shown(&error.to_string())
                ));
            }
            error => error.to_string(),
        };
        Failure::failed(format!("cannot ask `{}`: {}", shown(url), shown(&why)))
    }
}

/// What a server said.
#[derive(Debug)]
pub(crate) struct Answer {
    response: Response<Body>,
    url: String,
}

#[derive(Deserialize)]
struct Told {
    error: Refusal,
}

#[derive(Deserialize)]
struct Refusal {
    message: String,
    #[serde(default)]
    nearest: Vec<String>,
}

impl Answer {
    /// All of it, as text.
    pub(crate) fn text(self) -> Result<String, Failure> {
        let url = shown(&self.url);
        let mut text = Vec::new();
        self.reader()
            .take(WHOLE)
            .read_to_end(&mut text)
            .map_err(|error| Failure::failed(format!("`{url}`: {}", broken(&error))))?;
        String::from_utf8(text)
            .map_err(|_| Failure::failed(format!("`{url}` answered what is no text")))
    }

    /// As it comes.
    pub(crate) fn reader(self) -> impl Read {
        self.response.into_body().into_reader()
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The answer is not what a hotprobe says.
    pub(crate) fn foreign(&self) -> Failure {
        let status = self.response.status().as_u16();
        let mut message = not_ours(&self.url, &format!("answered {status}"));
        let to = self.header(header::LOCATION.as_str());
        if !to.is_empty() {
            let _ = write!(message, " (it points to `{}`)", shown(to));
        }
        Failure::failed(message)
    }

    fn header(&self, name: &str) -> &str {
        let value = self.response.headers().get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// Its media type, without parameters.
    fn kind(&self) -> String {
        let kind = self.header(header::CONTENT_TYPE.as_str());
        kind.split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
    }

    /// The server's own sentence, and what can be done here.
    fn refusal(self) -> Failure {
        let status = self.response.status();
        let retry: Option<u64> = self.header(header::RETRY_AFTER.as_str()).parse().ok();
        let foreign = self.foreign();
        let mut body = Vec::new();
        if self.reader().take(REFUSAL).read_to_end(&mut body).is_err() {
            return foreign;
        }
        let Ok(Told { error }) = serde_json::from_slice(&body) else {
            return foreign;
        };
        let mut message = format!(
            "the server refused ({}): {}",
            status.as_u16(),
            shown(&error.message)
        );
        if !error.nearest.is_empty() {
            message += "\nThe nearest:";
            for name in &error.nearest {
                message += "\n    ";
                message += &shown(name);
            }
        }
        match (status, retry) {
            (StatusCode::UNAUTHORIZED, _) => {
                message += "\nHere, that is `--token-file FILE`, or the variable HOTPROBE_TOKEN";
                Failure::Failed(message)
            }
            (StatusCode::TOO_MANY_REQUESTS, Some(seconds)) => {
                let _ = write!(message, "\nRetry after {seconds} s");
                Failure::Busy(message)
            }
            (StatusCode::TOO_MANY_REQUESTS, None) => Failure::Busy(message),
            _ => Failure::Failed(message),
        }
    }
}

fn not_ours(url: &str, answered: &str) -> String {
    format!(
        "`{}` {answered}, but not as hotprobe's `/debug/probes` does: say where the server mounts it, by --url or the \
         variable {VARIABLE}",
        shown(url)
    )
}

/// Why an answer ended before its end.
pub(crate) fn broken(error: &io::Error) -> String {
    let of_agent = error
        .get_ref()
        .and_then(|error| error.downcast_ref::<Error>());
    let why = match (error.kind(), of_agent) {
        (io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset, _) => {
            "the server, or what is between, closed it".to_owned()
        }
        (_, Some(Error::Timeout(_))) => "nothing came any more".to_owned(),
        _ => shown(&error.to_string()),
    };
    format!("the connection broke off: {why}")
}

/// What is asked directly, without TLS.
fn checked(url: &str) -> Result<Uri, String> {
    const EXPECTED: &str =
        "expected `http://HOST:PORT/PATH`, as in `http://127.0.0.1:9000/debug/probes`";
    let uri: Uri = url.parse().map_err(|_| EXPECTED.to_owned())?;
    match uri.scheme_str() {
        Some("http") => {}
        Some("https") => {
            return Err(
                "TLS is not spoken here: ask the server's own port by `http://`, on its machine or through `ssh -L \
                 9000:127.0.0.1:9000 MACHINE`, or use `curl`"
                    .to_owned(),
            );
        }
        _ => return Err(EXPECTED.to_owned()),
    }
    let authority = uri.authority().ok_or(EXPECTED)?;
    if authority.as_str().contains('@') {
        return Err(
            "a name and a password are not sent: a server's token comes from --token-file FILE"
                .to_owned(),
        );
    }
    if uri.query().is_some() || url.contains('#') {
        return Err("only the place is said here, without what follows `?` or `#`".to_owned());
    }
    Ok(uri)
}

fn is_loopback(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || bare
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
        || bare
            .parse()
            .is_ok_and(|address: Ipv6Addr| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_http_and_a_place() {
        assert!(checked(USUAL).is_ok());
        assert!(checked("http://[::1]:9000/debug/probes/").is_ok());
        for (url, why) in [
            ("https://shop.example/debug/probes", "TLS"),
            ("127.0.0.1:9000/debug/probes", "expected `http://"),
            ("ftp://127.0.0.1/", "expected `http://"),
            ("localhost", "expected `http://"),
            ("http://", "expected `http://"),
            ("http://me:secret@127.0.0.1/", "token"),
            ("http://127.0.0.1/debug/probes?match=*", "`?`"),
            ("http://127.0.0.1/debug/probes#top", "`#`"),
        ] {
            let told = checked(url).unwrap_err();
            assert!(told.contains(why), "{url}: {told}");
        }
    }

    #[test]
    fn this_machine_is_told_from_others() {
        let is_here = |url: &str| is_loopback(&url.parse().unwrap());
        for here in [
            "http://localhost:1",
            "http://127.1.2.3/",
            "http://[::1]:9/",
            "http://[::ffff:127.0.0.1]/",
        ] {
            assert!(is_here(here), "{here}");
        }
        for elsewhere in [
            "http://10.0.0.1/",
            "http://shop.example/",
            "http://localhost.example/",
            "http://[::2]/",
        ] {
            assert!(!is_here(elsewhere), "{elsewhere}");
        }
    }
}
