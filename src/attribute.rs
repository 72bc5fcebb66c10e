//! An event's attributes, read at compile time, for `event!`.
//!
//! A macro around `event!` may have captured an attribute as `$meta:meta`. Then no macro can look
//! inside it any more, but `stringify!` still shows its text, and these functions read that.

/// One attribute of an event, as far as [`docs`] needs it.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub enum Attribute {
    /// `#[doc = …]`, or a line of a doc comment: its text.
    Doc(&'static str),
    /// The text of an attribute that cannot be matched: `doc = "…"`, or another.
    Opaque(&'static str),
    /// Any other attribute.
    Other,
}

/// Returns the length of [`docs`], in bytes.
#[doc(hidden)]
#[must_use]
pub const fn docs_len(attributes: &[Attribute]) -> usize {
    write_docs(attributes, &mut [])
}

/// Returns the doc comment among the attributes, one line for each.
#[doc(hidden)]
#[must_use]
pub const fn docs<const LEN: usize>(attributes: &[Attribute]) -> [u8; LEN] {
    let mut docs = [0; LEN];
    write_docs(attributes, &mut docs);
    docs
}

/// Returns whether a parameter's only mark, which cannot be matched, is `#[redact]`.
///
/// # Panics
/// Panics, at compile time, if it is another mark.
#[doc(hidden)]
#[must_use]
pub const fn is_redact(mark: &str) -> bool {
    assert!(
        matches!(mark.as_bytes(), b"redact"),
        "a parameter of an event can be marked `#[redact]`, and nothing else"
    );
    true
}

/// Writes the docs as far as there is room, and returns how many bytes they have.
const fn write_docs(attributes: &[Attribute], to: &mut [u8]) -> usize {
    let mut out = Out { to, len: 0 };
    let mut rest = attributes;
    while let [attribute, tail @ ..] = rest {
        match attribute {
            Attribute::Doc(line) => {
                out.push_all(line.as_bytes());
                out.push(b'\n');
            }
            Attribute::Opaque(text) => {
                if let Some(literal) = doc_literal(text.as_bytes()) {
                    unquote(literal, &mut out);
                    out.push(b'\n');
                }
            }
            Attribute::Other => {}
        }
        rest = tail;
    }
    out.len
}

/// Bytes that are counted, and kept as far as there is room.
struct Out<'a> {
    to: &'a mut [u8],
    len: usize,
}

impl Out<'_> {
    const fn push(&mut self, byte: u8) {
        if self.len < self.to.len() {
            self.to[self.len] = byte;
        }
        self.len += 1;
    }

    const fn push_all(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let [byte, tail @ ..] = rest {
            self.push(*byte);
            rest = tail;
        }
    }
}

/// The literal of `doc = "…"` or `doc = r#"…"#`; none if it is another attribute, or the value is
/// computed.
const fn doc_literal(text: &[u8]) -> Option<&[u8]> {
    let [b'd', b'o', b'c', rest @ ..] = text else {
        return None;
    };
    let [b'=', rest @ ..] = skip_space(rest) else {
        return None;
    };
    let literal = skip_space(rest);
    match literal {
        [b'"', ..] | [b'r', b'"' | b'#', ..] => Some(literal),
        _ => None,
    }
}

const fn skip_space(text: &[u8]) -> &[u8] {
    let mut rest = text;
    while let [b' ' | b'\t' | b'\n' | b'\r', tail @ ..] = rest {
        rest = tail;
    }
    rest
}

/// Writes what a string literal means.
const fn unquote(literal: &[u8], out: &mut Out<'_>) {
    match literal {
        [b'r', rest @ ..] => unquote_raw(rest, out),
        [b'"', rest @ ..] => unquote_escaped(rest, out),
        _ => {}
    }
}

const fn unquote_raw(literal: &[u8], out: &mut Out<'_>) {
    let mut hashes = 0;
    let mut rest = literal;
    while let [b'#', tail @ ..] = rest {
        hashes += 1;
        rest = tail;
    }
    // The opening quote; then the text, up to as many bytes before the end as there are behind it.
    let end = literal.len() - hashes - 1;
    let mut at = hashes + 1;
    while at < end {
        out.push(literal[at]);
        at += 1;
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "an escape of two digits is one byte"
)]
const fn unquote_escaped(text: &[u8], out: &mut Out<'_>) {
    let mut rest = text;
    loop {
        rest = match rest {
            [] | [b'"'] => return,
            [b'\\', b'n', tail @ ..] => {
                out.push(b'\n');
                tail
            }
            [b'\\', b't', tail @ ..] => {
                out.push(b'\t');
                tail
            }
            [b'\\', b'r', tail @ ..] => {
                out.push(b'\r');
                tail
            }
            [b'\\', b'0', tail @ ..] => {
                out.push(0);
                tail
            }
            [b'\\', b'x', high, low, tail @ ..] => {
                out.push((hex(*high) << 4 | hex(*low)) as u8);
                tail
            }
            [b'\\', b'u', b'{', tail @ ..] => unquote_unicode(tail, out),
            // The line continues at its first character that is no space.
            [b'\\', b'\n', tail @ ..] => skip_space(tail),
            // `\"`, `\'`, `\\`
            [b'\\', byte, tail @ ..] | [byte, tail @ ..] => {
                out.push(*byte);
                tail
            }
        };
    }
}

/// Writes the character whose digits begin here, and returns what follows its `}`.
#[allow(
    clippy::cast_possible_truncation,
    reason = "bits are taken from a character's number, six at a time"
)]
const fn unquote_unicode<'t>(text: &'t [u8], out: &mut Out<'_>) -> &'t [u8] {
    let mut number = 0;
    let mut rest = text;
    loop {
        rest = match rest {
            [b'_', tail @ ..] => tail,
            [b'}', tail @ ..] => {
                rest = tail;
                break;
            }
            [digit, tail @ ..] => {
                number = number << 4 | hex(*digit);
                tail
            }
            [] => break,
        };
    }
    match number {
        0..0x80 => out.push(number as u8),
        0x80..0x800 => {
            out.push(0xc0 | (number >> 6) as u8);
            out.push(0x80 | (number & 0x3f) as u8);
        }
        0x800..0x1_0000 => {
            out.push(0xe0 | (number >> 12) as u8);
            out.push(0x80 | (number >> 6 & 0x3f) as u8);
            out.push(0x80 | (number & 0x3f) as u8);
        }
        _ => {
            out.push(0xf0 | (number >> 18) as u8);
            out.push(0x80 | (number >> 12 & 0x3f) as u8);
            out.push(0x80 | (number >> 6 & 0x3f) as u8);
            out.push(0x80 | (number & 0x3f) as u8);
        }
    }
    rest
}

const fn hex(digit: u8) -> u32 {
    match digit {
        b'0'..=b'9' => (digit - b'0') as u32,
        b'a'..=b'f' => (digit - b'a') as u32 + 10,
        b'A'..=b'F' => (digit - b'A') as u32 + 10,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(attributes: &[Attribute]) -> String {
        let mut bytes = vec![0; docs_len(attributes)];
        write_docs(attributes, &mut bytes);
        String::from_utf8(bytes).expect("docs are text")
    }

    #[test]
    fn the_text_of_an_opaque_doc_attribute_is_its_value() {
        let long = concat!("a", "\u{7f}\u{80}\u{7ff}\u{800}\u{ffff}\u{10000}");
        for (text, value) in [
            (r#"doc = " By meta.""#, " By meta."),
            (r#"doc=" close""#, " close"),
            (r##"doc = r#" a "quoted" \n"#"##, r#" a "quoted" \n"#),
            (r#"doc = r" raw \""#, r" raw \"),
            (r#"doc = """#, ""),
            ("doc = r#\"\"#", ""),
            (r#"doc = "a\"b\\c\'d\n\t\r\0e""#, "a\"b\\c'd\n\t\r\0e"),
            (r#"doc = "\x41\u{e9}\u{1F_600}""#, "Aé😀"),
            (
                r#"doc = "a\u{7f}\u{80}\u{7ff}\u{800}\u{ffff}\u{10000}""#,
                long,
            ),
            ("doc = \"a\\\n    b\"", "ab"),
        ] {
            assert_eq!(
                read(&[Attribute::Opaque(text)]),
                format!("{value}\n"),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_doc_attribute_is_no_docs() {
        for text in [
            "deprecated",
            "doc(hidden)",
            "document = \"x\"",
            "doc = concat!(\"a\")",
        ] {
            assert_eq!(read(&[Attribute::Opaque(text)]), "", "{text}");
        }
        assert_eq!(
            read(&[Attribute::Other, Attribute::Doc("a"), Attribute::Doc("b")]),
            "a\nb\n"
        );
    }
}
