//! [`Condition`]: parsed, written, bound.

use crate::bind::Binding;
use crate::bound::Bound;
use crate::error::{BindError, ParseError};
use crate::expression::Expression;
use crate::parser;
use hotprobe::{AnyEvent, Metadata};
use std::fmt;
use std::str::FromStr;

/// A condition on the values of a firing. The [crate's page](crate) has the grammar.
///
/// `Display` writes it in a normal form, which parses to an equal condition. For example, `1k` is
/// written `1000`.
///
/// ```
/// use hotprobe_filter::Condition;
///
/// let condition = Condition::parse(r#"!( status<500 ) && len(body) > 1.5k"#)?;
/// assert_eq!(condition.to_string(), "!(status < 500) && len(body) > 1500");
/// assert_eq!(Condition::parse(&condition.to_string())?, condition);
/// # Ok::<(), hotprobe_filter::ParseError>(())
/// ```
#[derive(Clone)]
pub struct Condition {
    /// What was parsed, for errors.
    source: String,
    root: Expression,
}

impl Condition {
    /// Parses a condition.
    ///
    /// # Errors
    /// [`ParseError`] for a text that the grammar does not allow, is longer than
    /// [`MAX_CONDITION_BYTES`](crate::MAX_CONDITION_BYTES), or nests deeper than
    /// [`MAX_DEPTH`](crate::MAX_DEPTH). It never panics.
    ///
    /// ```
    /// use hotprobe_filter::Condition;
    ///
    /// assert!(Condition::parse(r#"symbol in ("A", "B") && !cancelled"#).is_ok());
    /// let error = Condition::parse("symbol = 'A'").unwrap_err();
    /// assert!(error.message().ends_with("found `=`; equality is `==`"));
    /// ```
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Ok(Self {
            source: text.to_owned(),
            root: parser::parse(text)?,
        })
    }

    /// Binds the condition to the parameters of an event.
    ///
    /// # Errors
    /// [`BindError`] for a parameter that the event lacks or keeps from dynamic probes
    /// (`#[redact]`), for a comparison that no value of the parameter's type can meet, and for
    /// `elapsed`.
    ///
    /// ```
    /// use hotprobe_filter::Condition;
    /// hotprobe::event! { static LOGIN: fn(user: &str, #[redact] token: &str); }
    ///
    /// let bind = |text| Condition::parse(text).unwrap().bind(LOGIN.metadata());
    /// assert!(bind("user == 'JP'").is_ok());
    /// assert!(bind("user == 7").is_err());
    /// assert!(bind("token == 'secret'").unwrap_err().message().contains("`#[redact]`"));
    /// ```
    pub fn bind(&self, event: &Metadata) -> Result<Bound, BindError> {
        self.binding(event, false).bind(&self.root)
    }

    /// Binds the condition to the parameters of an event that ends a span, for a session that also
    /// supplies `elapsed` ([`Bound::matches_elapsed`]).
    ///
    /// # Errors
    /// As [`bind`](Self::bind), but `elapsed` can be used.
    ///
    /// ```
    /// use hotprobe::Value;
    /// use hotprobe_filter::Condition;
    /// use std::time::Duration;
    /// hotprobe::event! { static REQUEST_DONE: fn(id: u64, status: u16); }
    ///
    /// let slow = Condition::parse("elapsed > 250ms && status != 503")?;
    /// let bound = slow.bind_with_elapsed(REQUEST_DONE.metadata())?;
    /// let values = [Value::U64(1), Value::U64(200)];
    /// assert!(bound.matches_elapsed(&values, Duration::from_millis(251)));
    /// assert!(!bound.matches_elapsed(&values, Duration::from_millis(250)));
    /// # Ok::<(), hotprobe_filter::FilterError>(())
    /// ```
    pub fn bind_with_elapsed(&self, event: &Metadata) -> Result<Bound, BindError> {
        self.binding(event, true).bind(&self.root)
    }

    /// Binds the condition to each of the events that it fits, for events that were chosen by a
    /// pattern. The others are left out, each with the reason.
    ///
    /// # Errors
    /// [`BindError`] if the condition fits none of them: the reason for the first, and the number
    /// of events.
    ///
    /// ```
    /// use hotprobe_filter::Condition;
    /// mod shop {
    ///     hotprobe::event! { pub static SOLD: fn(price: u64); pub static CLOSED: fn(); }
    /// }
    /// # shop::CLOSED.fire(); shop::SOLD.fire(1);
    ///
    /// let selection = Condition::parse("price > 1k")?.select(hotprobe::matching("*::shop::*"))?;
    /// assert_eq!(selection.selected().len(), 1);
    /// assert!(selection.left_out()[0].event().ends_with("CLOSED"));
    /// # Ok::<(), hotprobe_filter::FilterError>(())
    /// ```
    pub fn select(
        &self,
        events: impl IntoIterator<Item = &'static dyn AnyEvent>,
    ) -> Result<Selection, BindError> {
        let mut selection = Selection::default();
        for event in events {
            match self.bind(event.metadata()) {
                Ok(bound) => selection.selected.push((event, bound)),
                Err(error) => selection.left_out.push(error),
            }
        }
        match &selection.left_out[..] {
            [only] if selection.selected.is_empty() => Err(only.clone()),
            [first, ..] if selection.selected.is_empty() => {
                Err(first.for_all(selection.left_out.len()))
            }
            _ => Ok(selection),
        }
    }

    fn binding<'a>(&'a self, event: &'a Metadata, elapsed: bool) -> Binding<'a> {
        Binding {
            event,
            source: &self.source,
            elapsed,
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root.fmt(f)
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.to_string()).finish()
    }
}

/// By what they mean, not by how they were written.
impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.root == other.root
    }
}

impl FromStr for Condition {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

impl TryFrom<&str> for Condition {
    type Error = ParseError;

    fn try_from(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Condition {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        Self::parse(&text)
    }
}

impl TryFrom<&String> for Condition {
    type Error = ParseError;

    fn try_from(text: &String) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

/// A clone, for what accepts a condition as well as its text.
impl From<&Self> for Condition {
    fn from(condition: &Self) -> Self {
        condition.clone()
    }
}

/// Writes the condition as its text.
#[cfg(feature = "serde")]
impl serde::Serialize for Condition {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Parses the condition from a text.
#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Condition {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// The events that a condition fits, and those that were left out. Returned by
/// [`Condition::select`].
///
/// ```
/// use hotprobe_filter::{Condition, Filter};
/// mod market {
///     hotprobe::event! { pub static SOLD: fn(price: u64); pub static CLOSED: fn(); }
/// }
///
/// let selection = Condition::parse("price > 1k")?.select(hotprobe::matching("*::market::*"))?;
/// let (selected, left_out) = selection.into_parts();
/// for error in &left_out {
///     println!("not {}: {}", error.event(), error.message());
/// }
/// let (events, conditions): (Vec<_>, Vec<_>) = selected.into_iter().unzip();
/// let filter = Filter::new(conditions); // for the probes of `events`, by their index
/// # assert_eq!((events.len(), left_out.len(), filter.rejected_in_total()), (1, 1, 0));
/// # Ok::<(), hotprobe_filter::FilterError>(())
/// ```
#[derive(Debug, Default)]
pub struct Selection {
    selected: Vec<(&'static dyn AnyEvent, Bound)>,
    left_out: Vec<BindError>,
}

impl Selection {
    /// Returns the events that the condition fits, each with the condition bound to it.
    #[must_use]
    pub fn selected(&self) -> &[(&'static dyn AnyEvent, Bound)] {
        &self.selected
    }

    /// Returns why the other events were left out, each with its name
    /// ([`BindError::event`]).
    #[must_use]
    pub fn left_out(&self) -> &[BindError] {
        &self.left_out
    }

    /// Returns both, by value.
    #[must_use]
    pub fn into_parts(self) -> (Vec<(&'static dyn AnyEvent, Bound)>, Vec<BindError>) {
        (self.selected, self.left_out)
    }
}

static_assertions::assert_impl_all!(Condition: Send, Sync);
static_assertions::assert_impl_all!(Selection: Send, Sync);
