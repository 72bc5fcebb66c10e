//! `hotprobe complete-process`: the processes that complete a word, for the scripts of
//! `completions`.

use crate::failure::Failure;
use crate::output::{self, shown};
use crate::processes;

/// Prints numbers and names, one a line.
pub(crate) fn run(word: &str) -> Result<(), Failure> {
    let mut words = Vec::new();
    for process in processes::all() {
        words.push(process.pid.to_string());
        words.extend(process.about.map(|about| shown(&about.program)));
    }
    words.retain(|candidate| candidate.starts_with(word));
    words.sort();
    words.dedup();
    output::text(
        &words
            .into_iter()
            .map(|word| word + "\n")
            .collect::<String>(),
    )
}
