//! What a request is told that is not answered: one type, which is a status and a sentence.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use serde::Serialize;

/// Why a request is not answered: what is wrong, what was expected, what to do.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    status: StatusCode,
    /// One word, for programs.
    kind: &'static str,
    message: String,
    nearest: Vec<&'static str>,
    header: Option<(HeaderName, HeaderValue)>,
}

#[derive(Serialize)]
struct Told<'a> {
    error: Error<'a>,
}

#[derive(Serialize)]
struct Error<'a> {
    status: u16,
    kind: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    nearest: &'a [&'static str],
}

impl Problem {
    pub(super) fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            message: message.into(),
            nearest: Vec::new(),
            header: None,
        }
    }

    /// A parameter: which, and what was expected.
    pub(super) fn parameter(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "parameter", message)
    }

    /// Names that are nearly the one that was meant.
    pub(super) fn with_nearest(mut self, nearest: Vec<&'static str>) -> Self {
        self.nearest = nearest;
        self
    }

    pub(super) fn with_header(
        mut self,
        name: HeaderName,
        value: impl TryInto<HeaderValue>,
    ) -> Self {
        self.header = value.try_into().ok().map(|value| (name, value));
        self
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    /// The sentence; JSON where that is what is asked for.
    pub(super) fn answer(&self, headers: &HeaderMap) -> Response<Body> {
        let (kind, body) = if wants_json(headers) {
            let told = Told {
                error: Error {
                    status: self.status.as_u16(),
                    kind: self.kind,
                    message: &self.message,
                    nearest: &self.nearest,
                },
            };
            // (Numbers and text always can be written.)
            let body = serde_json::to_string(&told).unwrap_or_default();
            ("application/json", body)
        } else {
            ("text/plain; charset=utf-8", self.sentence())
        };
        let mut response = Response::new(Body::from(body + "\n"));
        *response.status_mut() = self.status;
        let to = response.headers_mut();
        to.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        if let Some((name, value)) = &self.header {
            to.insert(name, value.clone());
        }
        response
    }

    pub(super) fn sentence(&self) -> String {
        let mut sentence = self.message.clone();
        if !self.nearest.is_empty() {
            sentence += "\nThe nearest:";
            for name in &self.nearest {
                sentence += "\n    ";
                sentence += name;
            }
        }
        sentence
    }
}

/// Whether `Accept` names JSON before anything else that could be sent.
fn wants_json(headers: &HeaderMap) -> bool {
    let mut kinds = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|kind| kind.split(';').next().unwrap_or(kind).trim());
    kinds
        .find(|kind| *kind == "application/json" || kind.starts_with("text/"))
        .is_some_and(|kind| kind == "application/json")
}
