//! Which texts are conditions, and the errors of those that are not.

use hotprobe_filter::{Condition, MAX_CONDITION_BYTES, MAX_DEPTH};

#[track_caller]
fn written(text: &str) -> String {
    match Condition::parse(text) {
        Ok(condition) => condition.to_string(),
        Err(error) => panic!("{error}"),
    }
}

#[track_caller]
fn error(text: &str) -> String {
    let error = Condition::parse(text).expect_err("it is none");
    error.to_string()
}

#[test]
fn not_binds_before_and_and_before_or() {
    assert_eq!(written("a||b&&!c"), "a || b && !c");
    assert_eq!(written("(a || b) && !(c && d)"), "(a || b) && !(c && d)");
    assert_eq!(written("((a) && (b && c)) || (d)"), "a && b && c || d");
    assert_eq!(written("!a == 1 && !!b"), "!(a == 1) && !!b");
    assert_ne!(
        Condition::parse("(a || b) && c"),
        Condition::parse("a || b && c")
    );
}

#[test]
fn numbers_are_written_in_full() {
    assert_eq!(
        written("a == 1k || a == 1.5M || a == 2G"),
        "a == 1000 || a == 1500000 || a == 2000000000"
    );
    assert_eq!(
        written("a in (1_000, -0, 007, 2.50, 1e3, 1.2345k)"),
        "a in (1000, 0, 7, 2.5, 1000.0, 1234.5)"
    );
    assert_eq!(
        written("elapsed > 1.5s && elapsed < 2s"),
        "elapsed > 1500ms && elapsed < 2s"
    );
    assert_eq!(
        written("elapsed in (250us, 1_000µs, 7ns)"),
        "elapsed in (250us, 1ms, 7ns)"
    );
    let largest = format!("a == {}", u128::MAX);
    assert_eq!(written(&largest), largest);
    let smallest = format!("a == {}", i128::MIN);
    assert_eq!(written(&smallest), smallest);
}

#[test]
fn texts_have_the_escapes_of_rust() {
    let text = r#"a == "\n\r\t\0\\\'\"\x41\u{1F980}\
        end" || a == 'say "x"'"#;
    assert_eq!(
        written(text),
        r#"a == "\n\r\t\0\\'\"A🦀end" || a == "say \"x\"""#
    );
}

#[test]
fn words_of_the_grammar_can_be_names_of_parameters() {
    assert_eq!(
        written("in in (1)&&matches matches 'a'"),
        r#"in in (1) && matches matches "a""#
    );
    assert_eq!(
        written("len == 1 && sample && by && contains contains 'a'"),
        r#"len == 1 && sample && by && contains contains "a""#
    );
    assert_eq!(
        written("len (len) > 1 && sample( 1/1 by by )"),
        "len(len) > 1 && sample(1/1 by by)"
    );
    assert_eq!(
        written("`elapsed` == 1 && elapsed>1s && `http.status code`"),
        "`elapsed` == 1 && elapsed > 1s && `http.status code`"
    );
    assert_eq!(
        written("http.status==1 && `größe` > 1 && inner == true"),
        "http.status == 1 && größe > 1 && inner == true"
    );
}

#[test]
fn a_mistake_is_shown_with_a_caret_and_what_was_expected() {
    let expected = "\
expected a parameter, `!`, `(`, `len(…)`, `elapsed` or `sample(…)`, found the end
    status >= 500 && 
                     ^";
    assert_eq!(error("status >= 500 && "), expected);
    let expected = "\
expected a number, a text in quotes, a duration, `true` or `false`, found `GET`; texts are in quotes
    method == GET
              ^^^";
    assert_eq!(error("method == GET"), expected);
    let expected = "\
`kb` is no suffix: use k, M or G (thousand, million, billion), or ns, us, ms or s for a duration
    len(body) > 1kb
                 ^^";
    assert_eq!(error("len(body) > 1kb"), expected);
}

#[test]
fn each_usual_slip_has_a_message_of_its_own() {
    let slips = [
        ("", "expected a parameter"),
        ("a = 1", "found `=`; equality is `==`"),
        ("a == 1 & b", "found `&`; a conjunction is `&&`"),
        ("a == 1 | b", "found `|`; a disjunction is `||`"),
        ("a == 1 and b", "found `and`; write `&&`"),
        ("a or b", "found `or`; write `||`"),
        ("not a", "expected an operator"),
        ("a == 1 b", "expected `&&`, `||` or the end, found `b`"),
        ("(a == 1", "expected `&&`, `||` or `)`, found the end"),
        ("a == 1)", "expected `&&`, `||` or the end, found `)`"),
        ("a in 1", "expected `(`, found `1`"),
        ("a in ()", "expected a number"),
        ("a in (1 2)", "expected `,` or `)`, found `2`"),
        ("a matches 1", "expected a text in quotes, found `1`"),
        ("len(a) matches 'x'", "only a parameter matches"),
        ("elapsed contains 'x'", "only a parameter matches"),
        ("len(a)", "expected an operator"),
        ("elapsed", "expected an operator"),
        ("len(1) == 1", "expected a parameter, found `1`"),
        ("a == 'x", "the text has no closing quote"),
        (r"a == '\q'", "unknown escape"),
        (r"a == '\x80'", "at most 7F"),
        (r"a == '\u{D800}'", "the number of a character"),
        ("a == 1.k", "expected a digit, found `k`"),
        ("a == 1e", "`e` is no suffix"),
        ("a == 1e+", "expected a digit"),
        ("a == 1e3k", "a number with an exponent has no suffix"),
        ("a == 1e999", "larger than any 64-bit float"),
        (
            "a == 999999999999999999999999999999999999999999",
            "no integer type",
        ),
        (
            "a == -170141183460469231731687303715884105729",
            "no integer type",
        ),
        ("elapsed > -1s", "a duration is not negative"),
        ("elapsed > 0.5ns", "a whole number of nanoseconds"),
        ("elapsed > 99999999999s", "longer than 584 years"),
        ("sample(1/100)", "expected `by` and a parameter, found `)`"),
        ("sample(0/100 by a)", "`0/100` is no share"),
        ("sample(2/1 by a)", "`2/1` is no share"),
        ("sample(1 by a)", "expected `/`, found `by`"),
        (
            "sample(x by a)",
            "expected a share, as in `1/100`, found `x`",
        ),
        ("`a", "expected a closing backquote, found the end"),
        ("a == 1 /* */", "expected `&&`, `||` or the end, found `/`"),
    ];
    for (text, expected) in slips {
        let error = error(text);
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn the_caret_is_below_the_mistake_in_a_long_text_of_several_lines() {
    let error = error(&format!(
        "a == 1 &&\n{} c = 1 || {}",
        "bé || ".repeat(100),
        "d || ".repeat(100)
    ));
    let lines: Vec<_> = error.lines().collect();
    let caret = lines[2]
        .chars()
        .position(|character| character == '^')
        .unwrap();
    assert_eq!(lines[1].chars().nth(caret), Some('='), "{error}");
    assert!(
        lines[1].starts_with("    …") && lines[1].ends_with('…'),
        "{error}"
    );
    assert!(lines[1].chars().count() < 140, "{error}");
}

#[test]
fn what_would_move_the_caret_or_the_cursor_is_a_space() {
    let error = error("a\t== '\u{1b}[2J' x");
    assert!(!error.contains(['\u{1b}', '\t']), "{error:?}");
    assert!(
        error.ends_with(&format!("\n    {}^", " ".repeat(12))),
        "{error}"
    );
}

#[test]
fn a_limit_is_named_with_its_value() {
    let long = format!("a == '{}'", "x".repeat(MAX_CONDITION_BYTES));
    assert!(
        error(&long).contains("has 4103 bytes; at most 4096"),
        "{}",
        error(&long)
    );
    let longest = format!("a == '{}'", "x".repeat(MAX_CONDITION_BYTES - 7));
    assert_eq!(written(&longest).len(), MAX_CONDITION_BYTES);
    // Its text would be longer.
    let short = format!("a == '{}'", "\u{1}".repeat(MAX_CONDITION_BYTES / 2));
    assert!(
        error(&short).contains("written in full"),
        "{}",
        error(&short)
    );

    for open in ["(", "!"] {
        let close = if open == "(" { ")" } else { "" };
        let nested = |depth| format!("{}a{}", open.repeat(depth), close.repeat(depth));
        assert!(Condition::parse(&nested(MAX_DEPTH)).is_ok());
        assert!(error(&nested(MAX_DEPTH + 1)).contains("more than 64 deep"));
    }
    let deepest = format!("{}a == 1", "!".repeat(MAX_DEPTH));
    assert!(
        error(&deepest).contains("more than 64 deep"),
        "its text has a parenthesis more"
    );
}

#[cfg(feature = "serde")]
#[test]
fn a_condition_is_serialized_as_its_text() {
    let condition = Condition::parse("status>=0.5k").unwrap();
    let json = serde_json::to_string(&condition).unwrap();
    assert_eq!(json, r#""status >= 500""#);
    assert_eq!(serde_json::from_str::<Condition>(&json).unwrap(), condition);
    let error = serde_json::from_str::<Condition>(r#""status >=""#).unwrap_err();
    assert!(error.to_string().contains("found the end"), "{error}");
}
