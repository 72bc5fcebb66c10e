//! The description of an event: [`Metadata`], [`Parameter`].

/// The description of an event: name, docs, place in the source, parameters.
///
/// Ordered by full name; for events of the same name, by place in the source.
///
/// ```
/// hotprobe::event! { static STORED: fn(id: u64); static LOADED: fn(id: u64); }
///
/// let mut events = [STORED.metadata(), LOADED.metadata()];
/// events.sort();
/// assert_eq!(events, [LOADED.metadata(), STORED.metadata()]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Metadata {
    name: &'static str,
    module_path: &'static str,
    file: &'static str,
    line: u32,
    column: u32,
    docs: &'static str,
    parameters: &'static [Parameter],
    span: Option<SpanHalf>,
}

impl Metadata {
    /// Creates the metadata of an event, for `event!`. `name` and `module_path` have gone through
    /// [`plain`], which removes the `r#` of raw identifiers.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(
        name: &'static [u8],
        module_path: &'static [u8],
        (file, line, column): (&'static str, u32, u32),
        docs: &'static str,
        parameters: &'static [Parameter],
    ) -> Self {
        Self {
            name: text(name),
            module_path: text(module_path),
            file,
            line,
            column,
            docs,
            parameters,
            span: None,
        }
    }

    /// Makes it that of one half of a span, for `span!`: the name has the half's suffix.
    #[doc(hidden)]
    #[must_use]
    pub const fn of_half(self, half: Half) -> Self {
        let (name, _) = self
            .name
            .as_bytes()
            .split_at(self.name.len() - half.suffix().len());
        Self {
            span: Some(SpanHalf {
                name: text(name),
                half,
            }),
            ..self
        }
    }

    /// Returns the full name, `crate::module::NAME`, without any `r#`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the module that declares it: `crate::module`.
    #[must_use]
    pub const fn module_path(&self) -> &'static str {
        self.module_path
    }

    /// Returns the source file that declares it, by the path that was passed to the compiler.
    #[must_use]
    pub const fn file(&self) -> &'static str {
        self.file
    }

    /// Returns the line of the event's name, from 1. If another macro makes the declaration, this
    /// is the line that calls that macro.
    #[must_use]
    pub const fn line(&self) -> u32 {
        self.line
    }

    /// Returns the column of the event's name in that line, from 1.
    #[must_use]
    pub const fn column(&self) -> u32 {
        self.column
    }

    /// Returns the doc comment, with its line breaks; empty if there is none.
    #[must_use]
    pub const fn docs(&self) -> &'static str {
        self.docs
    }

    /// Returns its parameters, in order. Those of a span's end are its end values.
    #[must_use]
    pub const fn parameters(&self) -> &'static [Parameter] {
        self.parameters
    }

    /// Returns which span it is a half of, and which half; `None` for an event.
    ///
    /// The two halves of one span have the same span name, file, line and column.
    ///
    /// ```
    /// use hotprobe::{Half, TypedSpan};
    /// hotprobe::span! { static REQUEST: fn(route: &str) -> (status: u16); }
    ///
    /// let end = REQUEST.end_event().metadata();
    /// let span = end.span().expect("it is a span's");
    /// assert_eq!((span.name(), span.half()), (REQUEST.name(), Half::End));
    /// assert_eq!(end.name(), format!("{}/end", REQUEST.name()));
    /// assert_eq!(end.parameters()[0].name(), "status");
    /// ```
    #[must_use]
    pub const fn span(&self) -> Option<SpanHalf> {
        self.span
    }

    /// Returns the name of the whole: of the event, or of the span that it is a half of.
    #[doc(hidden)]
    #[must_use]
    pub fn whole_name(&self) -> &'static str {
        self.span.map_or(self.name, |span| span.name)
    }
}

/// One half of a span, as [`Metadata::span`] returns it.
///
/// ```
/// use hotprobe::TypedSpan;
/// hotprobe::span! { static REQUEST: fn(route: &str) -> (status: u16); }
///
/// let begin = REQUEST.begin_event().metadata().span().unwrap();
/// let end = REQUEST.end_event().metadata().span().unwrap();
/// assert!(begin.is_begin() && !end.is_begin());
/// assert_eq!(begin.name(), end.name()); // the halves of one span
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpanHalf {
    name: &'static str,
    half: Half,
}

impl SpanHalf {
    /// Returns the span's full name, `crate::module::NAME`, without `/begin` or `/end`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns which half it is.
    #[must_use]
    pub const fn half(&self) -> Half {
        self.half
    }

    /// Returns whether it is the begin.
    #[must_use]
    pub const fn is_begin(&self) -> bool {
        matches!(self.half, Half::Begin)
    }
}

/// The begin or the end of a span.
///
/// ```
/// use hotprobe::Half;
/// hotprobe::span! { static REQUEST: fn(route: &str) -> (status: u16); }
///
/// for event in hotprobe::matching("*::REQUEST") {
///     match event.metadata().span().map(|span| span.half()) {
///         Some(Half::Begin) => println!("{} begins a span", event.name()),
///         Some(Half::End) => println!("{} ends one", event.name()),
///         None => println!("{} is an event", event.name()),
///     }
/// }
/// # assert!(!REQUEST.is_enabled());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(clippy::exhaustive_enums, reason = "a half is one of two")]
pub enum Half {
    /// The begin.
    Begin,
    /// The end.
    End,
}

impl Half {
    /// What a half's name has behind the span's.
    const fn suffix(self) -> &'static str {
        match self {
            Self::Begin => "/begin",
            Self::End => "/end",
        }
    }
}

/// A parameter of an event. Ordered by name first.
///
/// ```
/// hotprobe::event! { static LOGIN: fn(user: &str, #[redact] token: &str); }
///
/// let [user, token] = LOGIN.metadata().parameters() else { unreachable!() };
/// assert_eq!((user.name(), user.type_name()), ("user", "&str"));
/// assert!(token.is_redacted() && !user.is_redacted());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Parameter {
    name: &'static str,
    type_name: &'static str,
    redacted: bool,
}

impl Parameter {
    /// Creates the metadata of a parameter, for `event!`.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(name: &'static str, type_name: &'static str, redacted: bool) -> Self {
        let bytes = name.as_bytes();
        Self {
            name: match bytes {
                [b'r', b'#', plain @ ..] => text(plain),
                _ => name,
            },
            type_name,
            redacted,
        }
    }

    /// Returns the name, without `r#`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the type, as the declaration writes it.
    #[must_use]
    pub const fn type_name(&self) -> &'static str {
        self.type_name
    }

    /// Returns whether the parameter is marked `#[redact]`: typed probes receive its values,
    /// dynamic ones do not.
    #[must_use]
    pub const fn is_redacted(&self) -> bool {
        self.redacted
    }
}

/// Returns, for `event!`, the length of a path without the `r#` of raw identifiers.
#[doc(hidden)]
#[must_use]
pub const fn plain_len(path: &str) -> usize {
    let mut rest = path.as_bytes();
    let mut len = 0;
    loop {
        rest = match rest {
            [b'r', b'#', tail @ ..] => tail,
            [_, tail @ ..] => {
                len += 1;
                tail
            }
            [] => return len,
        };
    }
}

/// Returns, for `event!`, a path without the `r#` of raw identifiers. (Identifiers contain no `#`,
/// so each `#` belongs to an `r#`.)
#[doc(hidden)]
#[must_use]
pub const fn plain<const LEN: usize>(path: &str) -> [u8; LEN] {
    let mut plain = [0; LEN];
    let mut rest = path.as_bytes();
    let mut len = 0;
    loop {
        rest = match rest {
            [b'r', b'#', tail @ ..] => tail,
            [byte, tail @ ..] => {
                plain[len] = *byte;
                len += 1;
                tail
            }
            [] => return plain,
        };
    }
}

/// Returns, for `event!`, the module of the event of this full name, whose own name is `own`, as
/// the source has it.
#[doc(hidden)]
#[must_use]
pub const fn module(name: &'static [u8], own: &str) -> &'static [u8] {
    name.split_at(name.len() - "::".len() - plain_len(own)).0
}

/// Returns, for `event!`, the text of these bytes.
///
/// # Panics
/// If the bytes are not UTF-8, at compile time. They never are: the macro makes them from text.
#[doc(hidden)]
#[must_use]
pub const fn text(bytes: &'static [u8]) -> &'static str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!("a name without `r#` is a name"),
    }
}
