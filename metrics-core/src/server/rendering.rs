//! Renders a page apart from the connections, once for all who wait for it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::StatusCode;
use tokio::sync::{Notify, oneshot};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::answer::Answer;
use super::unread::Unread;
use crate::report::Report;

/// One page. At most one rendering of it runs; whoever asks meanwhile waits for the next one, which all of
/// them share. So a client sees everything that was recorded before it asked, and a crowd costs no more than
/// two clients.
pub(super) struct Rendering {
    path: &'static str,
    timeout: Duration,
    report: Report,
    queue: Arc<Queue>,
}

/// Who waits for the next rendering.
#[derive(Default)]
struct Queue {
    /// Never longer than there are connections: each asks for one page at a time, and who has given up makes
    /// way for whoever asks next, however long a page hangs.
    waiting: Mutex<Vec<Client>>,
    asked: Notify,
}

type Client = oneshot::Sender<Answer>;
type Render = Arc<dyn Fn() -> Answer + Send + Sync>;
type Panic = Box<dyn Any + Send>;

impl Rendering {
    /// Starts the task that renders. Must be called on the server's runtime.
    pub(super) fn start(
        path: &'static str,
        timeout: Duration,
        report: &Report,
        unread: Unread,
        render: Render,
    ) -> Self {
        let queue = Arc::<Queue>::default();
        tokio::spawn(render_for(Arc::clone(&queue), path, render, unread, report.clone()));
        Self { path, timeout, report: report.clone(), queue }
    }

    pub(super) async fn answer(&self) -> Answer {
        let (sender, answer) = oneshot::channel();
        self.queue.join(sender);
        match timeout(self.timeout, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Answer::text(StatusCode::SERVICE_UNAVAILABLE, "the server is shutting down"),
            Err(_) => self.late(),
        }
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.queue.waiting.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn late(&self) -> Answer {
        let text = format!("the page {} took longer than {:?} to render", self.path, self.timeout);
        self.report.tell(&text);
        Answer::text(StatusCode::SERVICE_UNAVAILABLE, text)
    }
}

impl Queue {
    fn join(&self, client: Client) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|earlier| !earlier.is_closed());
        waiting.push(client);
        self.asked.notify_one();
    }

    /// All who have asked by now; at least one has.
    async fn next(&self) -> Vec<Client> {
        self.asked.notified().await;
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Ends with the runtime.
async fn render_for(queue: Arc<Queue>, path: &'static str, render: Render, unread: Unread, report: Report) {
    loop {
        let clients = queue.next().await;
        let answer = render_apart(&render).await.unwrap_or_else(|panic| {
            report.tell(&format!("the page {path} panicked: {}", message(panic.as_ref())));
            Answer::text(StatusCode::INTERNAL_SERVER_ERROR, "this page panicked; the bot's log says why")
        });
        let body = unread.hold(answer.body().clone()).await;
        let answer = answer.with_body(body);
        for client in clients {
            // A client may have given up waiting.
            let _ = client.send(answer.clone());
        }
    }
}

async fn render_apart(render: &Render) -> Result<Answer, Panic> {
    let render = Arc::clone(render);
    // Handing the work over panics when the machine has no thread left to give.
    let handed_over = catch_unwind(AssertUnwindSafe(|| spawn_blocking(move || render())))?;
    handed_over
        .await
        .map_err(|error| error.try_into_panic().unwrap_or_else(|error| Box::new(error.to_string())))
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
