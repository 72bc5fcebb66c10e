//! What can go wrong with a profile, as sentences that say what to do.

use crate::Metadata;
use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a profile could not be started or written. Its `Display` is a sentence that says what to do.
///
/// ```
/// use hotprobe::profile::Stacks;
/// hotprobe::event! { static STORED: fn(key: &str, bytes: usize); }
///
/// let error = Stacks::at(&STORED).weight("size").start().unwrap_err();
/// assert!(error.to_string().ends_with("has no parameter `size`; it has `key: &str`, `bytes: usize`"));
/// ```
#[derive(Debug)]
pub struct ProfileError(Kind);

#[derive(Debug)]
enum Kind {
    NoParameter {
        event: &'static Metadata,
        parameter: String,
    },
    Redacted {
        event: &'static Metadata,
        parameter: String,
    },
    NoNumber {
        event: &'static Metadata,
        parameter: String,
        type_name: &'static str,
    },
    Limit {
        what: &'static str,
        given: usize,
        least: usize,
        most: usize,
    },
    UnknownFormat {
        path: PathBuf,
    },
    Io {
        path: Option<PathBuf>,
        source: io::Error,
    },
}

impl ProfileError {
    pub(crate) fn no_parameter(event: &'static Metadata, parameter: &str) -> Self {
        Self(Kind::NoParameter {
            event,
            parameter: parameter.to_owned(),
        })
    }

    pub(crate) fn redacted(event: &'static Metadata, parameter: &str) -> Self {
        Self(Kind::Redacted {
            event,
            parameter: parameter.to_owned(),
        })
    }

    pub(crate) fn no_number(
        event: &'static Metadata,
        parameter: &str,
        type_name: &'static str,
    ) -> Self {
        Self(Kind::NoNumber {
            event,
            parameter: parameter.to_owned(),
            type_name,
        })
    }

    pub(crate) fn limit(what: &'static str, given: usize, least: usize, most: usize) -> Self {
        Self(Kind::Limit {
            what,
            given,
            least,
            most,
        })
    }

    pub(crate) fn unknown_format(path: &Path) -> Self {
        Self(Kind::UnknownFormat { path: path.into() })
    }

    pub(crate) fn io(path: Option<&Path>, source: io::Error) -> Self {
        Self(Kind::Io {
            path: path.map(Into::into),
            source,
        })
    }
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::NoParameter { event, parameter } => {
                write!(
                    f,
                    "`{}` has no parameter `{parameter}`; it has ",
                    event.name()
                )?;
                if event.parameters().is_empty() {
                    return f.write_str("none");
                }
                for (index, parameter) in event.parameters().iter().enumerate() {
                    let separator = if index == 0 { "" } else { ", " };
                    write!(
                        f,
                        "{separator}`{}: {}`",
                        parameter.name(),
                        parameter.type_name()
                    )?;
                }
                Ok(())
            }
            Kind::Redacted { event, parameter } => write!(
                f,
                "`{parameter}` of `{}` is marked `#[redact]`, so that no profile may show it: choose another parameter, or \
                 take the mark away",
                event.name()
            ),
            Kind::NoNumber {
                event,
                parameter,
                type_name,
            } => write!(
                f,
                "`{parameter}: {type_name}` of `{}` is no number, which a weight has to be: choose a parameter that is, or \
                 leave the weight out to count firings",
                event.name()
            ),
            Kind::Limit {
                what,
                given,
                least,
                most,
            } => write!(
                f,
                "`{what}` was given {given}: it has to be from {least} to {most}"
            ),
            Kind::UnknownFormat { path } => write!(
                f,
                "the ending of `{}` tells no format: use `.pb.gz` for pprof, `.folded` for folded stacks, or `.svg` for a \
                 flame graph",
                path.display()
            ),
            Kind::Io {
                path: Some(path),
                source,
            } => write!(f, "`{}` could not be written: {source}", path.display()),
            Kind::Io { path: None, source } => {
                write!(f, "the profile could not be written: {source}")
            }
        }
    }
}

impl Error for ProfileError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            Kind::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

static_assertions::assert_impl_all!(ProfileError: Send, Sync);
