//! What a condition means where the random ones seldom come.

use super::holds;
use hotprobe::Value;
use hotprobe_filter::MAX_TEXT_BYTES;
use std::fmt;

#[test]
fn integers_are_compared_by_value_whatever_their_types() {
    for value in [
        Value::U64(200),
        Value::I64(200),
        Value::U128(200),
        Value::I128(200),
        Value::F64(200.0),
    ] {
        assert!(
            holds(
                "x == 200 && x >= 200 && x <= 0.2k && x != 201 && x > -1",
                value
            ),
            "{value:?}"
        );
    }
    assert!(holds("x > 18446744073709551615", Value::U128(1 << 64)));
    assert!(holds("x < 0", Value::I64(-1)));
    // A `u64` that a 64-bit float cannot hold.
    assert!(holds("x != 9007199254740992.0", Value::U64((1 << 53) + 1)));
    assert!(holds("x == 0.1", Value::F32(0.1)));
    assert!(holds("x == 0 && x == -0.0", Value::F64(-0.0)));
}

#[test]
fn a_missing_value_and_nan_make_a_comparison_false() {
    let missing = [
        Value::Absent,
        Value::F64(f64::NAN),
        Value::F32(f32::NAN),
        Value::Opaque("T"),
        Value::Redacted,
    ];
    for value in missing {
        for operator in ["==", "!=", "<", "<=", ">", ">="] {
            for literal in ["1", "1.5", "1ms", "'x'"] {
                let condition = format!("x {operator} {literal}");
                assert!(!holds(&condition, value), "{condition} {value:?}");
                assert!(
                    holds(&format!("!({condition})"), value),
                    "{condition} {value:?}"
                );
            }
        }
        for condition in [
            "x in (1, 'x')",
            "x == true",
            "x != true",
            "x",
            "x matches '*'",
            "x contains ''",
            "len(x) >= 0",
        ] {
            assert!(!holds(condition, value), "{condition} {value:?}");
        }
        assert!(!holds("sample(1/1 by x)", value), "{value:?}");
    }
    // There is no value at all.
    assert!(!super::bound("x != 1", super::ANY.metadata()).matches(&[]));
}

/// Writes a number of bytes, and then returns its result.
struct Long(usize, fmt::Result);

impl fmt::Display for Long {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (0..self.0).try_for_each(|_| f.write_str("x"))?;
        self.1
    }
}

#[test]
fn a_text_that_is_too_long_fails_or_panics_is_missing() {
    struct Panics;
    impl fmt::Debug for Panics {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            std::panic::resume_unwind(Box::new("planned"))
        }
    }
    let whole = Long(MAX_TEXT_BYTES, Ok(()));
    assert!(holds(
        "x matches 'x*' && len(x) == 65536",
        Value::Display(&whole)
    ));
    let long = Long(MAX_TEXT_BYTES + 1, Ok(()));
    assert!(!holds(
        "x matches 'x*' || len(x) > 0 || x contains 'x'",
        Value::Display(&long)
    ));
    let fails = Long(1, Err(fmt::Error));
    assert!(!holds(
        "x matches 'x*' || x == 'x' || sample(1/1 by x)",
        Value::Display(&fails)
    ));
    assert!(!holds("x matches '*' || x != 'x'", Value::Debug(&Panics)));
}

#[test]
fn a_sample_is_the_same_everywhere_and_about_as_large_as_it_says() {
    let selected: Vec<_> = (0..2000_u64)
        .filter(|&id| holds("sample(1/100 by x)", Value::U64(id)))
        .collect();
    let by_hand = |id: &u64| {
        let fnv = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        id.to_string().bytes().fold(0xcbf2_9ce4_8422_2325, fnv) % 100 < 1
    };
    assert_eq!(selected, (0..2000).filter(by_hand).collect::<Vec<_>>());
    assert!(!selected.is_empty());
    // The same for a text, a signed number, and what a `Display` writes.
    for id in &selected {
        let text = id.to_string();
        assert!(holds("sample(1/100 by x)", Value::Str(&text)));
        assert!(holds("sample(1/100 by x)", Value::Display(id)));
        assert!(holds(
            "sample(1/100 by x)",
            Value::I64(i64::try_from(*id).unwrap())
        ));
    }
    for (share, expected) in [
        ("1/2", 50_000),
        ("1/10", 10_000),
        ("3/10", 30_000),
        ("1/100", 1000),
        ("1/1000", 100),
    ] {
        let bound = super::bound(&format!("sample({share} by x)"), super::ANY.metadata());
        for step in [1, 2, 10, 64] {
            let selected = (0..100_000)
                .filter(|id| bound.matches(&[Value::U64(id * step)]))
                .count();
            let difference = selected.abs_diff(expected);
            assert!(
                difference * 10 < expected * 4,
                "{share}, ids of step {step}: {selected}"
            );
        }
    }
}
