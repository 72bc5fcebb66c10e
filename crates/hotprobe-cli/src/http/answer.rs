//! A server's response: a body, or an error in its own words.

use crate::failure::{Failure, UnknownEvent};
use crate::http::address;
use crate::output::shown;
use serde::Deserialize;
use std::fmt::Write as _;
use std::io::{self, Read};
use ureq::http::{Response, StatusCode, header};
use ureq::{Body, Error};

/// The most bytes that are read of an error, and of a response that is read as a whole.
const REFUSAL: u64 = 64 << 10;
const WHOLE: u64 = 256 << 20;

/// The server's response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(super) response: Response<Body>,
    pub(super) url: String,
}

#[derive(Deserialize)]
struct ErrorBody {
    error: ErrorDetails,
}

#[derive(Deserialize)]
struct ErrorDetails {
    message: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    nearest: Vec<String>,
}

impl Answer {
    /// Reads all of it, as text.
    pub(crate) fn text(self) -> Result<String, Failure> {
        let url = shown(&self.url);
        let text = read_whole(self.reader(), WHOLE)
            .map_err(|error| Failure::failed(format!("`{url}`: {}", broken(&error))))?;
        let text = text.ok_or_else(|| {
            Failure::failed(format!(
                "`{url}` answered more than {} MiB, the limit",
                WHOLE >> 20
            ))
        })?;
        String::from_utf8(text)
            .map_err(|_| Failure::failed(format!("`{url}` did not answer with text")))
    }

    /// Returns its body, as it arrives.
    pub(crate) fn reader(self) -> impl Read {
        self.response.into_body().into_reader()
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Returns the failure of a response that is not hotprobe's.
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

    /// Returns the number of the session that it is the response of.
    pub(crate) fn session(&self) -> Option<u64> {
        self.header("hotprobe-session").parse().ok()
    }

    /// Its media type, without parameters.
    pub(super) fn kind(&self) -> String {
        let kind = self.header(header::CONTENT_TYPE.as_str());
        kind.split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
    }

    /// Returns the server's own message, and what can be done about it.
    pub(super) fn refusal(self) -> Failure {
        let status = self.response.status();
        let retry: Option<u64> = self.header(header::RETRY_AFTER.as_str()).parse().ok();
        let foreign = self.foreign();
        let mut body = Vec::new();
        if self.reader().take(REFUSAL).read_to_end(&mut body).is_err() {
            return foreign;
        }
        let Ok(ErrorBody { error }) = serde_json::from_slice(&body) else {
            return foreign;
        };
        let mut message = format!(
            "the server refused ({}): {}",
            status.as_u16(),
            shown(&error.message)
        );
        if error.kind == "unknown-event" || !error.nearest.is_empty() {
            let nearest = error.nearest.iter().map(|name| shown(name)).collect();
            return Failure::UnknownEvent(UnknownEvent { message, nearest });
        }
        match (status, retry) {
            (StatusCode::UNAUTHORIZED, _) => {
                message += "; give it with `--token-file FILE` or the variable HOTPROBE_TOKEN";
                Failure::Failed(message)
            }
            (StatusCode::TOO_MANY_REQUESTS, Some(seconds)) => {
                let _ = write!(message, "; retry after {seconds} s");
                Failure::Busy(message)
            }
            (StatusCode::TOO_MANY_REQUESTS, None) => Failure::Busy(message),
            (StatusCode::SERVICE_UNAVAILABLE, _) => Failure::Unavailable(message),
            _ => Failure::Failed(message),
        }
    }
}

/// Reads to the end; returns `None` if that is more than `most` bytes.
fn read_whole(reader: impl Read, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut whole = Vec::new();
    reader.take(most + 1).read_to_end(&mut whole)?;
    Ok((whole.len() as u64 <= most).then_some(whole))
}

/// Returns the message that a response is not hotprobe's.
pub(super) fn not_ours(url: &str, answered: &str) -> String {
    format!(
        "`{}` {answered}, which is not hotprobe's `/debug/probes`; give its address with --url or the variable {}",
        shown(url),
        address::VARIABLE
    )
}

/// Returns the message why a body ended before its end.
pub(crate) fn broken(error: &io::Error) -> String {
    let of_agent = error
        .get_ref()
        .and_then(|error| error.downcast_ref::<Error>());
    let why = match (error.kind(), of_agent) {
        (io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset, _) => {
            "the server, or a proxy, closed it".to_owned()
        }
        (_, Some(Error::Timeout(_))) => "nothing more arrived in time".to_owned(),
        _ => shown(&error.to_string()),
    };
    format!("the connection broke off: {why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_is_not_cut_without_a_word() {
        let whole = |bytes: &[u8]| read_whole(bytes, 4).unwrap();
        assert_eq!(whole(b"abcd"), Some(b"abcd".to_vec()));
        assert_eq!(whole(b"abcde"), None);
        assert_eq!(read_whole(io::repeat(1), 1 << 16).unwrap(), None);
    }
}
