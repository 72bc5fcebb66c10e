//! `record`: a file that is whole, or is not there.

use super::{CommandOutput, Directory, Server, fake, run};
#[cfg(unix)]
use super::{interrupt, send};
use hotprobe_admin::Admin;
use std::fs;
use std::process::Child;
use test_support::eventually;

mod chrome {
    hotprobe::event! { pub static ITEM: fn(n: u64); }
}
mod formats {
    hotprobe::event! { pub static ITEM: fn(n: u64); }
}
mod tasks {
    hotprobe::event! { pub static ITEM: fn(n: u64); }
}
mod slices {
    hotprobe::event! {
        pub static BEGIN: fn(id: u64);
        pub static END: fn(id: u64);
    }
}
mod interrupted {
    hotprobe::event! {
        pub static ITEM: fn(n: u64);
        pub static LATER: fn(n: u64);
        pub static LAST: fn(n: u64);
    }
}
mod lost {
    hotprobe::event! { pub static ITEM: fn(n: u64, text: &str); }
}
mod killed {
    hotprobe::event! { pub static ITEM: fn(n: u64); }
}
mod shared {
    hotprobe::event! { pub static ITEM: fn(n: u64); }
}
mod meanwhile {
    hotprobe::event! { pub static ITEM: fn(n: u64); }
}

fn ended(child: Child) -> CommandOutput {
    CommandOutput::of(child.wait_with_output().unwrap())
}

#[test]
fn a_recording_has_what_was_fired_and_no_part_is_left() {
    let server = Server::start(Admin::new());
    let directory = Directory::new();
    let file = directory.file("trace.json");
    fs::write(&file, "the last one").unwrap();
    let arguments = ["record", chrome::ITEM.name(), "-o", &file, "--seconds", "2"];
    let child = server.hotprobe(&arguments).spawn().unwrap();
    eventually("it is attached", || chrome::ITEM.is_enabled());
    (0..10).for_each(|n| chrome::ITEM.fire(n));
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        "the last one",
        "not before it is whole"
    );
    let told = ended(child);
    assert!(told.err.contains(&format!(" into {file}\n")), "{told:?}");
    let all = "hotprobe: 10 fired, 10 written, 0 lost\n";
    assert!(told.err.ends_with(all), "{told:?}");
    assert!(
        !told.err.contains('\u{1b}'),
        "a bar, without a terminal: {told:?}"
    );
    assert_eq!(told.out(), "");
    let value: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let events = value.as_array().unwrap();
    let fired = events
        .iter()
        .filter(|event| event["args"]["n"].is_u64())
        .count();
    assert_eq!(fired, 10, "{value}");
    assert_eq!(directory.names(), ["trace.json"]);
    assert_eq!(chrome::ITEM.probe_count(), 0);
}

#[test]
fn the_ending_tells_the_format_or_it_is_said() {
    let server = Server::start(Admin::new());
    let directory = Directory::new();
    let record = |name: &str, more: &[&str]| {
        let file = directory.file(name);
        let arguments = [
            "record",
            formats::ITEM.name(),
            "--seconds",
            "0.1",
            "-o",
            &file,
        ];
        let told = server.run(&[&arguments, more].concat());
        // In each format: the event was not fired.
        assert!(
            told.err.contains("0 fired: NOTHING was recorded"),
            "{told:?}"
        );
        told.out();
        fs::read(&file).unwrap()
    };
    let perfetto = record("a.pftrace", &[]);
    // Its first field: packets.
    assert_eq!(perfetto[0], 0x0a);
    let tar = record("b.ctf.tar", &[]);
    assert_eq!(&tar[257..262], b"ustar");
    assert!(record("c.JSON", &[]).starts_with(b"["));
    assert!(record("d", &["--format", "chrome"]).starts_with(b"["));
    let arguments = [
        "record",
        formats::ITEM.name(),
        "--seconds",
        "0.1",
        "-o",
        "-",
        "--format",
        "chrome",
    ];
    let told = server.run(&arguments);
    assert!(told.err.contains("into standard output"), "{told:?}");
    assert!(told.out().starts_with('['));
    // Without a format, it is a Perfetto trace.
    let output = server.hotprobe(&arguments[..6]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout[0], 0x0a);
    assert_eq!(directory.names(), ["a.pftrace", "b.ctf.tar", "c.JSON", "d"]);
}

#[test]
fn slices_need_no_other_event() {
    let server = Server::start(Admin::new());
    let directory = Directory::new();
    let file = directory.file("trace.json");
    // A pattern, and a part of a name.
    let slice = "job,*::recording::slices::BEGIN,recording::slices::END,id";
    let child = server
        .hotprobe(&["record", "--slice", slice, "-o", &file, "--seconds", "2"])
        .spawn()
        .unwrap();
    eventually("it is attached", || slices::BEGIN.is_enabled());
    slices::BEGIN.fire(1);
    slices::END.fire(1);
    ended(child).out();
    assert!(fs::read_to_string(&file).unwrap().contains("\"job\""));
}

#[test]
fn tasks_have_tracks_where_that_is_asked_for() {
    let server = Server::start(Admin::new());
    let directory = Directory::new();
    for (name, more) in [("without.pftrace", &[][..]), ("with.pftrace", &["--tasks"])] {
        let file = directory.file(name);
        let arguments = ["record", tasks::ITEM.name(), "-o", &file, "--seconds", "1"];
        let child = server.hotprobe(&[&arguments, more].concat()).spawn();
        eventually("it is attached", || tasks::ITEM.is_enabled());
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let fired = async { tokio::spawn(async { tasks::ITEM.fire(1) }).await };
        runtime.unwrap().block_on(fired).unwrap();
        ended(child.unwrap()).out();
        let trace = fs::read(&file).unwrap();
        let has = |text: &[u8]| trace.windows(text.len()).any(|window| window == text);
        assert!(has(b"tasks::ITEM") && has(b"totals"));
        assert_eq!(has(b"tokio tasks"), !more.is_empty(), "{name}");
    }
}

#[test]
#[cfg(unix)]
fn what_is_no_file_is_written_to_and_not_replaced() {
    use std::os::unix::fs::{FileTypeExt as _, symlink};
    let server = Server::start(Admin::new());
    let arguments = [
        "record",
        formats::ITEM.name(),
        "--seconds",
        "0.1",
        "--format",
        "chrome",
        "-o",
    ];
    server.run(&[&arguments[..], &["/dev/null"]].concat()).out();
    assert!(
        fs::metadata("/dev/null")
            .unwrap()
            .file_type()
            .is_char_device()
    );

    let directory = Directory::new();
    let (file, link) = (directory.file("file"), directory.file("link"));
    fs::write(&file, "").unwrap();
    symlink(&file, &link).unwrap();
    server.run(&[&arguments[..], &[&link]].concat()).out();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(fs::read_to_string(&file).unwrap().starts_with('['));

    let told = server.run(&[&arguments[..], &[&directory.file("no/such/file")]].concat());
    told.fails(1, &["cannot create the file", "no/such/file.part"]);
    let told = server.run(&[&arguments[..], &[directory.path().to_str().unwrap()]].concat());
    told.fails(2, &["is a directory"]);
}

#[test]
fn what_came_before_the_connection_broke_is_kept_and_said() {
    let directory = Directory::new();
    let file = directory.file("trace.pftrace");
    fs::write(&file, "the last one").unwrap();
    let url = fake::saying(fake::half("application/octet-stream", "some of it"));
    let part = format!("{file}.part");
    let told = run(&["record", "*", "-o", &file, "--url", &url]);
    told.fails(
        1,
        &[
            "the connection broke off",
            &format!("10 B that arrived are in `{part}`, a trace that opens up to there"),
        ],
    );
    assert_eq!(fs::read_to_string(&part).unwrap(), "some of it");
    assert_eq!(fs::read_to_string(&file).unwrap(), "the last one");

    fs::remove_file(&part).unwrap();
    let nothing = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    let url = fake::saying(nothing);
    run(&["record", "*", "-o", &file, "--url", &url]).fails(1, &["nothing had arrived"]);
    assert_eq!(directory.names(), ["trace.pftrace"]);
}

#[test]
#[cfg(unix)]
fn ctrl_c_keeps_what_came_and_the_server_detaches() {
    let server = Server::start(Admin::new());
    for name in ["trace.json", "trace.pftrace", "trace.tar"] {
        let directory = Directory::new();
        let file = directory.file(name);
        let arguments = [
            "record",
            interrupted::ITEM.name(),
            "-o",
            &file,
            "--seconds",
            "300",
        ];
        let child = server.hotprobe(&arguments).spawn().unwrap();
        eventually("it is attached", || interrupted::ITEM.is_enabled());
        let part = format!("{file}.part");
        eventually("something came", || {
            (0..100).for_each(|n| interrupted::ITEM.fire(n));
            std::thread::sleep(std::time::Duration::from_millis(5));
            // (An archive comes as a whole, at the end.)
            name == "trace.tar" || fs::metadata(&part).is_ok_and(|part| part.len() > 0)
        });
        let told = interrupt(child);
        let said = "hotprobe: interrupted: it ended after ";
        assert!(told.err.contains(said), "{told:?}");
        assert!(told.err.contains(&format!(" into {file}\n")), "{told:?}");
        assert!(told.err.contains("0 lost"), "{told:?}");
        eventually("it is detached", || interrupted::ITEM.probe_count() == 0);
        eventually("the session is over", || server.open() == 0);
        assert_eq!(directory.names(), [name]);
        // It is complete, as far as it goes.
        let trace = fs::read(&file).unwrap();
        if name == "trace.json" {
            let value: serde_json::Value = serde_json::from_slice(&trace).unwrap();
            assert!(!value.as_array().unwrap().is_empty());
        } else if name == "trace.tar" {
            let magic = trace
                .windows(4)
                .position(|four| four == 0xC1FC_1FC1_u32.to_le_bytes());
            assert!(magic.is_some(), "it has no packet");
        } else {
            assert!(!trace.is_empty());
            let mut rest = &trace[..];
            while let [0x0a, more @ ..] = rest {
                let bytes = more.iter().take_while(|byte| **byte >= 0x80).count() + 1;
                let length = more[..bytes].iter().rev();
                let length = length.fold(0, |length, byte| length << 7 | usize::from(byte & 0x7f));
                rest = &more[bytes + length..];
            }
            assert!(rest.is_empty());
        }
    }
}

#[test]
#[cfg(unix)]
fn ctrl_c_cuts_a_recording_behind_the_last_record_that_is_complete() {
    let directory = Directory::new();
    let file = directory.file("trace.json");
    let part = format!("{file}.part");
    let half = "[\n{\"ph\":\"i\",\"a\":1},\n{\"ph\":\"i\",\"a\":2},\n{\"ph\":\"i";
    // (Without `fake`, which closes the connection.)
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut record = super::hotprobe(&["record", "*", "-o", &file, "--url", &url]);
    let child = record.spawn().unwrap();
    let (mut connection, _) = listener.accept().unwrap();
    let answer = fake::half("application/json", half);
    std::io::Write::write_all(&mut connection, answer.as_bytes()).unwrap();
    eventually("it came", || {
        fs::metadata(&part).is_ok_and(|part| part.len() == half.len() as u64)
    });
    interrupt(child);
    let saved = fs::read_to_string(&file).unwrap();
    let expected = "[\n{\"ph\":\"i\",\"a\":1},\n{\"ph\":\"i\",\"a\":2}\n]\n";
    assert_eq!(saved, expected);
    assert_eq!(directory.names(), ["trace.json"]);
}

#[test]
#[cfg(unix)]
fn ctrl_c_before_anything_came_leaves_no_file() {
    let server = Server::start(Admin::new());
    let directory = Directory::new();
    let item = interrupted::LATER.name();
    let commands: [&[&str]; 2] = [
        &[
            "latency",
            item,
            interrupted::LAST.name(),
            "n",
            "-o",
            &directory.file("b.svg"),
        ],
        &["stacks", item, "-o", &directory.file("c.folded")],
    ];
    for command in commands {
        let seconds: &[_] = &["--seconds", "300"];
        let child = server.hotprobe(&[command, seconds].concat()).spawn();
        eventually("it is attached", || interrupted::LATER.is_enabled());
        assert_eq!(directory.names().len(), 1);
        let told = interrupt(child.unwrap());
        assert!(told.err.contains("hotprobe: nothing was "), "{told:?}");
        eventually("it is detached", || interrupted::LATER.probe_count() == 0);
        assert_eq!(directory.names(), [""; 0]);
    }

    // And a server that cannot stop a session.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let file = directory.file("a.tar");
    let child = super::hotprobe(&["record", "*", "-o", &file, "--url", &url]).spawn();
    let (mut connection, _) = listener.accept().unwrap();
    assert_eq!(directory.names().len(), 1);
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-tar\r\nContent-Length: 9\r\n\r\n";
    std::io::Write::write_all(&mut connection, head.as_bytes()).unwrap();
    let told = interrupt(child.unwrap());
    let said = "interrupted: nothing had arrived";
    assert!(told.err.contains(said), "{told:?}");
    assert_eq!(directory.names(), [""; 0]);
}

/// The program is stopped until all is fired: what came is more than all that is between can hold.
#[test]
#[cfg(unix)]
fn what_a_recording_lost_is_told_with_counts() {
    const FIRED: u64 = 100_000;
    let server = Server::start(Admin::new().max_memory_bytes(8 << 20).unwrap());
    let directory = Directory::new();
    let files = ["a.json", "b.pftrace", "c.tar"].map(|name| directory.file(name));
    let children = files.clone().map(|file| {
        let arguments = ["record", lost::ITEM.name(), "-o", &file, "--seconds", "10"];
        server.hotprobe(&arguments).spawn().unwrap()
    });
    eventually("they are attached", || lost::ITEM.probe_count() == 3);
    children.iter().for_each(|child| send("-STOP", child));
    let text = "x".repeat(200);
    (0..FIRED).for_each(|n| lost::ITEM.fire(n, &text));
    children.iter().for_each(|child| send("-CONT", child));
    for (child, file) in children.into_iter().zip(&files) {
        let told = ended(child);
        assert_eq!(told.code, Some(0), "{told:?}");
        let line = told.err.lines().find(|line| line.contains("LOST"));
        let line = line.unwrap_or_else(|| panic!("{told:?}"));
        let words: Vec<_> = line.split_whitespace().collect();
        let number = |word: &str| word.replace(',', "").parse::<u64>().unwrap();
        if *file == files[2] {
            assert_eq!(words[2], "firings", "{line}");
            assert!((1..=FIRED).contains(&number(words[1])), "{line}");
            continue;
        }
        assert_eq!(&words[1..3], ["100,000", "fired,"], "{line}");
        let (written, lost) = (number(words[3]), number(words[5]));
        assert!(lost > 0 && written + lost == FIRED, "{line}");
        if *file == files[0] {
            let trace = fs::read(file).unwrap();
            let value: serde_json::Value = serde_json::from_slice(&trace).unwrap();
            let records = value.as_array().unwrap().iter();
            let records = records.filter(|event| event["args"]["n"].is_u64()).count() as u64;
            assert_eq!(records + lost, FIRED, "{line}");
        }
    }
}

#[test]
fn a_server_that_goes_away_leaves_a_part() {
    let server = Server::start(Admin::new());
    let directory = Directory::new();
    let file = directory.file("trace.json");
    let arguments = [
        "record",
        killed::ITEM.name(),
        "-o",
        &file,
        "--seconds",
        "300",
    ];
    let child = server.hotprobe(&arguments).spawn().unwrap();
    eventually("it is attached", || killed::ITEM.is_enabled());
    let part = format!("{file}.part");
    eventually("something came", || {
        (0..100).for_each(|n| killed::ITEM.fire(n));
        std::thread::sleep(std::time::Duration::from_millis(5));
        fs::metadata(&part).is_ok_and(|part| part.len() > 0)
    });
    // Its runtime ends, and with it every connection.
    drop(server);
    ended(child).fails(
        1,
        &["the connection broke off", "that arrived are in ", &part],
    );
    assert_eq!(directory.names(), ["trace.json.part"]);
}

/// An address where nobody listens.
fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}/debug/probes", listener.local_addr().unwrap())
}

#[test]
fn a_part_that_is_there_stays_as_it_is() {
    let answer = |(kind, body): (&str, &str)| fake::saying(fake::answer("200 OK", kind, body));
    let json = "application/json";
    let (svg, folded) = (fake::latency("new"), fake::stacks("new"));
    let commands: [(&str, &[&str], (&str, &str)); 3] = [
        (
            "a.pftrace",
            &["record", "*"],
            ("application/octet-stream", "new"),
        ),
        ("b.svg", &["latency", "a", "b", "id"], (json, &svg)),
        ("c.folded", &["stacks", "a"], (json, &folded)),
    ];
    for (name, command, kind) in commands {
        let directory = Directory::new();
        let file = directory.file(name);
        let part = format!("{file}.part");
        fs::write(&part, "kept").unwrap();
        for url in [nobody(), answer(kind)] {
            let told = run(&[command, &["-o", &file, "--url", &url]].concat());
            told.fails(1, &[&format!("`{part}` exists")]);
            assert_eq!(fs::read_to_string(&part).unwrap(), "kept");
            assert_eq!(directory.names(), [format!("{name}.part")]);
        }
        // And where there is none, a server that is down leaves none.
        fs::remove_file(&part).unwrap();
        let told = run(&[command, &["-o", &file, "--url", &nobody()]].concat());
        told.fails(1, &["nobody listens"]);
        assert_eq!(directory.names(), [""; 0]);
        run(&[command, &["-o", &file, "--url", &answer(kind)]].concat()).out();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
    }
}

#[test]
#[cfg(unix)]
fn a_part_that_is_a_link_is_not_followed() {
    use std::os::unix::fs::symlink;
    let directory = Directory::new();
    let (file, target) = (directory.file("a.pftrace"), directory.file("target"));
    let part = format!("{file}.part");
    symlink(&target, &part).unwrap();
    let url = fake::saying(fake::answer("200 OK", "application/octet-stream", "new"));
    let arguments = ["record", "*", "-o", &file, "--url", &url];
    run(&arguments).fails(1, &["a.pftrace.part` exists"]);
    assert_eq!(directory.names(), ["a.pftrace.part"]);
    fs::write(&target, "precious").unwrap();
    run(&arguments).fails(1, &["a.pftrace.part` exists"]);
    assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
    assert!(fs::symlink_metadata(&part).unwrap().is_symlink());
}

#[test]
#[cfg(unix)]
fn a_file_keeps_its_permissions_and_a_link_leads_where_it_led() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let directory = Directory::new();
    let (file, link) = (directory.file("a.pftrace"), directory.file("link.pftrace"));
    symlink("a.pftrace", &link).unwrap();
    let url = fake::saying(fake::answer("200 OK", "application/octet-stream", "new"));
    let record = || run(&["record", "*", "-o", &link, "--url", &url]).out();
    // There is nothing yet where it leads.
    record();
    assert_eq!(fs::read_to_string(&file).unwrap(), "new");
    for mode in [0o600, 0o666] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        record();
        let found = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(found & 0o777, mode);
    }
    assert_eq!(directory.names(), ["a.pftrace", "link.pftrace"]);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
}

#[test]
fn two_recordings_do_not_share_a_part() {
    let server = Server::start(Admin::new());
    let directory = Directory::new();
    let file = directory.file("trace.json");
    let arguments = [
        "record",
        shared::ITEM.name(),
        "-o",
        &file,
        "--seconds",
        "300",
    ];
    let mut first = server.hotprobe(&arguments).spawn().unwrap();
    eventually("it is attached", || shared::ITEM.is_enabled());
    let short = ["record", shared::ITEM.name(), "-o", &file, "--seconds", "1"];
    let told = server.run(&short);
    if cfg!(target_os = "linux") {
        let writer = format!("the process {} is writing `{file}`", first.id());
        told.fails(1, &[&writer]);
    } else {
        told.fails(1, &["trace.json.part` exists"]);
    }
    assert_eq!(shared::ITEM.probe_count(), 1, "it asked nothing");
    assert_eq!(directory.names(), ["trace.json.part"]);
    first.kill().unwrap();
    first.wait().unwrap();
}

#[test]
fn a_file_that_was_written_meanwhile_is_not_overwritten() {
    let server = Server::start(Admin::new());
    let directory = Directory::new();
    let file = directory.file("trace.json");
    for before in [None, Some("the last one")] {
        if let Some(before) = before {
            fs::write(&file, before).unwrap();
        }
        let arguments = [
            "record",
            meanwhile::ITEM.name(),
            "-o",
            &file,
            "--seconds",
            "2",
        ];
        let child = server.hotprobe(&arguments).spawn().unwrap();
        eventually("it is attached", || meanwhile::ITEM.is_enabled());
        fs::write(&file, "of somebody else").unwrap();
        let part = format!("{file}.part");
        ended(child).fails(1, &[&format!("stays `{part}`"), "meanwhile"]);
        assert_eq!(fs::read_to_string(&file).unwrap(), "of somebody else");
        assert!(fs::read_to_string(&part).unwrap().ends_with("]\n"));
        fs::remove_file(&file).unwrap();
        fs::remove_file(&part).unwrap();
    }
}
