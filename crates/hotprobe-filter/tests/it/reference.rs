//! Conditions as the documentation describes them, evaluated in another way: numbers as exact
//! decimal texts, texts as whole vectors, patterns by trying all ways.

use hotprobe::Value;
use std::cmp::Ordering;
use std::fmt;

/// A condition on the parameters `a`, `b.c`, `d e` and `elapsed`, by index.
#[derive(Clone, Debug)]
pub(crate) enum Tree {
    Or(Vec<Tree>),
    And(Vec<Tree>),
    Not(Box<Tree>),
    Flag(usize),
    Compare(usize, &'static str, Literal),
    In(usize, Vec<Literal>),
    Matches(usize, String),
    Contains(usize, String),
    Length(usize, &'static str, u16),
    Sample(u64, u64, usize),
    Elapsed(&'static str, u32),
}

#[derive(Clone, Debug)]
pub(crate) enum Literal {
    Signed(i128),
    Unsigned(u128),
    Float(f64),
    Bool(bool),
    Text(String),
}

/// A value with what it borrows.
#[derive(Clone, Debug)]
pub(crate) enum Owned {
    Bool(bool),
    Char(char),
    U64(u64),
    I64(i64),
    U128(u128),
    I128(i128),
    F32(f32),
    F64(f64),
    Str(String),
    Bytes(Vec<u8>),
    Debug(Written),
    Display(Written),
    Opaque,
    Absent,
}

/// Writes its text, in pieces.
#[derive(Clone)]
pub(crate) struct Written(pub(crate) String);

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .chars()
            .try_for_each(|character| write!(f, "{character}"))
    }
}

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Owned {
    pub(crate) fn value(&self) -> Value<'_> {
        match self {
            Self::Bool(value) => Value::Bool(*value),
            Self::Char(value) => Value::Char(*value),
            Self::U64(value) => Value::U64(*value),
            Self::I64(value) => Value::I64(*value),
            Self::U128(value) => Value::U128(*value),
            Self::I128(value) => Value::I128(*value),
            Self::F32(value) => Value::F32(*value),
            Self::F64(value) => Value::F64(*value),
            Self::Str(value) => Value::Str(value),
            Self::Bytes(value) => Value::Bytes(value),
            Self::Debug(value) => Value::Debug(value),
            Self::Display(value) => Value::Display(value),
            Self::Opaque => Value::Opaque("Opaque"),
            Self::Absent => Value::Absent,
        }
    }

    fn text(&self) -> Option<Vec<u8>> {
        match self {
            Self::Char(value) => Some(value.to_string().into_bytes()),
            Self::Str(value) => Some(value.clone().into_bytes()),
            Self::Bytes(value) => Some(value.clone()),
            Self::Debug(value) | Self::Display(value) => Some(value.0.clone().into_bytes()),
            _ => None,
        }
    }

    fn hashed(&self) -> Option<String> {
        match self {
            Self::F32(value) if value.is_nan() => None,
            Self::F64(value) if value.is_nan() => None,
            Self::Bool(_)
            | Self::U64(_)
            | Self::I64(_)
            | Self::U128(_)
            | Self::I128(_)
            | Self::F32(_)
            | Self::F64(_) => Some(self.value().to_string()),
            _ => None,
        }
    }
}

/// An exact number: whether it is negative, digits before the point, and digits after it.
type Decimal = (bool, String, String);

fn decimal(written: &str) -> Option<Decimal> {
    let negative = written.starts_with('-');
    let (whole, fraction) = match written.trim_start_matches('-').split_once('.') {
        Some((whole, fraction)) => (whole, fraction.trim_end_matches('0')),
        None => (written.trim_start_matches('-'), ""),
    };
    let is_number = whole.bytes().all(|byte| byte.is_ascii_digit());
    let whole = whole.trim_start_matches('0').to_owned();
    let zero = whole.is_empty() && fraction.is_empty();
    is_number.then(|| (negative && !zero, whole, fraction.to_owned()))
}

fn compare(a: &Decimal, b: &Decimal) -> Ordering {
    let magnitude = |a: &Decimal, b: &Decimal| {
        let by_length = a.1.len().cmp(&b.1.len());
        by_length
            .then_with(|| a.1.cmp(&b.1))
            .then_with(|| a.2.cmp(&b.2))
    };
    match (a.0, b.0) {
        (false, false) => magnitude(a, b),
        (true, true) => magnitude(b, a),
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
    }
}

/// All digits of a float: no float has more than 1074 after the point.
fn digits(float: f64) -> String {
    format!("{float:.1074}")
}

fn by_value(value: &Owned, literal: &Literal) -> Option<Ordering> {
    match literal {
        Literal::Bool(wanted) => {
            let Owned::Bool(value) = value else {
                return None;
            };
            // Only equality is asked for.
            Some(value.cmp(wanted))
        }
        Literal::Text(text) => Some(value.text()?.as_slice().cmp(text.as_bytes())),
        Literal::Signed(_) | Literal::Unsigned(_) | Literal::Float(_) => {
            #[allow(clippy::cast_possible_truncation, reason = "as it is documented")]
            let number = match (literal, value) {
                (Literal::Float(float), Owned::F32(_)) => f64::from(*float as f32),
                (Literal::Float(float), _) => *float,
                _ => 0.0,
            };
            let literal = match literal {
                Literal::Signed(integer) => integer.to_string(),
                Literal::Unsigned(integer) => integer.to_string(),
                _ if number.is_infinite() => {
                    // A number that no 32-bit float can be.
                    let Owned::F32(value) = value else {
                        return None;
                    };
                    return f64::from(*value).partial_cmp(&number);
                }
                _ => digits(number),
            };
            let float = match value {
                Owned::F32(value) => Some(f64::from(*value)),
                Owned::F64(value) => Some(*value),
                _ => None,
            };
            let value = match (value, float) {
                (_, Some(float)) if float.is_nan() => return None,
                (_, Some(float)) if float.is_infinite() => {
                    return Some(if float > 0.0 {
                        Ordering::Greater
                    } else {
                        Ordering::Less
                    });
                }
                (_, Some(float)) => digits(float),
                (Owned::U64(_) | Owned::I64(_) | Owned::U128(_) | Owned::I128(_), None) => {
                    value.value().to_string()
                }
                _ => return None,
            };
            Some(compare(&decimal(&value)?, &decimal(&literal)?))
        }
    }
}

fn is(operator: &str, ordering: Ordering) -> bool {
    match ordering {
        Ordering::Less => ["<", "<=", "!="].contains(&operator),
        Ordering::Equal => ["==", "<=", ">="].contains(&operator),
        Ordering::Greater => [">", ">=", "!="].contains(&operator),
    }
}

fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', rest @ ..] => glob(rest, text) || (!text.is_empty() && glob(pattern, &text[1..])),
        [byte, rest @ ..] => text.first() == Some(byte) && glob(rest, &text[1..]),
    }
}

impl Tree {
    /// Whether the values meet it.
    pub(crate) fn holds(&self, values: &[Owned], elapsed: u64) -> bool {
        let get = |index: &usize| values.get(*index).unwrap_or(&Owned::Absent);
        match self {
            Self::Or(parts) => parts
                .iter()
                .fold(false, |or, part| part.holds(values, elapsed) | or),
            Self::And(parts) => parts
                .iter()
                .fold(true, |and, part| part.holds(values, elapsed) & and),
            Self::Not(part) => !part.holds(values, elapsed),
            Self::Flag(index) => matches!(get(index), Owned::Bool(true)),
            Self::Compare(index, operator, literal) => {
                by_value(get(index), literal).is_some_and(|ordering| is(operator, ordering))
            }
            Self::In(index, literals) => literals
                .iter()
                .any(|literal| by_value(get(index), literal) == Some(Ordering::Equal)),
            Self::Matches(index, pattern) => get(index)
                .text()
                .is_some_and(|text| glob(pattern.as_bytes(), &text)),
            Self::Contains(index, needle) => get(index).text().is_some_and(|text| {
                let needle = needle.as_bytes();
                (0..=text.len()).any(|at| text[at..].starts_with(needle))
            }),
            Self::Length(index, operator, length) => {
                let text = match get(index) {
                    Owned::Char(_) | Owned::Debug(_) => None,
                    value => value.text(),
                };
                text.is_some_and(|text| is(operator, text.len().cmp(&usize::from(*length))))
            }
            Self::Sample(take, of, index) => {
                let value = get(index);
                let text = value
                    .text()
                    .or_else(|| value.hashed().map(String::into_bytes));
                text.is_some_and(|text| {
                    let mut hash = 14_695_981_039_346_656_037_u128;
                    for byte in text {
                        hash ^= u128::from(byte);
                        hash = hash * 1_099_511_628_211 % (1 << 64);
                    }
                    hash % u128::from(*of) < u128::from(*take)
                })
            }
            Self::Elapsed(operator, nanoseconds) => {
                is(operator, elapsed.cmp(&u64::from(*nanoseconds)))
            }
        }
    }
}

/// The parameters' names, as a condition writes them.
pub(crate) const NAMES: [&str; 4] = ["a", "b", "r", "`elapsed`"];

/// Writes a condition in one of its forms, which a sequence of numbers chooses.
pub(crate) struct Writer {
    pub(crate) choices: u64,
}

impl Writer {
    fn choose(&mut self, ways: u64) -> u64 {
        self.choices = self
            .choices
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.choices >> 33) % ways
    }

    fn space(&mut self) -> &'static str {
        ["", " ", "", "\n\t", " ", "  "][self.choose(6) as usize]
    }

    /// The text, by itself or as an operand of `&&` (level 1) or `!` (level 2).
    pub(crate) fn write(&mut self, tree: &Tree, level: u8) -> String {
        let own = match tree {
            Tree::Or(_) => 0,
            Tree::And(_) => 1,
            // `!` applies to a whole test.
            _ => 2,
        };
        let body = match tree {
            Tree::Or(parts) => self.joined(parts, "||", 0),
            Tree::And(parts) => self.joined(parts, "&&", 1),
            Tree::Not(part) => format!("!{}{}", self.space(), self.write(part, 2)),
            test => self.test(test),
        };
        if own < level || self.choose(8) == 0 {
            format!("({}{body}{})", self.space(), self.space())
        } else {
            body
        }
    }

    fn joined(&mut self, parts: &[Tree], sign: &str, level: u8) -> String {
        let mut text = String::new();
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                text += &format!("{}{sign}{}", self.space(), self.space());
            }
            text += &self.write(part, level);
        }
        text
    }

    fn test(&mut self, tree: &Tree) -> String {
        let space = self.space();
        match tree {
            Tree::Flag(index) => NAMES[*index].to_owned(),
            Tree::Compare(index, operator, literal) => {
                format!(
                    "{}{space}{operator}{}{}",
                    NAMES[*index],
                    self.space(),
                    self.literal(literal)
                )
            }
            Tree::In(index, literals) => {
                let literals: Vec<_> = literals
                    .iter()
                    .map(|literal| self.literal(literal))
                    .collect();
                format!(
                    "{} in{space}({})",
                    NAMES[*index],
                    literals.join(&format!("{space},{space}"))
                )
            }
            Tree::Matches(index, text) => {
                format!("{} matches{space}{}", NAMES[*index], self.text(text))
            }
            Tree::Contains(index, text) => {
                format!("{} contains{space}{}", NAMES[*index], self.text(text))
            }
            Tree::Length(index, operator, length) => {
                format!(
                    "len({space}{}{space}){space}{operator}{space}{length}",
                    NAMES[*index]
                )
            }
            Tree::Sample(take, of, index) => {
                format!(
                    "sample({take}{space}/{space}{of} by {}{space})",
                    NAMES[*index]
                )
            }
            Tree::Elapsed(operator, nanoseconds) => {
                let (unit, name) =
                    [(1, "ns"), (1000, "us"), (1_000_000, "ms")][self.choose(3) as usize];
                let written = match nanoseconds % unit {
                    0 => format!("{}{name}", nanoseconds / unit),
                    _ => format!("{nanoseconds}ns"),
                };
                format!("elapsed{space}{operator}{space}{written}")
            }
            Tree::Or(_) | Tree::And(_) | Tree::Not(_) => unreachable!("written elsewhere"),
        }
    }

    fn literal(&mut self, literal: &Literal) -> String {
        let (negative, magnitude) = match literal {
            Literal::Signed(integer) => (*integer < 0, integer.unsigned_abs()),
            Literal::Unsigned(integer) => (false, *integer),
            Literal::Float(float) => return format!("{float:?}"),
            Literal::Bool(value) => return value.to_string(),
            Literal::Text(text) => return self.text(text),
        };
        let sign = if negative { "-" } else { "" };
        let suffixes = [(1_000_000_000, "G"), (1_000_000, "M"), (1000, "k")];
        for (unit, suffix) in suffixes {
            if magnitude % unit == 0 && self.choose(2) == 0 {
                return format!("{sign}{}{suffix}", magnitude / unit);
            }
            if magnitude % (unit / 100) == 0 && self.choose(2) == 0 {
                let hundredths = magnitude / (unit / 100) % 100;
                return format!("{sign}{}.{hundredths:02}{suffix}", magnitude / unit);
            }
        }
        let mut digits = magnitude.to_string();
        if digits.len() > 3 && self.choose(2) == 0 {
            digits.insert(digits.len() - 3, '_');
        }
        format!("{sign}{digits}")
    }

    fn text(&mut self, text: &str) -> String {
        let quote = ['"', '\''][self.choose(2) as usize];
        let mut written = quote.to_string();
        for character in text.chars() {
            let plain = character != quote && character != '\\';
            written += &match self.choose(4) {
                0 => character.escape_unicode().to_string(),
                1 if character.is_ascii() => format!("\\x{:02x}", character as u32),
                _ if plain => character.to_string(),
                _ => format!("\\{character}"),
            };
        }
        written.push(quote);
        written
    }
}
