//! The exchange as a running server: one venue behind a lock, updated before every answer.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rust_decimal::Decimal;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::delay::Delays;
use super::disruption::{Disruption, Disruptions};
use super::order_count::OrderCounts;
use super::replay::Replay;
use super::routes;
use super::tampering;
use super::venue::Venue;
use super::weight::{WEIGHT_LIMIT, WeightMeter};
use crate::clock::Clock;
use crate::market::Asset;
use crate::recording::Recording;

/// The interval at which the market advances without requests, so that a quiet hour is not replayed at once.
pub(super) const TICK: Duration = Duration::from_millis(100);

/// The time in which a client sends the body of a request.
pub(super) const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The time in which a client sends the header of its next request, or its connection is closed.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// The maximum number of open connections.
const MOST_CONNECTIONS: usize = 64;

/// How far [`Disruption::ClockSkew`] moves the clock: more than the usual `recvWindow` of 5 s.
const CLOCK_SKEW: Duration = Duration::from_secs(30);

/// The settings of an exchange.
#[derive(Debug, Clone)]
pub struct ExchangeSettings {
    /// The market.
    pub recording: Arc<Recording>,
    /// Recorded seconds per second.
    pub speed: f64,
    /// The accounts.
    pub accounts: Vec<AccountSettings>,
    /// The seed of the answers' delays; `None` answers at once.
    pub delay_seed: Option<u64>,
    /// Request weight allowed per minute.
    pub weight_limit: u32,
    /// The clock that moves the market.
    pub clock: Clock,
    /// The clock with which the timestamps of requests are compared.
    pub request_clock: Clock,
    /// The disruptions of this exchange, which may begin and end while it runs.
    pub disruptions: Disruptions,
}

/// An account of an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSettings {
    /// The key that names the account in requests.
    pub api_key: String,
    /// The key with which its owner signs requests.
    pub secret: String,
    /// The initial balances.
    pub funds: Vec<(Asset, Decimal)>,
}

impl ExchangeSettings {
    /// An exchange without accounts, at the recorded speed, that answers at once.
    #[must_use]
    pub fn new(recording: Arc<Recording>) -> Self {
        Self {
            recording,
            speed: 1.0,
            accounts: Vec::new(),
            delay_seed: None,
            weight_limit: WEIGHT_LIMIT,
            clock: Clock::system(),
            request_clock: Clock::system(),
            disruptions: Disruptions::default(),
        }
    }
}

/// A running exchange, which ends when this is dropped.
#[derive(Debug)]
pub struct PaperExchange {
    address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl PaperExchange {
    /// Starts on a loopback port that the system chooses.
    ///
    /// # Errors
    /// If there is no port to listen on.
    pub async fn start(settings: ExchangeSettings) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let first_account = settings.accounts.first().map(|account| account.api_key.clone());
        let floor = Arc::new(Floor::new(settings));
        let mut tasks = JoinSet::new();
        tasks.spawn(Arc::clone(&floor).move_market());
        if let Some(api_key) = first_account {
            tasks.spawn(tampering::add_orders(Arc::clone(&floor), api_key.clone()));
            tasks.spawn(tampering::forget_orders(Arc::clone(&floor), api_key));
        }
        tasks.spawn(serve(listener, routes::router(floor)));
        Ok(Self { address, _tasks: tasks })
    }

    /// The base URL for clients.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Serves until its task ends. When all connections are taken, a client waits until one ends.
async fn serve(listener: TcpListener, router: Router) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    let mut connections = JoinSet::new();
    loop {
        while connections.len() >= MOST_CONNECTIONS {
            connections.join_next().await;
        }
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Ok((stream, _)) => {
                // Without this, a small answer would wait for the acknowledgement of the previous one.
                let _ = stream.set_nodelay(true);
                let service = TowerToHyperService::new(router.clone());
                let service = service_fn(move |request| unless_lost(service.call(request)));
                // Its errors are those of the client, and lost replies.
                connections.spawn(http.serve_connection(TokioIo::new(stream), service));
            }
            // No descriptor is left, or the client has left.
            Err(_) => tokio::time::sleep(TICK).await,
        }
    }
}

/// The answer; an error, at which the connection is closed, if it is to be lost.
async fn unless_lost(
    answer: impl Future<Output = Result<Response, Infallible>>,
) -> Result<Response, LostReply> {
    let Ok(response) = answer.await;
    response.extensions().get::<LostReply>().copied().map_or(Ok(response), Err)
}

/// Makes the connection close instead of the answer that has this extension.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the reply is lost, as the owner of the exchange wants it")]
pub(super) struct LostReply;

/// The state of a running exchange.
#[derive(Debug)]
pub(super) struct Floor {
    market: Mutex<(Venue, Replay)>,
    delays: Mutex<Delays>,
    pub(super) weight: Mutex<WeightMeter>,
    pub(super) weight_limit: u32,
    /// By API key.
    orders: Mutex<BTreeMap<String, OrderCounts>>,
    pub(super) clock: Clock,
    request_clock: Clock,
    /// By API key.
    pub(super) secrets: BTreeMap<String, String>,
    pub(super) disruptions: Disruptions,
}

impl Floor {
    fn new(settings: ExchangeSettings) -> Self {
        let now = settings.clock.now();
        let mut venue = Venue::default();
        let mut secrets = BTreeMap::new();
        for AccountSettings { api_key, secret, funds } in settings.accounts {
            venue.open_account(&api_key, funds);
            secrets.insert(api_key, secret);
        }
        // The recording opens its markets within milliseconds; a client must never see one without a price.
        for quote in settings.recording.first_quotes() {
            venue.apply(quote, now);
        }
        let delays = settings
            .delay_seed
            .map_or_else(|| Delays::new(&[], 0), |seed| Delays::new(settings.recording.delays(), seed));
        Self {
            market: Mutex::new((venue, Replay::new(settings.recording, settings.speed, now))),
            delays: Mutex::new(delays),
            weight: Mutex::new(WeightMeter::new(settings.weight_limit)),
            weight_limit: settings.weight_limit,
            orders: Mutex::default(),
            clock: settings.clock,
            request_clock: settings.request_clock,
            secrets,
            disruptions: settings.disruptions,
        }
    }

    /// Runs `act` on the updated venue with the current time.
    pub(super) fn trade<T>(&self, act: impl FnOnce(&mut Venue, Duration) -> T) -> T {
        let mut market = locked(&self.market);
        let now = self.clock.now();
        let (venue, replay) = &mut *market;
        let quotes_stop = self.disruptions.is_on(Disruption::StopQuotes);
        if quotes_stop {
            venue.remove_quotes();
        }
        while let Some((event, happened)) = replay.due(now) {
            if !quotes_stop {
                venue.apply(&event, happened);
            }
        }
        act(venue, now)
    }

    /// The exchange's time as clients see it.
    pub(super) fn time(&self) -> Duration {
        let skewed = self.disruptions.is_on(Disruption::ClockSkew);
        self.request_clock.now() + if skewed { CLOCK_SKEW } else { Duration::ZERO }
    }

    /// Runs `act` on the account's counts of new orders, with the current time.
    pub(super) fn count_orders<T>(
        &self,
        api_key: &str,
        act: impl FnOnce(&mut OrderCounts, Duration) -> T,
    ) -> T {
        act(locked(&self.orders).entry(api_key.to_owned()).or_default(), self.clock.now())
    }

    /// The delay of the next answer.
    pub(super) fn delay(&self) -> Duration {
        locked(&self.delays).draw()
    }

    async fn move_market(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(TICK);
        loop {
            ticks.tick().await;
            self.trade(|_, _| ());
        }
    }
}

/// Every critical section leaves its data consistent, so the data stays usable after a panic.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
