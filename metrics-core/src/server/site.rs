//! The paths of the server and their pages.

use std::sync::Arc;

use hyper::header::HOST;
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode, Version};

use super::answer::{Answer, Content};
use super::outlet::Outlet;
use super::rendering::{Rendering, Reply};
use super::scrapes::{Handover, Scrapes, Tracked};
use super::unread::Unread;
use super::{Pages, ServerOptions};
use crate::report::Report;

/// The number of pages.
pub(super) const PAGES: usize = 4;

const METRICS: &str = "/metrics";
const LANDING: &str = "/";
const HEALTHY: &str = "/-/healthy";
const READY: &str = "/-/ready";

/// Half of the default limit of a header, so that a long target (414) is distinguished from a long header (431).
/// Scraping a hundred families by name takes about 5 KiB.
const LONGEST_TARGET: usize = 8 * 1024;

pub(super) struct PageService {
    metrics: Rendering,
    landing: Rendering,
    healthy: Rendering,
    ready: Rendering,
    scrapes: Scrapes,
}

impl PageService {
    /// Starts a renderer for each page. Must be called on the server's runtime.
    pub(super) fn start(
        pages: &Arc<dyn Pages>,
        options: &ServerOptions,
        report: &Report,
        scrapes: Scrapes,
        unread: &Unread,
    ) -> Self {
        let start = |path, render: fn(&dyn Pages, &mut Outlet) -> Option<Answer>| {
            let pages = Arc::clone(pages);
            let render = Arc::new(move |outlet: &mut Outlet| render(&*pages, outlet));
            Rendering::start(path, options.render_timeout, report, unread.clone(), render)
        };
        Self {
            metrics: start(METRICS, |pages, outlet| {
                // It fails if there is no reader any more.
                if let Ok(delivered) = pages.metrics(outlet) {
                    outlet.on_delivery(delivered);
                }
                None
            }),
            landing: start(LANDING, |pages, _| Some(Answer::html(pages.landing()))),
            healthy: start(HEALTHY, |pages, _| Some(Answer::verdict(pages.healthy()))),
            ready: start(READY, |pages, _| Some(Answer::verdict(pages.ready()))),
            scrapes,
        }
    }

    pub(super) async fn respond(&self, head: &Parts, handover: Handover) -> Response<Tracked<Content>> {
        // Before the page is requested: a thread that starts waiting from here on needs a later scrape.
        let ticket = self.scrapes.ticket();
        let Reply { answer, streamed, delivery } = match refusal(head) {
            Some(answer) => answer.into(),
            None => self.page(head.uri.path()).await,
        };
        let response = answer.into_response(streamed);
        let scraped =
            head.uri.path() == METRICS && head.method == Method::GET && response.status() == StatusCode::OK;
        response.map(|body| Tracked::new(body, scraped.then(|| ticket.of(delivery)), handover))
    }

    /// Paths are compared as received: nothing is decoded or normalised, so that no path has two spellings.
    async fn page(&self, path: &str) -> Reply {
        match path {
            METRICS => self.metrics.answer().await,
            LANDING => self.landing.answer().await,
            HEALTHY => self.healthy.answer().await,
            READY => self.ready.answer().await,
            _ => not_found().into(),
        }
    }
}

/// The answer to a request that is rejected regardless of its path.
fn refusal(head: &Parts) -> Option<Answer> {
    if head.method != Method::GET && head.method != Method::HEAD {
        return Some(Answer::method_not_allowed("GET, HEAD"));
    }
    // RFC 9112, section 3.2: a server must refuse HTTP/1.1 with no Host or with several.
    if head.version == Version::HTTP_11 && head.headers.get_all(HOST).iter().count() != 1 {
        return Some(Answer::text(StatusCode::BAD_REQUEST, "HTTP/1.1 wants exactly one Host header"));
    }
    let target = head.uri.path_and_query().map_or(0, |target| target.as_str().len());
    (target > LONGEST_TARGET)
        .then(|| Answer::text(StatusCode::URI_TOO_LONG, "the request target is too long"))
}

fn not_found() -> Answer {
    let text = format!("not found; this server has {LANDING}, {METRICS}, {HEALTHY} and {READY}");
    Answer::text(StatusCode::NOT_FOUND, text)
}
