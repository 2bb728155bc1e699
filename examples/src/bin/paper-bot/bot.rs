//! The bot: what its loops share, and how they start, run and end.

use std::collections::BTreeSet;
use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bot_metrics::Metrics;
use bot_metrics_examples::fault::{FaultWindow, Switchboard};
use bot_metrics_examples::market::Symbol;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, sleep_until, timeout};

use crate::api::{ApiError, Client};
use crate::desk::Desk;
use crate::error::{BotError, FatalError};
use crate::journal::{Event, Journal, JournalEntry};
use crate::market_data::MarketData;
use crate::profile::{PROFILES, Profile};
use crate::reconciliation::Report;
use crate::roster::Roster;
use crate::throttle::Throttle;

const TRADING_EVERY: Duration = Duration::from_secs(1);
const MONITOR_EVERY: Duration = Duration::from_secs(2);
const RECONCILIATION_EVERY: Duration = Duration::from_secs(5);
const PROGRESS_EVERY: Duration = Duration::from_secs(3);

/// How long the end may wait for orders to be cancelled.
const FAREWELL: Duration = Duration::from_millis(1_500);

/// What all loops share.
#[derive(Debug)]
pub(crate) struct Bot {
    /// The client for what needs no key.
    pub(crate) public: Client,
    pub(crate) market: MarketData,
    pub(crate) roster: Roster,
    pub(crate) journal: Arc<Journal>,
    pub(crate) throttle: Arc<Throttle>,
    pub(crate) faults: Switchboard,
    pub(crate) metrics: Metrics,
    last_report: Mutex<Report>,
    stale_markets: Mutex<BTreeSet<Symbol>>,
}

impl Bot {
    /// A bot that trades all profiles on the exchange at `url`.
    pub(crate) fn new(
        url: &str,
        faults: Switchboard,
        started: Instant,
        metrics: Metrics,
    ) -> Result<Self, FatalError> {
        let journal = Arc::new(Journal::new(started, metrics.clone()));
        let throttle = Arc::new(Throttle::default());
        let public = Client::new(url, Arc::clone(&throttle)).map_err(FatalError::Client)?;
        let desk = |profile: &'static Profile| {
            let api = public.with_key(profile.api_key);
            let capital = metrics.profile(profile.id);
            Arc::new(Desk::new(
                profile,
                api,
                faults.clone(),
                Arc::clone(&journal),
                Arc::clone(&throttle),
                capital,
            ))
        };
        let roster = Roster::new(PROFILES.into_iter().map(desk).collect());
        Ok(Self {
            public,
            market: MarketData::default(),
            roster,
            journal,
            throttle,
            faults,
            metrics,
            last_report: Mutex::default(),
            stale_markets: Mutex::default(),
        })
    }

    /// Sends a request, unless the exchange asked to be left alone. Every failure goes to the journal.
    pub(crate) async fn call<T>(
        &self,
        request: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, BotError> {
        self.throttle.admit()?;
        request.await.map_err(|error| {
            if !matches!(error, ApiError::Rejected { .. }) {
                self.tell(Event::CallFailed(error.to_string()));
            }
            error.into()
        })
    }

    /// Keeps the last complete comparison and returns the one before.
    pub(crate) fn set_last_report(&self, report: Report) -> Report {
        std::mem::replace(&mut self.last_report.lock().unwrap_or_else(PoisonError::into_inner), report)
    }

    /// Keeps which markets are stale and returns which were.
    pub(crate) fn set_stale_markets(&self, stale: BTreeSet<Symbol>) -> BTreeSet<Symbol> {
        std::mem::replace(&mut self.stale_markets.lock().unwrap_or_else(PoisonError::into_inner), stale)
    }

    /// Trades until `duration` has passed (for ever without one) or `stop` comes, then cancels all open
    /// orders.
    pub(crate) async fn run(
        self: Arc<Self>,
        windows: Vec<FaultWindow>,
        duration: Option<Duration>,
        stop: impl Future<Output = ()>,
    ) -> Result<(), FatalError> {
        let start = Instant::now();
        let mut tasks = JoinSet::new();
        for window in windows {
            tasks.spawn(Arc::clone(&self).play(window, start.into()));
        }
        let outcome = tokio::select! {
            () = stop => Ok(()),
            outcome = self.work(&mut tasks, duration.map(|duration| start + duration)) => outcome,
        };
        tasks.shutdown().await;
        if !matches!(outcome, Err(FatalError::NoExchange { .. })) {
            self.cancel_everything().await;
            self.tell(Event::Stopped);
            self.tell_summary();
        }
        outcome
    }

    /// Starts the loops and lets them run; returns at the deadline, or when one of them dies.
    async fn work(
        self: &Arc<Self>,
        tasks: &mut JoinSet<()>,
        deadline: Option<Instant>,
    ) -> Result<(), FatalError> {
        self.warm_up().await?;
        self.tell(Event::Started);
        tasks.spawn(Arc::clone(self).trading_loop());
        tasks.spawn(Arc::clone(self).monitor_loop());
        tasks.spawn(Arc::clone(self).reconciliation_loop());
        tasks.spawn(Arc::clone(self).progress_loop());
        tasks.spawn(Arc::clone(self).obey_operator());
        let end = async {
            match deadline {
                Some(deadline) => sleep_until(deadline.into()).await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = end => Ok(()),
            Some(Err(died)) = tasks.join_next() => Err(FatalError::LoopDied(died)),
        }
    }

    /// Finds out whether there is an exchange, and learns what the first cycles want to know. A refusal is no
    /// reason to give up: the loops will ask again.
    async fn warm_up(&self) -> Result<(), FatalError> {
        if let Err(source @ ApiError::Transport(_)) = self.public.get_server_time().await {
            return Err(FatalError::NoExchange { url: self.public.url().to_owned(), source });
        }
        let _ = tokio::join!(self.refresh_market_data(), self.learn_weight_limit());
        for desk in self.roster.all() {
            let _ = desk.check_capital(&self.market).await;
        }
        Ok(())
    }

    async fn play(self: Arc<Self>, window: FaultWindow, start: tokio::time::Instant) {
        let announce = |fault, begins| {
            self.journal.say(format_args!("fault {fault} {}", if begins { "begins" } else { "ends" }));
        };
        self.faults.play(window, start, announce).await;
        // A fault that is over is no reason to end.
        pending::<()>().await;
    }

    async fn trading_loop(self: Arc<Self>) {
        let mut ticks = ticks(TRADING_EVERY);
        let mut health = LoopHealth::new("trading");
        loop {
            ticks.tick().await;
            health.note(&self.journal, self.trading_cycle().await);
        }
    }

    async fn monitor_loop(self: Arc<Self>) {
        let mut ticks = ticks(MONITOR_EVERY);
        let mut health = LoopHealth::new("monitor");
        loop {
            ticks.tick().await;
            health.note(&self.journal, self.monitor_cycle().await);
        }
    }

    async fn reconciliation_loop(self: Arc<Self>) {
        let mut ticks = ticks(RECONCILIATION_EVERY);
        let mut health = LoopHealth::new("reconciliation");
        loop {
            ticks.tick().await;
            health.note(&self.journal, self.reconciliation_cycle().await);
        }
    }

    async fn progress_loop(self: Arc<Self>) {
        loop {
            sleep(PROGRESS_EVERY).await;
            self.tell_progress();
        }
    }

    async fn cancel_everything(&self) {
        let mut farewells = JoinSet::new();
        for desk in self.roster.all().iter().cloned() {
            farewells
                .spawn(async move { (desk.profile.id, timeout(FAREWELL, desk.cancel_everything()).await) });
        }
        for (profile, outcome) in farewells.join_all().await {
            let trouble = match outcome {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => error.to_string(),
                Err(_) => "no answer in time".to_owned(),
            };
            self.journal.say(format_args!("{profile}: orders may be left open: {trouble}"));
        }
    }

    fn tell(&self, event: Event) {
        self.journal.record(&JournalEntry { profile: None, symbol: None, event });
    }
}

/// The first at once; after a long cycle the next one waits its full time.
fn ticks(period: Duration) -> tokio::time::Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Says when a loop begins to fail and when it recovers, instead of a line for every failure.
#[derive(Debug)]
struct LoopHealth {
    name: &'static str,
    failures: u32,
}

impl LoopHealth {
    const fn new(name: &'static str) -> Self {
        Self { name, failures: 0 }
    }

    fn note(&mut self, journal: &Journal, outcome: Result<(), BotError>) {
        match outcome {
            Ok(()) if self.failures > 0 => {
                journal.say(format_args!("{} works again after {} failed cycles", self.name, self.failures));
                self.failures = 0;
            }
            Ok(()) => {}
            Err(error) => {
                if self.failures == 0 {
                    journal.say(format_args!("{} fails: {error}", self.name));
                }
                self.failures += 1;
            }
        }
    }
}
