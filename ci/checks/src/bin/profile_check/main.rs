//! Writes what profiles write, and what is in it, for readers that we did not write:
//! `profile_check DIRECTORY`.

mod latencies;
mod stacks;

use std::error::Error;
use std::fs;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let out = std::env::args()
        .nth(1)
        .ok_or("usage: profile_check DIRECTORY")?;
    let out = PathBuf::from(out);
    fs::create_dir_all(&out)?;
    latencies::write(&out)?;
    stacks::write(&out)
}
