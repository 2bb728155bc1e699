//! The documents, put together from their sources.

use super::visitors::{TunnelEnd, TunnelPort};

/// A page: its part of the body, and its own style and scripts.
pub(super) struct Document {
    title: &'static str,
    style: &'static str,
    body: &'static str,
    scripts: &'static [&'static str],
}

const STYLE: &str = include_str!("page.css");

pub(super) const STATUS_PAGE: Document = Document {
    title: "Bot status",
    style: concat!(include_str!("page.css"), include_str!("status.css"), include_str!("uplot/uPlot.min.css")),
    body: include_str!("status.html"),
    scripts: &[
        include_str!("uplot/uPlot.iife.min.js"),
        include_str!("dom.js"),
        include_str!("format.js"),
        include_str!("history.js"),
        include_str!("charts.js"),
        include_str!("lost.js"),
        include_str!("glance.js"),
        include_str!("subsystems.js"),
        include_str!("risk.js"),
        include_str!("exchange.js"),
        include_str!("events.js"),
        include_str!("families.js"),
        include_str!("status.js"),
    ],
};

pub(super) const CATALOGUE_PAGE: Document = Document {
    title: "Annotated functions",
    style: concat!(include_str!("page.css"), include_str!("catalogue.css")),
    body: include_str!("catalogue.html"),
    scripts: &[include_str!("dom.js"), include_str!("format.js"), include_str!("catalogue.js")],
};

impl Document {
    pub(super) fn with_nonce(&self, nonce: &str) -> String {
        let script = |script: &&str| ["<script nonce=\"", nonce, "\">\n", script, "</script>\n"].concat();
        let scripts: Vec<_> = self.scripts.iter().map(script).collect();
        document(self.title, self.style, nonce, &(self.body.to_owned() + &scripts.concat()))
    }
}

/// The first port that a user without special rights may open.
const FIRST_OPEN_PORT: u16 = 1024;

/// The page for clients that may not see the state of a live bot.
pub(super) fn unprotected(TunnelEnd { host, port }: &TunnelEnd, nonce: &str) -> String {
    let known = match port {
        TunnelPort::Own(port) | TunnelPort::Mapped(port) | TunnelPort::Requested(port) => Some(*port),
        TunnelPort::Unknown => None,
    };
    let local = known.filter(|port| *port >= FIRST_OPEN_PORT).unwrap_or(5000).to_string();
    let hint = hint(*port);
    let port = known.map_or_else(|| "PORT".to_owned(), |port| port.to_string());
    // The check of the host left an address or a name that was allowed: neither has a character of HTML.
    let body = include_str!("unprotected.html")
        .replace("{{host}}", host)
        .replace("{{local}}", &local)
        .replace("{{port}}", &port)
        .replace("{{hint}}", &hint);
    document("Not shown here", STYLE, nonce, &body)
}

/// A remark on the port of the tunnel.
fn hint(port: TunnelPort) -> String {
    match port {
        TunnelPort::Own(_) => String::new(),
        TunnelPort::Mapped(own) => format!(
            " The bot’s server listens on port {own}, but this page was asked for at another port: there is a proxy in \
             between, or the port mapping of a container."
        ),
        TunnelPort::Requested(port) => format!(
            " {port} is the port at which this page was asked for. If there is a proxy or a port mapping in between, \
             the bot’s HTTP server listens on another one."
        ),
        TunnelPort::Unknown => " PORT is the port on which the bot’s HTTP server listens.".to_owned(),
    }
}

fn document(title: &str, style: &str, nonce: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n\
         <style nonce=\"{nonce}\">\n{style}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LabelValue as _;
    use crate::outcome::Outcome;

    #[test]
    fn the_chart_of_the_calls_has_each_outcome() {
        let (_, kinds) = include_str!("charts.js").split_once("const OUTCOME_KINDS = [").expect("the list");
        let (kinds, _) = kinds.split_once("\n];").expect("its end");
        for outcome in Outcome::VALUES.iter().filter(|outcome| **outcome != Outcome::Skipped.as_str()) {
            assert!(
                kinds.contains(&format!("\"{outcome}\"")),
                "{outcome} is missing in OUTCOME_KINDS of charts.js"
            );
        }
    }

    fn page(host: &str, port: TunnelPort) -> String {
        unprotected(&TunnelEnd { host: host.to_owned(), port }, "nonce")
    }

    #[test]
    fn the_tunnel_can_be_opened_as_it_is_written() {
        for (host, port, command, url, hint) in [
            (
                "bot.example",
                TunnelPort::Own(5000),
                "ssh -N -L 5000:localhost:5000 USER@bot.example",
                "http://localhost:5000/",
                "loopback address.</p>",
            ),
            (
                "2001:db8::1",
                TunnelPort::Mapped(9100),
                "ssh -N -L 9100:localhost:9100 USER@2001:db8::1",
                "http://localhost:9100/",
                "listens on port 9100, but this page was asked for at another port",
            ),
            (
                "bot.example",
                TunnelPort::Own(80),
                "ssh -N -L 5000:localhost:80 USER@bot.example",
                "http://localhost:5000/",
                "loopback address.</p>",
            ),
            (
                "bot.example",
                TunnelPort::Requested(8080),
                "ssh -N -L 8080:localhost:8080 USER@bot.example",
                "http://localhost:8080/",
                "8080 is the port at which this page was asked for",
            ),
            (
                "bot.example",
                TunnelPort::Unknown,
                "ssh -N -L 5000:localhost:PORT USER@bot.example",
                "http://localhost:5000/",
                "PORT is the port",
            ),
        ] {
            let page = page(host, port);
            assert!(
                page.contains(&format!("<code>{command}</code>")) && page.contains(url),
                "{command}\n{page}"
            );
            assert!(!page.contains("{{"), "{page}");
            assert!(page.contains(hint), "{hint}\n{page}");
        }
    }
}
