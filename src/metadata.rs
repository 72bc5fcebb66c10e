//! What is known of an event at compile time: [`Metadata`], [`Parameter`].

/// What is known of an event at compile time.
///
/// Orders by full name first, and by the place in the source where two events share a name.
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
}

impl Metadata {
    /// For `event!`. `name` and `module_path` may contain raw identifiers, and so are what [`plain`] has left
    /// of them.
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
        }
    }

    /// Returns the full name: `crate::module::NAME`; without `r#`, if that is anywhere in it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the module that declares it: `crate::module`.
    #[must_use]
    pub const fn module_path(&self) -> &'static str {
        self.module_path
    }

    /// Returns the source file that declares it, as the compiler was told it.
    #[must_use]
    pub const fn file(&self) -> &'static str {
        self.file
    }

    /// Returns the line that declares it, from 1: the one with its name. (If a macro around
    /// `event!` makes the declaration, the line on which that macro is called.)
    #[must_use]
    pub const fn line(&self) -> u32 {
        self.line
    }

    /// Returns the column of its name in that line, from 1.
    #[must_use]
    pub const fn column(&self) -> u32 {
        self.column
    }

    /// Returns its doc comment, a line each; empty if there is none.
    #[must_use]
    pub const fn docs(&self) -> &'static str {
        self.docs
    }

    /// Returns its parameters, in order.
    #[must_use]
    pub const fn parameters(&self) -> &'static [Parameter] {
        self.parameters
    }
}

/// A parameter of an event. Orders by name first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Parameter {
    name: &'static str,
    type_name: &'static str,
    redacted: bool,
}

impl Parameter {
    /// For `event!`.
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

    /// Returns its name; without `r#`, if that is before it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns its type, as it is written in the declaration.
    #[must_use]
    pub const fn type_name(&self) -> &'static str {
        self.type_name
    }

    /// Returns whether it is marked `#[redact]`: typed probes see it, whatever looks at events
    /// without knowing their types does not.
    #[must_use]
    pub const fn is_redacted(&self) -> bool {
        self.redacted
    }
}

/// Returns, for `event!`, how long a path is without the `r#` of raw identifiers.
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

/// Returns, for `event!`, a path without the `r#` of raw identifiers. (No identifier contains a
/// `#`, so wherever there is one it is one of these.)
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
/// Panics, at compile time, if they are not UTF-8. They were made from text.
#[doc(hidden)]
#[must_use]
pub const fn text(bytes: &'static [u8]) -> &'static str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!("a name without `r#` is a name"),
    }
}
