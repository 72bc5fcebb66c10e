//! Durations on the command line: `10s`, `2m`, `500ms`.

/// The units, in seconds.
const UNITS: [(&str, f64); 4] = [("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];

/// The longest duration, in seconds: some eleven days.
const LONGEST: f64 = 277.0 * 3600.0;

/// Parses a duration into seconds. A number without a unit is seconds. The server determines what
/// it allows.
pub(crate) fn seconds(text: &str) -> Result<f64, String> {
    let digits = text.trim_end_matches(|last: char| last.is_ascii_alphabetic());
    let unit = &text[digits.len()..];
    let unit = if unit.is_empty() { "s" } else { unit };
    let factor = UNITS.iter().find(|(name, _)| *name == unit);
    let number = digits.parse::<f64>().ok();
    number
        .zip(factor)
        .map(|(number, (_, factor))| number * factor)
        .filter(|seconds| *seconds > 0.0 && *seconds <= LONGEST)
        .ok_or_else(|| {
            "expected a duration, such as `10s`, `2m` or `500ms`, of at most `277h`".to_owned()
        })
}

/// Parses an interval: a duration of whole seconds, an hour at most.
pub(crate) fn interval(text: &str) -> Result<u32, String> {
    let wanted = seconds(text).unwrap_or(0.0);
    (1..=3600)
        .find(|&whole| (wanted - f64::from(whole)).abs() < 1e-9)
        .ok_or_else(|| "expected whole seconds from `1s` to `1h`".to_owned())
}

/// Writes a duration of the command line: `10 s`, `500 ms`.
pub(crate) fn shown_seconds(seconds: f64) -> String {
    if seconds < 1.0 {
        format!("{} ms", (seconds * 1e6).round() / 1e3)
    } else {
        format!("{seconds} s")
    }
}

/// Writes how long a process has run, with two units at most: `42s`, `3m 20s`, `5h 12m`, `9d 3h`.
pub(crate) fn shown_uptime(seconds: u64) -> String {
    const UNITS: [(&str, u64); 4] = [("d", 86400), ("h", 3600), ("m", 60), ("s", 1)];
    let first = UNITS.iter().position(|(_, unit)| seconds >= *unit);
    let first = first.unwrap_or(UNITS.len() - 1);
    let (name, unit) = UNITS[first];
    let whole = format!("{}{name}", seconds / unit);
    match UNITS.get(first + 1) {
        Some((name, next)) => format!("{whole} {}{name}", seconds % unit / next),
        None => whole,
    }
}

/// Writes a measured duration with three significant digits and a unit: `1.23 ms`.
pub(crate) fn shown_nanoseconds(nanoseconds: u64) -> String {
    if nanoseconds < 1000 {
        return format!("{nanoseconds} ns");
    }
    #[allow(clippy::cast_precision_loss, reason = "three digits are written")]
    let mut value = nanoseconds as f64;
    for unit in ["ns", "µs", "ms"] {
        // What would be rounded to 1000 belongs to the next unit.
        if value < 999.5 {
            return format!("{} {unit}", three_digits(value));
        }
        value /= 1000.0;
    }
    format!("{} s", three_digits(value))
}

fn three_digits(value: f64) -> String {
    if value < 9.995 {
        format!("{value:.2}")
    } else if value < 99.95 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_uptime_has_its_two_largest_units() {
        for (seconds, shown) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m 0s"),
            (200, "3m 20s"),
            (3599, "59m 59s"),
            (18_720, "5h 12m"),
            (86_400, "1d 0h"),
            (788_645, "9d 3h"),
        ] {
            assert_eq!(shown_uptime(seconds), shown);
        }
    }

    #[test]
    fn a_duration_is_a_number_with_or_without_a_unit() {
        for (text, expected) in [
            ("0.5", 0.5),
            ("10", 10.0),
            ("10s", 10.0),
            ("2m", 120.0),
            ("500ms", 0.5),
            ("1.5m", 90.0),
            ("1h", 3600.0),
        ] {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
        for text in [
            "0", "-1", "inf", "NaN", "1e9", "", "s", "10x", "10 s", "10é", "ms10", "1000h", "10S",
        ] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_interval_is_whole_seconds() {
        for (text, expected) in [
            ("1", 1),
            ("5s", 5),
            ("2m", 120),
            ("1h", 3600),
            ("2000ms", 2),
        ] {
            assert_eq!(interval(text), Ok(expected), "{text}");
        }
        for text in ["0", "500ms", "1.5", "2h", "soon"] {
            assert!(interval(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_written_with_their_unit() {
        assert_eq!(shown_seconds(10.0), "10 s");
        assert_eq!(shown_seconds(2.5), "2.5 s");
        assert_eq!(shown_seconds(0.1), "100 ms");
        for (nanoseconds, expected) in [
            (0, "0 ns"),
            (999, "999 ns"),
            (1000, "1.00 µs"),
            (15_149, "15.1 µs"),
            (999_600, "1.00 ms"),
            (8_910_000, "8.91 ms"),
            (61_000_000_000, "61.0 s"),
        ] {
            assert_eq!(shown_nanoseconds(nanoseconds), expected);
        }
    }
}
