//! Evaluating a condition neither allocates nor frees.

use super::bound;
use hotprobe::Value;
use std::fmt;
use test_support::system::allocations;

test_support::counting_allocator!();

#[derive(Clone, Copy, Debug)]
#[allow(dead_code, reason = "its `Debug` is read")]
struct Order {
    number: u64,
    price: f64,
}

#[derive(Clone, Copy)]
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connection reset")
    }
}

hotprobe::event! {
    static ALL_KINDS: fn(status: u16, route: &str, order: Order, error: Broken, ratio: f64, big: u128);
}

#[test]
fn no_condition_allocates_when_it_is_evaluated() {
    let conditions = [
        r#"status >= 500 && route != "/health""#,
        r#"route in ("/a", "/b", "/orders") || !(route matches "/or*er*s")"#,
        r#"order contains "price: 2.5" && order matches "Order*" && order == "Order""#,
        r#"error contains "reset" && error < "d" && len(error) > 3"#,
        "sample(1/2 by order) || sample(1/2 by ratio) || sample(1/2 by big) || sample(1/2 by route)",
        "ratio > 1 && ratio < 1.5k && big == 340282366920938463463374607431768211455",
    ];
    let order = Order {
        number: 7,
        price: 2.5,
    };
    let values = [
        Value::U64(503),
        Value::Str("/orders"),
        Value::Debug(&order),
        Value::Display(&Broken),
        Value::F64(2.5),
        Value::U128(u128::MAX),
    ];
    for condition in conditions {
        let bound = bound(condition, ALL_KINDS.metadata());
        let before = allocations();
        let held = bound.matches(&values);
        assert_eq!(allocations(), before, "{condition}");
        // It was evaluated to its end, or at least begun.
        std::hint::black_box(held);
    }
    let before = allocations();
    drop(Box::new(7));
    assert_ne!(allocations(), before, "allocations are seen");
}
