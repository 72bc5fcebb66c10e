//! In place of `recording.rs`, where the feature `record` is not there.

use std::path::Path;

/// There is none.
pub(crate) enum Streaming {}

impl Streaming {
    /// Refuses, and says how to get what can.
    pub(crate) fn start(path: &Path) -> Result<Self, String> {
        Err(format!(
            "--record: this program was built without the feature `record`, so it cannot; build one that can: \
             cargo run --release --features record --example live_server -- --record {}",
            path.display()
        ))
    }

    pub(crate) fn finish(self) -> Result<(), String> {
        match self {}
    }
}
