//! The documents, put together from their sources.

use hyper::http::uri::Authority;

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

/// The page for clients that may not see the state of a live bot. The host is that of their request.
pub(super) fn unprotected(host: &Authority, nonce: &str) -> String {
    let port = host.port_u16().unwrap_or(5000).to_string();
    // The check of the host left an address or a name that was allowed: neither has a character of HTML.
    let body = include_str!("unprotected.html").replace("{{host}}", host.host()).replace("{{port}}", &port);
    document("Not shown here", STYLE, nonce, &body)
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
