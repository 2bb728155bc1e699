//! Durations as written on a command line: `500ms`, `10s`, `2m`.

use std::time::Duration;

/// The accepted format, for messages.
pub const DURATION_FORMAT: &str = "a whole number followed by ms, s, m or h, as in 500ms, 10s or 2m";

/// The error of a malformed duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// No number, no unit, or an unknown unit.
    #[error("`{0}` is not a duration: {DURATION_FORMAT}")]
    Malformed(String),
    /// The number does not fit.
    #[error("`{0}` is too long a duration: at most 8760h")]
    TooLong(String),
}

/// A year: longer than any demonstration, and far from where adding to an instant overflows.
const LONGEST: Duration = Duration::from_hours(8_760);

/// Parses a duration such as `500ms`, `10s`, `2m` or `1h`; zero is accepted.
///
/// # Errors
/// If `text` is not a whole number with one of the four units, or is longer than a year.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "ms" => Duration::from_millis(1),
        "s" => Duration::from_secs(1),
        "m" => Duration::from_mins(1),
        "h" => Duration::from_hours(1),
        _ => return Err(DurationError::Malformed(text.to_owned())),
    };
    if number.is_empty() {
        return Err(DurationError::Malformed(text.to_owned()));
    }
    number
        .parse::<u32>()
        .ok()
        .and_then(|number| unit.checked_mul(number))
        .filter(|duration| *duration <= LONGEST)
        .ok_or_else(|| DurationError::TooLong(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_unit() {
        for (text, expected) in [
            ("500ms", Duration::from_millis(500)),
            ("10s", Duration::from_secs(10)),
            ("2m", Duration::from_mins(2)),
            ("1h", Duration::from_hours(1)),
            ("0s", Duration::ZERO),
        ] {
            assert_eq!(parse_duration(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        for text in ["", "10", "s", "ms", "-1s", "+1s", "1.5s", "10 s", "10S", "10sec", "1s1s", "١s"] {
            assert_eq!(parse_duration(text), Err(DurationError::Malformed(text.to_owned())), "{text}");
        }
        for text in ["9000h", "4294967296ms", "99999999999999999999s"] {
            assert_eq!(parse_duration(text), Err(DurationError::TooLong(text.to_owned())), "{text}");
        }
    }
}
