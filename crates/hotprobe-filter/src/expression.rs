//! A parsed condition: the tree, and its text.

use crate::number::Number;
use std::fmt::{self, Write as _};
use std::ops::Range;

/// Where in the source something is, in bytes. All are equal: two conditions are the same if they
/// mean the same.
#[derive(Clone, Debug)]
pub(crate) struct Span(pub(crate) Range<usize>);

impl PartialEq for Span {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// A condition, or a part of one. `All` and `Any` have at least two parts, none of their own kind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    Any(Vec<Expression>),
    All(Vec<Expression>),
    Not(Box<Expression>),
    Test(Test),
}

/// What is true or false of a firing by itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    /// A parameter that is a truth value.
    Flag(Name),
    Compare(Operand, Operator, Literal),
    OneOf(Operand, Vec<Literal>),
    Matches(Name, Text),
    Contains(Name, Text),
    /// `take` of `of` values of the parameter.
    Sample {
        take: u64,
        of: u64,
        by: Name,
    },
}

/// What is compared.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand {
    Parameter(Name),
    Length(Name),
    Elapsed(Span),
}

/// The name of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// A text in quotes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// What a value is compared with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Literal {
    pub(crate) value: LiteralValue,
    pub(crate) span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum LiteralValue {
    Number(Number),
    /// In nanoseconds.
    Duration(u64),
    Bool(bool),
    Text(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Operator {
    /// Returns whether a value that compares like this is accepted.
    #[inline]
    pub(crate) const fn accepts(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }

    pub(crate) const fn is_equality(self) -> bool {
        matches!(self, Self::Equal | Self::NotEqual)
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

impl Expression {
    /// Returns the conjunction (`all`) or disjunction of these, with parts of that kind taken in.
    pub(crate) fn joined(all: bool, mut parts: Vec<Self>) -> Self {
        if parts.len() == 1 {
            return parts.remove(0);
        }
        let flat = parts.into_iter().flat_map(|part| match part {
            Self::All(inner) if all => inner,
            Self::Any(inner) if !all => inner,
            other => vec![other],
        });
        let flat = flat.collect();
        if all {
            Self::All(flat)
        } else {
            Self::Any(flat)
        }
    }

    /// Returns how deeply `!` and parentheses are nested in its text.
    pub(crate) fn depth(&self) -> usize {
        let deepest = |parts: &[Self], inside: fn(&Self) -> bool| {
            let one = |part: &Self| part.depth() + usize::from(inside(part));
            parts.iter().map(one).max().unwrap_or(0)
        };
        match self {
            Self::Any(parts) => deepest(parts, |_| false),
            Self::All(parts) => deepest(parts, Self::needs_parentheses_in_all),
            Self::Not(part) => 1 + part.depth() + usize::from(part.needs_parentheses_in_not()),
            Self::Test(_) => 0,
        }
    }

    fn needs_parentheses_in_all(&self) -> bool {
        matches!(self, Self::Any(_))
    }

    fn needs_parentheses_in_not(&self) -> bool {
        let plain = matches!(
            self,
            Self::Not(_) | Self::Test(Test::Flag(_) | Test::Sample { .. })
        );
        !plain
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, parentheses: bool) -> fmt::Result {
        if parentheses {
            return write!(f, "({self})");
        }
        write!(f, "{self}")
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any(parts) => separated(f, parts, " || ", |f, part| part.write(f, false)),
            Self::All(parts) => separated(f, parts, " && ", |f, part| {
                part.write(f, part.needs_parentheses_in_all())
            }),
            Self::Not(part) => {
                f.write_char('!')?;
                part.write(f, part.needs_parentheses_in_not())
            }
            Self::Test(test) => test.fmt(f),
        }
    }
}

fn separated<T>(
    f: &mut fmt::Formatter<'_>,
    parts: &[T],
    separator: &str,
    write: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        write(f, part)?;
    }
    Ok(())
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => name.fmt(f),
            Self::Compare(operand, operator, literal) => {
                write!(f, "{operand} {} {}", operator.as_str(), literal.value)
            }
            Self::OneOf(operand, literals) => {
                write!(f, "{operand} in (")?;
                separated(f, literals, ", ", |f, literal| literal.value.fmt(f))?;
                f.write_char(')')
            }
            Self::Matches(name, Text { text, .. }) => write!(f, "{name} matches {text:?}"),
            Self::Contains(name, Text { text, .. }) => write!(f, "{name} contains {text:?}"),
            Self::Sample { take, of, by } => write!(f, "sample({take}/{of} by {by})"),
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parameter(name) => name.fmt(f),
            Self::Length(name) => write!(f, "len({name})"),
            Self::Elapsed(_) => f.write_str(ELAPSED),
        }
    }
}

/// The time from begin to end, which a session supplies.
pub(crate) const ELAPSED: &str = "elapsed";

/// Returns whether a character may be in a name without backquotes: at its beginning, or later.
pub(crate) fn is_name_character(character: char, first: bool) -> bool {
    character == '_' || character.is_alphabetic() || (!first && character.is_alphanumeric())
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = |part: &str| {
            let mut characters = part.chars().enumerate().peekable();
            characters.peek().is_some()
                && characters.all(|(index, character)| is_name_character(character, index == 0))
        };
        if self.text != ELAPSED && self.text.split('.').all(is_plain) {
            f.write_str(&self.text)
        } else {
            write!(f, "`{}`", self.text)
        }
    }
}

impl fmt::Display for LiteralValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Duration(nanoseconds) => {
                let units = [(1_000_000_000, "s"), (1_000_000, "ms"), (1000, "us")];
                let fits = |&(unit, _): &(u64, _)| nanoseconds % unit == 0;
                let (unit, name) = units.into_iter().find(fits).unwrap_or((1, "ns"));
                write!(f, "{}{name}", nanoseconds / unit)
            }
            Self::Bool(value) => value.fmt(f),
            Self::Text(text) => write!(f, "{text:?}"),
        }
    }
}
