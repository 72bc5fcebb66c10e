//! Folded stacks: a line for each, `main;serve;write 7`.

use crate::{ProfileError, StackProfile};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// The stacks, the outermost function first, those of the same names put together, with their
/// value.
pub(crate) fn stacks(profile: &StackProfile) -> BTreeMap<Vec<&str>, u128> {
    let symbols = profile.symbols();
    let mut stacks = BTreeMap::new();
    for (index, row) in profile.raw().rows.iter().enumerate() {
        let names = symbols.lines(index).rev();
        let names = names.map(|(function, _)| function.name.as_str()).collect();
        *stacks.entry(names).or_default() += profile.value(row.sum);
    }
    stacks
}

impl StackProfile {
    /// Writes folded stacks: a line for each stack, the outermost function first, separated by
    /// semicolons, and behind a space its weight (or how many samples it has, without a weight).
    /// Labels are not told apart. A semicolon in a name is written as a colon.
    ///
    /// # Errors
    /// The error of the writer.
    pub fn write_folded(&self, writer: impl Write) -> Result<(), ProfileError> {
        write(self, writer).map_err(|error| ProfileError::io(None, error))
    }
}

pub(crate) fn write(profile: &StackProfile, mut writer: impl Write) -> io::Result<()> {
    for (names, value) in stacks(profile) {
        let names: Vec<_> = names.into_iter().map(escaped).collect();
        writeln!(writer, "{} {value}", names.join(";"))?;
    }
    writer.flush()
}

/// Escapes a name: Rust's have semicolons in the types of arrays.
fn escaped(name: &str) -> String {
    let escape = |character: char| match character {
        ';' => ':',
        character if character.is_control() => ' ',
        character => character,
    };
    name.chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn a_name_has_no_semicolon_and_no_end_of_line() {
        assert_eq!(escaped("<[u8; 4] as A>::b\n"), "<[u8: 4] as A>::b ");
        assert_eq!(escaped("é::{{closure}}"), "é::{{closure}}");
    }
}
