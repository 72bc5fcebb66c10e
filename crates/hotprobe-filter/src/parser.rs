//! The grammar, by winnow. Each rule is a function; `Condition`'s documentation has the grammar.

use crate::error::ParseError;
use crate::expression::{
    ELAPSED, Expression, Literal, LiteralValue, Name, Operand, Operator, Span, Test, Text,
    is_name_character,
};
use crate::number::{Integer, Number};
use crate::{MAX_CONDITION_BYTES, MAX_DEPTH};
use std::borrow::Cow;
use std::ops::Range;
use winnow::ascii::{digit1, multispace0};
use winnow::combinator::{alt, cut_err, eof, opt, peek, preceded, repeat, separated, terminated};
use winnow::error::{AddContext, ErrMode, ModalResult, ParserError};
use winnow::prelude::*;
use winnow::stream::{LocatingSlice, Location, Stateful, Stream};
use winnow::token::{any, one_of, take_while};

/// The text, and how many `!` and parentheses are open.
type Input<'s> = Stateful<LocatingSlice<&'s str>, usize>;
type Parsed<T> = ModalResult<T, Mistake>;

/// Parses a whole condition.
pub(crate) fn parse(source: &str) -> Result<Expression, ParseError> {
    if source.len() > MAX_CONDITION_BYTES {
        let message = format!(
            "the condition has {} bytes; at most {MAX_CONDITION_BYTES} are possible",
            source.len()
        );
        return Err(ParseError::new(message, "", 0..0));
    }
    let mut input = Input {
        input: LocatingSlice::new(source),
        state: 0,
    };
    let end = (space, eof).context("`&&`, `||` or the end");
    let expression = match preceded(space, terminated(any_of, end)).parse_next(&mut input) {
        Ok(expression) => expression,
        Err(error) => return Err(reported(error, source)),
    };
    // What is parsed can be written, and parsed again: its text has the same limits.
    let written = expression.to_string();
    if written.len() > MAX_CONDITION_BYTES {
        let message = format!(
            "written in full, the condition has {} bytes; at most {MAX_CONDITION_BYTES} are possible",
            written.len()
        );
        return Err(ParseError::new(message, source, 0..0));
    }
    if expression.depth() > MAX_DEPTH {
        return Err(ParseError::new(too_deep(), source, 0..0));
    }
    Ok(expression)
}

fn too_deep() -> String {
    format!("`!` and parentheses are nested more than {MAX_DEPTH} deep")
}

/// What no rule accepts.
#[derive(Clone, Debug)]
struct Mistake {
    at: usize,
    /// Where it ends; `None` for the token that is there.
    end: Option<usize>,
    /// What could have been there, or the message, if the end is known.
    message: Cow<'static, str>,
}

impl<'s> ParserError<Input<'s>> for Mistake {
    type Inner = Self;

    fn from_input(input: &Input<'s>) -> Self {
        Self {
            at: input.current_token_start(),
            end: None,
            message: Cow::Borrowed(""),
        }
    }

    fn into_inner(self) -> Result<Self::Inner, Self> {
        Ok(self)
    }
}

impl<'s> AddContext<Input<'s>, &'static str> for Mistake {
    fn add_context(
        mut self,
        _: &Input<'s>,
        _: &<Input<'s> as Stream>::Checkpoint,
        expected: &'static str,
    ) -> Self {
        // The innermost rule knows best.
        if self.message.is_empty() {
            self.message = Cow::Borrowed(expected);
        }
        self
    }
}

/// A mistake for which there is a message of its own.
fn mistake<T>(span: Range<usize>, message: impl Into<Cow<'static, str>>) -> Parsed<T> {
    Err(ErrMode::Cut(Mistake {
        at: span.start,
        end: Some(span.end),
        message: message.into(),
    }))
}

fn reported(error: ErrMode<Mistake>, source: &str) -> ParseError {
    let (ErrMode::Backtrack(mistake) | ErrMode::Cut(mistake)) = error else {
        // Only partial input is incomplete.
        return ParseError::new("the condition is incomplete".to_owned(), source, 0..0);
    };
    if let Some(end) = mistake.end {
        return ParseError::new(mistake.message.into_owned(), source, mistake.at..end);
    }
    // After a space, the mistake is what follows it.
    let rest = source.get(mistake.at..).unwrap_or_default();
    let start = source.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
    let found = token_at(&source[start..]);
    let hint = match found {
        "=" => "; equality is `==`",
        "&" => "; a conjunction is `&&`",
        "|" => "; a disjunction is `||`",
        "and" | "AND" => "; write `&&`",
        "or" | "OR" => "; write `||`",
        "not" | "NOT" => "; write `!`",
        _ if mistake.message == VALUE && found.starts_with(|c| is_name_character(c, true)) => {
            "; texts are in quotes"
        }
        _ => "",
    };
    let message = match found {
        "" => format!("expected {}, found the end{hint}", mistake.message),
        found => {
            let shown: String = found
                .chars()
                .take(40)
                .flat_map(char::escape_debug)
                .collect();
            format!("expected {}, found `{shown}`{hint}", mistake.message)
        }
    };
    ParseError::new(message, source, start..start + found.len())
}

/// Returns the word, the number or the sign with which the text begins.
fn token_at(text: &str) -> &str {
    let Some(first) = text.chars().next() else {
        return "";
    };
    let same = |character: char| match first {
        '&' | '|' | '=' | '!' | '<' | '>' => "&|=!<>".contains(character),
        _ if is_name_character(first, false) => is_name_character(character, false),
        _ => false,
    };
    let end = text
        .find(|character| !same(character))
        .unwrap_or(text.len());
    &text[..end.max(first.len_utf8())]
}

fn space(input: &mut Input<'_>) -> Parsed<()> {
    multispace0.void().parse_next(input)
}

/// A sign, and the space after it.
fn sign<'s>(sign: &'static str) -> impl Parser<Input<'s>, (), ErrMode<Mistake>> {
    (sign, space).void()
}

/// A word, and not the beginning of a longer one.
fn keyword<'s>(keyword: &'static str) -> impl Parser<Input<'s>, (), ErrMode<Mistake>> {
    let longer = one_of(|character| is_name_character(character, false));
    (keyword, winnow::combinator::not(longer), space).void()
}

// any-of = all-of { "||" all-of }
fn any_of(input: &mut Input<'_>) -> Parsed<Expression> {
    let first = all_of(input)?;
    let more: Vec<_> = repeat(0.., preceded(sign("||"), cut_err(all_of))).parse_next(input)?;
    Ok(Expression::joined(false, [vec![first], more].concat()))
}

// all-of = factor { "&&" factor }
fn all_of(input: &mut Input<'_>) -> Parsed<Expression> {
    let first = factor(input)?;
    let more: Vec<_> = repeat(0.., preceded(sign("&&"), cut_err(factor))).parse_next(input)?;
    Ok(Expression::joined(true, [vec![first], more].concat()))
}

// factor = "!" factor | "(" any-of ")" | test
fn factor(input: &mut Input<'_>) -> Parsed<Expression> {
    let start = input.current_token_start();
    if opt(sign("!")).parse_next(input)?.is_some() {
        let inner = deeper(start, cut_err(factor), input)?;
        return Ok(Expression::Not(Box::new(inner)));
    }
    if opt(sign("(")).parse_next(input)?.is_some() {
        let close = sign(")").context("`&&`, `||` or `)`");
        return deeper(start, cut_err(terminated(any_of, close)), input);
    }
    test.map(Expression::Test)
        .context("a parameter, `!`, `(`, `len(…)`, `elapsed` or `sample(…)`")
        .parse_next(input)
}

fn deeper<'s>(
    start: usize,
    mut inner: impl Parser<Input<'s>, Expression, ErrMode<Mistake>>,
    input: &mut Input<'s>,
) -> Parsed<Expression> {
    if input.state == MAX_DEPTH {
        return mistake(start..start + 1, too_deep());
    }
    input.state += 1;
    let inner = inner.parse_next(input)?;
    input.state -= 1;
    Ok(inner)
}

// test = sample | operand operator literal | operand "in" "(" literal { "," literal } ")"
//      | name "matches" text | name "contains" text | name
fn test(input: &mut Input<'_>) -> Parsed<Test> {
    if opt(peek((keyword("sample"), "(")))
        .parse_next(input)?
        .is_some()
    {
        return sample(input);
    }
    let start = input.current_token_start();
    let operand = operand(input)?;
    let end = input.current_token_start();
    if let Some(operator) = opt(operator).parse_next(input)? {
        let literal = cut_err(literal).parse_next(input)?;
        return Ok(Test::Compare(operand, operator, literal));
    }
    if opt(keyword("in")).parse_next(input)?.is_some() {
        let literals = separated(1.., literal, sign(","));
        let close = sign(")").context("`,` or `)`");
        let list = (sign("(").context("`(`"), literals, close);
        let ((), literals, ()) = cut_err(list).parse_next(input)?;
        return Ok(Test::OneOf(operand, literals));
    }
    let matches = alt((
        keyword("matches").value(true),
        keyword("contains").value(false),
    ));
    if let Some(matches) = opt(matches).parse_next(input)? {
        let text = cut_err(text.context("a text in quotes")).parse_next(input)?;
        let Operand::Parameter(name) = operand else {
            let message = "only a parameter matches or contains a text; compare this with a number";
            let end = end.max(start + 1);
            return mistake(start..end, message);
        };
        return Ok(if matches {
            Test::Matches(name, text)
        } else {
            Test::Contains(name, text)
        });
    }
    // What follows a truth value cannot be anything else.
    let after = alt((eof.void(), sign("&&"), sign("||"), sign(")")));
    match operand {
        Operand::Parameter(name) if opt(peek(after)).parse_next(input)?.is_some() => {
            Ok(Test::Flag(name))
        }
        Operand::Parameter(_) => {
            let expected = "an operator (`==`, `!=`, `<`, `<=`, `>`, `>=`, `in`, `matches`, `contains`), `&&`, `||` or \
                            the end";
            cut_err(winnow::combinator::fail.context(expected)).parse_next(input)
        }
        Operand::Length(_) | Operand::Elapsed(_) => {
            let expected = "an operator (`==`, `!=`, `<`, `<=`, `>`, `>=` or `in`)";
            cut_err(winnow::combinator::fail.context(expected)).parse_next(input)
        }
    }
}

// sample = "sample" "(" integer "/" integer "by" name ")"
fn sample(input: &mut Input<'_>) -> Parsed<Test> {
    let share = (share, sign("/").context("`/`"), share);
    let by = (
        keyword("by").context("`by` and a parameter"),
        name.context("a parameter"),
    );
    let body = (share, by, sign(")").context("`)`"));
    let (((take, taken), (), (of, all)), ((), by), ()) =
        preceded((keyword("sample"), sign("(")), cut_err(body)).parse_next(input)?;
    if take == 0 || take > of {
        let message = format!(
            "`{take}/{of}` is no share: the first number is at least 1 and at most the second"
        );
        return mistake(taken.start..all.end, message);
    }
    Ok(Test::Sample { take, of, by })
}

fn share(input: &mut Input<'_>) -> Parsed<(u64, Range<usize>)> {
    let (literal, span) = (terminated(digits.with_span(), space))
        .context("a share, as in `1/100`")
        .parse_next(input)?;
    match literal.parse() {
        Ok(number) => Ok((number, span)),
        Err(_) => mistake(span, format!("the number is larger than {}", u64::MAX)),
    }
}

// operand = "len" "(" name ")" | "elapsed" | name
fn operand(input: &mut Input<'_>) -> Parsed<Operand> {
    let start = input.current_token_start();
    if opt(peek((keyword("len"), "(")))
        .parse_next(input)?
        .is_some()
    {
        let inside = (name.context("a parameter"), sign(")").context("`)`"));
        let (name, ()) =
            preceded((keyword("len"), sign("(")), cut_err(inside)).parse_next(input)?;
        return Ok(Operand::Length(name));
    }
    let is_quoted = opt(peek('`')).parse_next(input)?.is_some();
    let name = name(input)?;
    if !is_quoted && name.text == ELAPSED {
        return Ok(Operand::Elapsed(Span(start..start + ELAPSED.len())));
    }
    Ok(Operand::Parameter(name))
}

// name = word { "." word } | "`" any characters but "`" "`"
fn name(input: &mut Input<'_>) -> Parsed<Name> {
    let word = || {
        (
            one_of(|character| is_name_character(character, true)),
            take_while(0.., |character| is_name_character(character, false)),
        )
    };
    let plain = (word(), repeat::<_, _, (), _, _>(0.., ('.', word()))).take();
    let inside = take_while(1.., |character| character != '`').context("a name");
    let quoted = preceded(
        '`',
        cut_err(terminated(inside, '`'.context("a closing backquote"))),
    );
    let named = alt((quoted, plain));
    let (text, span) = terminated(named.with_span(), space).parse_next(input)?;
    Ok(Name {
        text: text.to_owned(),
        span: Span(span),
    })
}

fn operator(input: &mut Input<'_>) -> Parsed<Operator> {
    let operator = alt((
        "==".value(Operator::Equal),
        "!=".value(Operator::NotEqual),
        "<=".value(Operator::LessOrEqual),
        ">=".value(Operator::GreaterOrEqual),
        "<".value(Operator::Less),
        ">".value(Operator::Greater),
    ));
    terminated(operator, space).parse_next(input)
}

const VALUE: &str = "a number, a text in quotes, a duration, `true` or `false`";

// literal = number | duration | text | "true" | "false"
fn literal(input: &mut Input<'_>) -> Parsed<Literal> {
    let start = input.current_token_start();
    let value = alt((
        keyword("true").value(LiteralValue::Bool(true)),
        keyword("false").value(LiteralValue::Bool(false)),
        text.map(|text| LiteralValue::Text(text.text)),
        number,
    ))
    .context(VALUE)
    .parse_next(input)?;
    // Without the space after it.
    let end = input.current_token_start();
    Ok(Literal {
        value,
        span: Span(start..end),
    })
}

/// Digits, with `_` between them, without the `_`.
fn digits(input: &mut Input<'_>) -> Parsed<String> {
    let groups: Vec<&str> = separated(1.., digit1, '_').parse_next(input)?;
    Ok(groups.concat())
}

// number = [ "-" ] digits [ "." digits ] [ "k" | "M" | "G" ]
//        | [ "-" ] digits [ "." digits ] ( "e" | "E" ) [ "+" | "-" ] digits
// duration = digits [ "." digits ] ( "ns" | "us" | "ms" | "s" )
fn number(input: &mut Input<'_>) -> Parsed<LiteralValue> {
    let start = input.current_token_start();
    let negative = opt('-').parse_next(input)?.is_some();
    let whole = digits(input)?;
    let fraction = opt(preceded('.', cut_err(digits.context("a digit")))).parse_next(input)?;
    let exponent = opt(preceded(
        (
            one_of(['e', 'E']),
            peek(one_of(|c: char| c == '+' || c == '-' || c.is_ascii_digit())),
        ),
        cut_err((opt(one_of(['+', '-'])), digits.context("a digit"))),
    ))
    .parse_next(input)?;
    let word = take_while(0.., |character| is_name_character(character, false));
    let (suffix, suffix_span) = word.with_span().parse_next(input)?;
    let span = start..suffix_span.end;
    space(input)?;

    let unit: Option<(u32, bool)> = match suffix {
        "" => Some((0, false)),
        "k" => Some((3, false)),
        "M" => Some((6, false)),
        "G" => Some((9, false)),
        "ns" => Some((0, true)),
        "us" | "µs" | "μs" => Some((3, true)),
        "ms" => Some((6, true)),
        "s" => Some((9, true)),
        _ => None,
    };
    let Some((power, is_duration)) = unit else {
        let shown: String = suffix.chars().take(20).collect();
        let message = format!(
            "`{shown}` is no suffix: use k, M or G (thousand, million, billion), or ns, us, ms or s for a duration"
        );
        return mistake(suffix_span, message);
    };
    if exponent.is_some() && !suffix.is_empty() {
        return mistake(suffix_span, "a number with an exponent has no suffix");
    }
    let fraction_digits = fraction.as_deref().unwrap_or_default();
    let is_whole = exponent.is_none() && (fraction.is_none() || !suffix.is_empty());
    // `1.5k` is 1500: exactly, in integers, if it is whole.
    let scaled = is_whole.then(|| scaled(&whole, fraction_digits, power));
    if is_duration {
        return match scaled {
            _ if negative => mistake(span, "a duration is not negative"),
            Some(Scaled::Exact(nanoseconds)) if u64::try_from(nanoseconds).is_ok() => {
                let nanoseconds = u64::try_from(nanoseconds).unwrap_or(u64::MAX);
                Ok(LiteralValue::Duration(nanoseconds))
            }
            Some(Scaled::Fraction) => mistake(span, "a duration is a whole number of nanoseconds"),
            _ => mistake(span, "the duration is longer than 584 years"),
        };
    }
    match scaled {
        Some(Scaled::Exact(magnitude)) if !negative || magnitude <= i128::MIN.unsigned_abs() => {
            let integer = Integer::new(negative, magnitude);
            return Ok(LiteralValue::Number(Number::Integer(integer)));
        }
        Some(Scaled::Exact(_) | Scaled::TooLarge) => {
            return mistake(span, "no integer type has numbers of this size");
        }
        Some(Scaled::Fraction) | None => {}
    }
    let sign = if negative { "-" } else { "" };
    let exponent = match exponent {
        Some((sign, digits)) => format!("{}{digits}", sign.unwrap_or('+')),
        None => power.to_string(),
    };
    let float: Result<f64, _> = format!("{sign}{whole}.{fraction_digits}e{exponent}").parse();
    match float {
        Ok(float) if float.is_finite() => Ok(LiteralValue::Number(Number::Float(float))),
        _ => mistake(span, "the number is larger than any 64-bit float"),
    }
}

enum Scaled {
    Exact(u128),
    Fraction,
    TooLarge,
}

/// The number times a power of ten.
fn scaled(whole: &str, fraction: &str, power: u32) -> Scaled {
    let fraction = fraction.trim_end_matches('0');
    let power = power as usize;
    if fraction.len() > power {
        return Scaled::Fraction;
    }
    let zeros = power - fraction.len();
    match format!("{whole}{fraction}{}", "0".repeat(zeros)).parse() {
        Ok(number) => Scaled::Exact(number),
        Err(_) => Scaled::TooLarge,
    }
}

// text = '"' { character | escape } '"' | "'" { character | escape } "'"
fn text(input: &mut Input<'_>) -> Parsed<Text> {
    let start = input.current_token_start();
    let quote = one_of(['"', '\'']).parse_next(input)?;
    let mut text = String::new();
    loop {
        let mut plain = take_while(0.., |character| character != quote && character != '\\');
        text.push_str(plain.parse_next(input)?);
        if opt(quote).parse_next(input)?.is_some() {
            break;
        }
        if opt('\\').parse_next(input)?.is_none() {
            return mistake(start..start + 1, "the text has no closing quote");
        }
        text.extend(escape(input)?);
    }
    let end = input.current_token_start();
    space(input)?;
    Ok(Text {
        text,
        span: Span(start..end),
    })
}

// escape = "\\" ( "n" | "r" | "t" | "0" | "\\" | "'" | '"' | newline )
//        | "\\x" hex hex | "\\u{" hex { hex } "}"
fn escape(input: &mut Input<'_>) -> Parsed<Option<char>> {
    let start = input.current_token_start() - 1;
    let unknown = |end| {
        mistake(
            start..end,
            r#"unknown escape: use \n, \r, \t, \0, \\, \', \", \x7F or \u{1F980}"#,
        )
    };
    let Some(character) = opt(any).parse_next(input)? else {
        return unknown(start + 1);
    };
    let hex = |character: char| character.is_ascii_hexdigit();
    Ok(Some(match character {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        '0' => '\0',
        '\\' | '\'' | '"' => character,
        // As in Rust: the line break, and the space at the beginning of the next line, are skipped.
        '\n' => {
            space(input)?;
            return Ok(None);
        }
        'x' => {
            let digits: &str = take_while(0..=2, hex).parse_next(input)?;
            match u8::from_str_radix(digits, 16) {
                Ok(code) if digits.len() == 2 && code <= 0x7f => char::from(code),
                _ => {
                    let end = input.current_token_start();
                    return mistake(
                        start..end,
                        r"`\x` is followed by two hex digits, at most 7F",
                    );
                }
            }
        }
        'u' => {
            let braced = ('{', take_while(1..=6, hex), '}');
            let digits = opt(braced).parse_next(input)?.map(|(_, digits, _)| digits);
            let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
            let Some(character) = code.and_then(char::from_u32) else {
                let end = input.current_token_start();
                return mistake(
                    start..end,
                    r"`\u` is followed by the number of a character, as in `\u{1F980}`",
                );
            };
            character
        }
        _ => return unknown(input.current_token_start()),
    }))
}
