//! Errors: a status, a word for programs and a sentence.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use serde::Serialize;

/// Why a request is refused: what is wrong, what was expected, what to do.
#[derive(Clone, Debug)]
pub(crate) struct Problem(Box<ProblemParts>);

#[derive(Clone, Debug)]
struct ProblemParts {
    status: StatusCode,
    /// One word, for programs.
    kind: &'static str,
    message: String,
    nearest: Vec<&'static str>,
    header: Option<(HeaderName, HeaderValue)>,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: ErrorDetails<'a>,
}

#[derive(Serialize)]
struct ErrorDetails<'a> {
    status: u16,
    kind: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    nearest: &'a [&'static str],
}

impl Problem {
    pub(crate) fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self(Box::new(ProblemParts {
            status,
            kind,
            message: message.into(),
            nearest: Vec::new(),
            header: None,
        }))
    }

    /// A parameter: which, and what was expected.
    pub(crate) fn parameter(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "parameter", message)
    }

    /// Names that are nearly the one that was meant.
    pub(crate) fn with_nearest(mut self, nearest: Vec<&'static str>) -> Self {
        self.0.nearest = nearest;
        self
    }

    pub(crate) fn with_header(
        mut self,
        name: HeaderName,
        value: impl TryInto<HeaderValue>,
    ) -> Self {
        self.0.header = value.try_into().ok().map(|value| (name, value));
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The sentence; JSON where that is what is asked for.
    pub(crate) fn answer(&self, headers: &HeaderMap) -> Response<Body> {
        let (kind, body) = if wants_json(headers) {
            let value = ErrorBody {
                error: ErrorDetails {
                    status: self.0.status.as_u16(),
                    kind: self.0.kind,
                    message: &self.0.message,
                    nearest: &self.0.nearest,
                },
            };
            // (Numbers and text always can be written.)
            let body = serde_json::to_string(&value).unwrap_or_default();
            ("application/json", body)
        } else {
            ("text/plain; charset=utf-8", self.sentence())
        };
        let mut response = Response::new(Body::from(body + "\n"));
        *response.status_mut() = self.0.status;
        let to = response.headers_mut();
        to.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        if let Some((name, value)) = &self.0.header {
            to.insert(name, value.clone());
        }
        response
    }

    pub(crate) fn sentence(&self) -> String {
        let mut sentence = self.0.message.clone();
        if !self.0.nearest.is_empty() {
            sentence += "\nThe nearest:";
            for name in &self.0.nearest {
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
        .map(|kind| kind.split(';').next().unwrap_or(kind).trim())
        .map(str::to_ascii_lowercase);
    kinds
        .find(|kind| kind == "application/json" || kind.starts_with("text/"))
        .is_some_and(|kind| kind == "application/json")
}
