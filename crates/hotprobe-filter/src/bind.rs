//! From a condition and an event's parameters to what is evaluated: names become indexes, and what
//! cannot fit a parameter's type is an error.

use crate::bound::{Bound, Check};
use crate::error::BindError;
use crate::expression::{Expression, Literal, LiteralValue, Name, Operand, Operator, Span, Test};
use crate::number::{Integer, Number};
use crate::text::Pattern;
use hotprobe::{Metadata, Parameter};

/// How alike two names are at least, for one to be suggested for the other.
const ALIKE: f64 = 0.5;

/// What a condition is bound to.
pub(crate) struct Binding<'a> {
    pub(crate) event: &'a Metadata,
    pub(crate) source: &'a str,
    /// Whether the caller supplies `elapsed` when it is evaluated.
    pub(crate) elapsed: bool,
}

type Result<T> = std::result::Result<T, BindError>;

impl Binding<'_> {
    pub(crate) fn bind(&self, expression: &Expression) -> Result<Bound> {
        self.expression(expression).map(Bound::new)
    }

    fn expression(&self, expression: &Expression) -> Result<Check> {
        let all = |parts: &[Expression]| -> Result<Box<[_]>> {
            parts.iter().map(|part| self.expression(part)).collect()
        };
        Ok(match expression {
            Expression::Any(parts) => Check::Any(all(parts)?),
            Expression::All(parts) => Check::All(all(parts)?),
            Expression::Not(part) => Check::Not(Box::new(self.expression(part)?)),
            Expression::Test(test) => self.test(test)?,
        })
    }

    fn test(&self, test: &Test) -> Result<Check> {
        match test {
            Test::Flag(name) => {
                let (index, kind) = self.parameter(name)?;
                if !matches!(kind, Kind::Bool | Kind::Unknown) {
                    return Err(self.wrong_type(name, "compare it with a value"));
                }
                Ok(Check::Flag {
                    index,
                    wanted: true,
                })
            }
            Test::Compare(operand, operator, literal) => self.compare(operand, *operator, literal),
            Test::OneOf(operand, literals) => {
                let equal = |literal| self.compare(operand, Operator::Equal, literal);
                let checks: Result<Box<[_]>> = literals.iter().map(equal).collect();
                Ok(Check::Any(checks?))
            }
            Test::Matches(name, pattern) => Ok(Check::Pattern {
                index: self.text(name)?,
                pattern: Pattern::glob(&pattern.text),
            }),
            Test::Contains(name, needle) => Ok(Check::Pattern {
                index: self.text(name)?,
                pattern: Pattern::containing(&needle.text),
            }),
            Test::Sample { take, of, by } => Ok(Check::Sample {
                index: self.parameter(by)?.0,
                take: *take,
                of: *of,
            }),
        }
    }

    fn text(&self, name: &Name) -> Result<usize> {
        let (index, kind) = self.parameter(name)?;
        match kind {
            Kind::Text | Kind::Bytes | Kind::Char | Kind::Unknown => Ok(index),
            Kind::Number | Kind::Bool => {
                Err(self.wrong_type(name, "only texts match or contain a text"))
            }
        }
    }

    fn compare(&self, operand: &Operand, operator: Operator, literal: &Literal) -> Result<Check> {
        match operand {
            Operand::Elapsed(span) => self.elapsed(span, operator, literal),
            Operand::Length(name) => {
                let (index, kind) = self.parameter(name)?;
                if !matches!(kind, Kind::Text | Kind::Bytes | Kind::Unknown) {
                    return Err(self.wrong_type(name, "only texts and bytes have a length"));
                }
                let LiteralValue::Number(number) = literal.value else {
                    return Err(self.literal(literal, "a length is compared with a number"));
                };
                Ok(Check::Length {
                    index,
                    operator,
                    number,
                })
            }
            Operand::Parameter(name) => self.value(name, operator, literal),
        }
    }

    fn elapsed(&self, span: &Span, operator: Operator, literal: &Literal) -> Result<Check> {
        if !self.elapsed {
            let own = self
                .event
                .parameters()
                .iter()
                .any(|p| p.name() == "elapsed");
            let own = if own {
                "; the event's parameter of this name is `` `elapsed` ``, in backquotes"
            } else {
                ""
            };
            let reason = format!(
                "`elapsed` needs a session that sees the begin and the end, and this one does not{own}"
            );
            return Err(self.error(reason, span));
        }
        let LiteralValue::Duration(nanoseconds) = literal.value else {
            let reason = "`elapsed` is compared with a duration, as in `250ms`";
            return Err(self.literal(literal, reason));
        };
        Ok(Check::Elapsed {
            operator,
            nanoseconds,
        })
    }

    fn value(&self, name: &Name, operator: Operator, literal: &Literal) -> Result<Check> {
        let (index, kind) = self.parameter(name)?;
        let number = |number| Check::Number {
            index,
            operator,
            number,
        };
        match (&literal.value, kind) {
            (LiteralValue::Number(value), Kind::Number | Kind::Unknown) => Ok(number(*value)),
            (LiteralValue::Duration(nanoseconds), Kind::Number | Kind::Unknown) => {
                if let Some(unit) = other_unit(&name.text) {
                    let reason = format!(
                        "a duration is a number of nanoseconds, and `{}` seems to be in {unit}: compare it with a \
                         number of {unit}",
                        name.text
                    );
                    return Err(self.literal(literal, &reason));
                }
                let nanoseconds = Integer::new(false, (*nanoseconds).into());
                Ok(number(Number::Integer(nanoseconds)))
            }
            (LiteralValue::Bool(value), Kind::Bool | Kind::Unknown) => {
                if !operator.is_equality() {
                    let reason = "truth values are compared by `==` and `!=`";
                    return Err(self.literal(literal, reason));
                }
                Ok(Check::Flag {
                    index,
                    wanted: *value == (operator == Operator::Equal),
                })
            }
            (LiteralValue::Text(text), Kind::Text | Kind::Bytes | Kind::Char | Kind::Unknown) => {
                Ok(Check::Text {
                    index,
                    operator,
                    text: text.as_str().into(),
                })
            }
            (_, Kind::Number) => Err(self.wrong_type(name, "compare it with a number")),
            (_, Kind::Bool) => Err(self.wrong_type(name, "compare it with `true` or `false`")),
            (_, Kind::Text | Kind::Bytes | Kind::Char) => {
                Err(self.wrong_type(name, "compare it with a text in quotes"))
            }
        }
    }

    /// Returns the index of the parameter of this name, and what is known of its type.
    fn parameter(&self, name: &Name) -> Result<(usize, Kind)> {
        let parameters = self.event.parameters();
        let found = parameters.iter().position(|p| p.name() == name.text);
        let reason = match found.map(|index| (index, &parameters[index])) {
            Some((index, parameter)) if !parameter.is_redacted() => {
                return Ok((index, Kind::of(parameter.type_name())));
            }
            Some(_) => format!(
                "`{}` keeps its parameter `{}` to typed probes (`#[redact]`): a condition cannot use it; it has {}",
                self.event.name(),
                name.text,
                listed(self.event)
            ),
            None => {
                let meant = match closest(&name.text, parameters) {
                    Some(closest) => format!("; did you mean `{closest}`? it has"),
                    None => "; it has".to_owned(),
                };
                let shown: String = name.text.chars().flat_map(char::escape_debug).collect();
                format!(
                    "`{}` has no parameter `{shown}`{meant} {}",
                    self.event.name(),
                    listed(self.event)
                )
            }
        };
        Err(self.error(reason, &name.span))
    }

    fn wrong_type(&self, name: &Name, advice: &str) -> BindError {
        let parameters = self.event.parameters();
        let found = parameters.iter().find(|p| p.name() == name.text);
        let type_name = found.map_or("unknown", Parameter::type_name);
        let reason = format!(
            "`{}` of `{}` is a `{type_name}`: {advice}",
            name.text,
            self.event.name()
        );
        self.error(reason, &name.span)
    }

    fn literal(&self, literal: &Literal, reason: &str) -> BindError {
        self.error(reason.to_owned(), &literal.span)
    }

    fn error(&self, reason: String, span: &Span) -> BindError {
        BindError::new(self.event.name(), reason, self.source, span.0.clone())
    }
}

/// The event's parameters, for an error.
fn listed(event: &Metadata) -> String {
    if event.parameters().is_empty() {
        return "none".to_owned();
    }
    let one = |p: &Parameter| {
        let redacted = if p.is_redacted() { "#[redact] " } else { "" };
        format!("`{redacted}{}: {}`", p.name(), p.type_name())
    };
    let all: Vec<_> = event.parameters().iter().map(one).collect();
    all.join(", ")
}

/// The parameter whose name is most like this one.
fn closest(name: &str, parameters: &[Parameter]) -> Option<&'static str> {
    let wanted = name.to_lowercase();
    let likeness = |p: &Parameter| {
        let small = p.name().to_lowercase();
        let likeness = if small.contains(&wanted) || wanted.contains(&small) {
            1.0
        } else {
            strsim::normalized_levenshtein(&wanted, &small)
        };
        (likeness, p.name())
    };
    parameters
        .iter()
        .filter(|p| !p.is_redacted())
        .map(likeness)
        .filter(|&(likeness, _)| likeness > ALIKE)
        // (The first of equals.)
        .rev()
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}

/// The unit of a parameter by its name, if that is not the nanosecond.
fn other_unit(name: &str) -> Option<&'static str> {
    let units = [
        (["_us", "_micros"], "microseconds"),
        (["_ms", "_millis"], "milliseconds"),
        (["_s", "_secs"], "seconds"),
        (["_sec", "_seconds"], "seconds"),
    ];
    let is = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    let found = units.iter().find(|(endings, _)| is(endings));
    found.map(|(_, unit)| *unit)
}

/// What is known of the values of a type by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Number,
    Bool,
    Char,
    Text,
    Bytes,
    /// A type of the program, or an alias: anything.
    Unknown,
}

impl Kind {
    fn of(type_name: &str) -> Self {
        let mut name = type_name.trim();
        // References, lifetimes and options are followed, as the values are.
        loop {
            let inner = if let Some(referenced) = name.strip_prefix('&') {
                let referenced = referenced.trim_start();
                if let Some(lifetime) = referenced.strip_prefix('\'') {
                    let is_name = |c: char| c.is_alphanumeric() || c == '_';
                    lifetime.trim_start_matches(is_name).trim_start()
                } else {
                    referenced
                }
            } else if let Some(inner) = argument(name, &["Option", "NonZero", "Box", "Arc", "Rc"]) {
                inner
            } else {
                break;
            };
            name = inner;
        }
        if let Some(inner) = name
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            let element = inner.split(';').next().unwrap_or_default().trim();
            return if element == "u8" {
                Self::Bytes
            } else {
                Self::Unknown
            };
        }
        if let Some(inner) = argument(name, &["Vec"]) {
            return if inner == "u8" {
                Self::Bytes
            } else {
                Self::Unknown
            };
        }
        if let Some(inner) = argument(name, &["Cow"]) {
            let is_text = inner
                .split(',')
                .next_back()
                .is_some_and(|last| last.trim() == "str");
            return if is_text { Self::Text } else { Self::Unknown };
        }
        let last = name.rsplit("::").next().unwrap_or(name).trim();
        match last {
            "u8" | "u16" | "u32" | "u64" | "u128" | "usize" | "i8" | "i16" | "i32" | "i64"
            | "i128" | "isize" | "f32" | "f64" | "NonZeroU8" | "NonZeroU16" | "NonZeroU32"
            | "NonZeroU64" | "NonZeroU128" | "NonZeroUsize" | "NonZeroI8" | "NonZeroI16"
            | "NonZeroI32" | "NonZeroI64" | "NonZeroI128" | "NonZeroIsize" => Self::Number,
            "bool" => Self::Bool,
            "char" => Self::Char,
            "str" | "String" => Self::Text,
            _ => Self::Unknown,
        }
    }
}

/// The argument of a generic type that has one of these names.
fn argument<'a>(name: &'a str, types: &[&str]) -> Option<&'a str> {
    let (path, arguments) = name.split_once('<')?;
    let last = path.rsplit("::").next().unwrap_or(path).trim();
    let arguments = arguments.trim_end().strip_suffix('>')?;
    types.contains(&last).then(|| arguments.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_a_type_is_known_through_references_options_and_paths() {
        let kinds = [
            ("u16", Kind::Number),
            ("&'a u64", Kind::Number),
            ("Option<NonZero<u8>>", Kind::Number),
            ("std::num::NonZeroI32", Kind::Number),
            ("&f32", Kind::Number),
            ("bool", Kind::Bool),
            ("Option < char >", Kind::Char),
            ("&str", Kind::Text),
            ("&'static str", Kind::Text),
            ("Option<&'a std::string::String>", Kind::Text),
            ("&Cow<'a, str>", Kind::Text),
            ("&Box<str>", Kind::Text),
            ("&[u8]", Kind::Bytes),
            ("[u8; 16]", Kind::Bytes),
            ("&Vec<u8>", Kind::Bytes),
            ("&[Item]", Kind::Unknown),
            ("Method", Kind::Unknown),
            ("&dyn Error", Kind::Unknown),
            ("Wrapping<u8>", Kind::Unknown),
            ("", Kind::Unknown),
            ("&'", Kind::Unknown),
            ("Option<", Kind::Unknown),
        ];
        for (name, kind) in kinds {
            assert_eq!(Kind::of(name), kind, "{name}");
        }
    }
}
