//! What is fired arrives.

use declares::{At, HELLO, NAMED, NONE, ODD, OWN, Request, SIXTEEN, SPLIT, STORED, TWELVE};
use fires::Greet as _;
use hotprobe::{Probe, fire};
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// The events are the process's: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

type Seen = Arc<Mutex<Vec<String>>>;

fn greeted() -> (Seen, Probe) {
    let seen = Seen::default();
    let probe = HELLO.attach({
        let seen = Seen::clone(&seen);
        move |who| seen.lock().unwrap().push(who.to_owned())
    });
    (seen, probe)
}

fn taken(seen: &Seen) -> Vec<String> {
    std::mem::take(&mut seen.lock().unwrap())
}

#[test]
fn an_event_of_another_crate_is_fired_through_any_path() {
    let _alone = alone();
    let (seen, _probe) = greeted();
    fires::through();
    assert_eq!(
        taken(&seen),
        ["JP", "Kirr", "Kirr", "Varya", "a block", "a reference"]
    );
    fires::generic(&"generic");
    fires::Person("method".into()).greet();
    fires::moves("moved".into());
    fires::expressions(None);
    assert_eq!(
        taken(&seen),
        ["generic", "method", "moved", "closure", "no test"]
    );
}

#[test]
fn an_async_fn_fires() {
    fn send<F: Future + Send>(future: F) -> F {
        future
    }
    let _alone = alone();
    let (seen, _probe) = greeted();
    let mut future = pin!(send(fires::greet("JP".into())));
    let mut context = Context::from_waker(Waker::noop());
    assert_eq!(future.as_mut().poll(&mut context), Poll::Ready(2));
    assert_eq!(taken(&seen), ["JP", "JP again"]);
}

#[test]
fn a_boxed_probe_can_be_attached_to_any_event() {
    let _alone = alone();
    let probe = fires::attach_logged(&HELLO, Box::new(|who| println!("{who}")));
    let other = fires::attach_logged(&NONE, Box::new(|| ()));
    assert_eq!((fires::count(&HELLO), fires::count(&NONE)), (1, 1));
    HELLO.fire("JP");
    drop((probe, other));
    assert_eq!((fires::count(&HELLO), fires::count(&NONE)), (0, 0));
}

#[test]
fn arguments_of_any_copy_type_arrive() {
    let _alone = alone();
    let seen = Seen::default();
    let push = {
        let seen = Seen::clone(&seen);
        move |what: String| seen.lock().unwrap().push(what)
    };
    let p = push.clone();
    let own =
        OWN.attach(move |request, at| p(format!("{} {} {:?}", request.path, at.value, at.at)));
    let p = push.clone();
    let split = SPLIT.attach(move |whole, parts| p(format!("{whole} {parts:?}")));
    let p = push.clone();
    let named = NAMED.attach(move |request, other| {
        p(format!("{} {:?}", request.path, other.map(|o| o.path)));
    });
    let p = push.clone();
    let odd = ODD.attach(
        move |error, debug, function, closure, tuple, array, name, _, (), option| {
            p(format!(
                "{error} {debug:?} {} {} {tuple:?} {array:?} {name} {option:?}",
                function("ab"),
                closure("abc")
            ));
        },
    );
    let p = push.clone();
    let twelve = TWELVE.attach(move |a, b, c, d, e, f, g, h, i, j, k, l| {
        p(format!("{a}{b}{c}{d}{e}{f}{g}{h}{i}{j}{k}{l:?}"));
    });
    let p = push;
    let sixteen = SIXTEEN.attach(move |a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, r| {
        p(format!(
            "{a}{b}{c}{d}{e}{f}{g}{h}{i}{j}{k}{l:?}{m}{n}{o:?}{}",
            r.path
        ));
    });

    let path = String::from("/a/b");
    let request = Request { path: &path };
    let at = At {
        value: path.as_str(),
        at: [1, 2],
    };
    fire!(OWN, request, at);
    OWN.fire(request, at);
    fire!(SPLIT, &path, &["a", "b"]);
    fire!(SPLIT, &path, &path.split('/').skip(1).collect::<Vec<_>>());
    fire!(NAMED, &request, Some(&request));
    fire!(
        ODD,
        &std::fmt::Error,
        &1,
        |s| s.len(),
        &|s| s.len(),
        (1, &path),
        [1; 4],
        "name",
        std::ptr::null(),
        (),
        None
    );
    fire!(TWELVE, 1, 2, 3, 4, 5, 6, 7, 8, 9.5, 0.5, &path, Some(&1));
    fire!(
        SIXTEEN,
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        8,
        9.5,
        0.5,
        &path,
        None,
        'm',
        true,
        path.as_bytes(),
        request
    );
    assert_eq!(
        taken(&seen),
        [
            "/a/b /a/b [1, 2]",
            "/a/b /a/b [1, 2]",
            r#"/a/b ["a", "b"]"#,
            r#"/a/b ["a", "b"]"#,
            r#"/a/b Some("/a/b")"#,
            &format!(
                r#"{} 1 2 3 (1, "/a/b") [1, 1, 1, 1] name None"#,
                std::fmt::Error
            ),
            "123456789.50.5/a/bSome(1)",
            "123456789.50.5/a/bNonemtrue[47, 97, 47, 98]/a/b",
        ]
    );
    for probe in [own, split, named, odd, twelve, sixteen] {
        assert!(probe.detach());
    }
}

#[test]
fn anyone_attaches_to_an_event_that_only_its_crate_fires() {
    let _alone = alone();
    let seen = Seen::default();
    let probe = STORED.attach({
        let seen = Seen::clone(&seen);
        move |id| seen.lock().unwrap().push(id.to_string())
    });
    declares::store(7);
    assert_eq!(taken(&seen), ["7", "7"]);
    drop(probe);
}

#[test]
fn what_is_off_evaluates_nothing() {
    fn name() -> &'static str {
        unreachable!("it has no probe")
    }
    let _alone = alone();
    fire!(HELLO, name());
}

#[test]
fn an_event_knows_its_name_docs_and_parameters() {
    assert_eq!(HELLO.name(), "declares::HELLO");
    assert_eq!(declares::DONE.name(), "declares::events::REQUEST_DONE");
    assert_eq!(NONE.metadata().docs().trim(), "No parameters.");
    assert_eq!(declares::BEGIN.name(), "declares::BEGIN");
    assert_eq!(
        declares::END.metadata().docs().trim(),
        "The second of the two."
    );
    let login = declares::LOGIN.metadata().parameters();
    assert_eq!(login[1].name(), "token");
    assert_eq!(
        (login[0].is_redacted(), login[1].is_redacted()),
        (false, true)
    );
}

#[test]
#[expect(deprecated)]
fn a_deprecated_event_warns_where_it_is_used() {
    fire!(declares::HI, "JP");
}
