//! Whoever has `std` probes it.

use std::sync::mpsc;

#[test]
fn the_events_of_a_no_std_crate_are_probed() {
    let (sender, receiver) = mpsc::channel();
    let probe = no_std::DECODED.attach(move |bytes, _| sender.send(bytes.len()).unwrap());
    assert_eq!(no_std::decode(b"abc"), 3);
    assert_eq!(no_std::decode(b""), 0);
    probe.detach_and_wait().unwrap();
    assert_eq!(receiver.iter().collect::<Vec<_>>(), [3]);
}
