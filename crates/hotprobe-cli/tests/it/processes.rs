//! Processes that listen on a socket of their own: `ps`, `-p`, `open`.

use super::{CommandOutput, TERMINATE, end_by, hotprobe, run, send};
use serde_json::Value;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use tempfile::TempDir;
use test_support::{CHILD, child, eventually};

hotprobe::event! {
    /// Fired by the subject.
    static STEP: fn(number: u64, route: &str);
}

const SUBJECT: &str = "processes::subject";

/// Not a test of its own: a program without async that listens, and fires until its standard input
/// ends.
#[test]
fn subject() {
    if std::env::var(CHILD).is_err() {
        return;
    }
    let admin = hotprobe_admin::Admin::new().version("1.2.3");
    let listening = admin.listen().unwrap();
    // (Not by `println!`, which libtest may capture.)
    writeln!(io::stdout(), "> {}", listening.path().unwrap().display()).unwrap();
    let fires = std::thread::spawn(|| {
        for number in 0.. {
            let route = if number % 2 == 0 { "/even" } else { "/odd" };
            hotprobe::fire!(STEP, number, route);
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    });
    let _ = io::stdin().read_to_end(&mut Vec::new());
    drop((listening, fires));
}

/// A folder of processes that listen.
struct Processes {
    folder: TempDir,
}

struct Process {
    child: Child,
    socket: PathBuf,
    _input: ChildStdin,
    _output: BufReader<ChildStdout>,
}

impl Processes {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Starts one; `name` is its program's.
    fn start(&self, name: &str) -> Process {
        // A link, so that it has this name.
        let program = self.folder.path().join(name);
        if !program.exists() {
            fs::hard_link(std::env::current_exe().unwrap(), &program)
                .or_else(|_| fs::copy(std::env::current_exe().unwrap(), &program).map(drop))
                .unwrap();
        }
        let test = child(SUBJECT);
        let mut child = Command::new(program)
            .args(test.get_args())
            .env(CHILD, SUBJECT)
            .env("HOTPROBE_DIR", self.folder.path())
            .env_remove("HOTPROBE_LISTEN")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let socket = loop {
            let mut line = String::new();
            assert!(
                output.read_line(&mut line).unwrap() > 0,
                "the process has ended"
            );
            if let Some((_, path)) = line.split_once("> ") {
                break PathBuf::from(path.trim_end());
            }
        };
        let input = child.stdin.take().unwrap();
        Process {
            child,
            socket,
            _input: input,
            _output: output,
        }
    }

    /// The program, which finds these processes and no others.
    fn hotprobe(&self, arguments: &[&str]) -> Command {
        let mut command = hotprobe(arguments);
        command.env("HOTPROBE_DIR", self.folder.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> CommandOutput {
        CommandOutput::of(self.hotprobe(arguments).output().unwrap())
    }
}

impl Process {
    fn pid(&self) -> String {
        self.child.id().to_string()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

#[test]
fn ps_lists_the_processes_that_listen() {
    let processes = Processes::new();
    let none = processes.run(&["ps"]);
    assert!(none.err.contains("hotprobe_admin::listen()"), "{none:?}");
    assert_eq!(none.out().lines().count(), 1);
    let (shop, bank) = (processes.start("shop"), processes.start("bank"));
    let out = processes.run(&["ps"]).out();
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines.len(), 3, "{out}");
    assert!(lines[0].trim_start().starts_with("PID  PROGRAM"), "{out}");
    for (process, name) in [(&shop, "shop"), (&bank, "bank")] {
        let line = lines.iter().find(|line| line.contains(name)).unwrap();
        let words: Vec<_> = line.split_whitespace().collect();
        assert_eq!(words[..3], [&process.pid(), name, "1.2.3"], "{out}");
    }
    let json: Value = serde_json::from_str(&processes.run(&["ps", "--json"]).out()).unwrap();
    assert_eq!(json["version"], 1);
    let listed = json["processes"].as_array().unwrap();
    assert_eq!(listed.len(), 2);
    assert!(
        listed
            .iter()
            .any(|process| process["pid"] == shop.child.id() && process["program"] == "shop")
    );
}

#[test]
fn a_process_is_queried_by_number_by_name_or_because_it_is_the_only_one() {
    let processes = Processes::new();
    processes
        .run(&["-p", "shop", "list"])
        .fails(1, &["none of yours listens"]);
    let shop = processes.start("shop");
    for arguments in [
        &["list"][..],
        &["-p", "shop", "list"],
        &["list", "-p", &shop.pid()],
        &["-p", "sho", "list"],
    ] {
        let out = processes.run(arguments).out();
        assert!(out.contains("processes::STEP"), "{arguments:?}: {out}");
    }
    let url = format!("unix:{}", shop.socket.display());
    assert!(
        run(&["--url", &url, "list"])
            .out()
            .contains("processes::STEP")
    );
    let other = processes.start("shopper");
    processes
        .run(&["list"])
        .fails(2, &["2 processes listen", &shop.pid(), "shopper", "`-p`"]);
    // A whole name counts more than a part, and a part of both is none.
    assert!(
        processes
            .run(&["-p", "shop", "list"])
            .out()
            .contains("STEP")
    );
    processes
        .run(&["-p", "sho", "list"])
        .fails(2, &["more than one process", &other.pid()]);
    processes
        .run(&["-p", "bank", "list"])
        .fails(1, &["no process `bank`", "shopper"]);
    processes
        .run(&["-p", "1", "list"])
        .fails(1, &["no process `1`"]);
    processes
        .run(&["-p", "shop", "--url", "a:1", "list"])
        .fails(2, &["cannot be used"]);
}

#[test]
fn every_verb_works_on_a_program_without_async() {
    let processes = Processes::new();
    let shop = processes.start("shop");
    let out = processes.run(&["tail", "*::STEP", "--limit", "5"]).out();
    assert_eq!(
        out.lines()
            .filter(|line| line.contains("/even") || line.contains("/odd"))
            .count(),
        5,
        "{out}"
    );
    let file = processes.folder.path().join("trace.pftrace");
    let recorded = processes.run(&[
        "record",
        "*::STEP",
        "--for",
        "300ms",
        "-o",
        file.to_str().unwrap(),
    ]);
    assert_eq!(recorded.code, Some(0), "{recorded:?}");
    assert!(fs::metadata(&file).unwrap().len() > 1000);
    assert!(
        processes
            .run(&["watch", "*::STEP", "--count", "1"])
            .out()
            .contains("STEP")
    );
    assert!(
        processes
            .run(&["stacks", "*::STEP", "--for", "300ms"])
            .out()
            .contains("subject")
    );
    // Ctrl-C detaches.
    let tail = processes
        .hotprobe(&["tail", "*::STEP", "--for", "60s"])
        .spawn()
        .unwrap();
    let probes = || processes.run(&["list", "--json"]).out();
    eventually("the tail is attached", || {
        probes().contains(r#""enabled":true"#) || probes().contains(r#""enabled": true"#)
    });
    end_by(TERMINATE, tail);
    eventually("the tail is detached", || {
        !probes().contains(r#""enabled":true"#)
    });
    drop(shop);
}

#[test]
fn what_a_killed_process_leaves_is_removed_and_one_that_is_stopped_does_not_answer() {
    let processes = Processes::new();
    let folder = processes.folder.path().join("hotprobe");
    let mut killed = processes.start("killed");
    killed.child.kill().unwrap();
    killed.child.wait().unwrap();
    assert_eq!(files(&folder), 2);
    assert_eq!(processes.run(&["ps"]).out().lines().count(), 1);
    assert_eq!(files(&folder), 0);
    let stopped = processes.start("stopped");
    send("-STOP", &stopped.child);
    let out = processes.run(&["ps"]).out();
    assert!(
        out.contains("(no answer)") && out.contains(&stopped.pid()),
        "{out}"
    );
    send("-CONT", &stopped.child);
    assert!(processes.run(&["ps"]).out().contains("stopped"));
}

#[test]
fn open_shows_the_page_under_an_address_that_cannot_be_guessed() {
    let processes = Processes::new();
    let shop = processes.start("shop");
    let mut open = processes
        .hotprobe(&["open", "--no-browser"])
        .spawn()
        .unwrap();
    let mut address = String::new();
    BufReader::new(open.stdout.take().unwrap())
        .read_line(&mut address)
        .unwrap();
    let (place, path) = address
        .trim_end()
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let get = |path: &str, more: &str| {
        let mut stream = TcpStream::connect(place).unwrap();
        write!(
            stream,
            "GET /{path} HTTP/1.1\r\nHost: {place}\r\n{more}\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let page = get(path, "");
    assert!(
        page.starts_with("HTTP/1.1 200") && page.contains("<html"),
        "{page}"
    );
    assert!(get(&format!("{path}events"), "").contains("processes::STEP"));
    // Nothing without the secret, and nothing for another site's page.
    assert!(get("debug/probes/events", "").starts_with("HTTP/1.1 404"));
    assert!(
        get(&format!("{path}events"), "Origin: http://evil.example\r\n")
            .starts_with("HTTP/1.1 403")
    );
    // A stream arrives while it is made, and ends with its client.
    let mut tail = TcpStream::connect(place).unwrap();
    write!(
        tail,
        "GET /{path}tail?match=*::STEP&seconds=60 HTTP/1.1\r\nHost: {place}\r\n\r\n"
    )
    .unwrap();
    let mut lines = BufReader::new(tail.try_clone().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("/odd")));
    drop((lines, tail));
    eventually("the tail is detached", || {
        !get(&format!("{path}events"), "")
            .replace(' ', "")
            .contains(r#""enabled":true"#)
    });
    end_by(TERMINATE, open);
    drop(shop);
}

#[test]
fn numbers_and_names_of_processes_are_completed() {
    let processes = Processes::new();
    let shop = processes.start("shop");
    assert_eq!(processes.run(&["complete-process", "sh"]).out(), "shop\n");
    assert_eq!(
        processes.run(&["complete-process", &shop.pid()]).out(),
        format!("{}\n", shop.pid())
    );
    assert_eq!(processes.run(&["complete-process", "x"]).out(), "");
}
