//! `hotprobe man`: the manual pages.

use crate::arguments::{Arguments, Man};
use crate::failure::Failure;
use crate::output::{self, shown};
use clap::{Command, CommandFactory as _};
use clap_mangen::Man as Page;
use std::fs;

pub(crate) fn run(options: &Man) -> Result<(), Failure> {
    let mut root = Arguments::command();
    root.build();
    let pages = pages(&root);
    if let Some(directory) = &options.dir {
        for (name, page) in pages {
            let path = directory.join(format!("{name}.1"));
            fs::write(&path, page).map_err(|error| {
                let path = shown(&path.to_string_lossy());
                Failure::failed(format!("cannot write `{path}`: {error}"))
            })?;
        }
        return Ok(());
    }
    let wanted = options.command.as_ref();
    let wanted = wanted.map_or_else(|| "hotprobe".to_owned(), |name| format!("hotprobe-{name}"));
    let found = pages.iter().find(|(name, _)| *name == wanted);
    let Some((_, page)) = found else {
        let names: Vec<_> = pages
            .iter()
            .filter_map(|(name, _)| name.strip_prefix("hotprobe-"))
            .collect();
        return Err(Failure::usage(format!(
            "there is no command `{}`; expected one of {}",
            shown(wanted.trim_start_matches("hotprobe-")),
            names.join(", ")
        )));
    };
    output::bytes(page)
}

/// Returns the name and the text of each page: of the program, and of its commands.
fn pages(root: &Command) -> Vec<(String, Vec<u8>)> {
    let commands = root
        .get_subcommands()
        .filter(|command| !command.is_hide_set() && command.get_name() != "help");
    std::iter::once(root)
        .chain(commands)
        .map(|command| {
            let name = command.get_display_name().unwrap_or("hotprobe").to_owned();
            let mut text = Vec::new();
            // (A `Vec` can always be written to.)
            let _ = Page::new(command.clone()).render(&mut text);
            (name, text)
        })
        .collect()
}
