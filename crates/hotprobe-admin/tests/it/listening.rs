//! A process that listens on its own socket: who finds it, who is answered, what it leaves behind.

use hotprobe_admin::listen;
use serde_json::Value;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use test_support::system::{in_child, in_child_of_user};
use test_support::{CHILD, child, eventually, isolated};

hotprobe::event! {
    /// Fired by the subject.
    static FIRED: fn(number: u64);
}

/// A user that owns nothing here.
const NOBODY: u32 = 65534;
const SUBJECT: &str = "listening::subject";

/// Not a test of its own: the program that the tests start. It listens, and follows the orders
/// on its standard input.
#[test]
fn subject() {
    if std::env::var(CHILD).is_err() {
        return;
    }
    let mut listening = match listen() {
        Ok(listening) => Some(listening),
        Err(error) => return say(&format!("error: {error}")),
    };
    let path = |listening: &hotprobe_admin::Listening| {
        listening.path().map_or(PathBuf::new(), Path::to_owned)
    };
    say(&path(listening.as_ref().unwrap()).display().to_string());
    for line in io::stdin().lines() {
        match line.unwrap().as_str() {
            "drop" => drop(listening.take()),
            "again" => match listen() {
                Ok(_) => say("a second one"),
                Err(error) => say(&error.to_string()),
            },
            "fork" => {
                // The child has copies of the guard and the socket; then it listens itself.
                let code = in_child(|| {
                    let parents = path(listening.as_ref().unwrap());
                    drop(listening.take());
                    let Ok(own) = listen() else { return 1 };
                    let own = path(&own);
                    let both = get(&parents, "/stats").is_ok() && get(&own, "/stats").is_ok();
                    i32::from(!both || own == parents || !parents.exists())
                });
                say(&format!("the child says {code}"));
            }
            "exec" => {
                let error = Command::new("/bin/sh")
                    .args(["-c", "echo executed; cat"])
                    .exec();
                say(&error.to_string());
            }
            "leave a child" => {
                // (Without the test's output, whose reader would wait for it.)
                let mut command = Command::new("/bin/sh");
                command.args(["-c", "sleep 60"]);
                command
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .stderr(Stdio::null());
                let sleeper = command.spawn().unwrap();
                say(&sleeper.id().to_string());
                drop(sleeper);
            }
            "fire" => {
                hotprobe::fire!(FIRED, 7);
                say("fired");
            }
            other => say(&format!("what is {other}?")),
        }
        say("done");
    }
}

fn say(line: &str) {
    // (Not by `println!`, which libtest may capture.)
    let mut out = io::stdout().lock();
    writeln!(out, "> {line}").unwrap();
    out.flush().unwrap();
}

/// The subject, running.
struct Subject {
    process: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// What it said first: the socket's path, or an error.
    first: String,
}

impl Subject {
    fn start(change: impl FnOnce(&mut Command)) -> Self {
        let mut command = child(SUBJECT);
        command
            .env_remove("HOTPROBE_DIR")
            .env_remove("HOTPROBE_LISTEN");
        change(&mut command);
        Self::run(command)
    }

    fn run(mut command: Command) -> Self {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        let orders = process.stdin.take();
        let mut subject = Self {
            process,
            orders,
            answers,
            first: String::new(),
        };
        subject.first = subject.line();
        subject
    }

    fn in_folder(folder: &Path) -> Self {
        Self::start(|command| {
            command.env("HOTPROBE_DIR", folder);
        })
    }

    fn line(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(
                self.answers.read_line(&mut line).unwrap() > 0,
                "the subject has ended"
            );
            // (libtest writes the test's name before the first.)
            if let Some((_, said)) = line.split_once("> ") {
                return said.trim_end().to_owned();
            }
            if line.contains("executed") {
                return "executed".to_owned();
            }
        }
    }

    fn order(&mut self, order: &str) -> String {
        writeln!(self.orders.as_mut().unwrap(), "{order}").unwrap();
        self.line()
    }

    fn socket(&self) -> PathBuf {
        assert!(self.first.starts_with('/'), "{}", self.first);
        PathBuf::from(&self.first)
    }

    fn end(mut self) {
        drop(self.orders.take());
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Asks the server at a socket.
fn get(socket: &Path, path: &str) -> io::Result<String> {
    exchange(
        socket,
        &format!(
            "GET /debug/probes{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        ),
    )
}

fn exchange(socket: &Path, request: &str) -> io::Result<String> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// The JSON of an answer that is 200.
#[track_caller]
fn json(answer: &str) -> Value {
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error} in {answer}"))
}

fn files(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_program_without_async_is_listed_tailed_and_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let mut subject = Subject::in_folder(folder.path());
    let socket = subject.socket();
    let pid = subject.process.id();
    assert_eq!(socket, folder.path().join(format!("hotprobe/{pid}.sock")));
    assert_eq!(json(&get(&socket, "/stats").unwrap())["pid"], pid);
    let events = json(&get(&socket, "/events?match=*::listening::FIRED").unwrap());
    assert_eq!(events["events"][0]["parameters"][0]["name"], "number");
    // A tail sees what is fired, while the program's only thread is elsewhere.
    let tail = std::thread::spawn({
        let socket = socket.clone();
        move || {
            get(
                &socket,
                "/tail?match=*::listening::FIRED&limit=1&seconds=60",
            )
            .unwrap()
        }
    });
    eventually("the tail is attached", || {
        json(&get(&socket, "/events?match=*::listening::FIRED").unwrap())["events"][0]["enabled"]
            == true
    });
    assert_eq!(subject.order("fire"), "fired");
    let tail = tail.join().unwrap();
    assert!(tail.contains(r#""values":{"number":7}"#), "{tail}");
    // Its root leads to the page.
    let root = exchange(
        &socket,
        "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    )
    .unwrap();
    assert!(
        root.contains("307") && root.contains("/debug/probes"),
        "{root}"
    );
    subject.end();
}

#[test]
fn its_files_are_for_its_user_alone_and_go_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut subject = Subject::in_folder(folder.path());
    let socket = subject.socket();
    let inner = folder.path().join("hotprobe");
    assert_eq!(fs::metadata(&inner).unwrap().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(&socket).unwrap().mode() & 0o777, 0o600);
    assert_eq!(files(&inner).len(), 2);
    assert!(subject.order("again").contains("listens already"));
    subject.line();
    assert!(get(&socket, "/stats").is_ok(), "the first one continues");
    subject.order("drop");
    assert_eq!(files(&inner), [""; 0]);
    // And once dropped, a process can listen again.
    assert_eq!(subject.order("again"), "a second one");
    subject.end();
}

#[test]
fn what_a_killed_process_left_is_removed_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("hotprobe");
    let mut killed = Subject::in_folder(folder.path());
    // A child that it leaves behind does not keep the socket.
    let left = killed.order("leave a child");
    killed.process.kill().unwrap();
    killed.process.wait().unwrap();
    assert_eq!(files(&inner).len(), 2, "it could not remove them");
    let alive = Subject::in_folder(folder.path());
    let next = Subject::in_folder(folder.path());
    let names = files(&inner);
    assert_eq!(names.len(), 4, "{names:?}");
    assert!(
        !names
            .iter()
            .any(|name| name.starts_with(&format!("{}.", killed.process.id())))
    );
    assert!(
        get(&alive.socket(), "/stats").is_ok(),
        "a living one's is not removed"
    );
    assert!(get(&next.socket(), "/stats").is_ok());
    let ended = Command::new("kill").arg(left).status().unwrap();
    assert!(ended.success(), "it has lived until now");
}

#[test]
fn a_forked_child_serves_nothing_of_its_parents_and_may_listen_itself() {
    let folder = tempfile::tempdir().unwrap();
    let mut subject = Subject::in_folder(folder.path());
    assert_eq!(subject.order("fork"), "the child says 0");
    assert_eq!(
        json(&get(&subject.socket(), "/stats").unwrap())["pid"],
        subject.process.id()
    );
    subject.line();
    subject.end();
}

#[test]
fn after_an_exec_the_socket_is_stale() {
    let folder = tempfile::tempdir().unwrap();
    let mut subject = Subject::in_folder(folder.path());
    let socket = subject.socket();
    assert_eq!(subject.order("exec"), "executed");
    let error = get(&socket, "/stats").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    let next = Subject::in_folder(folder.path());
    assert!(!socket.exists(), "the next one has removed it");
    assert!(next.socket().exists());
}

#[test]
#[cfg(target_os = "linux")]
fn two_containers_that_share_the_folder_do_not_take_each_others_sockets() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("hotprobe");
    // Each is process 1 where it runs.
    let contained = || {
        let mut command = Command::new("unshare");
        command
            .args(["--pid", "--fork", "--mount-proc", "--kill-child"])
            .arg(std::env::current_exe().unwrap())
            .args([SUBJECT, "--exact", "--nocapture", "--test-threads=1"])
            .env(CHILD, SUBJECT)
            .env("HOTPROBE_DIR", folder.path())
            .env_remove("HOTPROBE_LISTEN");
        command
    };
    let allowed = Command::new("unshare")
        .args(["--pid", "--fork", "--mount-proc", "true"])
        .output();
    if !allowed.is_ok_and(|output| output.status.success()) {
        println!("skipped: no namespace of processes may be made here");
        return;
    }
    let first = Subject::run(contained());
    let second = Subject::run(contained());
    assert_eq!(first.socket(), inner.join("1.sock"));
    assert_eq!(second.socket(), inner.join("1-1.sock"));
    for subject in [&first, &second] {
        assert_eq!(json(&get(&subject.socket(), "/stats").unwrap())["pid"], 1);
    }
    // One that ends takes its own files only.
    first.end();
    assert_eq!(files(&inner), ["1-1.lock", "1-1.sock"]);
    assert!(get(&second.socket(), "/stats").is_ok());
}

#[test]
fn another_user_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let subject = Subject::in_folder(folder.path());
    let socket = subject.socket();
    // The folder is closed to them.
    let Some(code) = in_child_of_user(NOBODY, || match UnixStream::connect(&socket) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => 0,
        _ => 1,
    }) else {
        println!("skipped: only root can try it as another user");
        return;
    };
    assert_eq!(code, 0);
    // And where somebody has opened folder and socket, the kernel says who asks.
    let open = folder.path().join("open.sock");
    let path = open.clone();
    let subject = Subject::start(move |command| {
        command.env("HOTPROBE_LISTEN", path);
    });
    assert_eq!(subject.socket(), open);
    fs::set_permissions(&open, fs::Permissions::from_mode(0o666)).unwrap();
    let code = in_child_of_user(NOBODY, || {
        let answer = get(&open, "/events").unwrap_or_default();
        i32::from(
            !(answer.starts_with("HTTP/1.1 403") && answer.contains("a process of user 65534")),
        )
    });
    assert_eq!(code, Some(0));
    assert!(get(&open, "/events").unwrap().starts_with("HTTP/1.1 200"));
}

#[test]
fn a_variable_turns_it_off_or_names_the_socket() {
    let folder = tempfile::tempdir().unwrap();
    let off = Subject::start(|command| {
        command
            .env("HOTPROBE_DIR", folder.path())
            .env("HOTPROBE_LISTEN", "off");
    });
    assert_eq!(off.first, "");
    assert_eq!(files(folder.path()), [""; 0]);
    let path = folder.path().join("named");
    let at = |path: &Path| {
        let path = path.to_owned();
        Subject::start(move |command| {
            command.env("HOTPROBE_LISTEN", path);
        })
    };
    let mut named = at(&path);
    assert!(get(&path, "/stats").is_ok());
    let second = at(&path);
    assert!(
        second.first.contains("cannot listen at") && second.first.contains("in use"),
        "{}",
        second.first
    );
    named.process.kill().unwrap();
    named.process.wait().unwrap();
    // The socket that it left is taken over; a file of another kind is not.
    assert!(get(&at(&path).socket(), "/stats").is_ok());
    let file = folder.path().join("file");
    fs::write(&file, "precious").unwrap();
    assert!(at(&file).first.contains("exists"), "{}", at(&file).first);
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
}

#[test]
fn a_folder_that_cannot_be_used_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Subject::in_folder(&folder.path().join("missing"));
    assert!(
        missing.first.contains("missing") && missing.first.contains("HOTPROBE_DIR"),
        "{}",
        missing.first
    );
    // A link that somebody put there is not followed.
    let elsewhere = tempfile::tempdir().unwrap();
    symlink(elsewhere.path(), folder.path().join("hotprobe")).unwrap();
    let linked = Subject::in_folder(folder.path());
    assert!(
        linked.first.starts_with("error: the folder"),
        "{}",
        linked.first
    );
    assert_eq!(files(elsewhere.path()), [""; 0]);
    // Nor is a folder of somebody else's used.
    let others = tempfile::tempdir().unwrap();
    let inner = others.path().join("hotprobe");
    fs::create_dir(&inner).unwrap();
    if std::os::unix::fs::chown(&inner, Some(NOBODY), None).is_ok() {
        let subject = Subject::in_folder(others.path());
        assert!(
            subject.first.contains("belongs to user 65534"),
            "{}",
            subject.first
        );
    }
    // A folder that was open to others is closed.
    let open = tempfile::tempdir().unwrap();
    let inner = open.path().join("hotprobe");
    fs::create_dir(&inner).unwrap();
    fs::set_permissions(&inner, fs::Permissions::from_mode(0o777)).unwrap();
    let subject = Subject::in_folder(open.path());
    assert!(subject.socket().exists());
    assert_eq!(fs::metadata(&inner).unwrap().mode() & 0o777, 0o700);
}

#[test]
fn without_a_session_of_its_own_the_folder_is_in_tmp_or_in_run() {
    let subject = Subject::start(|command| {
        command.env_remove("XDG_RUNTIME_DIR");
    });
    let socket = subject.socket();
    let usual = ["/run/user/", "/tmp/hotprobe-"];
    assert!(
        usual
            .iter()
            .any(|base| socket.starts_with(base) || subject.first.starts_with(base)),
        "{socket:?}"
    );
    assert!(get(&socket, "/stats").is_ok());
    // An empty variable is none, and a folder that is not there is passed over.
    for value in ["", "/nonexistent"] {
        let subject = Subject::start(|command| {
            command.env("XDG_RUNTIME_DIR", value);
        });
        assert!(get(&subject.socket(), "/stats").is_ok(), "{value}");
    }
    let session = tempfile::tempdir().unwrap();
    let subject = Subject::start(|command| {
        command.env("XDG_RUNTIME_DIR", session.path());
    });
    assert!(subject.socket().starts_with(session.path()));
}

#[test]
#[cfg(target_os = "linux")]
fn a_path_may_be_longer_than_an_address_has_room_for() {
    let folder = tempfile::tempdir().unwrap();
    let long = folder.path().join("f".repeat(120)).join("g".repeat(120));
    fs::create_dir_all(&long).unwrap();
    let subject = Subject::in_folder(&long);
    let socket = subject.socket();
    assert!(socket.as_os_str().len() > 240 && socket.exists());
    // (A client needs a shorter one, too.)
    let link = folder.path().join("short");
    symlink(socket.parent().unwrap(), &link).unwrap();
    let short = link.join(socket.file_name().unwrap());
    assert!(get(&short, "/stats").is_ok());
    subject.end();
    assert!(!socket.exists());
}

#[test]
#[cfg(target_os = "linux")]
fn on_a_full_disk_it_is_an_error_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=64k,nr_inodes=2", "none"])
        .arg(folder.path())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !mounted {
        println!("skipped: no file system may be mounted here");
        return;
    }
    // Two inodes: the root's and `hotprobe`'s; none for the lock.
    let subject = Subject::in_folder(folder.path());
    let first = subject.first.clone();
    drop(subject);
    let left = files(&folder.path().join("hotprobe"));
    assert!(
        Command::new("umount")
            .arg(folder.path())
            .status()
            .unwrap()
            .success()
    );
    assert!(first.contains("No space left"), "{first}");
    assert_eq!(left, [""; 0]);
}

#[test]
fn its_thread_gets_no_signals_and_its_sessions_end_with_it() {
    isolated(
        "listening::its_thread_gets_no_signals_and_its_sessions_end_with_it",
        || {
            let listening = listen().unwrap();
            let path = listening.path().unwrap().to_owned();
            #[cfg(target_os = "linux")]
            {
                // (A thread gives itself its name, soon after it has started.)
                eventually("the thread has its name", || {
                    thread_status("hotprobe-admin", "SigBlk").is_some()
                });
                let blocked = thread_status("hotprobe-admin", "SigBlk").unwrap();
                let bit = |signal: u32| 1_u64 << (signal - 1);
                let (int, term, segv) = (2, 15, 11);
                assert_eq!(blocked & bit(int), bit(int));
                assert_eq!(blocked & bit(term), bit(term));
                assert_eq!(blocked & bit(segv), 0, "its own faults' are not blocked");
            }
            // A client that does not read does not hold it up.
            let mut stalled = UnixStream::connect(&path).unwrap();
            let request =
                "GET /debug/probes/tail?match=*&seconds=60 HTTP/1.1\r\nHost: localhost\r\n\r\n";
            stalled.write_all(request.as_bytes()).unwrap();
            eventually("the tail is attached", || FIRED.is_enabled());
            // Nor does one that does not read what no session sends it.
            let mut unread = UnixStream::connect(&path).unwrap();
            let page = "GET /debug/probes/ HTTP/1.1\r\nHost: localhost\r\n\r\n";
            unread.write_all(page.repeat(100).as_bytes()).unwrap();
            let mut waits = 0;
            loop {
                let before =
                    std::mem::replace(&mut waits, rustix::io::ioctl_fionread(&unread).unwrap());
                if waits > 0 && waits == before {
                    break; // The socket's buffer is full.
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            let (done, ended) = mpsc::channel();
            let ending = std::thread::spawn(move || {
                let begin = Instant::now();
                drop(listening);
                done.send(begin.elapsed()).unwrap();
            });
            // (A minute is forever.)
            let took = ended.recv_timeout(Duration::from_secs(60));
            println!("dropped within {:?}", took.expect("it is held up"));
            ending.join().unwrap();
            assert!(!FIRED.is_enabled());
            assert!(!path.exists());
            let mut rest = String::new();
            stalled.read_to_string(&mut rest).unwrap();
            assert!(rest.contains("shutdown"), "{rest}");
        },
    );
}

/// A number in hex of a thread's status; `None` if no thread has this name.
#[cfg(target_os = "linux")]
fn thread_status(name: &str, field: &str) -> Option<u64> {
    for task in fs::read_dir("/proc/self/task").unwrap().flatten() {
        let status = fs::read_to_string(task.path().join("status")).unwrap_or_default();
        let value = |field: &str| {
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix(field)?.strip_prefix(":\t"));
            line.unwrap_or_default().to_owned()
        };
        if value("Name") == name {
            return u64::from_str_radix(&value(field), 16).ok();
        }
    }
    None
}
