//! `POST /stop`: ends a session early, as if its time were up: its response has what came until
//! then.

use crate::errors::Problem;
use crate::parameters::{Parameters, shown};
use crate::request::Request;
use crate::response::json;
use axum::body::Body;
use axum::http::{Response, StatusCode};
use serde::Serialize;

#[derive(Serialize)]
struct Stopped {
    stopped: u64,
}

pub(crate) async fn answer(request: Request) -> Result<Response<Body>, Problem> {
    let Request {
        admin,
        uri,
        headers,
        body,
        ..
    } = request;
    let parameters = Parameters::of_form(&uri, &headers, body, &["session"]).await?;
    let Some(text) = parameters.one("session")? else {
        return Err(Problem::parameter(
            "`session` is missing: give the number in the header `hotprobe-session` of the session's response",
        ));
    };
    let number = text.parse().ok();
    match number.filter(|number| admin.sessions.stop(*number)) {
        Some(stopped) => Ok(json(&Stopped { stopped })),
        None => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "session",
            format!("no session `{}` is open", shown(text)),
        )),
    }
}
