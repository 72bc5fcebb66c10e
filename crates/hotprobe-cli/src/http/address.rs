//! Where the server is.

use crate::arguments::Server;
use crate::failure::Failure;
use crate::output::shown;
use std::env;
use std::net::{IpAddr, Ipv6Addr};
use ureq::http::Uri;

/// The variable with the URL, where `--url` is not given.
pub(super) const VARIABLE: &str = "HOTPROBE_URL";
/// The URL where neither is given.
pub(super) const USUAL: &str = "http://127.0.0.1:9000/debug/probes";

/// The address of a server's `/debug/probes`.
#[derive(Debug)]
pub(super) struct Address {
    /// The URL, without a slash at the end.
    pub(super) base: String,
    pub(super) is_loopback: bool,
}

impl Address {
    /// Returns the address that `--url`, the variable or the default gives.
    pub(super) fn of(server: &Server) -> Result<Self, Failure> {
        let (url, source) = match (&server.url, env::var(VARIABLE)) {
            (Some(url), _) => (url.clone(), "--url"),
            (None, Ok(url)) if !url.is_empty() => (url, VARIABLE),
            _ => (USUAL.to_owned(), "--url"),
        };
        let uri = checked(&url).map_err(|why| {
            let url = shown(&url);
            Failure::usage(format!("{source} is `{url}`: {why}"))
        })?;
        Ok(Self {
            base: url.trim_end_matches('/').to_owned(),
            is_loopback: is_loopback(&uri),
        })
    }
}

/// Parses a URL that can be asked directly, without TLS.
fn checked(url: &str) -> Result<Uri, String> {
    const EXPECTED: &str =
        "expected `http://HOST:PORT/PATH`, as in `http://127.0.0.1:9000/debug/probes`";
    let uri: Uri = url.parse().map_err(|_| EXPECTED.to_owned())?;
    match uri.scheme_str() {
        Some("http") => {}
        Some("https") => {
            return Err(
                "TLS is not spoken here: ask the server's own port by `http://`, on its machine or through `ssh -L \
                 9000:127.0.0.1:9000 MACHINE`, or use `curl`"
                    .to_owned(),
            );
        }
        _ => return Err(EXPECTED.to_owned()),
    }
    let authority = uri.authority().ok_or(EXPECTED)?;
    if authority.as_str().contains('@') {
        return Err(
            "a name and a password are not sent: a server's token comes from --token-file FILE"
                .to_owned(),
        );
    }
    if uri.query().is_some() || url.contains('#') {
        return Err("only the place is said here, without what follows `?` or `#`".to_owned());
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
            ("127.0.0.1:9000/debug/probes", "expected `http://"),
            ("ftp://127.0.0.1/", "expected `http://"),
            ("localhost", "expected `http://"),
            ("http://", "expected `http://"),
            ("http://me:secret@127.0.0.1/", "token"),
            ("http://127.0.0.1/debug/probes?match=*", "`?`"),
            ("http://127.0.0.1/debug/probes#top", "`#`"),
        ] {
            let told = checked(url).unwrap_err();
            assert!(told.contains(why), "{url}: {told}");
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
