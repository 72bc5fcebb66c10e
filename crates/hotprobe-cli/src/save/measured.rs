//! A measurement whose result comes as a whole when its time is up: it is printed, or saved.

use crate::catalogue;
use crate::failure::Failure;
use crate::http::client::Client;
use crate::http::query::Query;
use crate::http::session::Session;
use crate::interrupt::{AtInterrupt, on_interrupt};
use crate::output::shown;
use crate::save::Destination;
use crate::save::progress::Progress;
use crate::save::session_time::SessionTime;
use serde::de::DeserializeOwned;
use std::path::Path;
use std::sync::{Arc, Weak};

/// The result of a measurement, and the file that it is for.
pub(crate) struct Measured {
    url: String,
    json: String,
    destination: Option<Destination>,
}

/// Sends the query that `build` makes of the events, and waits for its result. The file is created
/// before, so that nothing is measured that cannot be saved.
pub(crate) fn measure(
    client: &Client,
    events: &[String],
    build: impl Fn(&[String]) -> Query<'static>,
    time: &mut SessionTime,
    output: Option<&Path>,
) -> Result<Measured, Failure> {
    let seconds = time.seconds();
    let session = Session::new(client);
    let destination = output
        .map(|path| Destination::create(path, None, &session))
        .transpose()?;
    let progress = if let Some(destination) = &destination {
        destination.show(seconds);
        None
    } else {
        let progress = Arc::new(Progress::new(seconds, false, String::new()));
        let (shown, stopped) = (Arc::downgrade(&progress), session.clone());
        on_interrupt(move || finish(&shown, &stopped))?;
        Some(progress)
    };
    let (answer, events) = session.begin(|client| catalogue::ask_for(client, events, build))?;
    time.set_event(&events);
    let url = shown(answer.url());
    let json = answer.text()?;
    drop(progress);
    Ok(Measured {
        url,
        json,
        destination,
    })
}

/// Ends the session of a measurement that will be printed.
fn finish(progress: &Weak<Progress>, session: &Session) -> AtInterrupt {
    if let Some(progress) = progress.upgrade() {
        progress.stopping();
    }
    match session.stop() {
        Ok(()) => AtInterrupt::Finish,
        Err(why) => AtInterrupt::End(Some(format!("interrupted: nothing had arrived{why}"))),
    }
}

impl Measured {
    /// Returns the result as the server sent it.
    pub(crate) fn json(&self) -> &str {
        &self.json
    }

    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_str(&self.json).map_err(|error| {
            Failure::failed(format!(
                "`{}` did not answer with hotprobe's measurement, or with one of another version ({})",
                self.url,
                shown(&error.to_string())
            ))
        })
    }

    /// Saves a file made of it.
    pub(crate) fn save(self, content: &[u8]) -> Result<(), Failure> {
        match self.destination {
            Some(destination) => destination.save_bytes(content),
            None => Ok(()),
        }
    }
}
