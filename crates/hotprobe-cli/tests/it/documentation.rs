//! The workspace's README, which the package does not contain.

use super::{Directory, fake, hotprobe};
use std::fs;

#[test]
fn the_commands_in_the_workspace_s_readme_can_be_parsed() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let directory = Directory::new();
    let url = fake::saying(fake::answer("404 Not Found", "text/plain", "not here"));
    let mut commands = 0;
    for line in readme.lines() {
        if let Some(line) = line.strip_prefix("$ hotprobe ") {
            let words = line.split_whitespace().map(|word| word.trim_matches('\''));
            let mut command = hotprobe(&words.collect::<Vec<_>>());
            let output = command
                .current_dir(directory.path())
                .env("HOTPROBE_URL", &url);
            let output = output.output().unwrap();
            // 2 would be a command line that cannot be used; 1 is what this server answers.
            assert!(
                matches!(output.status.code(), Some(0 | 1)),
                "{line}: {output:?}"
            );
            commands += 1;
        }
    }
    assert!(commands > 0);
}
