//! A flame graph, as an SVG without a script.

use super::folded;
use super::text::thousands;
use crate::{ProfileError, StackProfile};
use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::io::{self, Write};

const WIDTH: f64 = 1200.0;
const MARGIN: f64 = 10.0;
const HEAD: f64 = 54.0;
const ROW: f64 = 18.0;
/// Of a character, about: the font is monospaced.
const CHARACTER: f64 = 7.2;
/// What would be narrower is put together.
const NARROWEST: f64 = 0.5;

const STYLE: &str = "\
svg { color-scheme: light dark; background: #fff }
text { font: 12px ui-monospace, monospace; fill: #1a1a1a }
.title { font-size: 15px } .small { fill: #666 }
.frame rect { stroke: #fff; stroke-width: .5 }
.frame:hover rect { stroke: #1a1a1a; stroke-width: 1 }
.c0 { fill: #f4a582 } .c1 { fill: #f7b799 } .c2 { fill: #f9c6a5 } .c3 { fill: #fbd0a0 }
.c4 { fill: #f6b27c } .c5 { fill: #f29c76 } .c6 { fill: #eda98d } .rest { fill: #ccc }
@media (prefers-color-scheme: dark) {
svg { background: #16181d } text { fill: #f0f0f0 } .small { fill: #999 }
.frame rect { stroke: #16181d } .frame:hover rect { stroke: #f0f0f0 }
.c0 { fill: #8c3b1f } .c1 { fill: #964a22 } .c2 { fill: #7d4420 } .c3 { fill: #86521c }
.c4 { fill: #9a4f17 } .c5 { fill: #a03f24 } .c6 { fill: #7a3a2a } .rest { fill: #444 }
}";

/// A function, and those that it called.
#[derive(Default)]
struct Node<'a> {
    value: u128,
    callees: BTreeMap<&'a str, usize>,
}

/// The functions by how they were called; the first is none, but calls the outermost. (One list,
/// and no tree of boxes: stacks may be deep, and a drop recurses.)
struct Tree<'a>(Vec<Node<'a>>);

impl<'a> Tree<'a> {
    fn new() -> Self {
        Self(vec![Node::default()])
    }

    fn add(&mut self, names: &[&'a str], value: u128) {
        let mut at = 0;
        self.0[at].value += value;
        for name in names {
            let next = self.0.len();
            at = *self.0[at].callees.entry(name).or_insert(next);
            if at == next {
                self.0.push(Node::default());
            }
            self.0[at].value += value;
        }
    }

    fn total(&self) -> u128 {
        self.0[0].value
    }
}

/// What is drawn.
struct Rect<'a> {
    /// None: several narrow ones.
    name: Option<&'a str>,
    value: u128,
    x: f64,
    width: f64,
    depth: usize,
}

impl StackProfile {
    /// Writes a flame graph as an SVG in a single file, without a script, light or dark as its
    /// viewer prefers. Widths are the weight, or the number of samples; the outermost functions are
    /// at the bottom, and numbers appear when the mouse rests on a frame. Frames narrower than half
    /// a pixel are merged. Three or more outermost functions that all stacks share are folded into
    /// one frame, whose title lists them.
    ///
    /// # Errors
    /// The error of the writer.
    pub fn write_svg(&self, writer: impl Write) -> Result<(), ProfileError> {
        write(self, writer).map_err(|error| ProfileError::io(None, error))
    }
}

pub(crate) fn write(profile: &StackProfile, writer: impl Write) -> io::Result<()> {
    let mut tree = Tree::new();
    let stacks = folded::stacks(profile);
    let root = common_root(stacks.keys().map(|names| &names[..]));
    for (names, &value) in &stacks {
        tree.add(&names[root.len()..], value);
    }
    let unit = match &profile.raw().weight {
        None => "samples".to_owned(),
        Some((name, unit)) if name == unit || unit == "count" => name.clone(),
        Some((name, unit)) => format!("{name} ({unit})"),
    };
    let title = profile.event_names().join(", ");
    draw(&tree, &root, &title, &unit, writer)
}

/// The fewest functions that are folded.
const FOLDED: usize = 3;

/// Returns the outermost functions that all stacks have in common, less the innermost of these,
/// which stays in the picture. Empty if there are only a few: a runtime has dozens, and they say
/// nothing of the program.
fn common_root<'a, 'b>(mut stacks: impl Iterator<Item = &'b [&'a str]>) -> Vec<&'a str>
where
    'a: 'b,
{
    let mut common = stacks.next().unwrap_or_default().to_vec();
    for names in stacks {
        let same = common
            .iter()
            .zip(names)
            .take_while(|(one, other)| one == other);
        common.truncate(same.count());
    }
    common.pop();
    if common.len() < FOLDED {
        common.clear();
    }
    common
}

fn draw(
    tree: &Tree<'_>,
    root: &[&str],
    title: &str,
    unit: &str,
    mut writer: impl Write,
) -> io::Result<()> {
    let rects = layout(tree);
    // The root that is folded has one row.
    let base = usize::from(!root.is_empty());
    let depth = base + rects.iter().map(|rect| rect.depth + 1).max().unwrap_or(0);
    #[allow(clippy::cast_precision_loss, reason = "there are some hundred rows")]
    let height = HEAD + depth as f64 * ROW + MARGIN;
    let (title, unit) = (Escaped(title), Escaped(unit));
    let total = tree.total();
    writeln!(
        writer,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" \
         role=\"img\" aria-label=\"Flame graph of {title}\">\n\
         <style>\n{STYLE}\n</style>\n\
         <text class=\"title\" x=\"{MARGIN}\" y=\"22\">{title}</text>\n\
         <text class=\"small\" x=\"{MARGIN}\" y=\"42\">{} {unit}; the outermost functions are at the bottom</text>",
        thousands(total)
    )?;
    if !root.is_empty() {
        let (y, width) = (height - MARGIN - ROW, WIDTH - 2.0 * MARGIN);
        let count = root.len();
        write!(writer, "<g class=\"frame\"><title>")?;
        for name in root {
            writeln!(writer, "{}", Escaped(name))?;
        }
        writeln!(
            writer,
            "</title><rect class=\"rest\" x=\"{MARGIN}\" y=\"{y}\" width=\"{width}\" height=\"{ROW}\" rx=\"1\"/>\
             <text x=\"{}\" y=\"{}\">folded: {count} functions that all stacks have in common</text></g>",
            MARGIN + 3.0,
            y + 13.0
        )?;
    }
    for rect in &rects {
        let Rect {
            x, width, value, ..
        } = *rect;
        #[allow(clippy::cast_precision_loss, reason = "as above")]
        let y = height - MARGIN - (base + rect.depth + 1) as f64 * ROW;
        let class = rect.name.map_or("rest".to_owned(), colour);
        let name = Escaped(rect.name.unwrap_or("(several, too narrow to be shown)"));
        let percent = share(value, total) * 100.0;
        let value = thousands(value);
        write!(
            writer,
            "<g class=\"frame\"><title>{name}\n{value} {unit}, {percent:.2} %</title>\
             <rect class=\"{class}\" x=\"{x:.2}\" y=\"{y}\" width=\"{width:.2}\" height=\"{ROW}\" rx=\"1\"/>"
        )?;
        let text = rect.name.and_then(|name| fitting(name, width));
        if let Some(text) = text {
            let (x, y) = (x + 3.0, y + 13.0);
            write!(
                writer,
                "<text x=\"{x:.2}\" y=\"{y}\">{}</text>",
                Escaped(&text)
            )?;
        }
        writeln!(writer, "</g>")?;
    }
    writeln!(writer, "</svg>")?;
    writer.flush()
}

/// Where each function is drawn.
fn layout<'a>(tree: &Tree<'a>) -> Vec<Rect<'a>> {
    let mut rects = Vec::new();
    let mut left = vec![(0, MARGIN, 0)];
    while let Some((caller, mut x, depth)) = left.pop() {
        let mut narrow = 0;
        for (&name, &callee) in &tree.0[caller].callees {
            let value = tree.0[callee].value;
            let width = width(value, tree.total());
            if width < NARROWEST {
                narrow += value;
                continue;
            }
            rects.push(Rect {
                name: Some(name),
                value,
                x,
                width,
                depth,
            });
            left.push((callee, x, depth + 1));
            x += width;
        }
        let width = width(narrow, tree.total());
        // (All of them together may still be too narrow to be seen.)
        if width >= NARROWEST {
            rects.push(Rect {
                name: None,
                value: narrow,
                x,
                width,
                depth,
            });
        }
    }
    rects
}

fn width(value: u128, total: u128) -> f64 {
    share(value, total) * (WIDTH - 2.0 * MARGIN)
}

#[allow(clippy::cast_precision_loss, reason = "for a picture")]
fn share(value: u128, total: u128) -> f64 {
    if total == 0 {
        0.0
    } else {
        value as f64 / total as f64
    }
}

/// One of the seven, by the crate: functions of one crate look alike.
fn colour(name: &str) -> String {
    let start = name.trim_start_matches(['<', '&', '(']);
    let krate = start.split("::").next().unwrap_or_default();
    let sum: u32 = krate.bytes().map(u32::from).sum();
    format!("c{}", sum % 7)
}

/// Returns the end of the name, the most telling part, as far as there is room for it.
fn fitting(name: &str, width: f64) -> Option<String> {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "some hundred, and not negative"
    )]
    let room = ((width - 6.0) / CHARACTER).max(0.0) as usize;
    let len = name.chars().count();
    if len <= room {
        return Some(name.to_owned());
    }
    // Fewer characters are of no use.
    (room >= 4).then(|| {
        let end: String = name.chars().skip(len - (room - 1)).collect();
        format!("…{end}")
    })
}

/// Text, escaped for XML.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '"' => f.write_str("&quot;")?,
                // XML has no way to write them.
                character if character.is_control() => f.write_str(" ")?,
                character => write!(f, "{character}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Tree, common_root, draw, fitting, layout};

    fn tree(stacks: &[(&[&'static str], u128)]) -> Tree<'static> {
        let mut root = Tree::new();
        for (names, value) in stacks {
            root.add(names, *value);
        }
        root
    }

    #[test]
    fn a_function_is_as_wide_as_its_share_and_lies_upon_its_caller() {
        let root = tree(&[(&["main", "a"], 3), (&["main", "b", "c"], 1)]);
        let rects: Vec<_> = layout(&root)
            .iter()
            .map(|rect| (rect.name.unwrap(), rect.x, rect.width, rect.depth))
            .collect();
        assert_eq!(
            rects,
            [
                ("main", 10.0, 1180.0, 0),
                ("a", 10.0, 885.0, 1),
                ("b", 895.0, 295.0, 1),
                ("c", 895.0, 295.0, 2),
            ]
        );
    }

    #[test]
    fn what_is_narrower_than_half_a_pixel_is_put_together() {
        let root = tree(&[(&["a"], 10_000), (&["b"], 3), (&["c"], 3), (&["d", "e"], 3)]);
        let rects = layout(&root);
        let rest: Vec<_> = rects.iter().filter(|rect| rect.name.is_none()).collect();
        assert_eq!((rects.len(), rest.len(), rest[0].value), (2, 1, 9));
        let all: f64 = rects.iter().map(|rect| rect.width).sum();
        assert!((all - 1180.0).abs() < 0.01);
    }

    #[test]
    fn the_root_that_all_stacks_have_in_common_is_folded_but_for_its_innermost_function() {
        let stacks: [&[&str]; 2] = [
            &["start", "main", "<runtime>", "serve", "a", "b"],
            &["start", "main", "<runtime>", "serve", "c"],
        ];
        let root = common_root(stacks.into_iter());
        assert_eq!(root, ["start", "main", "<runtime>"]);
        let rest = tree(&[(&["serve", "a", "b"], 1), (&["serve", "c"], 1)]);
        let mut svg = Vec::new();
        draw(&rest, &root, "E", "samples", &mut svg).unwrap();
        let svg = String::from_utf8(svg).unwrap();
        assert!(
            svg.contains("<title>start\nmain\n&lt;runtime&gt;\n</title>"),
            "{svg}"
        );
        assert!(
            svg.contains("folded: 3 functions that all stacks have in common"),
            "{svg}"
        );
        // The four rows: that one, and three above it.
        assert!(svg.contains("height=\"136\""), "{svg}");
        // Two functions are not worth it; nor is one stack folded whole, or none.
        let few: [&[&str]; 2] = [
            &["start", "main", "serve", "a"],
            &["start", "main", "serve", "b"],
        ];
        assert!(common_root(few.into_iter()).is_empty());
        let one: [&[&str]; 1] = [&["start", "main", "serve", "a"]];
        assert_eq!(common_root(one.into_iter()), ["start", "main", "serve"]);
        assert!(common_root([].into_iter()).is_empty());
    }

    #[test]
    fn names_are_escaped() {
        let root = tree(&[(&["<T as A<\"b\">>::f & \u{1}"], 1)]);
        let mut svg = Vec::new();
        draw(&root, &[], "shop::<SOLD>", "bytes", &mut svg).unwrap();
        let svg = String::from_utf8(svg).unwrap();
        assert!(
            svg.contains(
                "<title>&lt;T as A&lt;&quot;b&quot;&gt;&gt;::f &amp;  \n1 bytes, 100.00 %</title>"
            ),
            "{svg}"
        );
        assert!(svg.contains(">shop::&lt;SOLD&gt;</text>"), "{svg}");
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        let mut svg = Vec::new();
        draw(&Tree::new(), &[], "E", "samples", &mut svg).unwrap();
        assert!(!String::from_utf8(svg).unwrap().contains("<rect"));
    }

    #[test]
    fn a_name_that_is_too_long_keeps_its_end() {
        assert_eq!(fitting("shop::sell", 200.0).as_deref(), Some("shop::sell"));
        assert_eq!(fitting("shop::sell", 50.0).as_deref(), Some("…:sell"));
        assert_eq!(fitting("shop::sell", 20.0), None);
    }
}
