//! What is wrong with a condition: sentences with a caret below the mistake.

use std::convert::Infallible;
use std::error::Error;
use std::fmt::{self, Write as _};
use std::ops::Range;

/// How many characters of a long line are shown on each side of a mistake.
const SHOWN: usize = 60;

/// The error of a text that is not a condition: what was expected where, and what was found.
///
/// Its `Display` has three lines: the message, the line of the text, and a caret below the mistake.
///
/// ```
/// let error = hotprobe_filter::Condition::parse("status >= && route").unwrap_err();
/// assert_eq!(error.to_string(), "\
/// expected a number, a text in quotes, a duration, `true` or `false`, found `&&`
///     status >= && route
///               ^^");
/// assert_eq!(error.span(), 10..12);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    message: String,
    source: String,
    span: Range<usize>,
}

impl ParseError {
    pub(crate) fn new(message: String, source: &str, span: Range<usize>) -> Self {
        Self {
            message,
            source: source.to_owned(),
            span,
        }
    }

    /// Returns what is wrong, in one line, without the text.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns where in the text the mistake is, in bytes. Both ends are boundaries of characters;
    /// the range is empty if something is missing at the end.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        write_caret(f, &self.source, self.span.clone())
    }
}

impl Error for ParseError {}

impl From<Infallible> for ParseError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// The error of a condition that does not fit an event: which parameter is wrong, why, and which
/// parameters the event has.
///
/// Its `Display` has three lines: the message, the line of the condition, and a caret below the
/// mistake.
///
/// ```
/// use hotprobe_filter::Condition;
/// hotprobe::event! { static REQUEST_DONE: fn(route: &str, status: u16); }
///
/// let error = Condition::parse("statsu >= 500")?.bind(REQUEST_DONE.metadata()).unwrap_err();
/// assert!(error.to_string().ends_with("\
/// has no parameter `statsu`; did you mean `status`? it has `route: &str`, `status: u16`
///     statsu >= 500
///     ^^^^^^"));
/// # Ok::<(), hotprobe_filter::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindError {
    event: &'static str,
    message: String,
    source: String,
    span: Range<usize>,
}

impl BindError {
    pub(crate) fn new(
        event: &'static str,
        message: String,
        source: &str,
        span: Range<usize>,
    ) -> Self {
        Self {
            event,
            message,
            source: source.to_owned(),
            span,
        }
    }

    /// Returns the same error for several events, none of which the condition fits.
    pub(crate) fn for_all(&self, events: usize) -> Self {
        let message = format!(
            "the condition fits none of the {events} events; of the first, {}",
            self.message
        );
        Self {
            message,
            ..self.clone()
        }
    }

    /// Returns the full name of the event.
    #[must_use]
    pub const fn event(&self) -> &'static str {
        self.event
    }

    /// Returns what is wrong, in one line, without the condition.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns where in the condition the mistake is, in bytes of the text that was parsed.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        write_caret(f, &self.source, self.span.clone())
    }
}

impl Error for BindError {}

/// The error of a condition that cannot be used: it does not parse, or does not fit the events.
///
/// ```
/// use hotprobe_filter::{Condition, FilterError};
///
/// let error = FilterError::from(Condition::parse("status ==").unwrap_err());
/// assert!(matches!(error, FilterError::Parse(_)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FilterError {
    /// The text is not a condition.
    Parse(ParseError),
    /// The condition does not fit the events.
    Bind(BindError),
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parse(error) => error.fmt(f),
            Self::Bind(error) => error.fmt(f),
        }
    }
}

// (No source: the message is that of the error inside.)
impl Error for FilterError {}

impl From<ParseError> for FilterError {
    fn from(error: ParseError) -> Self {
        Self::Parse(error)
    }
}

impl From<BindError> for FilterError {
    fn from(error: BindError) -> Self {
        Self::Bind(error)
    }
}

/// Writes the line of the text that has the span, and carets below the span. Whatever would move
/// the caret or a terminal's cursor is a space.
fn write_caret(f: &mut fmt::Formatter<'_>, text: &str, span: Range<usize>) -> fmt::Result {
    if text.is_empty() {
        return Ok(());
    }
    let start = text.floor(span.start);
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let end = text.floor(span.end).clamp(start, line_end);
    let before: Vec<_> = text[line_start..start].chars().collect();
    let within = text[start..end].chars();
    let after = text[end..line_end].chars();
    let skipped = before.len().saturating_sub(SHOWN);
    f.write_str("\n    ")?;
    if skipped > 0 {
        f.write_char('…')?;
    }
    for character in before[skipped..]
        .iter()
        .copied()
        .chain(within.clone().take(SHOWN))
    {
        f.write_char(printable(character))?;
    }
    for character in after.clone().take(SHOWN) {
        f.write_char(printable(character))?;
    }
    if after.count() > SHOWN {
        f.write_char('…')?;
    }
    let indent = before.len() - skipped + usize::from(skipped > 0);
    let carets = within.count().clamp(1, SHOWN);
    write!(f, "\n    {:indent$}{:^<carets$}", "", "")
}

fn printable(character: char) -> char {
    let invisible = matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    if character.is_control() || invisible {
        ' '
    } else {
        character
    }
}

/// `str::floor_char_boundary`, which is newer than the minimum compiler.
trait Floor {
    fn floor(&self, index: usize) -> usize;
}

impl Floor for str {
    fn floor(&self, index: usize) -> usize {
        let mut index = index.min(self.len());
        while !self.is_char_boundary(index) {
            index -= 1;
        }
        index
    }
}

static_assertions::assert_impl_all!(ParseError: Send, Sync);
static_assertions::assert_impl_all!(BindError: Send, Sync);
