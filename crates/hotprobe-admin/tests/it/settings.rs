//! The settings of `Admin`: a value that cannot be used is an error, and is never changed to
//! another one.

use hotprobe_admin::{Admin, AdminError};
use std::time::Duration;

#[test]
fn a_token_that_no_client_can_send_is_refused_and_not_told() {
    let unusable = [
        ("", None),
        (" ", Some(0)),
        ("two words", Some(3)),
        ("é", Some(0)),
        ("line\n", Some(4)),
        ("nul\0", Some(3)),
        ("del\u{7f}", Some(3)),
    ];
    for (token, expected) in unusable {
        let error = Admin::new().token(token).unwrap_err();
        let AdminError::Token { position, .. } = error else {
            panic!("{token:?}: {error:?}");
        };
        assert_eq!(position, expected, "{token:?}");
        assert!(error.to_string().contains("visible ASCII"), "{error}");
    }
    let error = Admin::new().token("correct horse").unwrap_err();
    assert!(!format!("{error} {error:?}").contains("horse"), "{error:?}");
    for token in ["t", "!~", "a-_.~+/="] {
        assert!(Admin::new().token(token).is_ok(), "{token:?}");
    }
}

#[test]
fn a_limit_that_cannot_be_kept_is_refused_and_one_that_can_is_kept_as_it_is() {
    let second = Duration::from_secs(1);
    let day = second * 24 * 3600;
    for duration in [second, day] {
        let admin = Admin::new().max_duration(duration).unwrap();
        let shown = format!("max_duration: {duration:?}");
        assert!(format!("{admin:?}").contains(&shown), "{admin:?}");
    }
    let nanosecond = Duration::from_nanos(1);
    for duration in [
        Duration::ZERO,
        Duration::from_nanos(999_999_999),
        day + nanosecond,
        Duration::MAX,
    ] {
        let error = Admin::new().max_duration(duration).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "the maximum duration of a session cannot be {duration:?}; it can be 1 s to 86400 s"
            )
        );
    }
    for sessions in [0, 1, 1024] {
        let admin = Admin::new().max_sessions(sessions).unwrap();
        let shown = format!("max_sessions: {sessions},");
        assert!(format!("{admin:?}").contains(&shown), "{admin:?}");
    }
    for sessions in [1025, usize::MAX] {
        let error = Admin::new().max_sessions(sessions).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{sessions} sessions cannot be open at once; at most 1024 can")
        );
    }
    for bytes in [64 << 10, usize::MAX] {
        let admin = Admin::new().max_memory_bytes(bytes).unwrap();
        let shown = format!("max_memory_bytes: {bytes},");
        assert!(format!("{admin:?}").contains(&shown), "{admin:?}");
    }
    for bytes in [0, (64 << 10) - 1] {
        let error = Admin::new().max_memory_bytes(bytes).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "{bytes} bytes have no room for a recording; use 65536 or more for each session"
            )
        );
    }
}
