//! The way out: `register!`, as an item, and as a statement; twice, which counts once.

#![forbid(unsafe_code)]
#![deny(warnings)]

hotprobe::register!(unnamed::LOST);

#[test]
fn what_is_registered_is_there_once_and_the_rest_of_its_crate_too() {
    hotprobe::register!(unnamed::LOST, declares::HELLO);
    let names: Vec<_> = hotprobe::events()
        .iter()
        .map(|event| event.name())
        .filter(|name| name.starts_with("unnamed::") || *name == "declares::HELLO")
        .collect();
    assert_eq!(
        names,
        ["declares::HELLO", "unnamed::BESIDE", "unnamed::LOST"]
    );
}

#[test]
fn what_is_registered_is_the_event_itself() {
    let event = hotprobe::find("unnamed::LOST").expect("it is registered");
    let probe = event.attach(|_, values| assert_eq!(values[0].as_u64(), Some(7)));
    assert!(unnamed::LOST.is_enabled());
    hotprobe::fire!(unnamed::LOST, 7);
    assert!(!probe.has_panicked());
}
