//! Which process this is: its name, version, number and age, for the page and `/stats`.

use serde::Serialize;
use std::env;
use std::path::Path;
use std::process;
use std::time::Instant;

/// What is known when the server starts.
pub(crate) struct About {
    program: String,
    /// The program's version, if it gave one.
    pub(crate) version: Option<String>,
    started: Instant,
}

/// The same, now.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct AboutNow {
    pub(crate) program: String,
    pub(crate) version: Option<String>,
    pub(crate) pid: u32,
    /// Since the server's [`Admin`](crate::Admin) was made, which servers do when they start.
    pub(crate) uptime_seconds: u64,
    /// The version of this crate.
    pub(crate) hotprobe: &'static str,
}

impl About {
    pub(crate) fn new() -> Self {
        let first = env::args_os().next().unwrap_or_default();
        let path = env::current_exe().unwrap_or_else(|_| first.into());
        let name = path.file_name().unwrap_or(Path::new("unknown").as_os_str());
        Self {
            program: name.to_string_lossy().into_owned(),
            version: None,
            started: Instant::now(),
        }
    }

    pub(crate) fn now(&self) -> AboutNow {
        AboutNow {
            program: self.program.clone(),
            version: self.version.clone(),
            pid: process::id(),
            uptime_seconds: self.started.elapsed().as_secs(),
            hotprobe: env!("CARGO_PKG_VERSION"),
        }
    }
}
