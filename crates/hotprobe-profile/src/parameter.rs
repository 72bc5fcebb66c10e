//! Looks parameters up by name; the error where there is none.

use super::ProfileError;
use hotprobe::{Metadata, Parameter};

/// The event's parameters, for an error.
pub(crate) fn all(event: &Metadata) -> String {
    if event.parameters().is_empty() {
        return "none".to_owned();
    }
    let one = |p: &Parameter| {
        let redacted = if p.is_redacted() { "#[redact] " } else { "" };
        format!("`{redacted}{}: {}`", p.name(), p.type_name())
    };
    let all: Vec<_> = event.parameters().iter().map(one).collect();
    all.join(", ")
}

/// The parameter of this name, and its place, if dynamic probes can see it.
pub(crate) fn parameter(
    event: &'static Metadata,
    name: &str,
) -> Result<(usize, &'static Parameter), ProfileError> {
    let found = event.parameters().iter().enumerate();
    let reason = match found.into_iter().find(|(_, p)| p.name() == name) {
        Some((index, parameter)) if !parameter.is_redacted() => return Ok((index, parameter)),
        Some(_) => format!(
            "`{}` keeps its parameter `{name}` to typed probes (`#[redact]`): choose another, or attach a typed probe of \
             your own; it has {}",
            event.name(),
            all(event)
        ),
        None => format!(
            "`{}` has no parameter `{name}`; it has {}",
            event.name(),
            all(event)
        ),
    };
    Err(ProfileError::Parameter { reason })
}
