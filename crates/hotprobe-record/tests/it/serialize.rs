//! Readable results as JSON, by serde.

use super::*;
use serde_json::{Value, json};

fn as_json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).expect("it can be written")
}

#[test]
fn a_trace_is_serialized_as_its_counts_and_an_entry_with_its_values() {
    hotprobe::event! { static MIXED: fn(n: u64, text: &str, small: i8, on: bool, #[redact] secret: &str); }
    let recording = Recorder::new()
        .event(&MIXED)
        .max_text_bytes(4)
        .start()
        .expect("it can start");
    thread::Builder::new()
        .name("worker".to_owned())
        .spawn(|| MIXED.fire(7, "Varvara", -1, true, "token"))
        .expect("a thread")
        .join()
        .expect("it ends well");
    let trace = finish(recording);

    let entry = trace.records().next().expect("one was fired");
    let thread = json!({ "id": entry.thread().id(), "name": "worker" });
    let values = json!([
        { "u64": 7 },
        { "text": { "text": "Varv", "cut": true } },
        { "i64": -1 },
        { "bool": true },
        "redacted",
    ]);
    let time = u64::try_from(entry.time().as_nanos()).expect("it is short");
    let expected = json!({
        "time_ns": time, "event": MIXED.name(), "thread": thread, "task": null, "values": values,
    });
    assert_eq!(as_json(&entry), expected);

    let counts = json!({ "fired": 1, "written": 1, "lost": 0 });
    assert_eq!(as_json(&trace.sum()), counts);
    let summary = as_json(&trace);
    assert_eq!(summary["sum"], counts);
    let by_thread = json!([{
        "event": MIXED.name(), "thread": thread, "fired": 1, "written": 1, "lost": 0,
    }]);
    assert_eq!(summary["counts"], by_thread);
    assert_eq!(summary["clock"], "system");
    assert_eq!(
        (&summary["filter"], &summary["rejected"]),
        (&Value::Null, &json!([]))
    );
    let duration = u64::try_from(trace.duration().as_nanos()).expect("it is short");
    assert_eq!(summary["duration_ns"], duration);
    let started = trace.started().duration_since(SystemTime::UNIX_EPOCH);
    let started = u64::try_from(started.expect("it is later").as_nanos());
    assert_eq!(summary["started_unix_ns"], started.expect("it fits"));
}
