//! Latencies between two events, by the names of their parameters.

use super::balanced;
use hotprobe::SynchronizeError;
use hotprobe::fire;
use hotprobe_profile::{Latency, ProfileError};
use std::fmt;
use std::thread;
use test_support::quiet_planned_panics;

#[test]
fn two_events_are_paired_across_threads_with_the_ends_label() {
    hotprobe::event! {
        static RECEIVED: fn(id: u64, path: &str);
        static DONE: fn(route: &str, id: u64);
    }
    let session = Latency::between(&RECEIVED, &DONE, "id")
        .label("route")
        .start()
        .unwrap();
    thread::scope(|scope| {
        for id in 0..4 {
            scope.spawn(move || fire!(RECEIVED, id, "/a/7"));
        }
    });
    thread::scope(|scope| {
        for id in 0..5 {
            scope.spawn(move || fire!(DONE, if id < 3 { "/a/{}" } else { "/b" }, id));
        }
    });
    let snapshot = session.finish().unwrap();
    fire!(DONE, "/b", 7);
    assert_eq!((RECEIVED.probe_count(), DONE.probe_count()), (0, 0));
    let counts = snapshot.counts();
    balanced(&counts);
    assert_eq!((counts.begins, counts.ends, counts.matched), (4, 5, 4));
    assert_eq!(snapshot.label("/a/{}").unwrap().count(), 3);
    assert_eq!(snapshot.label("/b").unwrap().count(), 1);
}

#[test]
fn a_label_that_only_the_begin_has_is_kept_until_the_end() {
    hotprobe::event! { static OPENED: fn(file: u64, mode: u16); static CLOSED: fn(file: u64); }
    let session = Latency::between(&OPENED, &CLOSED, "file")
        .title("files")
        .label("mode")
        .start()
        .unwrap();
    fire!(OPENED, 1, 644);
    fire!(OPENED, 2, 755);
    fire!(CLOSED, 2);
    fire!(CLOSED, 1);
    fire!(OPENED, 3, 644);
    fire!(CLOSED, 3);
    let snapshot = session.snapshot();
    assert_eq!(snapshot.title(), "files");
    assert_eq!(snapshot.label("644").unwrap().count(), 2);
    assert_eq!(snapshot.label("755").unwrap().count(), 1);
    // Starting again keeps what it knows of labels.
    let first = session.reset();
    assert_eq!(first.counts(), snapshot.counts());
    fire!(OPENED, 4, 644);
    fire!(CLOSED, 4);
    assert_eq!(session.snapshot().label("644").unwrap().count(), 1);
    assert!(session.snapshot().label("755").is_none());
}

/// Ends each pair of keys that are to be the same, and not those that aren't.
macro_rules! keys {
    ($ty:ty: $($key:expr),+ ; not $other:expr) => {{
        hotprobe::event! { static BEGIN: fn(key: $ty); static END: fn(key: $ty); }
        let session = Latency::between(&BEGIN, &END, "key").start().unwrap();
        $( fire!(BEGIN, $key); )+
        fire!(END, $other);
        $( fire!(END, $key); )+
        let counts = session.snapshot().counts();
        balanced(&counts);
        let keys = [$(stringify!($key)),+].len() as u64;
        assert_eq!((counts.matched, counts.unmatched_ends), (keys, 1), "{}", stringify!($ty));
        assert_eq!(session.snapshot().label("all").unwrap().count(), keys);
    }};
}

#[test]
fn keys_are_of_any_kind_that_can_be_told_apart() {
    #[derive(Clone, Copy, Debug)]
    #[allow(dead_code, reason = "for its Debug")]
    struct Id(u32);

    keys!(u8: 0, 255; not 1);
    keys!(i64: i64::MIN, -1, 1; not i64::MAX);
    keys!(u128: u128::MAX, u128::from(u64::MAX), 0; not 1 << 64);
    keys!(i128: i128::MIN, -1, 1; not i128::MAX);
    keys!(bool: true; not false);
    keys!(char: 'a', 'é'; not 'b');
    keys!(f64: 0.0, 1.5, f64::NAN; not 1.0);
    keys!(&str: "", "a", "a\0", "0123456789"; not "01234567");
    keys!(&[u8]: &[], &[0], &[0, 0]; not &[0; 3]);
    keys!(Id: Id(1), Id(2); not Id(3));
    keys!(Option<u8>: None, Some(0); not Some(1));
}

#[test]
fn what_is_no_key_is_counted_and_paired_with_nothing() {
    #[derive(Clone, Copy)]
    struct Opaque;
    #[derive(Clone, Copy)]
    struct Faulty;
    impl fmt::Debug for Faulty {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("planned")
        }
    }
    /// Writes that many characters, and ignores errors.
    #[derive(Clone, Copy)]
    struct Long(usize);
    impl fmt::Debug for Long {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            (0..self.0).try_for_each(|_| f.write_str("é"))
        }
    }

    hotprobe::event! {
        static TEXT_BEGIN: fn(key: &str);
        static TEXT_END: fn(key: &str);
        static OPAQUE_BEGIN: fn(key: Opaque);
        static OPAQUE_END: fn(key: Opaque);
        static FAULTY_BEGIN: fn(key: Faulty);
        static FAULTY_END: fn(key: Faulty);
        static LONG_BEGIN: fn(key: Long);
        static LONG_END: fn(key: Long);
    }
    quiet_planned_panics();
    let texts = Latency::between(&TEXT_BEGIN, &TEXT_END, "key")
        .start()
        .unwrap();
    let longest = "x".repeat(256);
    let (one, other) = (longest.clone() + "1", longest.clone() + "2");
    for text in [&longest, &one] {
        fire!(TEXT_BEGIN, text);
    }
    for text in [&longest, &other] {
        fire!(TEXT_END, text);
    }
    let opaque = Latency::between(&OPAQUE_BEGIN, &OPAQUE_END, "key")
        .start()
        .unwrap();
    fire!(OPAQUE_BEGIN, Opaque);
    fire!(OPAQUE_END, Opaque);
    let faulty = Latency::between(&FAULTY_BEGIN, &FAULTY_END, "key")
        .start()
        .unwrap();
    fire!(FAULTY_BEGIN, Faulty);
    fire!(FAULTY_END, Faulty);
    assert!(FAULTY_BEGIN.is_enabled(), "its probe has not panicked");
    let long = Latency::between(&LONG_BEGIN, &LONG_END, "key")
        .start()
        .unwrap();
    for length in [128, 129] {
        fire!(LONG_BEGIN, Long(length));
        fire!(LONG_END, Long(length));
    }
    for (session, matched) in [(texts, 1), (opaque, 0), (faulty, 0), (long, 1)] {
        let counts = session.snapshot().counts();
        balanced(&counts);
        assert_eq!((counts.begins, counts.matched), (matched, matched));
        assert_eq!((counts.begins_without_key, counts.ends_without_key), (1, 1));
    }
}

#[test]
fn what_cannot_be_measured_is_refused() {
    hotprobe::event! {
        static BEGIN: fn(id: u64, path: &str, #[redact] token: u64);
        static END: fn(id: u64, path: &[u8], #[redact] token: u64, #[redact] user: &str);
        static NOTHING: fn();
    }
    let refused = |between: Latency| {
        let error = between.start().unwrap_err();
        assert!(matches!(error, ProfileError::Parameter { .. }), "{error:?}");
        error.to_string()
    };
    let of_begin = "`id: u64`, `path: &str`, `#[redact] token: u64`";
    let of_end = "`id: u64`, `path: &[u8]`, `#[redact] token: u64`, `#[redact] user: &str`";
    let (begin, end) = (BEGIN.name(), END.name());
    assert_eq!(
        refused(Latency::between(&BEGIN, &END, "user")),
        format!("`{begin}` has no parameter `user`; it has {of_begin}")
    );
    assert_eq!(
        refused(Latency::between(&BEGIN, &NOTHING, "id")),
        format!("`{}` has no parameter `id`; it has none", NOTHING.name())
    );
    assert_eq!(
        refused(Latency::between(&BEGIN, &END, "path")),
        format!(
            "the key `path` is `&str` in `{begin}`, and `&[u8]` in `{end}`: the types have to be the same"
        )
    );
    let redacted = "keeps its parameter `token` to typed probes (`#[redact]`): choose another, or attach a typed probe of your \
                    own; it has";
    assert_eq!(
        refused(Latency::between(&BEGIN, &END, "token")),
        format!("`{begin}` {redacted} {of_begin}")
    );
    assert_eq!(
        refused(Latency::between(&BEGIN, &END, "id").label("token")),
        format!("`{end}` {redacted} {of_end}")
    );
    assert_eq!(
        refused(Latency::between(&BEGIN, &END, "id").label("route")),
        format!(
            "neither event has a parameter `route` for the label: `{end}` has {of_end}; `{begin}` has {of_begin}"
        )
    );
    assert_eq!(
        refused(Latency::between(&BEGIN, &BEGIN, "id")),
        format!("`{begin}` cannot be both begin and end: name two events")
    );
    let limit = Latency::between(&BEGIN, &END, "id").digits(5).start();
    assert!(matches!(limit, Err(ProfileError::Limit { .. })));
    assert!(
        !BEGIN.is_enabled() && !END.is_enabled(),
        "nothing was attached"
    );
}

#[test]
fn a_finish_that_would_wait_for_itself_detaches_and_gives_the_session_back() {
    hotprobe::event! { static BEGIN: fn(id: u64); static END: fn(id: u64); }
    let session = Latency::between(&BEGIN, &END, "id").start().unwrap();
    fire!(BEGIN, 1);
    fire!(END, 1);
    let error = hotprobe::pinned(|| session.finish().unwrap_err());
    assert!(!BEGIN.is_enabled() && !END.is_enabled());
    assert_eq!(error.synchronize_error(), SynchronizeError::InProbe);
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(source, SynchronizeError::InProbe.to_string());
    assert!(
        !error.to_string().contains(&source),
        "the source is repeated: {error}"
    );
    let session = error.into_session();
    let measured = session.snapshot();
    assert_eq!(measured.label("all").unwrap().count(), 1);
    assert_eq!(session.finish().unwrap().labels(), measured.labels());
}

#[test]
fn pairs_that_a_condition_rejects_are_counted_apart_and_in_no_histogram() {
    hotprobe::event! {
        static BEGUN: fn(id: u64, method: &str);
        static ENDED: fn(id: u64, status: u16);
    }
    let latency = || Latency::between(&BEGUN, &ENDED, "id").label("status");
    let session = latency()
        .filter("status >= 500 && elapsed < 1000s || elapsed > 1000s")
        .start()
        .unwrap();
    let pairs = |from, to| {
        (from..to).for_each(|id| fire!(BEGUN, id, "GET"));
        // (One end without a begin is not a pair, whatever its values.)
        (from..=to).for_each(|id| fire!(ENDED, id, if id % 4 == 0 { 500 } else { 200 }));
    };
    pairs(0, 40);
    let first = session.snapshot();
    assert_eq!(session.reset().counts(), first.counts());
    pairs(40, 48);
    let second = session.finish().unwrap();
    for (snapshot, accepted, rejected) in [(&first, 10, 30), (&second, 2, 6)] {
        let counts = snapshot.counts();
        balanced(&counts);
        assert_eq!(
            (counts.matched, counts.rejected),
            (accepted + rejected, rejected)
        );
        assert_eq!(snapshot.labels().len(), 1, "{snapshot}");
        assert_eq!(snapshot.label("500").unwrap().count(), accepted);
        let filter = snapshot.filter().unwrap();
        assert_eq!(
            filter,
            "status >= 500 && elapsed < 1000s || elapsed > 1000s"
        );
        let text = snapshot.to_string();
        assert!(
            text.contains(&format!("where {filter}: {rejected} rejected")),
            "{text}"
        );
    }
    // Nothing takes this long.
    let session = latency().filter("elapsed > 1000s").start().unwrap();
    pairs(0, 3);
    let counts = session.finish().unwrap().counts();
    assert_eq!((counts.matched, counts.rejected), (3, 3));

    let refused = |condition| latency().filter(condition).start().unwrap_err();
    let error = refused("method == 'GET'");
    let says = format!(
        "`method` is a parameter of the begin, `{}`: a condition of a latency uses those of the end, and `elapsed`",
        BEGUN.name()
    );
    assert!(error.to_string().ends_with(&says), "{error}");
    assert!(
        error
            .to_string()
            .contains("\n    method == 'GET'\n    ^^^^^^\n"),
        "{error}"
    );
    let error = refused("methods == 'GET'");
    assert!(matches!(error, ProfileError::Filter(_)), "{error}");
    let error = refused("elapsed >");
    assert!(error.to_string().contains("found the end"), "{error}");
}
