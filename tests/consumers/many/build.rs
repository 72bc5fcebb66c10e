//! Writes one `event!` of 200 events, the first with a doc comment of 300 lines.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() {
    let mut text = String::from("hotprobe::event! {\n");
    for line in 0..300 {
        writeln!(text, "    /// Line {line} of a long story.").unwrap();
    }
    for event in 0..200 {
        writeln!(text, "    /// Event {event}.").unwrap();
        writeln!(text, "    pub static E{event}: fn(id: u64, path: &str);").unwrap();
    }
    text.push_str("}\n");
    let folder = env::var_os("OUT_DIR").unwrap();
    fs::write(Path::new(&folder).join("events.rs"), text).unwrap();
    println!("cargo::rerun-if-changed=build.rs");
}
