//! The crates in `tests/consumers` use hotprobe from outside, as anyone would: their tests pass.
//! (`ci/consumers.sh` runs clippy and rustdoc on them as well.)

use std::env;
use std::path::Path;
use std::process::Command;

/// Set where `ci/consumers.sh` runs anyway.
const APART: &str = "HOTPROBE_CONSUMERS_APART";

#[test]
fn the_consumers_tests_pass() {
    if env::var_os(APART).is_some() {
        eprintln!("skipped: {APART} is set, so `ci/consumers.sh` runs apart");
        return;
    }
    let consumers = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/consumers");
    if !consumers.exists() {
        eprintln!("skipped: the published package comes without tests/consumers");
        return;
    }
    if !consumers.join("Cargo.lock").exists() {
        // What this build has used is on this machine, so mostly it can be done without a network.
        let offline = cargo(&consumers, &["generate-lockfile", "--offline"]);
        offline
            .or_else(|_| cargo(&consumers, &["generate-lockfile"]))
            .unwrap();
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("consumers");
    let target = target.to_str().unwrap();
    if let Err(output) = cargo(&consumers, &["test", "--workspace", "--target-dir", target]) {
        panic!("{output}");
    }
}

/// Runs it in `folder`; an error is what it printed.
fn cargo(folder: &Path, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(folder)
        // Flags that this build was made with (a sanitizer's, say) are not the consumers'.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .output()
        .unwrap();
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "cargo {}: {}\n{}{}",
        arguments.join(" "),
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    ))
}
