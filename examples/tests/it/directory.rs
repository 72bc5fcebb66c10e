//! Examples that write files, as their user runs them.

use crate::live_server::{Running, text};
use std::fs;
use std::path::PathBuf;
use std::process::Output;

/// A directory of a test's own, gone when the test is over.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new(test: &str) -> Self {
        let name = format!("hotprobe-example-{}-{test}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a temporary directory");
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        let path = self.0.join(name);
        path.to_str().expect("it is UTF-8").to_owned()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// Runs an example to its end: what it returned, what it printed, and what it said of errors.
pub(crate) fn ran(program: &str, arguments: &[&str]) -> (Output, String, String) {
    let output = Running::program(program, arguments).end();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    (output, out, err)
}
