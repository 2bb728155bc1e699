//! The clients that may see the pages of the bot's state.
//!
//! Two are refused. A page of another website that reaches the bot through the operator's browser, under a host name of
//! its own that it lets point to the bot (DNS rebinding), is recognised by that name. And while a bot trades live money,
//! clients that neither log in nor run on its machine get an explanation instead. Clients that log in are neither: a
//! browser sends a password to the site alone for which it was entered, and a certificate to one whose own matches.

use std::net::IpAddr;

use hyper::HeaderMap;
use hyper::header::{FORWARDED, HOST, HeaderName, VIA};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;

use crate::server::visitor::Visitor;

/// The reason why a client does not see the state of the bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PageRefusal {
    ForeignHost,
    /// The bot trades live money, and its server asks for no password.
    Unprotected(TunnelEnd),
}

/// The server as its client reached it, to which an SSH tunnel can lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TunnelEnd {
    /// A name, or an address without brackets.
    pub(super) host: String,
    pub(super) port: TunnelPort,
}

/// The port to which a tunnel leads, and where it is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TunnelPort {
    /// The server listens on it, and the client used it too.
    Own(u16),
    /// The server listens on it, but the client used another one.
    Mapped(u16),
    /// The client used it. The service is mounted in a server whose port is not known.
    Requested(u16),
    /// Nothing: the service is mounted, and the client named no port.
    Unknown,
}

#[derive(Debug)]
pub(super) struct Visitors {
    /// In lower case.
    names: Vec<String>,
    needs_protection: bool,
}

/// The headers of a proxy, whose own address says nothing about its client.
const FORWARDING: [HeaderName; 6] = [
    FORWARDED,
    VIA,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-real-ip"),
];

impl Visitors {
    pub(super) fn new(allowed_hosts: &[String], needs_protection: bool) -> Self {
        let mut names = vec!["localhost".to_owned()];
        names.extend(allowed_hosts.iter().map(|name| name.to_ascii_lowercase()));
        if let Some(own) = own_name() {
            // Under the second one, devices of a local network find each other (multicast DNS).
            names.extend([own.clone(), own + ".local"]);
        }
        Self { names, needs_protection }
    }

    pub(super) fn check(&self, head: &Parts, visitor: Visitor) -> Result<(), PageRefusal> {
        let (is_local, port) = match visitor {
            Visitor::Authenticated => return Ok(()),
            Visitor::At(address, port) => {
                (address.to_canonical().is_loopback() && !is_forwarded(&head.headers), Some(port))
            }
            Visitor::Unknown => (false, None),
        };
        let host = requested_host(head).filter(|host| self.is_own(host)).ok_or(PageRefusal::ForeignHost)?;
        if is_local || !self.needs_protection {
            return Ok(());
        }
        let port = TunnelPort::of(port, host.port_u16());
        Err(PageRefusal::Unprotected(TunnelEnd { host: bare(&host).to_owned(), port }))
    }

    /// No website can have an address as its name.
    fn is_own(&self, host: &Authority) -> bool {
        let name = bare(host);
        name.parse::<IpAddr>().is_ok() || self.names.iter().any(|own| own.eq_ignore_ascii_case(name))
    }
}

/// The ports of URLs that name none.
const USUAL_PORTS: [u16; 2] = [80, 443];

impl TunnelPort {
    /// From the port on which the server listens, and that of the request.
    fn of(own: Option<u16>, requested: Option<u16>) -> Self {
        match (own, requested) {
            (Some(own), Some(requested)) if own == requested => Self::Own(own),
            (Some(own), None) if USUAL_PORTS.contains(&own) => Self::Own(own),
            (Some(own), _) => Self::Mapped(own),
            (None, Some(requested)) => Self::Requested(requested),
            (None, None) => Self::Unknown,
        }
    }
}

/// Whether this is a host name without a port.
pub(in crate::server) fn is_host_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

/// The authority of the request target replaces the header (RFC 9112, section 3.2.2); HTTP/2 has it alone.
fn requested_host(head: &Parts) -> Option<Authority> {
    let host = head.uri.authority().cloned();
    host.or_else(|| head.headers.get(HOST)?.to_str().ok()?.parse().ok()).filter(is_host_and_port)
}

/// An authority may also name a user, and its parser overlooks a name behind an address in brackets.
fn is_host_and_port(host: &Authority) -> bool {
    let rest = host.as_str().strip_prefix(host.host());
    rest.is_some_and(|rest| rest.is_empty() || host.port().is_some_and(|port| rest[1..] == *port.as_str()))
}

/// The name or the address without a port, brackets or the final dot.
fn bare(host: &Authority) -> &str {
    let name = host.host();
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    address.unwrap_or_else(|| name.strip_suffix('.').unwrap_or(name))
}

fn is_forwarded(headers: &HeaderMap) -> bool {
    FORWARDING.iter().any(|name| headers.contains_key(name))
}

/// The name of this machine in lower case.
#[cfg(unix)]
fn own_name() -> Option<String> {
    // Longer than any name that a system allows.
    let mut name = [0_u8; 256];
    // SAFETY: the pointer is to live memory of the given length, to which the call writes.
    let result = unsafe { libc::gethostname(name.as_mut_ptr().cast(), name.len()) };
    let length = name.iter().position(|&byte| byte == 0)?;
    let name = str::from_utf8(&name[..length]).ok()?;
    (result == 0 && !name.is_empty()).then(|| name.to_ascii_lowercase())
}

#[cfg(not(unix))]
fn own_name() -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    const REMOTE: Visitor = Visitor::At(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7)), 5000);

    fn head(target: &str, headers: &[(&str, &str)]) -> Parts {
        let request =
            headers.iter().fold(Request::get(target), |request, (name, value)| request.header(*name, *value));
        request.body(()).unwrap().into_parts().0
    }

    fn to_host(host: &str) -> Parts {
        head("/", &[("host", host)])
    }

    fn visitors(needs_protection: bool) -> Visitors {
        Visitors::new(&["Bot.example".to_owned()], needs_protection)
    }

    #[test]
    fn the_bots_own_names_are_those_that_no_website_can_choose() {
        let own = own_name().unwrap();
        for host in [
            "127.0.0.1:5000",
            "203.0.113.9",
            "[::1]:5000",
            "[2001:db8::1]",
            "localhost",
            "LOCALHOST:5000",
            "localhost.",
            "bot.example:8443",
            "BOT.EXAMPLE",
            &own,
            &format!("{own}.local:5000"),
        ] {
            assert_eq!(visitors(false).check(&to_host(host), REMOTE), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evil.example:5000",
            "bot.example.evil",
            "1.2.3",
            "0x7f000001",
            "[::1].evil.example",
            "",
            ":5000",
            "localhost@evil.example",
            "a b",
        ] {
            assert_eq!(
                visitors(false).check(&to_host(host), REMOTE),
                Err(PageRefusal::ForeignHost),
                "{host}"
            );
        }
        assert_eq!(visitors(false).check(&head("/", &[]), REMOTE), Err(PageRefusal::ForeignHost), "no host");
    }

    #[test]
    fn the_host_of_the_target_counts_before_the_header() {
        let evil = head("http://evil.example/", &[("host", "localhost")]);
        assert_eq!(visitors(false).check(&evil, REMOTE), Err(PageRefusal::ForeignHost));
        assert_eq!(visitors(false).check(&head("http://localhost/", &[]), REMOTE), Ok(()));
    }

    #[test]
    fn a_live_bot_without_authentication_shows_itself_to_its_own_machine_alone() {
        let at = |address: &str| Visitor::At(address.parse().unwrap(), 5000);
        let refused_at =
            |port| Err(PageRefusal::Unprotected(TunnelEnd { host: "localhost".to_owned(), port }));
        let refused = refused_at(TunnelPort::Own(5000));
        for (visitor, expected) in [
            (at("127.0.0.1"), Ok(())),
            (at("127.9.9.9"), Ok(())),
            (at("::1"), Ok(())),
            (at("::ffff:127.0.0.1"), Ok(())),
            (Visitor::Authenticated, Ok(())),
            (at("10.0.0.2"), refused.clone()),
            (at("::ffff:10.0.0.2"), refused.clone()),
            (at("fe80::1"), refused.clone()),
            (Visitor::Unknown, refused_at(TunnelPort::Requested(5000))),
        ] {
            assert_eq!(visitors(true).check(&to_host("localhost:5000"), visitor), expected, "{visitor:?}");
            assert_eq!(visitors(false).check(&to_host("localhost:5000"), visitor), Ok(()), "{visitor:?}");
        }
        let foreign = visitors(true).check(&to_host("evil.example"), at("127.0.0.1"));
        assert_eq!(foreign, Err(PageRefusal::ForeignHost), "rebinding reaches the bot from its own machine");
        let elsewhere = visitors(true).check(&to_host("evil.example"), Visitor::Authenticated);
        assert_eq!(elsewhere, Ok(()), "a name for which a password was entered");
    }

    #[test]
    fn a_tunnel_leads_to_the_port_of_the_server_and_not_to_that_of_a_proxy() {
        for (host, port, expected) in [
            ("bot.example:5000", Some(5000), ("bot.example", TunnelPort::Own(5000))),
            ("bot.example", Some(80), ("bot.example", TunnelPort::Own(80))),
            ("bot.example", Some(5000), ("bot.example", TunnelPort::Mapped(5000))),
            ("bot.example:8443", Some(5000), ("bot.example", TunnelPort::Mapped(5000))),
            ("[2001:db8::1]:5000", Some(5000), ("2001:db8::1", TunnelPort::Own(5000))),
            ("[2001:db8::1]", None, ("2001:db8::1", TunnelPort::Unknown)),
            ("bot.example:8080", None, ("bot.example", TunnelPort::Requested(8080))),
        ] {
            let visitor =
                port.map_or(Visitor::Unknown, |port| Visitor::At("192.0.2.7".parse().unwrap(), port));
            let end = TunnelEnd { host: expected.0.to_owned(), port: expected.1 };
            let refusal = visitors(true).check(&to_host(host), visitor);
            assert_eq!(refusal, Err(PageRefusal::Unprotected(end)), "{host}");
        }
    }

    #[test]
    fn a_proxy_on_the_bots_machine_does_not_lend_its_address() {
        for header in
            ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"]
        {
            let forwarded = head("/", &[("host", "localhost"), (header, "203.0.113.9")]);
            let visitor = Visitor::At("127.0.0.1".parse().unwrap(), 5000);
            assert!(visitors(true).check(&forwarded, visitor).is_err(), "{header}");
            assert_eq!(visitors(true).check(&forwarded, Visitor::Authenticated), Ok(()));
        }
    }

    #[test]
    fn a_host_name_has_no_scheme_port_or_space() {
        for name in ["bot", "bot.example", "bot-1.internal"] {
            assert!(is_host_name(name), "{name}");
        }
        for name in ["", "bot:5000", "http://bot", "bot/", "user@bot", "a b", "bot.example,other"] {
            assert!(!is_host_name(name), "{name}");
        }
    }
}
