//! A library with events, whose own code says nothing of the dependency `unnamed`.

#![forbid(unsafe_code)]
#![deny(warnings, missing_docs)]

hotprobe::event! {
    /// Declared here, and fired nowhere.
    pub static HERE: fn();
}

/// Uses a dependency, if not its events.
#[must_use]
pub const fn request(path: &str) -> declares::Request<'_> {
    declares::Request { path }
}
