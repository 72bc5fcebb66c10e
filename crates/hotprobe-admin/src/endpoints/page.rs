//! `GET /`: the page. One document, made of the files in `page/`, which loads nothing from
//! elsewhere; what there is to read is in it without a script.
//!
//! Names, docs, types and places come from the program's source and from requests: all of it is
//! escaped. The browser runs only the script, and uses only the style, whose hashes the page's
//! policy names.

use crate::about::AboutNow;
use crate::endpoints::events::Event;
use crate::errors::Problem;
use crate::parameters::Parameters;
use crate::request::Request;
use crate::response::text;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest as _, Sha256};
use std::fmt::{self, Write as _};
use std::sync::LazyLock;

/// The page: head, style, content, script. (The parts of the script share one scope.)
const HTML: &str = concat!(
    "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n",
    include_str!("page/page.html"),
    "<style>\n",
    include_str!("page/page.css"),
    "</style>\n<main id=main>\n{{main}}</main>\n<script>\n",
    include_str!("page/js/server.js"),
    include_str!("page/js/results.js"),
    include_str!("page/js/perfetto.js"),
    include_str!("page/js/events.js"),
    include_str!("page/js/panels.js"),
    include_str!("page/js/terminal.js"),
    include_str!("page/js/page.js"),
    "</script>\n</html>\n",
);

/// What can be measured. Shown by the script, which it needs.
const TOOLS: &str = include_str!("page/tools.html");
const HELP: &str = include_str!("page/help.html");

/// What the page has to be filled with.
const BASE: &str = "{{base}}";
const MAIN: &str = "{{main}}";

/// With more events than this, modules are folded until they are opened.
const UNFOLDED: usize = 40;

/// The content security policy under which browsers show the page.
fn policy() -> &'static HeaderValue {
    static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
        let hash = |tag| BASE64_STANDARD.encode(Sha256::digest(between(HTML, tag)));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; \
             base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
            hash("style"),
            hash("script"),
        );
        // It is ASCII, so the conversion succeeds; the alternative would show nothing at all.
        policy
            .try_into()
            .unwrap_or(HeaderValue::from_static("default-src 'none'"))
    });
    &POLICY
}

/// Returns the page with `main` as its content.
fn fill(original: &Uri, main: &str) -> Response<Body> {
    let mut html = String::with_capacity(HTML.len() + main.len() + 64);
    let (before, after) = HTML.split_once(BASE).unwrap_or((HTML, ""));
    html += before;
    // (To text can always be written.)
    let _ = write!(html, "{}", Escaped(&base(original)));
    let (before, after) = after.split_once(MAIN).unwrap_or((after, ""));
    html += before;
    html += main;
    html += after;
    let mut response = text("text/html; charset=utf-8", html);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy().clone());
    // With `no-referrer`, a form without a script would be posted with `Origin: null`, as if from
    // another site.
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    response
}

/// Returns the response to a request without the token: a form that asks for it if the client is a
/// browser, the error otherwise.
pub(crate) fn locked(original: &Uri, problem: &Problem, headers: &HeaderMap) -> Response<Body> {
    let answer = problem.answer(headers);
    let is_browser = headers
        .get_all(header::ACCEPT)
        .iter()
        .any(|kinds| kinds.as_bytes().windows(9).any(|kind| kind == b"text/html"));
    if !is_browser {
        return answer;
    }
    let mut page = fill(original, LOCKED);
    *page.status_mut() = StatusCode::UNAUTHORIZED;
    if let Some(value) = answer.headers().get(header::WWW_AUTHENTICATE) {
        page.headers_mut()
            .insert(header::WWW_AUTHENTICATE, value.clone());
    }
    page
}

const LOCKED: &str = "\
<form id=unlock class=card>
<h2>A token is needed</h2>
<p><label for=token>Token</label> <input id=token type=password autocomplete=off required autofocus>
<button>Open</button></p>
<p id=refused class=bad role=alert></p>
<p class=dim>It stays in this tab, and in no address. Without JavaScript:
<code>curl -H \"Authorization: Bearer $TOKEN\" …/events</code></p>
</form>
";

/// What is between the tags of the file.
fn between(html: &'static str, tag: &str) -> &'static str {
    let inside = html.split_once(&format!("<{tag}>")).map(|(_, rest)| rest);
    let inside = inside.and_then(|rest| rest.split_once(&format!("</{tag}>")));
    inside.map_or("", |(inside, _)| inside)
}

/// What the page's links are relative to, whether its own address ends with a slash or not.
fn base(original: &Uri) -> String {
    let last = original.path().rsplit('/').next().unwrap_or_default();
    if last.is_empty() {
        "./".to_owned()
    } else {
        format!("./{last}/")
    }
}

/// The page itself, relative to that.
fn home(original: &Uri) -> String {
    let last = original.path().rsplit('/').next().unwrap_or_default();
    if last.is_empty() {
        "./".to_owned()
    } else {
        format!("../{last}")
    }
}

pub(crate) fn answer(request: &Request) -> Result<Response<Body>, Problem> {
    let parameters = Parameters::of_query(&request.uri, &["match"])?;
    let wanted = parameters.one("match")?.unwrap_or_default();
    // A filter without `*` matches any part of a name.
    let pattern = match wanted {
        "" => "*".to_owned(),
        exact if exact.contains('*') => exact.to_owned(),
        part => format!("*{part}*"),
    };
    let main = Main {
        wanted,
        pattern: &pattern,
        total: hotprobe::events().len(),
        events: hotprobe::matching(&pattern)
            .into_iter()
            .map(Event::of)
            .collect(),
        longest: request.admin.max_duration.as_secs(),
        about: request.admin.about.now(),
        home: home(&request.original),
    };
    Ok(fill(&request.original, &main.to_string()))
}

struct Main<'a> {
    wanted: &'a str,
    pattern: &'a str,
    total: usize,
    events: Vec<Event>,
    longest: u64,
    about: AboutNow,
    home: String,
}

impl fmt::Display for Main<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.header(f)?;
        f.write_str(TOOLS)?;
        self.without_script(f)?;
        write!(
            f,
            "<form id=filter method=get role=search>\n<h2>Events</h2>\n\
             <input id=match name=match type=search aria-label=\"Filter by name\" value=\"{}\" \
             placeholder=\"part of a name, or shop::*\" autocapitalize=off autocomplete=off spellcheck=false>\n\
             <button>Filter</button>\n<output id=count>{} of {}</output>\n</form>\n<p id=which class=dim></p>\n",
            Escaped(self.wanted),
            self.events.len(),
            self.total
        )?;
        self.list(f)
    }
}

impl Main<'_> {
    /// Which process this is. The script keeps the figures up to date.
    fn header(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AboutNow {
            program,
            version,
            pid,
            hotprobe,
            ..
        } = &self.about;
        let version = version.as_deref().unwrap_or_default();
        write!(
            f,
            "<header id=about data-longest={longest}>\n\
             <h1><span id=program>{program}</span> <span class=dim>{version}</span></h1>\n\
             <dl class=facts><div><dt>pid<dd id=pid>{pid}</div><div><dt>up<dd id=up></div>\
             <div><dt>sessions<dd id=sessions></div><div><dt>probes<dd id=probes></div>\
             <div><dt>panics<dd id=panics></div><div><dt>hotprobe<dd>{hotprobe}</div></dl>\n\
             <a href=metrics>Metrics</a>\n<p id=down class=bad role=alert></p>\n{HELP}</header>\n",
            longest = self.longest,
            program = Escaped(program),
            version = Escaped(version),
        )
    }

    /// Without a script, a recording can be made.
    fn without_script(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "<noscript><form class=card method=post action=record>\n\
             <p>Without JavaScript, this page records the events below. For the rest, use <code>curl</code> or the \
             program <code>hotprobe</code>.</p>\n<input type=hidden name=match value=\"{pattern}\">\n\
             <p class=go><label>Seconds <input name=seconds type=number min=0.1 max={longest} step=any value={usual}></label>\n\
             <label>Format <select name=format><option value=perfetto>Perfetto<option value=chrome>Chrome JSON\
             <option value=ctf>CTF</select></label>\n<button class=main>Record</button></p>\n</form></noscript>\n",
            pattern = Escaped(self.pattern),
            longest = self.longest,
            usual = self.longest.min(10),
        )
    }

    /// The events, by module: they are sorted by name, so that each module is in one piece.
    fn list(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "<div id=events data-pattern=\"{}\">",
            Escaped(self.pattern)
        )?;
        if self.events.is_empty() {
            writeln!(
                f,
                "<p class=card>No event has such a name. <code>*</code> matches any text; a filter without it matches any \
                 part of a name. <a href=\"{}\">Show all events</a></p>",
                Escaped(&self.home)
            )?;
        }
        let open = if self.events.len() <= UNFOLDED {
            " open"
        } else {
            ""
        };
        for module in self.events.chunk_by(|one, next| one.module == next.module) {
            let count = module.len();
            writeln!(
                f,
                "<details class=module{open}><summary><span class=mono>{}</span> <span class=dim>{count} event{}</span></summary>\n<ul>",
                Escaped(module[0].module),
                if count == 1 { "" } else { "s" },
            )?;
            for event in module {
                event_item(f, event)?;
            }
            f.write_str("</ul></details>\n")?;
        }
        f.write_str("</div>\n")
    }
}

/// Returns the state of an event, as a class and as text. (`stateOf` in `events.js` is the same.)
fn state(event: &Event) -> (&'static str, String) {
    let count = event.probe_count;
    let quarantined = event.probes.iter().filter(|probe| probe.panicked).count();
    let probes = if count == 1 { "probe" } else { "probes" };
    if quarantined > 0 {
        (
            "bad",
            format!("{quarantined} of {count} {probes} quarantined"),
        )
    } else if event.enabled {
        ("on", format!("on · {count} {probes}"))
    } else {
        ("off", "off".to_owned())
    }
}

fn event_item(f: &mut fmt::Formatter<'_>, event: &Event) -> fmt::Result {
    let (class, state) = state(event);
    let last = event.name.rsplit("::").next().unwrap_or(event.name);
    writeln!(
        f,
        "<li data-name=\"{name}\" data-at=\"{file}:{line}:{column}\">\
         <input type=checkbox aria-label=\"Choose {name}\" value=\"{name}\">\
         <details><summary><span class=name>{last}<span class=brief>{brief}</span></span> \
         <span class=rate></span> <span class=\"state {class}\">{state}</span></summary>",
        name = Escaped(event.name),
        file = Escaped(event.file),
        line = event.line,
        column = event.column,
        last = Escaped(last),
        brief = Docs(event.docs.lines().next().unwrap_or_default()),
    )?;
    for line in event.docs.lines().filter(|line| !line.trim().is_empty()) {
        writeln!(f, "<p class=docs>{}</p>", Docs(line.trim()))?;
    }
    f.write_str("<dl><dt>Parameters<dd>")?;
    if event.parameters.is_empty() {
        f.write_str("none")?;
    }
    for parameter in &event.parameters {
        let hidden = if parameter.redacted {
            " <em>redacted: never leaves the process</em>"
        } else {
            ""
        };
        write!(
            f,
            "<div><code>{}: {}</code>{hidden}</div>",
            Escaped(parameter.name),
            Escaped(parameter.type_name)
        )?;
    }
    write!(
        f,
        "<dt>Declared<dd><code>{}:{}:{}</code><dt>Probes<dd class=probes>",
        Escaped(event.file),
        event.line,
        event.column
    )?;
    if event.probes.is_empty() {
        f.write_str("none")?;
    }
    for probe in &event.probes {
        let panicked = if probe.panicked {
            " <span class=bad>quarantined: it panicked</span>"
        } else {
            ""
        };
        let name = probe.name.as_deref().unwrap_or("unnamed");
        write!(f, "<div>{}{panicked}</div>", Escaped(name))?;
    }
    f.write_str("</dl></details></li>\n")
}

/// A line of an event's docs: Markdown, of which only code spans are rendered.
struct Docs<'a>(&'a str);

impl fmt::Display for Docs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some((before, code, after)) = code_span(rest) {
            let (before, code) = (Escaped(before), Escaped(code));
            write!(f, "{before}<code>{code}</code>")?;
            rest = after;
        }
        write!(f, "{}", Escaped(rest))
    }
}

/// Returns the first code span, with what is before and after it.
fn code_span(line: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = line.split_once('`')?;
    let (code, after) = rest.split_once('`')?;
    Some((before, code, after))
}

/// Text that is no markup, in content and in quoted attributes.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in self.0.split_inclusive(['&', '<', '>', '"', '\'']) {
            let end = part.len() - usize::from(part.ends_with(['&', '<', '>', '"', '\'']));
            f.write_str(&part[..end])?;
            f.write_str(match part.as_bytes().get(end) {
                Some(b'&') => "&amp;",
                Some(b'<') => "&lt;",
                Some(b'>') => "&gt;",
                Some(b'"') => "&quot;",
                Some(b'\'') => "&#39;",
                _ => "",
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_markup_is_left_as_it_is() {
        let text = "<a href=\"x\" title='y'>&amp;é</a>";
        let escaped = Escaped(text).to_string();
        assert_eq!(
            escaped,
            "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;é&lt;/a&gt;"
        );
    }

    #[test]
    fn docs_have_their_code_in_another_font_and_no_markup_of_their_own() {
        for (line, expected) in [
            (
                "About to look `item` up.",
                "About to look <code>item</code> up.",
            ),
            (
                "`a<b>` and `c`",
                "<code>a&lt;b&gt;</code> and <code>c</code>",
            ),
            ("one ` alone, <b>", "one ` alone, &lt;b&gt;"),
            ("", ""),
        ] {
            assert_eq!(Docs(line).to_string(), expected);
        }
    }

    #[test]
    fn links_are_below_the_page_whether_its_address_ends_with_a_slash_or_not() {
        for (address, expected) in [
            ("/debug/probes", "./probes/"),
            ("/debug/probes/", "./"),
            ("/", "./"),
            ("/a:b", "./a:b/"),
        ] {
            assert_eq!(base(&Uri::from_static(address)), expected, "{address}");
        }
    }

    mod listed {
        hotprobe::event! { pub static ITEM: fn(); }
    }

    #[test]
    fn modules_are_folded_where_there_are_many_events() {
        for (count, module) in [
            (UNFOLDED, "<details class=module open>"),
            (UNFOLDED + 1, "<details class=module>"),
        ] {
            let main = Main {
                wanted: "",
                pattern: "*",
                total: count,
                events: (0..count).map(|_| Event::of(&listed::ITEM)).collect(),
                longest: 300,
                about: crate::about::About::new().now(),
                home: home(&Uri::from_static("/")),
            };
            let html = main.to_string();
            assert_eq!(html.matches("<details class=module").count(), 1, "{count}");
            assert!(html.contains(module), "{count}");
            assert!(html.contains(&format!("{count} events</span>")), "{count}");
        }
    }

    #[test]
    fn the_file_has_one_style_one_script_and_the_two_places_to_fill() {
        for once in ["<style>", "</style>", "<script>", "</script>", BASE, MAIN] {
            assert_eq!(HTML.matches(once).count(), 1, "{once}");
        }
        assert!(HTML.find(BASE) < HTML.find(MAIN));
        assert!(!between(HTML, "style").is_empty() && !between(HTML, "script").is_empty());
        // The two addresses: where a trace is handed to when the user asks for it, and the default
        // of the program `hotprobe`, which is compared and not asked.
        let html = HTML
            .replacen("\"https://ui.perfetto.dev\"", "", 1)
            .replacen("\"http://127.0.0.1:9000/debug/probes\"", "", 1);
        for outside in [
            "http:",
            "https:",
            "src=",
            "style=",
            " onclick=",
            "@import",
            "url(",
        ] {
            assert!(!html.contains(outside), "{outside}");
        }
    }
}
