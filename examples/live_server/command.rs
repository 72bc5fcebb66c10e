//! Parsing of numbers on the command line, and exit codes. The benchmark `overhead_server` uses
//! this file too.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::process::ExitCode;
use std::str::FromStr;

/// A check did not hold, or a request failed.
pub(crate) const BROKEN: u8 = 1;
/// The arguments are not usable on this machine.
pub(crate) const USAGE: u8 = 2;

/// Parses a number in a range. The error says which numbers are possible.
pub(crate) fn number<T>(range: RangeInclusive<T>) -> impl Fn(&str) -> Result<T, String> + Clone
where
    T: FromStr + PartialOrd + Display + Clone,
{
    move |text| match text.parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(format!(
            "expected a whole number from {} to {}: give one of these, or leave the option out",
            range.start(),
            range.end()
        )),
    }
}

pub(crate) fn fail(code: u8, reason: &str) -> ExitCode {
    eprintln!("error: {reason}");
    ExitCode::from(code)
}
