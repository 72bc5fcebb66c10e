//! What a filter rejects is counted, exactly.

use super::bound;
use hotprobe::{AnyEvent, Value};
use hotprobe_filter::Filter;
use std::sync::Arc;
use std::thread;

hotprobe::event! {
    static COUNTED: fn(n: u64);
}

#[test]
fn rejected_firings_of_all_threads_are_counted_by_event() {
    const THREADS: u64 = 20;
    const FIRINGS: u64 = 1000;
    let event: &'static dyn AnyEvent = &COUNTED;
    let condition = || bound("n >= 900", event.metadata());
    let filter = Arc::new(Filter::new((0..40).map(|_| condition())));
    let probe = event.attach({
        let filter = Arc::clone(&filter);
        move |_, values| assert_eq!(filter.accepts(39, values), values[0].as_u64() >= Some(900))
    });
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| (0..FIRINGS).for_each(|n| COUNTED.fire(n)));
        }
    });
    probe.detach_and_wait().unwrap();
    assert_eq!(filter.rejected(39), THREADS * 900);
    assert_eq!(filter.rejected_in_total(), THREADS * 900);
    assert_eq!((filter.rejected(0), filter.rejected(40)), (0, 0));
    assert!(filter.accepts(40, &[Value::U64(0)]), "it has no condition");
}
