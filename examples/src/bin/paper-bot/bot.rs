//! The bot: the state shared by its loops, and their start and end.

use std::collections::BTreeSet;
use std::future::pending;
use std::pin::pin;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bot_metrics::prelude::*;
use bot_metrics_examples::clock::Clock;
use bot_metrics_examples::fault::{FaultWindow, RandomFaults, Switchboard};
use bot_metrics_examples::market::Symbol;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, sleep_until};

use crate::api::{ApiError, Client};
use crate::database::Database;
use crate::desk::Desk;
use crate::error::{BotError, FatalError};
use crate::journal::{Event, Journal, JournalEntry};
use crate::market_data::MarketData;
use crate::output::Output;
use crate::own_orders::LATEST_ARRIVAL;
use crate::profile::{PROFILES, Profile};
use crate::progress::KnownStates;
use crate::reconciliation::Report;
use crate::roster::Roster;
use crate::sampler::Sampler;
use crate::screen::Screen;
use crate::shutdown::{Ending, Shutdown};
use crate::tables::Stored;
use crate::throttle::Throttle;
use crate::trading::all;

const TRADING_EVERY: Duration = Duration::from_secs(1);
const MONITOR_EVERY: Duration = Duration::from_secs(2);
const RECONCILIATION_EVERY: Duration = Duration::from_secs(5);

const PROGRESS_EVERY: Duration = Duration::from_secs(3);

/// State shared by all loops.
#[derive(Debug)]
pub(crate) struct Bot {
    /// The client for the public operations.
    pub(crate) public: Client,
    pub(crate) market: MarketData,
    pub(crate) roster: Roster,
    pub(crate) journal: Arc<Journal>,
    database: Database,
    pub(crate) throttle: Arc<Throttle>,
    pub(crate) faults: Switchboard,
    pub(crate) shutdown: Shutdown,
    pub(crate) metrics: Metrics,
    last_report: Mutex<Report>,
    stale_markets: Mutex<BTreeSet<Symbol>>,
    pub(crate) halted: AtomicBool,
    pub(crate) output: Output,
    /// The address of its page.
    page: Option<String>,
    started: Instant,
}

impl Bot {
    /// A bot that trades all profiles on the exchange at `url`.
    pub(crate) fn new(
        url: &str,
        faults: Switchboard,
        (output, page): (Output, Option<String>),
        metrics: Metrics,
        (database, mut stored): (Database, Stored),
    ) -> Result<Self, FatalError> {
        let started = Instant::now();
        let journal = Arc::new(Journal::new(started, output));
        let throttle = Arc::new(Throttle::new(
            metrics.rate_limit(labels::Exchange::Paper, labels::RateLimit::RequestWeight),
        ));
        let public = Client::new(url, Arc::clone(&throttle)).map_err(FatalError::Client)?;
        let mut desk = |profile: &'static Profile| {
            let stored = (database.clone(), stored.take(profile.id));
            let api = public.with_account(profile);
            let (journal, throttle) = (Arc::clone(&journal), Arc::clone(&throttle));
            Arc::new(Desk::new(profile, api, faults.clone(), journal, throttle, stored))
        };
        let roster = Roster::new(PROFILES.into_iter().map(&mut desk).collect());
        Ok(Self {
            public,
            market: MarketData::new(&metrics),
            roster,
            journal,
            database,
            throttle,
            faults,
            shutdown: Shutdown::default(),
            metrics,
            last_report: Mutex::default(),
            stale_markets: Mutex::default(),
            halted: AtomicBool::new(false),
            output,
            page,
            started,
        })
    }

    /// A reader of the bot's figures.
    pub(crate) fn sampler(&self) -> Sampler {
        Sampler::new(self.metrics.clone(), self.faults.clone(), self.page.clone(), self.started)
    }

    /// Sends a request as the [throttle](Throttle::call) allows. Every failure goes to the journal.
    pub(crate) async fn call<T>(
        &self,
        request: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, BotError> {
        self.throttle.call(request, |event| self.tell(event)).await
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
        faults: PlannedFaults,
        duration: Option<Duration>,
        stop: impl Future<Output = ()>,
    ) -> Result<(), FatalError> {
        let start = Instant::now();
        let mut injecting = JoinSet::new();
        injecting.spawn(Arc::clone(&self).inject(faults, start.into()));
        let mut end = pin!(end(duration.map(|duration| start + duration), stop));
        tokio::select! {
            found = self.find_exchange() => found?,
            ending = &mut end => return self.ended_before_the_exchange_answered(&ending),
        }
        self.tell(Event::Started);
        let mut loops = JoinSet::new();
        let screen = self.show_screen();
        let ending = tokio::select! {
            ending = end => ending,
            died = self.work(&mut loops, screen.is_some()) => died,
        };
        drop(screen);
        self.journal.say(format_args!("{ending}: finishing what is under way, cancelling all orders"));
        self.wind_up(loops).await;
        self.tell(Event::Stopped);
        if let Err(error) = self.database.flushed().await {
            self.journal.say(format_args!("its last changes are lost: {error}"));
        }
        self.tell_summary();
        match ending {
            Ending::Died(died) => Err(FatalError::LoopDied(died)),
            Ending::TimeIsUp | Ending::Told => Ok(()),
        }
    }

    /// Shows the live table, if the output is that; lines are printed where the terminal does not permit it.
    fn show_screen(&self) -> Option<Screen> {
        if self.output != Output::Screen {
            return None;
        }
        let screen = Screen::show(self.sampler());
        screen
            .inspect_err(|error| self.journal.say(format_args!("no table: {error}; printing lines instead")))
            .ok()
    }

    /// Checks whether there is an exchange. A refusal does not end the bot, since the loops will ask again.
    async fn find_exchange(&self) -> Result<(), FatalError> {
        match self.public.get_server_time().await {
            Err(
                source @ (ApiError::Transport(_)
                | ApiError::Timeout
                | ApiError::Decode(_)
                | ApiError::Unclear { .. }),
            ) => Err(self.no_exchange(source)),
            _ => Ok(()),
        }
    }

    fn ended_before_the_exchange_answered(&self, ending: &Ending) -> Result<(), FatalError> {
        match ending {
            Ending::TimeIsUp => Err(self.no_exchange(ApiError::Timeout)),
            Ending::Told | Ending::Died(_) => {
                self.journal.say(format_args!("{ending}: the exchange had not answered yet"));
                Ok(())
            }
        }
    }

    fn no_exchange(&self, source: ApiError) -> FatalError {
        FatalError::NoExchange { url: self.public.url().to_owned(), source }
    }

    /// Starts the loops and lets them run; returns when one of them dies.
    async fn work(self: &Arc<Self>, loops: &mut JoinSet<()>, has_table: bool) -> Ending {
        self.await_last_orders().await;
        self.warm_up().await;
        self.tell_start();
        loops.spawn(Arc::clone(self).trading_loop());
        loops.spawn(Arc::clone(self).monitor_loop());
        loops.spawn(Arc::clone(self).reconciliation_loop());
        loops.spawn(Arc::clone(self).progress_loop(has_table));
        loops.spawn(Arc::clone(self).stop_and_start_a_profile());
        while let Some(ended) = loops.join_next().await {
            if let Err(died) = ended {
                return Ending::Died(died);
            }
        }
        pending().await
    }

    /// Waits until no order that a killed bot sent last can still arrive at the exchange, since the exchange would
    /// not know it yet when it is queried.
    async fn await_last_orders(&self) {
        let sent = self.roster.all().iter().filter_map(|desk| desk.orders().last_unconfirmed()).max();
        let arrived = sent.map_or(Duration::ZERO, |sent| sent + LATEST_ARRIVAL);
        sleep(arrived.saturating_sub(Clock::system().now()).min(LATEST_ARRIVAL)).await;
    }

    /// Fetches the data that the first cycles need. The loops repeat what fails here.
    async fn warm_up(&self) {
        let _ = tokio::join!(self.refresh_market_data(), self.look_at_exchange());
        for desk in self.roster.all() {
            let _ = desk.check_capital(&self.market).await;
        }
    }

    /// Begins and ends all faults.
    async fn inject(self: Arc<Self>, faults: PlannedFaults, start: tokio::time::Instant) {
        let mut playing = JoinSet::new();
        for window in faults.windows {
            playing.spawn(Arc::clone(&self).play(window, start));
        }
        for window in faults.random.into_iter().flatten() {
            sleep_until(start + window.after).await;
            while playing.try_join_next().is_some() {}
            playing.spawn(Arc::clone(&self).play(window, start));
        }
        playing.join_all().await;
    }

    async fn play(self: Arc<Self>, window: FaultWindow, start: tokio::time::Instant) {
        let announce = |fault, begins| self.journal.tell_fault(fault, begins);
        self.faults.play(window, start, announce).await;
    }

    async fn trading_loop(self: Arc<Self>) {
        let mut ticks = ticks(TRADING_EVERY);
        let mut health = LoopHealth::new("trading");
        while self.shutdown.allows(ticks.tick()).await {
            if self.is_halted() {
                // Market data is still needed; the next turn repeats a failed request.
                let _ = self.refresh_market_data().await;
            } else {
                health
                    .note(&self.journal, self.attempt(|bot| async move { bot.trading_cycle().await }).await);
            }
        }
    }

    async fn monitor_loop(self: Arc<Self>) {
        let mut ticks = ticks(MONITOR_EVERY);
        let mut health = LoopHealth::new("monitor");
        while self.shutdown.allows(ticks.tick()).await {
            health.note(&self.journal, self.attempt(|bot| async move { bot.monitor_cycle().await }).await);
        }
    }

    async fn reconciliation_loop(self: Arc<Self>) {
        let mut ticks = ticks(RECONCILIATION_EVERY);
        let mut health = LoopHealth::new("reconciliation");
        while self.shutdown.allows(ticks.tick()).await {
            let cycle = |bot: Arc<Self>| async move { bot.reconciliation_cycle().await.map(drop) };
            health.note(&self.journal, self.attempt(cycle).await);
        }
    }

    /// Runs a cycle in a task of its own, so that a panic ends the cycle and not its loop. Dropped, it drops the cycle.
    async fn attempt<F>(self: &Arc<Self>, cycle: impl FnOnce(Arc<Self>) -> F) -> Result<(), BotError>
    where
        F: Future<Output = Result<(), BotError>> + Send + 'static,
    {
        let mut task = JoinSet::new();
        task.spawn(cycle(Arc::clone(self)));
        all(task).await
    }

    async fn progress_loop(self: Arc<Self>, has_table: bool) {
        let (mut sampler, mut known) = (self.sampler(), KnownStates::default());
        while self.shutdown.allows(sleep(PROGRESS_EVERY)).await {
            self.tell_progress(&sampler.figures(), &mut known, has_table);
        }
    }

    pub(crate) fn tell(&self, event: Event) {
        self.journal.record(&JournalEntry { profile: None, symbol: None, event });
    }
}

/// The faults to inject.
#[derive(Debug, Default)]
pub(crate) struct PlannedFaults {
    pub(crate) windows: Vec<FaultWindow>,
    pub(crate) random: Option<RandomFaults>,
}

/// Waits for the deadline or a signal to stop.
async fn end(deadline: Option<Instant>, stop: impl Future<Output = ()>) -> Ending {
    let time_is_up = async {
        match deadline {
            Some(deadline) => sleep_until(deadline.into()).await,
            None => pending().await,
        }
    };
    tokio::select! {
        () = stop => Ending::Told,
        () = time_is_up => Ending::TimeIsUp,
    }
}

/// Ticks at once and then periodically; after a long cycle the next tick waits a full period.
fn ticks(period: Duration) -> tokio::time::Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Reports when a loop begins to fail and when it recovers, instead of every failure.
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
