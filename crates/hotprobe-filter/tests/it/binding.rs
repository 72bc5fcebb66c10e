//! The errors of conditions that do not fit an event.

use hotprobe::AnyEvent;
use hotprobe_filter::Condition;

#[derive(Clone, Copy, Debug)]
struct Method;

mod shop {
    use super::Method;
    hotprobe::event! {
        pub(super) static REQUEST_DONE: fn(
            id: u64, route: &str, status: u16, method: Method, ok: bool, body: &[u8], wait_ms: u64, error: Option<&str>,
        );
        pub(super) static LOGIN: fn(user: &str, #[redact] token: &str);
        pub(super) static TIMED: fn(elapsed: u64);
        pub(super) static TICK: fn();
    }
}

#[track_caller]
fn error(condition: &str, event: &dyn AnyEvent) -> String {
    let condition = Condition::parse(condition).expect("it is a condition");
    condition
        .bind(event.metadata())
        .expect_err("it does not fit")
        .to_string()
}

#[test]
fn a_wrong_name_is_shown_with_a_caret_the_parameters_and_the_closest_one() {
    let error = error(r#"id == 1 && rute != "/""#, &shop::REQUEST_DONE);
    let expected = "\
`it::binding::shop::REQUEST_DONE` has no parameter `rute`; did you mean `route`? it has `id: u64`, `route: &str`, \
`status: u16`, `method: Method`, `ok: bool`, `body: &[u8]`, `wait_ms: u64`, `error: Option<&str>`
    id == 1 && rute != \"/\"
               ^^^^";
    assert_eq!(error, expected);
}

#[test]
fn nothing_is_suggested_where_no_name_is_like_it() {
    let error = error("size > 1", &shop::TICK);
    assert!(
        error.contains("has no parameter `size`; it has none\n"),
        "{error}"
    );
    let error = self::error("zzzzz > 1", &shop::LOGIN);
    assert!(
        error.contains("has no parameter `zzzzz`; it has `user: &str`, `#[redact] token: &str`"),
        "{error}"
    );
}

#[test]
fn a_redacted_parameter_cannot_be_used_nor_is_it_suggested() {
    for condition in [
        "token == 'x'",
        "len(token) > 1",
        "sample(1/2 by token)",
        "token matches '*'",
    ] {
        let error = error(condition, &shop::LOGIN);
        assert!(
            error.contains("keeps its parameter `token` to typed probes (`#[redact]`)"),
            "{error}"
        );
    }
    assert!(!error("tokn == 'x'", &shop::LOGIN).contains("did you mean"));
}

#[test]
fn a_comparison_that_no_value_can_meet_is_refused() {
    let conditions = [
        (
            "status == '500'",
            "`status` of `it::binding::shop::REQUEST_DONE` is a `u16`: compare it with a number",
        ),
        ("status == true", "is a `u16`: compare it with a number"),
        ("status", "is a `u16`: compare it with a value"),
        (
            "status matches '5*'",
            "is a `u16`: only texts match or contain a text",
        ),
        (
            "len(status) > 1",
            "is a `u16`: only texts and bytes have a length",
        ),
        ("len(route) > '1'", "a length is compared with a number"),
        ("len(route) > 1s", "a length is compared with a number"),
        (
            "route == 1",
            "is a `&str`: compare it with a text in quotes",
        ),
        (
            "error in ('x', 1)",
            "is a `Option<&str>`: compare it with a text in quotes",
        ),
        ("ok > true", "truth values are compared by `==` and `!=`"),
        ("ok == 1", "is a `bool`: compare it with `true` or `false`"),
        ("wait_ms > 5ms", "`wait_ms` seems to be in milliseconds"),
        (
            "elapsed > 1ms",
            "`elapsed` needs a session that sees the begin and the end",
        ),
    ];
    for (condition, expected) in conditions {
        let error = error(condition, &shop::REQUEST_DONE);
        assert!(error.contains(expected), "{condition}: {error}");
    }
    // Of a type of the program, nothing is known.
    for condition in [
        "method == 'Get'",
        "method == 1",
        "method",
        "len(method) > 1",
    ] {
        let condition = Condition::parse(condition).unwrap();
        assert!(condition.bind(shop::REQUEST_DONE.metadata()).is_ok());
    }
}

#[test]
fn elapsed_is_the_sessions_and_in_backquotes_the_events() {
    let error = error("elapsed > 1ms", &shop::TIMED);
    assert!(
        error.contains("the event's parameter of this name is `` `elapsed` ``"),
        "{error}"
    );
    let own = Condition::parse("`elapsed` > 1ms").unwrap();
    let bound = own.bind(shop::TIMED.metadata()).unwrap();
    assert!(bound.matches(&[hotprobe::Value::U64(1_000_001)]));
    assert!(!bound.matches(&[hotprobe::Value::U64(1_000_000)]));
    let error = Condition::parse("elapsed > 250").unwrap();
    let error = error.bind_with_elapsed(shop::TIMED.metadata()).unwrap_err();
    assert!(
        error.message().contains("compared with a duration"),
        "{error}"
    );
}

#[test]
fn events_of_a_pattern_that_do_not_fit_are_left_out_and_named() {
    let events: [&'static dyn AnyEvent; 3] = [&shop::LOGIN, &shop::REQUEST_DONE, &shop::TICK];
    let selection = Condition::parse("status > 1")
        .unwrap()
        .select(events)
        .unwrap();
    let names: Vec<_> = selection
        .selected()
        .iter()
        .map(|(event, _)| event.name())
        .collect();
    assert_eq!(names, ["it::binding::shop::REQUEST_DONE"]);
    let names: Vec<_> = selection
        .left_out()
        .iter()
        .map(hotprobe_filter::BindError::event)
        .collect();
    assert_eq!(
        names,
        ["it::binding::shop::LOGIN", "it::binding::shop::TICK"]
    );

    let error = Condition::parse("sttus > 1")
        .unwrap()
        .select(events)
        .unwrap_err();
    assert!(
        error
            .message()
            .starts_with("the condition fits none of the 3 events; of the first, `it::"),
        "{error}"
    );
    let none = Condition::parse("sttus > 1").unwrap().select([]).unwrap();
    assert!(none.selected().is_empty());
}
