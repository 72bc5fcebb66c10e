//! What a command line is read and answered with. (Also that of `overhead_server`.)

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::process::ExitCode;
use std::str::FromStr;

/// Something held not, or a request failed.
pub(crate) const BROKEN: u8 = 1;
/// The arguments, or what they ask of this machine, are not possible.
pub(crate) const USAGE: u8 = 2;

/// A number in a range, or else a sentence that says what would be one.
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
