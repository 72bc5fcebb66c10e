//! The program `hotprobe`: `/debug/probes` of a running server, from a terminal. (Feature `cli`.)
//!
//! ```text
//! $ hotprobe list
//! $ hotprobe list --json 'shop::*'
//! $ hotprobe watch 'shop::*'
//! $ hotprobe watch 'shop::*' --top 10 --interval 5 --count 12
//! $ hotprobe tail shop::orders::PLACED --limit 20
//! $ hotprobe tail 'shop::*' --seconds 5 --rate 1000 --json
//! $ hotprobe record 'shop::*' --seconds 10 -o orders.pftrace
//! $ hotprobe record --slice order,shop::orders::PLACED,shop::orders::FILLED,id -o orders.json
//! $ hotprobe latency shop::orders::PLACED shop::orders::FILLED id --label symbol
//! $ hotprobe latency shop::orders::PLACED shop::orders::FILLED id -o orders.svg
//! $ hotprobe stacks shop::orders::PLACED -o placed.pb.gz
//! $ hotprobe completions bash
//! ```
//!
//! `hotprobe help` tells of each, and of its options. What an event's name or a pattern may be, for how long something may
//! be attached, how many may be at once: all that is the server's to say, and what it refuses, it refuses in its own words.
//!
//! # Which server
//!
//! The one at `--url`, or else in the variable `HOTPROBE_URL`, or else at `http://127.0.0.1:9000/debug/probes`. It is asked
//! directly: no proxy, no redirect. TLS is not spoken, so that the program stays small; what is behind TLS is on
//! another machine, and its own port is reached through `ssh -L 9000:127.0.0.1:9000 MACHINE`, as if it were here.
//!
//! Where the server has a token, it is read from `--token-file FILE`, or from the variable `HOTPROBE_TOKEN`. There is no
//! `--token`: everybody on a machine can read the command lines of all its processes.
//!
//! # What it prints
//!
//! What was asked for, and nothing else, on standard output. On standard error: what was lost or cut short, where a file
//! is, and on a terminal a bar that shows how far it is. With `--json`, one JSON document (`list`, `latency`), or one a line
//! (`tail`, `watch`); all but the last as the server says it.
//!
//! | | |
//! |---|---|
//! | `list` | sorted by name; a probe without a name is `?` |
//! | `watch` | on a terminal, a table that is redrawn, of as many rows as fit (`--top`: the busiest); else, lines: the time, how often a second, the event |
//! | `tail` | seconds since it began, the event, its parameters; `(redacted)` is what does not leave the server |
//!
//! A server is not trusted with the terminal: control characters, and those that turn around how text reads, are
//! written as escapes, `\u{1b}`, in JSON `\u001b`. Files have what the server sends, byte by byte.
//!
//! # Files
//!
//! A file appears under its name when it is whole, and takes the place of one that was there. Until then, what came is
//! in `FILE.part`. That stays if the connection breaks, or at Ctrl-C: of Perfetto's format and Chrome's, it opens to that
//! point. The ending tells the format:
//!
//! | | |
//! |---|---|
//! | `record` | `.pftrace` or `.perfetto-trace`, `.json` (Chrome), `.tar` (CTF); or `--format` |
//! | `latency` | `.svg`, `.hlog` (HDR histogram log), `.json`, `.txt` |
//! | `stacks` | `.pb.gz` or `.pprof`, `.svg` (flame graph), `.folded` |
//!
//! # How it ends
//!
//! | exit code | |
//! |---|---|
//! | 0 | all is well; also when whoever read the output had enough (`hotprobe list \| head -1`) |
//! | 1 | the server refused, failed, shut down or went away; a file, or the output, could not be written |
//! | 2 | the command line, or a variable, says what cannot be meant |
//!
//! Ctrl-C ends it as any program, by the signal. However it ends, the server notices that nobody listens any more,
//! and detaches.
