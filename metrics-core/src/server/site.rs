//! The paths of the server and their pages.

use std::io;
use std::sync::Arc;

#[cfg(feature = "gzip")]
use flate2::{Compression, write::GzEncoder};
use hyper::header::HOST;
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode, Version};

use super::answer::{Answer, Content};
#[cfg(feature = "page")]
use super::negotiation::since;
use super::negotiation::{OfferedFormats, Variant, scrape_timeout};
use super::outlet::Outlet;
#[cfg(feature = "page")]
use super::page::ReadablePages;
#[cfg(feature = "page")]
use super::pages::{CATALOGUE, STATUS};
use super::pages::{LANDING, METRICS};
use super::rendering::{Rendering, Reply};
use super::scrapes::{Handover, Scrapes, Tracked};
use super::unread::Unread;
use super::visitor::Visitor;
use super::{Delivered, Pages, ServerOptions};
use crate::exposition::WaitingClients;
use crate::report::Report;

/// The number of pages.
pub(super) const PAGES: usize = if cfg!(feature = "page") { 5 } else { 3 };

const HEALTHY: &str = "/-/healthy";
const READY: &str = "/-/ready";

/// Half of the default limit of a header, so that a long target (414) is distinguished from a long header (431).
/// Scraping a hundred families by name takes about 5 KiB.
const LONGEST_TARGET: usize = 8 * 1024;

pub(super) struct PageService {
    metrics: Rendering,
    #[cfg(feature = "page")]
    status: Rendering,
    #[cfg(feature = "page")]
    catalogue: Rendering,
    healthy: Rendering,
    ready: Rendering,
    offered: OfferedFormats,
    scrapes: Scrapes,
    #[cfg(feature = "page")]
    readable: ReadablePages,
    #[cfg(feature = "page")]
    unread: Unread,
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
        let start =
            |path, render: fn(&dyn Pages, &Variant, &WaitingClients, &mut Outlet) -> Option<Answer>| {
                let pages = Arc::clone(pages);
                let render =
                    Arc::new(move |variant: &Variant, clients: &WaitingClients, outlet: &mut Outlet| {
                        render(&*pages, variant, clients, outlet)
                    });
                Rendering::start(path, options.render_timeout, report, unread.clone(), render)
            };
        Self {
            metrics: start(METRICS, |pages, variant, clients, outlet| {
                // It fails if there is no reader any more.
                if let Ok(delivered) = write(pages, variant, clients, outlet) {
                    outlet.on_delivery(delivered);
                }
                None
            }),
            #[cfg(feature = "page")]
            status: start(STATUS, |pages, variant, _, _| Some(Answer::json(pages.status(variant.since)))),
            #[cfg(feature = "page")]
            catalogue: start(CATALOGUE, |pages, _, _, _| Some(Answer::json(pages.catalogue()))),
            healthy: start(HEALTHY, |pages, _, _, _| Some(Answer::verdict(pages.healthy()))),
            ready: start(READY, |pages, _, _, _| Some(Answer::verdict(pages.ready()))),
            offered: options.offered.clone(),
            scrapes,
            #[cfg(feature = "page")]
            readable: ReadablePages::new(options, pages.is_live()),
            #[cfg(feature = "page")]
            unread: unread.clone(),
        }
    }

    pub(super) async fn respond(
        &self,
        head: &Parts,
        visitor: Visitor,
        handover: Handover,
    ) -> Response<Tracked<Content>> {
        // Before the page is requested: a thread that starts waiting from here on needs a later scrape.
        let ticket = self.scrapes.ticket();
        let variant = Variant::preferred(&head.uri, &head.headers, &self.offered);
        // A part is not the last scrape that a bot waits for.
        let is_complete = variant.as_ref().is_ok_and(Variant::is_complete);
        let is_scrape = head.uri.path() == METRICS && head.method == Method::GET && is_complete;
        let Reply { answer, streamed, delivery } = match (refusal(head), variant) {
            (Some(answer), _) => answer.into(),
            (None, Ok(variant)) => self.page(head, visitor, variant).await,
            (None, Err(error)) => Answer::text(StatusCode::BAD_REQUEST, error.to_string()).into(),
        };
        let response = answer.into_response(streamed);
        let scraped = is_scrape && response.status() == StatusCode::OK;
        response.map(|body| Tracked::new(body, scraped.then(|| ticket.of(delivery)), handover))
    }

    /// Paths are compared as received: nothing is decoded or normalised, so that no path has two spellings.
    #[cfg_attr(
        not(feature = "page"),
        expect(unused_variables, reason = "there is nothing to keep from a visitor")
    )]
    async fn page(&self, head: &Parts, visitor: Visitor, variant: Variant) -> Reply {
        #[cfg(feature = "page")]
        if let Some(answer) = self.readable.answer(head, visitor) {
            let body = self.unread.hold(answer.body().clone()).await;
            return answer.with_body(body).into();
        }
        let page = match head.uri.path() {
            METRICS => return self.metrics.answer(variant, scrape_timeout(&head.headers)).await,
            #[cfg(not(feature = "page"))]
            LANDING => return Answer::links().into(),
            #[cfg(feature = "page")]
            STATUS => {
                return match since(&head.uri) {
                    Ok(since) => self.status.answer(Variant { since, ..Variant::default() }, None).await,
                    Err(error) => Answer::text(StatusCode::BAD_REQUEST, error.to_string()).into(),
                };
            }
            #[cfg(feature = "page")]
            CATALOGUE => &self.catalogue,
            HEALTHY => &self.healthy,
            READY => &self.ready,
            _ => return not_found().into(),
        };
        page.answer(Variant::default(), None).await
    }
}

/// Writes the exposition, compressed if the variant is.
fn write(
    pages: &dyn Pages,
    variant: &Variant,
    clients: &WaitingClients,
    outlet: &mut Outlet,
) -> io::Result<Delivered> {
    #[cfg(feature = "gzip")]
    if variant.is_compressed {
        // The fastest level, since a bot trades beside it: text shrinks to a tenth.
        let mut compressed = GzEncoder::new(outlet, Compression::fast());
        let delivered = pages.metrics(&variant.page, clients, &mut compressed)?;
        compressed.finish()?;
        return Ok(delivered);
    }
    pages.metrics(&variant.page, clients, outlet)
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
    #[cfg(feature = "page")]
    let text = format!(
        "not found; this server has {LANDING}, {METRICS}, {STATUS}, {CATALOGUE}, {HEALTHY} and {READY}"
    );
    #[cfg(not(feature = "page"))]
    let text = format!("not found; this server has {LANDING}, {METRICS}, {HEALTHY} and {READY}");
    Answer::text(StatusCode::NOT_FOUND, text)
}
