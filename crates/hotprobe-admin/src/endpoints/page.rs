//! `GET /`: the page. One file (`page.html`), without anything from elsewhere; what there is to
//! read is in it without a script.
//!
//! Names, docs, types and places come from the program's source and from requests: all of it is
//! escaped. The browser runs only the script, and uses only the style, whose hashes the page's
//! policy names.

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

const HTML: &str = include_str!("page.html");

/// What the file has to be filled with.
const BASE: &str = "{{base}}";
const MAIN: &str = "{{main}}";

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
<p class=dim>It stays in this tab, and goes into no address. Without JavaScript:
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
    // What has no `*` is looked for anywhere in a name.
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
        longest: request.admin.longest.as_secs(),
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
    home: String,
}

impl fmt::Display for Main<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "<form id=filter method=get role=search>\n\
             <label for=match>Events named</label>\n\
             <input id=match name=match type=search value=\"{}\" placeholder=\"part of a name, or shop::*\" \
             autocapitalize=off autocomplete=off spellcheck=false>\n<button>Filter</button>\n\
             <output id=count>{} of {}</output>\n</form>\n",
            Escaped(self.wanted),
            self.events.len(),
            self.total
        )?;
        self.tools(f)?;
        if self.events.is_empty() {
            writeln!(
                f,
                "<p class=card>No event is called so. <code>*</code> stands for anything; without one, the text is looked for \
                 anywhere in a name. <a href=\"{}\">All events</a></p>",
                Escaped(&self.home)
            )?;
        }
        f.write_str("<ul id=events>\n")?;
        for event in &self.events {
            event_item(f, event)?;
        }
        f.write_str("</ul>\n")
    }
}

impl Main<'_> {
    /// What can be done with the events that are shown, or chosen among them. Without a script, a
    /// recording can be made.
    fn tools(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "<form id=tools class=card method=post action=record data-pattern=\"{pattern}\">\n\
             <input type=hidden name=match value=\"{pattern}\">\n\
             <p id=which>For the events shown; or choose some.</p>\n\
             <p><label>Seconds <input id=seconds name=seconds type=number min=0.1 max={longest} step=any value={usual} \
             inputmode=decimal></label>\n\
             <label>Format <select id=format name=format><option value=perfetto>Perfetto<option value=chrome>Chrome JSON\
             <option value=ctf>CTF</select></label></p>\n\
             <p class=buttons><button type=button data-do=watch>Watch rates</button>\n\
             <button type=button data-do=tail>Tail</button>\n\
             <button data-do=record>Record</button>\n\
             <button type=button data-do=latency>Latency</button>\n\
             <button type=button data-do=stacks>Stacks</button>\n\
             <button type=button data-do=stop hidden>Stop</button></p>\n\
             <p class=dim>Something is slow? <b>Latency</b> says which, <b>Record</b> why. Much is done? <b>Watch rates</b> says \
             of what, <b>Stacks</b> from where. <b>Tail</b> shows each.</p>\n\
             <fieldset id=panel hidden></fieldset>\n",
            pattern = Escaped(self.pattern),
            longest = self.longest,
            usual = self.longest.min(10),
        )?;
        f.write_str(
            "<div id=state role=status></div>\n<progress id=progress max=1 value=0 aria-label=\"Time\" hidden></progress>\n\
             </form>\n<section id=result aria-label=\"Result\" hidden></section>\n",
        )
    }
}

fn event_item(f: &mut fmt::Formatter<'_>, event: &Event) -> fmt::Result {
    let state = match (event.enabled, event.probe_count) {
        (true, _) => "on",
        (false, 0) => "off",
        (false, _) => "switched off after a panic",
    };
    let (path, last) = event.name.rsplit_once("::").unwrap_or(("", event.name));
    let separator = if path.is_empty() { "" } else { "::" };
    writeln!(
        f,
        "<li data-name=\"{name}\" data-at=\"{file}:{line}:{column}\">\
         <input type=checkbox aria-label=\"Choose {name}\" value=\"{name}\">\
         <details><summary><span class=name><span class=dim>{path}{separator}</span><wbr>{last}<span class=brief>{brief}</span></span> \
         <span class=rate></span> <span class=\"state {class}\">{state}</span></summary>",
        name = Escaped(event.name),
        file = Escaped(event.file),
        line = event.line,
        column = event.column,
        path = Escaped(path),
        last = Escaped(last),
        brief = Escaped(event.docs.lines().next().unwrap_or_default()),
        class = if event.enabled { "on" } else { "off" },
    )?;
    for line in event.docs.lines().filter(|line| !line.trim().is_empty()) {
        writeln!(f, "<p class=docs>{}</p>", Escaped(line.trim()))?;
    }
    f.write_str("<dl><dt>Parameters<dd>")?;
    if event.parameters.is_empty() {
        f.write_str("none")?;
    }
    for parameter in &event.parameters {
        let hidden = if parameter.redacted {
            " <em>redacted: seen by no one here</em>"
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
        "<dt>Declared<dd><code>{}:{}:{}</code><dt>Probes<dd>",
        Escaped(event.file),
        event.line,
        event.column
    )?;
    if event.probes.is_empty() {
        f.write_str("none")?;
    }
    for probe in &event.probes {
        let panicked = if probe.panicked {
            " <span class=bad>has panicked</span>"
        } else {
            ""
        };
        let name = probe.name.as_deref().unwrap_or("without a name");
        write!(f, "<div>{}{panicked}</div>", Escaped(name))?;
    }
    f.write_str("</dl></details></li>\n")
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

    #[test]
    fn the_file_has_one_style_one_script_and_the_two_places_to_fill() {
        for once in ["<style>", "</style>", "<script>", "</script>", BASE, MAIN] {
            assert_eq!(HTML.matches(once).count(), 1, "{once}");
        }
        assert!(HTML.find(BASE) < HTML.find(MAIN));
        assert!(!between(HTML, "style").is_empty() && !between(HTML, "script").is_empty());
        for outside in [
            "http:",
            "https:",
            "src=",
            "style=",
            " onclick=",
            "@import",
            "url(",
        ] {
            assert!(!HTML.contains(outside), "{outside}");
        }
    }
}
