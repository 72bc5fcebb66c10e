//! README's table of costs: the rows of the tables in `docs::performance` that most readers want.

use crate::recorders::nanoseconds;
use crate::values::Values;
use std::fmt::Write;

/// A cell: the name of a value, and the text about it.
type Cell = (&'static str, &'static str);

const ROWS: [(&str, [&[Cell]; 4]); 4] = [
    (
        "an event that is off",
        [
            &[("off", "")],
            &[
                ("tracing_off", "without a subscriber"),
                ("tracing_other", "with another target on"),
            ],
            &[("lttng_off", "")],
            &[("log_off", "by `log`")],
        ],
    ),
    (
        "an event with one probe that does nothing",
        [
            &[("fire_1", "")],
            &[("tracing_nothing", "with a subscriber that does nothing")],
            &[
                ("lttng_noop", ""),
                ("lttng_noop_inlined", "with liburcu inlined"),
            ],
            &[("arc_swap", "by `arc-swap` + `Vec`")],
        ],
    ),
    (
        "attach + detach",
        [
            &[("attach_detach_0", "with captures dropped")],
            &[("reload_pair", "by reload, twice")],
            &[("lttng_change", "")],
            &[(
                "arc_swap_pair",
                "by `arc-swap` + `Vec`, with captures dropped later",
            )],
        ],
    ),
    (
        "record one `u64`, clock included, 1000 in a row and then a pause",
        [
            &[("ours_tsc_number_paced", "")],
            &[("tracing_chrome_number_paced", "by `tracing-chrome`")],
            &[("lttng_number_paced", "")],
            &[
                ("ticklog_number_paced", "by `ticklog`"),
                ("backbeat_number_paced", "by `backbeat`"),
                ("dial9_number_paced", "by `dial9`"),
                ("fastrace_number_paced", "for a span of `fastrace`"),
            ],
        ],
    ),
];

/// Returns the table.
pub(crate) fn markdown(values: &Values) -> String {
    let mut text =
        String::from("| | hotprobe | `tracing` | LTTng-UST | others |\n|---|---|---|---|---|\n");
    for (what, cells) in ROWS {
        let _ = write!(text, "| {what} |");
        for cell in cells {
            let parts = cell.iter().map(|(name, said)| {
                let figure = values.best(name);
                let unit = if figure.is_some() { " ns" } else { "" };
                let digits = match figure {
                    Some(figure) if figure < 1.0 => format!("{figure:.2}"),
                    _ => nanoseconds(figure),
                };
                format!("{digits}{unit} {said}").trim_end().to_owned()
            });
            let _ = write!(text, " {} |", parts.collect::<Vec<_>>().join(", "));
        }
        text.push('\n');
    }
    text
}
