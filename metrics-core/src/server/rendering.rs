//! Renders a page apart from the connections, once for all clients that wait for the same variant of it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::StatusCode;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::answer::Answer;
use super::flow::Streamed;
use super::negotiation::Variant;
use super::outlet::{Outlet, Rendered, Turn};
use super::scrapes::Delivery;
use super::unread::Unread;
use crate::exposition::{CollectorRuns, WaitingClients};
use crate::panics::contained;
use crate::report::{Report, Topic};
use crate::shown::shown;

/// One page. A client that requests it during a rendering waits for the next one, which all such clients share if they
/// request the same variant of the page. So a client sees everything that was recorded before its request, and a crowd
/// costs no more than two clients. Variants take turns: a complete page is rendered before every other part of one, so
/// that requests for parts of all kinds delay a scrape by one rendering at most. The bot's collectors run once for all
/// variants whose clients wait at that time.
///
/// A page that is streamed makes room for the next rendering once its first piece is sent; one of these renderings is
/// active at a time.
pub(super) struct Rendering {
    path: &'static str,
    timeout: Duration,
    report: Report,
    queue: Arc<RenderQueue>,
}

/// The maximum number of renderings of a page, all but one of which wait for slow clients. Each takes a thread, and a
/// megabyte at most in addition to the memory that [`Unread`] limits.
pub(super) const RENDERINGS: usize = 4;

/// The time for which a client waits for a rendering that waits for slow clients, before that rendering stops
/// waiting.
const PATIENCE: Duration = Duration::from_millis(10);

/// A client that sets a shorter time limit gets its answer, but no report.
const SHORTEST_REPORTED: Duration = Duration::from_millis(100);

/// The answer for a client.
pub(super) struct Reply {
    pub(super) answer: Answer,
    /// Replaces the answer's body.
    pub(super) streamed: Option<Streamed>,
    pub(super) delivery: Delivery,
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self { answer, streamed: None, delivery: Delivery::default() }
    }
}

/// The clients that wait for the next renderings, in the order of their requests.
#[derive(Default)]
struct RenderQueue {
    /// Never longer than the number of connections: each requests one page at a time, and a client that has given up
    /// is replaced by the next request, however long a page hangs.
    waiting: Mutex<Vec<Client>>,
    asked: Notify,
}

struct Client {
    variant: Variant,
    asked: Instant,
    reply: oneshot::Sender<Reply>,
}

/// Renders a variant of the page and returns it, unless it was written to the outlet.
type Render = Arc<dyn Fn(&Variant, &WaitingClients, &mut Outlet) -> Option<Answer> + Send + Sync>;

impl Rendering {
    /// Starts the task that renders. Must be called on the server's runtime.
    pub(super) fn start(
        path: &'static str,
        timeout: Duration,
        report: &Report,
        unread: Unread,
        render: Render,
    ) -> Self {
        let queue = Arc::<RenderQueue>::default();
        let renderer = Renderer {
            path,
            timeout,
            report: report.clone(),
            render,
            unread,
            turn: Arc::default(),
            permits: Arc::new(Semaphore::new(RENDERINGS)),
            runs: Arc::default(),
        };
        tokio::spawn(renderer.render_for(Arc::clone(&queue)));
        Self { path, timeout, report: report.clone(), queue }
    }

    /// The answer to a client, which may set a time limit shorter than the server's.
    pub(super) async fn answer(&self, variant: Variant, limit: Option<Duration>) -> Reply {
        let (reply, answer) = oneshot::channel();
        self.queue.join(Client { variant, asked: Instant::now(), reply });
        let limit = limit.unwrap_or(self.timeout).min(self.timeout);
        match timeout(limit, answer).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(_)) => Answer::text(StatusCode::SERVICE_UNAVAILABLE, "the server is shutting down").into(),
            Err(_) => self.late(limit).into(),
        }
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.queue.waiting.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn late(&self, limit: Duration) -> Answer {
        let text = format!("the page {} took longer than {limit:?} to render", self.path);
        if limit >= SHORTEST_REPORTED {
            self.report.tell(Topic::LatePage, self.path, &text);
        }
        Answer::text(StatusCode::SERVICE_UNAVAILABLE, text)
    }
}

impl RenderQueue {
    fn join(&self, client: Client) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|earlier| !earlier.reply.is_closed());
        waiting.push(client);
        self.asked.notify_one();
    }

    /// The clients of the next variant: that of the first client, but a complete page after a part of one. They are all
    /// that have requested it by now, or, if there are any, all that asked before the collectors' last run `begun`.
    fn take(&self, after_part: bool, begun: Option<Instant>) -> Option<(Variant, Vec<Client>)> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|client| !client.reply.is_closed());
        let complete = waiting.iter().find(|client| after_part && client.variant.is_complete());
        let variant = complete.or(waiting.first())?.variant.clone();
        let asked_before = |client: &Client| begun.is_some_and(|begun| client.asked <= begun);
        let is_served = waiting.iter().any(|client| client.variant == variant && asked_before(client));
        let (clients, others) = waiting
            .drain(..)
            .partition(|client| client.variant == variant && (!is_served || asked_before(client)));
        *waiting = others;
        if !waiting.is_empty() {
            self.asked.notify_one();
        }
        Some((variant, clients))
    }

    /// Whether a client waits that asked before this.
    fn has_older(&self, than: Instant) -> bool {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.iter().any(|client| client.asked <= than)
    }
}

/// The renderer of a page.
struct Renderer {
    path: &'static str,
    timeout: Duration,
    report: Report,
    render: Render,
    unread: Unread,
    turn: Arc<Turn>,
    permits: Arc<Semaphore>,
    runs: Arc<CollectorRuns>,
}

impl Renderer {
    /// Runs until the runtime ends.
    async fn render_for(self, queue: Arc<RenderQueue>) {
        let mut after_part = false;
        loop {
            queue.asked.notified().await;
            self.unread.connections.let_new_ones_ask().await;
            let permit = self.permit().await;
            let Some((variant, clients)) = queue.take(after_part, self.runs.begun()) else { continue };
            after_part = !variant.is_complete();
            let delivery = Delivery::default();
            let asked = clients.iter().map(|client| client.asked).max();
            let waiting = WaitingClients { asked, runs: Arc::clone(&self.runs) };
            match self.rendered(permit, &variant, waiting, delivery.clone()).await {
                Rendered::Whole(answer) => {
                    let body = self.unread.hold(answer.body().clone()).await;
                    let answer = answer.with_body(body);
                    for client in clients {
                        // A client may have stopped waiting.
                        let (answer, delivery) = (answer.clone(), delivery.clone());
                        let _ = client.reply.send(Reply { answer, streamed: None, delivery });
                    }
                }
                Rendered::Streamed(offer) => {
                    let answer = Answer::exposition(&variant);
                    let bodies = offer.bodies(clients.len(), self.timeout);
                    for (client, streamed) in clients.into_iter().zip(bodies) {
                        let (answer, delivery) = (answer.clone(), delivery.clone());
                        let _ = client.reply.send(Reply { answer, streamed: Some(streamed), delivery });
                    }
                }
            }
            if self.runs.begun().is_some_and(|begun| !queue.has_older(begun)) {
                self.runs.forget();
            }
        }
    }

    async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        let permit = || Arc::clone(&self.permits).acquire_owned();
        if let Ok(permit) = timeout(PATIENCE, permit()).await {
            return permit.ok();
        }
        let _hurry = self.turn.hurry();
        permit().await.ok()
    }

    /// Renders on another thread; returns when the form of the answer is known.
    async fn rendered(
        &self,
        permit: Option<OwnedSemaphorePermit>,
        variant: &Variant,
        clients: WaitingClients,
        delivery: Delivery,
    ) -> Rendered {
        let (sender, rendered) = oneshot::channel();
        let (render, report, path) = (Arc::clone(&self.render), self.report.clone(), self.path);
        let (turn, unread, variant) = (Arc::clone(&self.turn), self.unread.clone(), variant.clone());
        let work = move || {
            let mut outlet = Outlet::new(sender, turn, unread, delivery);
            match contained(|| render(&variant, &clients, &mut outlet)) {
                Ok(Some(answer)) => outlet.answer(answer),
                Ok(None) => outlet.finish(&Answer::exposition(&variant)),
                Err(panic) => tell(&report, path, &panic),
            }
            drop(permit);
        };
        // Handing over the work panics when the system has no thread left.
        if let Err(panic) = contained(|| drop(spawn_blocking(work))) {
            tell(&self.report, path, &panic);
        }
        let broken = "this page panicked; see the bot's log";
        let broken = || Rendered::Whole(Answer::text(StatusCode::INTERNAL_SERVER_ERROR, broken));
        rendered.await.unwrap_or_else(|_| broken())
    }
}

fn tell(report: &Report, path: &str, panic: &str) {
    report.tell(Topic::BrokenPage, path, format_args!("the page {path} panicked: {}", shown(panic)));
}
