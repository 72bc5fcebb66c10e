//! Printing. A server is not trusted: nothing that a terminal would obey gets there.

use crate::failure::Failure;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::fmt::Write as _;
use std::io::{self, Write as _};

/// Prints text to standard output.
pub(crate) fn text(text: &str) -> Result<(), Failure> {
    bytes(text.as_bytes())
}

/// Writes bytes to standard output, at once.
pub(crate) fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)
        .and_then(|()| out.flush())
        .map_err(Failure::of_output)
}

/// Returns the text in one line, with what a terminal would obey, or not show, as escapes.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_obeyed(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// As [`shown`], but line breaks and tabs are kept.
pub(crate) fn shown_lines(text: &str) -> String {
    let mut lines = String::with_capacity(text.len());
    for line in text.lines() {
        let cells: Vec<_> = line.split('\t').map(shown).collect();
        lines += &cells.join("\t");
        lines.push('\n');
    }
    lines
}

/// Returns a text value in quotes, which show where it ends.
pub(crate) fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", shown(&escaped))
}

/// Returns JSON of the server's with the same meaning, and nothing in it that a terminal obeys.
///
/// Inside a text, such a character is written as an escape. Outside, JSON has nothing but ASCII and
/// white space, of which a carriage return becomes a space: a terminal would overwrite the line.
pub(crate) fn shown_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    let (mut is_text, mut is_escaped) = (false, false);
    for character in json.chars() {
        let is_end = character == '"' && !is_escaped;
        is_escaped = is_text && character == '\\' && !is_escaped;
        if is_end {
            is_text = !is_text;
        }
        if !is_obeyed(character) || (!is_text && matches!(character, '\n' | '\t')) {
            shown.push(character);
        } else if !is_text && character == '\r' {
            shown.push(' ');
        } else {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                let _ = write!(shown, "\\u{unit:04x}");
            }
        }
    }
    shown
}

/// The version of the JSON documents that are printed. It changes when a field changes its meaning
/// or is removed, and not when one is added.
pub(crate) const JSON_VERSION: u32 = 1;

#[derive(Deserialize)]
struct JsonVersion {
    version: Option<IgnoredAny>,
}

/// Adds the field `version` to an object of the server's; the rest stays as the server sends it.
pub(crate) fn versioned_json(json: &str) -> String {
    let json = json.trim();
    let parsed = serde_json::from_str::<JsonVersion>(json);
    let (Some(rest), Ok(JsonVersion { version: None })) = (json.strip_prefix('{'), parsed) else {
        return shown_json(json) + "\n";
    };
    let comma = if rest.trim_start().starts_with('}') {
        ""
    } else {
        ","
    };
    format!("{{\"version\":{JSON_VERSION}{comma}{}\n", shown_json(rest))
}

/// Returns whether a terminal obeys it: control characters, and those that change the direction of
/// text, break lines, or are invisible.
fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        let evil = "a\u{1b}[31mb\r\n\u{9b}c\u{202e}d\u{7f}é";
        assert_eq!(shown(evil), r"a\u{1b}[31mb\r\n\u{9b}c\u{202e}d\u{7f}é");
        assert_eq!(shown_lines("a\u{7}\tb\nc"), "a\\u{7}\tb\nc\n");
        assert_eq!(quoted("a\"\\n\n"), r#""a\"\\n\n""#);
    }

    #[test]
    fn json_keeps_its_meaning() {
        let json = "{\n \"a\": \"\u{9b}31m\u{202e}é\u{7f}\"}";
        let shown = shown_json(json);
        assert_eq!(shown, "{\n \"a\": \"\\u009b31m\\u202eé\\u007f\"}");
        let value = |json| serde_json::from_str::<serde_json::Value>(json).unwrap();
        assert_eq!(value(&shown), value(json));
    }

    #[test]
    fn a_carriage_return_overwrites_nothing_wherever_it_is() {
        let json = "{\r\n\"a\\\"\":\r[1,\t\"\\\\\",\r2]}\r";
        let shown = shown_json(json);
        assert_eq!(shown, "{ \n\"a\\\"\": [1,\t\"\\\\\", 2]} ");
        let value = |json| serde_json::from_str::<serde_json::Value>(json).unwrap();
        assert_eq!(value(&shown), value(json));
        // That is no JSON, but harmless.
        assert_eq!(shown_json("\"a\r\nb\tc\""), "\"a\\u000d\\u000ab\\u0009c\"");
    }

    #[test]
    fn a_version_is_added_to_an_object_once() {
        for (json, expected) in [
            (
                " \n {\"b\":1,\"a\":{}}\n",
                "{\"version\":1,\"b\":1,\"a\":{}}\n",
            ),
            ("{ }", "{\"version\":1 }\n"),
            ("{\"a\":1,\"version\":2}", "{\"a\":1,\"version\":2}\n"),
            ("[1]", "[1]\n"),
        ] {
            let versioned = versioned_json(json);
            assert_eq!(versioned, expected);
            assert!(serde_json::from_str::<serde_json::Value>(&versioned).is_ok());
        }
    }
}
