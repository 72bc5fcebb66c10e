//! Random conditions on random values, against the reference; and random texts.

use super::reference::{Literal, NAMES, Owned, Tree, Writer, Written};
use hotprobe::Value;
use hotprobe_filter::Condition;
use proptest::prelude::*;
use std::time::Duration;

/// A type of which a condition knows nothing, so that any comparison binds.
#[derive(Clone, Copy, Debug)]
struct Any;

hotprobe::event! {
    static RANDOM: fn(a: Any, b: Any, r: Any, elapsed: Any);
}

const OPERATORS: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];

/// Numbers that are near one another, so that comparisons are close.
fn integer() -> impl Strategy<Value = i128> {
    prop_oneof![
        -3_i128..4,
        Just(i128::from(u64::MAX)),
        Just(i128::from(i64::MIN)),
        Just(i128::MIN),
        Just(i128::MAX),
        (0_i128..40).prop_map(|n| n * 500),
        (53_u32..70).prop_map(|power| (1_i128 << power) + 1),
        any::<i64>().prop_map(i128::from),
    ]
}

fn float() -> impl Strategy<Value = f64> {
    prop_oneof![
        (-8_i32..9).prop_map(|quarters| f64::from(quarters) / 4.0),
        Just(0.1),
        Just(f64::from(0.1_f32)),
        Just(-0.0),
        Just(1e300),
        Just(18_446_744_073_709_551_616.0),
        Just(2_f64.powi(128)),
        (53_u32..70).prop_map(|power| 2_f64.powi(power as i32)),
        any::<f64>().prop_filter("a literal is finite", |float| float.is_finite()),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[ab*]{0,5}", 1 => "[\"'\\\\\n\0é🦀]{0,3}"]
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        3 => integer().prop_map(Literal::Signed),
        1 => Just(Literal::Unsigned(u128::MAX)),
        3 => float().prop_map(Literal::Float),
        3 => text().prop_map(Literal::Text),
    ]
}

fn tree() -> impl Strategy<Value = Tree> {
    let index = || 0..NAMES.len();
    let operator = || prop::sample::select(&OPERATORS[..]);
    let share = (1_u64..4).prop_flat_map(|of| (1..=of, Just(of)));
    let test = prop_oneof![
        1 => index().prop_map(Tree::Flag),
        1 => (index(), prop::sample::select(&OPERATORS[..2]), any::<bool>())
            .prop_map(|(index, operator, value)| Tree::Compare(index, operator, Literal::Bool(value))),
        6 => (index(), operator(), literal()).prop_map(|(i, operator, l)| Tree::Compare(i, operator, l)),
        2 => (index(), prop::collection::vec(literal(), 1..4)).prop_map(|(i, list)| Tree::In(i, list)),
        2 => (index(), text()).prop_map(|(index, text)| Tree::Matches(index, text)),
        2 => (index(), text()).prop_map(|(index, text)| Tree::Contains(index, text)),
        1 => (index(), operator(), 0_u16..5).prop_map(|(i, operator, n)| Tree::Length(i, operator, n)),
        1 => (share, index()).prop_map(|((take, of), index)| Tree::Sample(take, of, index)),
        1 => (operator(), 0_u32..4).prop_map(|(operator, n)| Tree::Elapsed(operator, n)),
    ];
    test.prop_recursive(4, 24, 3, |inner| {
        let parts = || prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            parts().prop_map(Tree::Or),
            parts().prop_map(Tree::And),
            inner.clone().prop_map(|part| Tree::Not(Box::new(part))),
        ]
    })
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "any number will do"
)]
fn value() -> impl Strategy<Value = Owned> {
    prop_oneof![
        2 => any::<bool>().prop_map(Owned::Bool),
        1 => prop::sample::select(&['a', 'b', 'é', '*'][..]).prop_map(Owned::Char),
        2 => integer().prop_map(|n| Owned::U64(n as u64)),
        2 => integer().prop_map(|n| Owned::I64(n as i64)),
        1 => integer().prop_map(|n| Owned::U128(n as u128)),
        1 => integer().prop_map(Owned::I128),
        2 => float().prop_map(|float| Owned::F32(float as f32)),
        2 => prop_oneof![float(), Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY)]
            .prop_map(Owned::F64),
        4 => text().prop_map(Owned::Str),
        1 => text().prop_map(|text| Owned::Bytes(text.into_bytes())),
        1 => text().prop_map(|text| Owned::Debug(Written(text))),
        1 => text().prop_map(|text| Owned::Display(Written(text))),
        1 => Just(Owned::Opaque),
        1 => Just(Owned::Absent),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn a_condition_means_what_the_reference_says_however_it_is_written(
        tree in tree(),
        choices in any::<u64>(),
        values in prop::collection::vec(value(), 3..=4),
        elapsed in 0_u64..4,
    ) {
        let text = Writer { choices }.write(&tree, 0);
        let condition = match Condition::parse(&text) {
            Ok(condition) => condition,
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        let written = condition.to_string();
        prop_assert_eq!(&Condition::parse(&written).unwrap(), &condition);
        prop_assert_eq!(Condition::parse(&written).unwrap().to_string(), written);
        let bound = match condition.bind_with_elapsed(RANDOM.metadata()) {
            Ok(bound) => bound,
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        let borrowed: Vec<Value<'_>> = values.iter().map(Owned::value).collect();
        let holds = bound.matches_elapsed(&borrowed, Duration::from_nanos(elapsed));
        prop_assert_eq!(holds, tree.holds(&values, elapsed), "{}", text);
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        let _ = Condition::parse(&text).map_err(|error| error.to_string());
    }

    #[test]
    fn no_text_of_the_grammars_own_tokens_makes_it_panic(
        tokens in prop::collection::vec(prop::sample::select(&TOKENS[..]), 0..12),
    ) {
        let text = tokens.concat();
        match Condition::parse(&text) {
            Ok(condition) => {
                prop_assert_eq!(&Condition::parse(&condition.to_string()).unwrap(), &condition);
                let bound = condition.bind_with_elapsed(RANDOM.metadata());
                let _ = bound.map(|bound| bound.matches(&[])).map_err(|error| error.to_string());
            }
            Err(error) => {
                let span = error.span();
                prop_assert!(text.get(span).is_some(), "{}", error);
                prop_assert!(!error.message().contains('\n'));
                let lines = error.to_string().lines().count();
                prop_assert!(lines == 3 || text.is_empty(), "{}", error);
            }
        }
    }
}

const TOKENS: [&str; 46] = [
    " ",
    "\n",
    "a",
    "b",
    "r",
    "elapsed",
    "`elapsed`",
    "`",
    "len",
    "(",
    ")",
    "!",
    "&&",
    "&",
    "||",
    "==",
    "!=",
    "<",
    "<=",
    "=",
    "in",
    "matches",
    "contains",
    "sample",
    "1/2",
    "/",
    " by ",
    ",",
    "1",
    "0",
    "1.5",
    "-",
    "e9",
    "k",
    "ms",
    "_",
    ".",
    "\"",
    "'",
    "\\",
    "\"x\"",
    "'*a'",
    "\\u{",
    "}",
    "true",
    "é",
];
