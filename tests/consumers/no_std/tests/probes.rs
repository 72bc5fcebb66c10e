//! A program with `std` probes it.

use std::sync::mpsc;

// One test: two would see each other's frames.
#[test]
fn the_events_of_a_no_std_crate_are_probed_and_in_the_catalogue() {
    let (sender, receiver) = mpsc::channel();
    let probe = no_std::DECODED.attach(move |bytes, _| sender.send(bytes.len()).unwrap());
    assert_eq!(no_std::decode(b"abc"), 3);
    assert_eq!(no_std::decode(b""), 0);
    probe.detach_and_wait().unwrap();
    assert_eq!(receiver.iter().collect::<Vec<_>>(), [3]);

    let event = hotprobe::find("no_std::DECODED").unwrap();
    let probe = event.attach(|_, values| assert_eq!(values[0].as_bytes(), Some(&b"x"[..])));
    assert_eq!(no_std::decode(b"x"), 1);
    assert!(!probe.has_panicked());
}
