//! The pages that an operator reads in a browser: the status page, and the table of annotated functions.
//!
//! Each is one document without external resources, whose scripts poll the JSON of the same server. The files beside
//! this one are its source; there is no build step. They write texts of the bot only as text, never as HTML, and the
//! Content-Security-Policy lets nothing run that lacks the nonce of the answer.

mod document;
mod visitors;

use hyper::StatusCode;
use hyper::header::ACCEPT;
use hyper::http::request::Parts;

use self::document::{CATALOGUE_PAGE, STATUS_PAGE, unprotected};
pub(super) use self::visitors::is_host_name;
use self::visitors::{PageRefusal, Visitors};
use super::ServerOptions;
use super::answer::Answer;
use super::pages::{CATALOGUE, LANDING, STATUS};
use super::visitor::Visitor;

/// The readable pages, and the clients that may see them.
pub(super) struct ReadablePages {
    visitors: Visitors,
}

impl ReadablePages {
    pub(super) fn new(options: &ServerOptions, is_live: bool) -> Self {
        let visitors = Visitors::new(&options.allowed_hosts, is_live && !options.trust_clients);
        Self { visitors }
    }

    /// The answer to a request for the bot's state, unless it is to be the JSON.
    pub(super) fn answer(&self, head: &Parts, visitor: Visitor) -> Option<Answer> {
        let path = head.uri.path();
        if ![LANDING, STATUS, CATALOGUE].contains(&path) {
            return None;
        }
        self.refusal(head, visitor).or_else(|| match path {
            LANDING => Some(Answer::html(StatusCode::OK, |nonce| STATUS_PAGE.with_nonce(nonce))),
            CATALOGUE if prefers_html(head) => {
                Some(Answer::html(StatusCode::OK, |nonce| CATALOGUE_PAGE.with_nonce(nonce)))
            }
            _ => None,
        })
    }

    /// The answer to a client that may not see the state of the bot.
    fn refusal(&self, head: &Parts, visitor: Visitor) -> Option<Answer> {
        let refusal = self.visitors.check(head, visitor).err()?;
        Some(match refusal {
            PageRefusal::ForeignHost => Answer::text(
                StatusCode::MISDIRECTED_REQUEST,
                "the bot's pages are not served under this host name; allowed: its addresses, localhost, the name of \
                 its machine, and the names that ServerOptions::allowed_hosts adds",
            ),
            PageRefusal::Unprotected(end) if prefers_html(head) => {
                Answer::html(StatusCode::FORBIDDEN, |nonce| unprotected(&end, nonce))
            }
            PageRefusal::Unprotected(_) => Answer::text(
                StatusCode::FORBIDDEN,
                "this bot trades live money and its server asks for no password, so that its state is shown on its own \
                 machine alone; open / in a browser for the ways to see it",
            ),
        })
    }
}

/// Whether the client is a browser that shows a page: scripts and programs accept other types, or ask for `?format=json`.
fn prefers_html(head: &Parts) -> bool {
    let accepted = head.headers.get(ACCEPT).and_then(|accepted| accepted.to_str().ok());
    head.uri.query() != Some("format=json") && accepted.is_some_and(|accepted| accepted.contains("text/html"))
}
