//! The queue outside models.
#![cfg(not(loom))]

use bounded_queue::Queue;

#[test]
fn items_come_out_in_order_and_the_bound_is_kept() {
    let queue = Queue::new(2);
    assert_eq!(queue.push(1), Ok(()));
    assert_eq!(queue.push(2), Ok(()));
    assert_eq!(queue.push(3), Err(3));
    assert_eq!(queue.pop(), Some(1));
    assert_eq!(queue.push(4), Ok(()));
    assert_eq!(
        [queue.pop(), queue.pop(), queue.pop()],
        [Some(2), Some(4), None]
    );
}

#[cfg(feature = "probes")]
#[test]
fn its_events_fire() {
    use std::sync::{Arc, Mutex};

    let seen = Arc::new(Mutex::new(Vec::new()));
    let probe = bounded_queue::events::PUSHED.attach({
        let seen = Arc::clone(&seen);
        move |len, capacity| {
            // (Tests run beside one another: this is the only queue of seven.)
            if capacity == 7 {
                seen.lock().unwrap().push(len);
            }
        }
    });
    let queue = Queue::new(7);
    queue.push(()).unwrap();
    queue.push(()).unwrap();
    drop(probe);
    queue.push(()).unwrap();
    assert_eq!(*seen.lock().unwrap(), [1, 2]);
}
