//! Queries.

use std::time::Duration;
use ureq::RequestBuilder;
use ureq::http::header;

/// The timeout of a query that the server answers at once.
const SOON: Duration = Duration::from_secs(30);
/// The timeout after a session's time is up: the server cuts off after two minutes.
const REST: Duration = Duration::from_secs(150);

/// A request to the server: an endpoint and its parameters.
#[derive(Debug)]
pub(crate) struct Query<'a> {
    pub(super) endpoint: &'a str,
    pub(super) posts: bool,
    parameters: Vec<(&'a str, String)>,
    within: Duration,
    pub(super) kind: Option<&'a str>,
}

impl<'a> Query<'a> {
    /// Returns a `GET` that is answered at once.
    pub(crate) fn get(endpoint: &'a str) -> Self {
        Self {
            endpoint,
            posts: false,
            parameters: Vec::new(),
            within: SOON,
            kind: None,
        }
    }

    /// Makes it a `POST`.
    pub(crate) fn posted(mut self) -> Self {
        self.posts = true;
        self
    }

    /// Sends `seconds`, and allows for as long, or for `usual` if it is `None`, before the response
    /// has to be complete.
    pub(crate) fn lasting(mut self, seconds: Option<f64>, usual: f64) -> Self {
        self.within = Duration::from_secs_f64(seconds.unwrap_or(usual)) + REST;
        // `None` is not sent: the server's cap may be lower than its usual default.
        self.and("seconds", seconds)
    }

    /// Sets how long the response may take.
    pub(crate) fn within(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }

    /// Adds a parameter, if it has a value.
    pub(crate) fn and(mut self, name: &'a str, value: Option<impl ToString>) -> Self {
        let value = value.map(|value| (name, value.to_string()));
        self.parameters.extend(value);
        self
    }

    /// Adds a parameter once for each of its values.
    pub(crate) fn all(mut self, name: &'a str, values: &[String]) -> Self {
        let values = values.iter().map(|value| (name, value.clone()));
        self.parameters.extend(values);
        self
    }

    /// Sets the media type that the response must have.
    pub(crate) fn answered_by(mut self, kind: &'a str) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Adds headers, parameters and the timeout to a request.
    pub(super) fn put<Any>(
        &self,
        mut request: RequestBuilder<Any>,
        token: Option<&str>,
    ) -> RequestBuilder<Any> {
        // Errors then come as JSON, whatever else the endpoint sends.
        request = request.header(header::ACCEPT, "application/json, */*");
        if let Some(token) = token {
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
