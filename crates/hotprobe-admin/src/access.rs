//! Who may: decided from the request's head alone, before anything else is looked at.
//!
//! [`decide`] is a pure function, and the whole policy:
//!
//! 1. With a token set, any client that sends it may, from anywhere; no other may.
//! 2. Without one, the peer has to be known, and on this machine, or to have come by a Unix socket:
//!    as the same user or root, or as anyone where all are let in; no proxy may stand between,
//!    since behind one everybody is on this machine; and `Host` has to name this machine, since by
//!    a name of the attacker's own (DNS rebinding) a page of theirs would be let in by the browser
//!    as if it were ours.
//! 3. In either case no other site's page may ask: `Origin`, where a browser sends it, has to be of
//!    this `Host`; and for what changes something, or starts something, `Sec-Fetch-Site` may not
//!    say that another site asks.

use crate::admin_error::AdminError;
use crate::errors::Problem;
use crate::peer::Peer;
use axum::http::{HeaderMap, StatusCode, Uri, Version, header};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use subtle::ConstantTimeEq;

/// What a request would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Reads, and changes nothing.
    Reads,
    /// Opens a session, or ends one.
    Attaches,
}

/// The secret that lets a client in.
#[derive(Clone)]
pub(crate) struct Token(Box<str>);

impl Token {
    /// Keeps a token that a header can carry after `Bearer `.
    pub(crate) fn new(token: &str) -> Result<Self, AdminError> {
        let position = token.bytes().position(|byte| !byte.is_ascii_graphic());
        if token.is_empty() || position.is_some() {
            return Err(AdminError::Token { position });
        }
        Ok(Self(token.into()))
    }
}

/// Who is let in, as the server's owner has set it.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) token: Option<Token>,
    /// Whether a client without an address is let in: it has come by a Unix socket, whose file says
    /// who may open it.
    pub(crate) unix_socket: bool,
}

/// What a request says of itself in its head.
#[derive(Clone, Copy)]
pub(crate) struct RequestHead<'a> {
    pub(crate) peer: Option<Peer>,
    pub(crate) version: Version,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
}

/// Whether the request may. The sentences of the answer say what to do.
pub(crate) fn decide(
    class: Class,
    access: &Access,
    request: RequestHead<'_>,
) -> Result<(), Problem> {
    let headers = request.headers;
    let host = host(request.uri, headers)?;
    match &access.token {
        Some(Token(token)) => has_token(headers, token)?,
        None => is_local(access, request, host)?,
    }
    is_this_site(class, host, headers)
}

fn forbidden(message: impl Into<String>) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "forbidden", message)
}

fn has_token(headers: &HeaderMap, token: &str) -> Result<(), Problem> {
    let refuse = |message: &str| {
        Err(Problem::new(StatusCode::UNAUTHORIZED, "token", message)
            .with_header(header::WWW_AUTHENTICATE, "Bearer"))
    };
    let mut sent = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(sent), None) = (sent.next(), sent.next()) else {
        return refuse(
            "a token is needed: send it in one header, as in `curl -H \"Authorization: Bearer $TOKEN\" …`",
        );
    };
    let sent = sent.as_bytes();
    let bearer = sent.split_at_checked("Bearer ".len());
    let Some((_, sent)) = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"Bearer "))
    else {
        return refuse("the header `Authorization` has to be `Bearer`, a space, and the token");
    };
    // (Different lengths are refused at once: the length is no secret.)
    if bool::from(sent.trim_ascii().ct_eq(token.as_bytes())) {
        Ok(())
    } else {
        refuse("the token is not that of this server")
    }
}

fn is_local(access: &Access, request: RequestHead<'_>, host: Host<'_>) -> Result<(), Problem> {
    match request.peer {
        None | Some(Peer::Unix { .. }) if access.unix_socket => {}
        None => {
            return Err(forbidden(
                "this server does not know who asks: over TCP, serve \
                 `app.into_make_service_with_connect_info::<SocketAddr>()`, so that requests from this machine are let \
                 in; over a Unix socket, call `Admin::unix_socket`; or set `Admin::token`",
            ));
        }
        Some(Peer::Unix { uid }) => is_same_user(uid)?,
        Some(Peer::Tcp(peer)) if !peer.ip().to_canonical().is_loopback() => {
            return Err(forbidden(format!(
                "requests are answered to this machine only, and {} is another: ask from here (`ssh -L`), or set \
                 `Admin::token`",
                peer.ip()
            )));
        }
        Some(Peer::Tcp(_)) => {}
    }
    // nginx asks like this by default, with a `Host` of this machine and no header that gives it
    // away.
    if request.version < Version::HTTP_11 {
        return Err(forbidden(format!(
            "{:?} is what proxies speak, and behind one everybody seems to be on this machine: ask by HTTP/1.1 without a \
             proxy, or set `Admin::token`",
            request.version
        )));
    }
    if let Some(name) = request
        .headers
        .keys()
        .map(header::HeaderName::as_str)
        .find(|name| says_proxy(name))
    {
        return Err(forbidden(format!(
            "the header `{name}` says that a proxy asks, and behind one everybody seems to be on this machine: ask \
             without it, or set `Admin::token`"
        )));
    }
    if !host.is_loopback() {
        return Err(forbidden(format!(
            "the request is to `{}`, and without a token has to be to `localhost`, `127.0.0.1` or `[::1]` (other names \
             may be an attacker's): ask by one of these, or set `Admin::token`",
            host.0.escape_debug()
        )));
    }
    Ok(())
}

/// Lets the user in whose process this is, and root.
#[cfg(unix)]
fn is_same_user(uid: u32) -> Result<(), Problem> {
    let own = rustix::process::geteuid().as_raw();
    if uid == own || uid == 0 {
        return Ok(());
    }
    Err(forbidden(format!(
        "a process of user {uid} asks, and this socket answers user {own} and root only: ask as that user, or set \
         `Admin::unix_socket`"
    )))
}

#[cfg(not(unix))]
fn is_same_user(_uid: u32) -> Result<(), Problem> {
    Ok(())
}

/// Whether proxies add a header of this name: the client's address by any name for it, or what only
/// one vendor's proxies send. (Names of headers are in small letters.)
fn says_proxy(name: &str) -> bool {
    const ADDRESSES: [&str; 21] = [
        "forwarded",
        "client-ip",
        "clientip",
        "client-addr",
        "client-connection",
        "client-host",
        "connecting-ip",
        "real-ip",
        "realip",
        "remote-ip",
        "remote-addr",
        "remote-host",
        "source-ip",
        "sourceip",
        "socketip",
        "origin-ip",
        "user-ip",
        "proxyuser",
        "peer-addr",
        "viewer-address",
        "external-address",
    ];
    const VENDORS: [&str; 16] = [
        "cf-",
        "cloudfront-",
        "fastly-",
        "fly-",
        "akamai-",
        "x-akamai-",
        "x-amz-cf-",
        "x-amzn-",
        "x-appengine-",
        "x-arr-",
        "x-azure-",
        "x-envoy-",
        "x-original-",
        "x-proxy-",
        "x-varnish",
        "x-vercel-",
    ];
    const OTHERS: [&str; 6] = [
        "cdn-loop",
        "front-end-https",
        "proxy-connection",
        "via",
        "x-scheme",
        "x-url-scheme",
    ];
    ADDRESSES.iter().any(|part| name.contains(part))
        || VENDORS.iter().any(|begin| name.starts_with(begin))
        || OTHERS.contains(&name)
}

fn is_this_site(class: Class, host: Host<'_>, headers: &HeaderMap) -> Result<(), Problem> {
    let other = |header: &str, said: &[u8]| {
        Err(forbidden(format!(
            "the page of another site asks (`{header}: {}`, and this is `{}`): ask from the page here, or from a \
             terminal; a proxy has to pass `Host` on as it is",
            String::from_utf8_lossy(said).escape_debug(),
            host.0.escape_debug()
        )))
    };
    for origin in headers.get_all(header::ORIGIN) {
        if !host.is_of(origin.as_bytes()) {
            return other("Origin", origin.as_bytes());
        }
    }
    if class == Class::Attaches {
        for site in headers.get_all("sec-fetch-site") {
            // `none`: the user themselves, by a bookmark or the address bar.
            if !matches!(site.as_bytes(), b"same-origin" | b"none") {
                return other("Sec-Fetch-Site", site.as_bytes());
            }
        }
    }
    Ok(())
}

/// The host that the request names, with the port if it has one.
#[derive(Clone, Copy, Debug)]
struct Host<'a>(&'a str);

/// HTTP/1 says it in a header, HTTP/2 in the URI.
fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Result<Host<'a>, Problem> {
    let refuse = |message: &str| Err(Problem::new(StatusCode::BAD_REQUEST, "host", message));
    let mut all = headers.get_all(header::HOST).iter();
    match (all.next(), all.next()) {
        (Some(one), None) => one
            .to_str()
            .map(Host)
            .or_else(|_| refuse("the header `Host` has characters that no name has")),
        (Some(_), Some(_)) => refuse("there are two headers `Host`, and there may be one"),
        (None, _) => match uri.authority() {
            Some(authority) => Ok(Host(authority.as_str())),
            None => refuse("the header `Host` is missing: it says whom the request is to"),
        },
    }
}

impl Host<'_> {
    fn is_loopback(self) -> bool {
        let (name, port) = match self.0.strip_prefix('[') {
            Some(rest) => match rest.split_once(']') {
                Some((address, port)) => {
                    let loopback = address
                        .parse::<Ipv6Addr>()
                        .is_ok_and(|address| IpAddr::V6(address).to_canonical().is_loopback());
                    return loopback
                        && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port));
                }
                None => return false,
            },
            None => match self.0.split_once(':') {
                Some((name, port)) => (name, Some(port)),
                None => (self.0, None),
            },
        };
        port.is_none_or(is_port)
            && (name.eq_ignore_ascii_case("localhost")
                || name
                    .parse::<Ipv4Addr>()
                    .is_ok_and(|address| address.is_loopback()))
    }

    /// Whether an `Origin` is of this host: the same name and port. (Browsers leave a scheme's own
    /// port out of both.)
    fn is_of(self, origin: &[u8]) -> bool {
        let Ok(origin) = std::str::from_utf8(origin) else {
            return false;
        };
        let name = origin
            .strip_prefix("http://")
            .or_else(|| origin.strip_prefix("https://"));
        name.is_some_and(|name| name.eq_ignore_ascii_case(self.0))
    }
}

fn is_port(text: &str) -> bool {
    !text.is_empty()
        && text.parse::<u16>().is_ok()
        && text.bytes().all(|byte| byte.is_ascii_digit())
}
