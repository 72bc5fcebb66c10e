//! Tables that fit the terminal: a cell that is too long continues below.

use crate::color::Paint;
use console::{Term, measure_text_width};
use std::env;
use std::io::{self, IsTerminal as _};

/// The width where neither a terminal nor `COLUMNS` gives one.
const USUAL: usize = 80;
/// The least width of a table: less is not a terminal's.
const LEAST: usize = 20;
/// How narrow a column may become whose cells continue below.
const NARROW: usize = 8;
const GAP: usize = 2;

/// Returns the width of the terminal that standard output is, or of `COLUMNS`.
pub(crate) fn known_width() -> Option<usize> {
    let of_terminal = || {
        let (_, columns) = Term::stdout().size_checked()?;
        (io::stdout().is_terminal() && columns > 0).then_some(usize::from(columns))
    };
    let of_variable = || {
        let columns = env::var("COLUMNS").ok()?;
        columns.trim().parse().ok().filter(|&columns| columns > 0)
    };
    let width: Option<usize> = of_terminal().or_else(of_variable);
    width.map(|width| width.max(LEAST))
}

/// Returns the width that tables have to fit: [`known_width`], or 80.
pub(crate) fn width() -> usize {
    known_width().unwrap_or(USUAL)
}

/// How a column's cells are aligned, and whether they may continue below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Left,
    Right,
    /// On the left; a cell that is too long continues below.
    Wrapped,
}

/// A cell: its text, which has no control characters, and its colour.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    paint: Option<Paint>,
}

impl Cell {
    pub(crate) fn painted(text: impl Into<String>, paint: Paint) -> Self {
        Self {
            text: text.into(),
            paint: Some(paint),
        }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self {
            text: text.into(),
            paint: None,
        }
    }
}

/// Aligns rows in columns with two spaces between, in at most `width` columns of the terminal.
pub(crate) fn table<const N: usize>(
    columns: [Column; N],
    rows: &[[Cell; N]],
    width: Option<usize>,
    is_colored: bool,
) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(measure_text_width(&cell.text));
        }
    }
    if let Some(width) = width {
        narrow(&mut widths, &columns, width);
    }
    let mut table = String::new();
    for row in rows {
        let cells: Vec<_> = (0..N)
            .map(|index| match columns[index] {
                Column::Wrapped => wrapped(&row[index].text, widths[index]),
                Column::Left | Column::Right => vec![row[index].text.clone()],
            })
            .collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        for line in 0..height {
            let mut text = String::new();
            // Spaces are written when something follows: no line ends with one.
            let mut owed = 0;
            for (index, cell) in cells.iter().enumerate() {
                let piece = cell.get(line).map_or("", String::as_str);
                let free = widths[index].saturating_sub(measure_text_width(piece));
                let (before, after) = match columns[index] {
                    Column::Right => (free, 0),
                    Column::Left | Column::Wrapped => (0, free),
                };
                if piece.is_empty() {
                    owed += widths[index] + GAP;
                    continue;
                }
                text += &" ".repeat(owed + before);
                text += &row[index]
                    .paint
                    .map_or_else(|| piece.to_owned(), |paint| paint.on(piece, is_colored));
                owed = after + GAP;
            }
            table += &text;
            table.push('\n');
        }
    }
    table
}

/// Narrows the widest of the columns that may be, until all fit.
fn narrow<const N: usize>(widths: &mut [usize; N], columns: &[Column; N], width: usize) {
    loop {
        let sum = widths.iter().sum::<usize>() + GAP * N.saturating_sub(1);
        let over = sum.saturating_sub(width);
        let widest = (0..N)
            .filter(|&index| columns[index] == Column::Wrapped && widths[index] > NARROW)
            .max_by_key(|&index| widths[index]);
        let (true, Some(widest)) = (over > 0, widest) else {
            return;
        };
        // One at a time: columns that are as wide share what is missing.
        widths[widest] -= 1;
    }
}

/// Splits a text into lines of at most `width` columns: behind a space or a separator if one is in
/// the second half of the line, otherwise anywhere.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    let width = width.max(2);
    for character in text.chars() {
        let mut buffer = [0; 4];
        let columns = measure_text_width(character.encode_utf8(&mut buffer));
        if used + columns > width {
            let rest = if character == ' ' {
                String::new()
            } else {
                split_off_word(&mut line, width)
            };
            lines.push(std::mem::replace(&mut line, rest).trim_end().to_owned());
            used = measure_text_width(&line);
            if line.is_empty() && character == ' ' {
                continue;
            }
        }
        line.push(character);
        used += columns;
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Takes the word that the line ends with from it, if that leaves half of the line.
fn split_off_word(line: &mut String, width: usize) -> String {
    let is_break = |character: char| {
        matches!(
            character,
            ' ' | ':' | '/' | ',' | '-' | '_' | '.' | '?' | '&'
        )
    };
    let Some((at, character)) = line
        .char_indices()
        .rfind(|&(_, character)| is_break(character))
    else {
        return String::new();
    };
    let at = at + character.len_utf8();
    if measure_text_width(&line[..at]) * 2 < width {
        return String::new();
    }
    line.split_off(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows<const N: usize>(rows: &[[&str; N]]) -> Vec<[Cell; N]> {
        rows.iter().map(|row| row.map(Cell::from)).collect()
    }

    #[test]
    fn columns_are_aligned() {
        let rows = rows(&[["é", "1", "x"], ["bcd", "20", ""], ["表", "", "y"]]);
        let columns = [Column::Left, Column::Right, Column::Left];
        let table = table(columns, &rows, None, false);
        assert_eq!(table, "é     1  x\nbcd  20\n表       y\n");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_and_nothing_is_left_out() {
        let long = "shop::orders::matching::PARTIALLY_FILLED";
        let parameters = "id: u64, symbol: &str, token: &str (redacted), price: f64";
        let rows = rows(&[["EVENT", "N", "PARAMETERS"], [long, "12", parameters]]);
        let columns = [Column::Wrapped, Column::Right, Column::Wrapped];
        for width in [40, 80, 120] {
            let table = table(columns, &rows, Some(width), false);
            for line in table.lines() {
                assert!(measure_text_width(line) <= width, "{width}: {line}");
                assert!(!line.ends_with(' '), "{width}: {line}");
            }
            let letters = |text: &str| {
                let mut letters: Vec<_> = text.chars().filter(|c| !c.is_whitespace()).collect();
                letters.sort_unstable();
                letters
            };
            let all: String = ["EVENTNPARAMETERS12", long, parameters].concat();
            assert_eq!(letters(&table), letters(&all), "{width}");
        }
        // It is as wide as it has to be.
        let wide = table(columns, &rows, Some(120), false);
        assert_eq!(wide.lines().count(), 2, "{wide}");
    }

    #[test]
    fn a_text_is_split_between_words_or_anywhere() {
        assert_eq!(
            wrapped("shop::orders::PLACED", 14),
            ["shop::orders::", "PLACED"]
        );
        assert_eq!(wrapped("GET /orders/{id} x", 16), ["GET /orders/{id}", "x"]);
        assert_eq!(wrapped("xxxxxxxxxx", 4), ["xxxx", "xxxx", "xx"]);
        assert_eq!(wrapped("表表表", 4), ["表表", "表"]);
        assert_eq!(wrapped("", 4), [""]);
    }

    #[test]
    fn colours_take_no_room() {
        let rows = [
            [Cell::painted("a", Paint::On), Cell::from("b")],
            [Cell::from("cc"), Cell::from("d")],
        ];
        let plain = table([Column::Left; 2], &rows, Some(80), false);
        assert_eq!(plain, "a   b\ncc  d\n");
        let colored = table([Column::Left; 2], &rows, Some(80), true);
        assert_eq!(colored, "\u{1b}[32ma\u{1b}[0m   b\ncc  d\n");
    }
}
