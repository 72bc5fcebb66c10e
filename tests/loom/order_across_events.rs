//! **Ordering across events:** who sees the later attach of one thread sees the earlier.

use crate::{Captured, UNLIMITED, check, warm};

hotprobe::event! {
    static FIRST: fn();
    static SECOND: fn();
}

/// Two threads: one attaches to one event and then to another, one fires them the other way round.
///
/// Cost: 21 executions, below 0.1 s.
#[test]
fn who_sees_the_later_attach_sees_the_earlier() {
    check(UNLIMITED, || {
        let (first, second) = (FIRST::new(), SECOND::new());
        let (earlier, earlier_fate) = Captured::new();
        let (later, later_fate) = Captured::new();
        let firing = warm(move || {
            second.fire();
            first.fire();
        });
        let earlier = first.attach(move || earlier.run());
        let later = second.attach(move || later.run());
        firing.join();
        assert!(earlier_fate.runs() >= later_fate.runs());
        earlier.leak();
        later.leak();
    });
}
