//! `hotprobe ps`: the processes that listen.

use crate::arguments::Ps;
use crate::color::{self, Paint};
use crate::duration::shown_uptime;
use crate::failure::{Failure, note};
use crate::output::{self, JSON_VERSION, shown};
use crate::processes::{self, Process};
use crate::table::{Cell, Column, known_width, table};
use serde_json::json;

pub(crate) fn run(options: &Ps) -> Result<(), Failure> {
    let processes = processes::all();
    if options.json {
        let json = json!({ "version": JSON_VERSION, "processes": processes });
        return output::text(&(output::shown_json(&json.to_string()) + "\n"));
    }
    if processes.is_empty() {
        note("no process of yours listens; a program does with `hotprobe_admin::listen()`");
    }
    let title = ["PID", "PROGRAM", "VERSION", "UPTIME", "EVENTS", "SESSIONS"];
    let title = title.map(|title| Cell::painted(title, Paint::Title));
    let rows: Vec<_> = std::iter::once(title)
        .chain(processes.iter().map(row))
        .collect();
    let columns = [
        Column::Right,
        Column::Wrapped,
        Column::Left,
        Column::Right,
        Column::Right,
        Column::Right,
    ];
    output::text(&table(columns, &rows, known_width(), color::of_output()))
}

fn row(process: &Process) -> [Cell; 6] {
    let pid = process.pid.to_string().into();
    let Some(about) = &process.about else {
        let none = || Cell::from("-");
        return [
            pid,
            Cell::painted("(no answer)", Paint::Alarm),
            none(),
            none(),
            none(),
            none(),
        ];
    };
    [
        pid,
        shown(&about.program).into(),
        about
            .version
            .as_deref()
            .map_or_else(|| "-".to_owned(), shown)
            .into(),
        shown_uptime(about.uptime_seconds).into(),
        about.events.to_string().into(),
        about.sessions.to_string().into(),
    ]
}
