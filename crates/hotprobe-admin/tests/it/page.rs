//! The page.

use super::{block_on, get, mounted, read, request, send};
use hotprobe::ProbeOptions;
use hotprobe_admin::Admin;

mod listed {
    hotprobe::event! {
        /// Has <b>markup</b> & "quotes" in it.
        pub static MARKED: fn(id: u64, list: Option<&'static [u8]>, #[redact] card: &str);
        pub static PLAIN: fn();
        pub static BROKEN: fn();
    }
}

#[test]
fn the_page_can_be_read_without_a_script() {
    let probe =
        listed::PLAIN.attach_with(ProbeOptions::new().name("<script>alert(1)</script>"), || ());
    block_on(async {
        let (app, _) = mounted(Admin::new());
        let answer = get(&app, "?match=*::page::listed::*").await;
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        let body = answer.says(200);
        for expected in [
            "<output id=count>3 of ",
            "<span class=name>MARKED<span class=brief>Has &lt;b&gt;markup",
            "Has &lt;b&gt;markup&lt;/b&gt; &amp; &quot;quotes&quot; in it.",
            "<code>list: Option&lt;&amp;&#39;static [u8]&gt;</code>",
            "<code>card: &amp;str</code> <em>redacted",
            &format!("page.rs:{}:", listed::MARKED.metadata().line()),
            "&lt;script&gt;alert(1)&lt;/script&gt;",
            "<span class=\"state on\">on · 1 probe</span>",
            "<span class=\"state off\">off</span>",
        ] {
            assert!(body.contains(expected), "`{expected}` is not in {body}");
        }
        assert!(!body.contains("<script>alert"));
    });
    drop(probe);
}

#[test]
fn a_quarantined_probe_looks_like_one() {
    let options = || ProbeOptions::new().name("broken");
    let probe = listed::BROKEN.attach_with(options(), || std::panic::resume_unwind(Box::new(())));
    listed::BROKEN.fire();
    block_on(async {
        let (app, _) = mounted(Admin::new());
        let body = get(&app, "?match=*::page::listed::BROKEN").await.says(200);
        for expected in [
            "<span class=\"state bad\">1 of 1 probe quarantined</span>",
            "<div>broken <span class=bad>quarantined: it panicked</span></div>",
        ] {
            assert!(body.contains(expected), "`{expected}` is not in {body}");
        }
    });
    drop(probe);
}

#[test]
fn the_header_says_which_process_this_is() {
    block_on(async {
        let (app, _) = mounted(Admin::new().version("1.2.3 <beta>"));
        let body = get(&app, "").await.says(200);
        let program = std::env::current_exe().unwrap();
        let program = program.file_name().unwrap().to_str().unwrap();
        for expected in [
            &format!("<span id=program>{program}</span> <span class=dim>1.2.3 &lt;beta&gt;</span>"),
            &format!("<dd id=pid>{}</div>", std::process::id()),
            "<a href=metrics>",
            "<header id=about data-longest=300>",
        ] {
            assert!(body.contains(expected), "`{expected}` is not in {body}");
        }
    });
}

#[test]
fn a_part_of_a_name_is_enough_and_what_was_looked_for_is_shown_as_text() {
    block_on(async {
        let (app, _) = mounted(Admin::new());
        let body = get(&app, "?match=page::listed::PLA").await.says(200);
        assert!(body.contains("<output id=count>1 of "), "{body}");
        assert!(body.contains("value=\"page::listed::PLA\""), "{body}");
        let body = get(&app, "?match=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
            .await
            .says(200);
        assert!(
            body.contains("<output id=count>0 of ") && body.contains("No event has such a name."),
            "{body}"
        );
        assert!(
            body.contains("value=\"&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;\""),
            "{body}"
        );
        assert!(!body.contains("<script>alert"), "{body}");
        let body = get(&app, "").await.says(200);
        let all = hotprobe::events().len();
        assert!(body.contains(&format!("<output id=count>{all} of {all}</output>")));
    });
}

#[test]
fn the_browser_is_to_run_the_page_s_own_script_only() {
    block_on(async {
        let (app, _) = mounted(Admin::new());
        let answer = get(&app, "").await;
        let policy = answer.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'self'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        // By coreutils, the hash is the same.
        for tag in ["style", "script"] {
            let inside = answer
                .body
                .split_once(&format!("<{tag}>"))
                .unwrap()
                .1
                .split_once(&format!("</{tag}>"))
                .unwrap()
                .0;
            let hash = format!("{tag}-src 'sha256-{}'", hash(inside));
            assert!(policy.contains(&hash), "{hash} is not in {policy}");
        }
        assert_eq!(answer.body.matches("<script").count(), 1);
    });
}

/// In base64.
fn hash(text: &str) -> String {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let mut shell = Command::new("sh")
        .args([
            "-c",
            "env printf \"$(sha256sum | cut -c 1-64 | sed 's/../\\\\x&/g')\" | base64",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    shell
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = shell.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_browser_without_the_token_is_asked_for_it_and_told_nothing_else() {
    block_on(async {
        let (app, _) = mounted(Admin::new().token("t").unwrap());
        let mut asked = request("GET", "");
        asked
            .headers_mut()
            .insert("accept", "text/html,application/xhtml+xml".parse().unwrap());
        let answer = read(send(&app, asked).await).await;
        assert_eq!(answer.status.as_u16(), 401);
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        assert!(
            answer.body.contains("<form id=unlock") && answer.body.contains("type=password"),
            "{}",
            answer.body
        );
        assert!(!answer.body.contains("listed::"), "{}", answer.body);
        assert!(
            answer
                .header("content-security-policy")
                .contains("script-src 'sha256-")
        );
        // A terminal gets the sentence.
        let body = get(&app, "").await.says(401);
        assert!(body.starts_with("a token is needed"), "{body}");
    });
}

#[test]
fn every_field_of_the_page_has_a_label() {
    block_on(async {
        let (app, _) = mounted(Admin::new());
        let body = get(&app, "?match=*::page::listed::*").await.says(200);
        for field in body
            .split("<input ")
            .skip(1)
            .map(|rest| rest.split_once('>').unwrap().0)
        {
            let id = field
                .split_once("id=")
                .map(|(_, rest)| rest.split(' ').next().unwrap());
            let labelled = field.contains("type=hidden")
                || field.contains("aria-label=")
                || id.is_some_and(|id| body.contains(&format!("<label for={id}>")))
                || body.contains(&format!("<label>Seconds <input {field}>"))
                || body.contains(&format!("<label><input {field}><span>"));
            assert!(labelled, "{field}");
        }
    });
}
