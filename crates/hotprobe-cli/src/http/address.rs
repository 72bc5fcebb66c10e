//! The address of the server.

use crate::arguments::Server;
use crate::failure::Failure;
use crate::output::shown;
use std::env::{self, VarError};
use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;
use ureq::http::Uri;

/// The variable with the URL if `--url` is not given.
pub(super) const VARIABLE: &str = "HOTPROBE_URL";
/// The URL if neither is given.
pub(super) const USUAL: &str = "http://127.0.0.1:9000/debug/probes";
/// The path where only a host and a port are given.
const PATH: &str = "/debug/probes";

/// The address of a server's `/debug/probes`.
#[derive(Debug)]
pub(super) struct Address {
    /// The URL, without a slash at the end.
    pub(super) base: String,
    pub(super) is_loopback: bool,
    /// The Unix socket to connect to, instead of the URL's host.
    pub(super) socket: Option<PathBuf>,
}

/// The URL by which a server at a Unix socket is queried.
pub(super) const OF_SOCKET: &str = "http://localhost/debug/probes";

/// Returns whether `--url` or the variable gives an address.
pub(crate) fn is_given(server: &Server) -> bool {
    server.url.is_some() || env::var_os(VARIABLE).is_some_and(|url| !url.is_empty())
}

impl Address {
    /// Returns the address that `--url`, the variable or the default gives.
    pub(super) fn of(server: &Server) -> Result<Self, Failure> {
        let (given, source) = match (&server.url, env::var(VARIABLE)) {
            (Some(url), _) => (url.clone(), "--url"),
            (None, Ok(url)) if !url.is_empty() => (url, VARIABLE),
            (None, Err(VarError::NotUnicode(value))) => {
                let value = shown(&value.to_string_lossy());
                return Err(Failure::usage(format!(
                    "{VARIABLE} is `{value}`, which is not UTF-8: {EXPECTED}"
                )));
            }
            _ => (USUAL.to_owned(), "--url"),
        };
        if let Some(path) = given.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() || cfg!(not(unix)) {
                let given = shown(&given);
                return Err(Failure::usage(format!(
                    "{source} is `{given}`: expected the path of a Unix socket after `unix:`"
                )));
            }
            return Ok(Self {
                base: OF_SOCKET.to_owned(),
                is_loopback: true,
                socket: Some(path.into()),
            });
        }
        let url = completed(&given);
        let uri = checked(&url).map_err(|why| {
            let given = shown(&given);
            Failure::usage(format!("{source} is `{given}`: {why}"))
        })?;
        Ok(Self {
            base: url.trim_end_matches('/').to_owned(),
            is_loopback: is_loopback(&uri),
            socket: None,
        })
    }
}

const EXPECTED: &str = "expected `HOST:PORT`, `http://HOST:PORT/PATH`, such as `http://127.0.0.1:9000/debug/probes`, or `unix:PATH`";

/// Adds what an address may leave out: `http://` before `HOST:PORT`, and the path where the server
/// is usually mounted. (A single `/` is a path: of a server that is mounted at the root.)
fn completed(url: &str) -> String {
    let authority = url.split('/').next().unwrap_or_default();
    let has_port = authority
        .rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    let url = if has_port {
        format!("http://{url}")
    } else {
        url.to_owned()
    };
    match url.split_once("://") {
        Some((_, place)) if !place.is_empty() && !place.contains(['/', '?', '#']) => {
            format!("{url}{PATH}")
        }
        _ => url,
    }
}

/// Parses a URL that can be queried directly, without TLS.
fn checked(url: &str) -> Result<Uri, String> {
    let uri: Uri = url.parse().map_err(|_| EXPECTED.to_owned())?;
    match uri.scheme_str() {
        Some("http") => {}
        Some("https") => {
            return Err(
                "TLS is not supported; query the server's own port by `http://`, on its machine or through `ssh -L \
                 9000:127.0.0.1:9000 MACHINE`, or use `curl`"
                    .to_owned(),
            );
        }
        _ => return Err(EXPECTED.to_owned()),
    }
    let authority = uri.authority().ok_or(EXPECTED)?;
    if authority.as_str().contains('@') {
        return Err(
            "a user name and a password are not supported; give a server's token with --token-file FILE"
                .to_owned(),
        );
    }
    if uri.query().is_some() || url.contains('#') {
        return Err("expected an address without `?` or `#`".to_owned());
    }
    Ok(uri)
}

fn is_loopback(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || bare
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
        || bare
            .parse()
            .is_ok_and(|address: Ipv6Addr| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_http_and_a_place() {
        assert!(checked(USUAL).is_ok());
        assert!(checked("http://[::1]:9000/debug/probes/").is_ok());
        for (url, why) in [
            ("https://shop.example/debug/probes", "TLS"),
            ("ftp://127.0.0.1/", "expected `HOST:PORT`"),
            ("localhost", "expected `HOST:PORT`"),
            ("http://", "expected `HOST:PORT`"),
            ("http://me:secret@127.0.0.1/", "token"),
            ("http://127.0.0.1/debug/probes?match=*", "`?`"),
            ("http://127.0.0.1/debug/probes#top", "`#`"),
        ] {
            let told = checked(&completed(url)).unwrap_err();
            assert!(told.contains(why), "{url}: {told}");
        }
    }

    #[test]
    fn the_scheme_and_the_path_may_be_left_out() {
        for (given, expected) in [
            ("127.0.0.1:9000", USUAL),
            ("127.0.0.1:9000/debug/probes", USUAL),
            ("http://127.0.0.1:9000", USUAL),
            (USUAL, USUAL),
            ("shop.example:80", "http://shop.example:80/debug/probes"),
            ("[::1]:9000", "http://[::1]:9000/debug/probes"),
            ("localhost:9000/probes", "http://localhost:9000/probes"),
            ("http://localhost/", "http://localhost/"),
        ] {
            assert_eq!(completed(given), expected, "{given}");
            assert!(checked(&completed(given)).is_ok(), "{given}");
        }
        for given in [
            "",
            "localhost",
            ":9000",
            "localhost:http",
            "localhost:99999",
        ] {
            assert_eq!(completed(given), given);
            assert!(checked(given).is_err(), "{given}");
        }
    }

    #[test]
    fn this_machine_is_told_from_others() {
        let is_here = |url: &str| is_loopback(&url.parse().unwrap());
        for here in [
            "http://localhost:1",
            "http://127.1.2.3/",
            "http://[::1]:9/",
            "http://[::ffff:127.0.0.1]/",
        ] {
            assert!(is_here(here), "{here}");
        }
        for elsewhere in [
            "http://10.0.0.1/",
            "http://shop.example/",
            "http://localhost.example/",
            "http://[::2]/",
        ] {
            assert!(!is_here(elsewhere), "{elsewhere}");
        }
    }
}
