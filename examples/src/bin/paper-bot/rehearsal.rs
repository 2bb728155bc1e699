//! A bot for tests, on an exchange that answers at once and whose market does not move.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use bot_metrics::prelude::*;
use bot_metrics_examples::clock::Clock;
use bot_metrics_examples::exchange::{ExchangeSettings, PaperExchange};
use bot_metrics_examples::fault::Switchboard;
use bot_metrics_examples::recording::Recording;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, MutexGuard};

use crate::api::Client;
use crate::bot::Bot;
use crate::database::Database;
use crate::desk::Desk;
use crate::output::Output;
use crate::profile::{PROFILES, Profile};
use crate::tables::StoredProfile;
use crate::throttle::Throttle;

/// Attributes record to the process-wide instance, so only one rehearsal runs at a time.
static ALONE: Mutex<()> = Mutex::const_new(());

/// A bot that has fetched the market and its accounts once.
pub(crate) struct Rehearsal {
    pub(crate) bot: Arc<Bot>,
    pub(crate) clock: Clock,
    pub(crate) faults: Switchboard,
    before: String,
    _exchange: PaperExchange,
    _alone: MutexGuard<'static, ()>,
}

impl Rehearsal {
    pub(crate) async fn start() -> Self {
        let clock = Clock::manual(Duration::from_hours(484_140));
        let faults = Switchboard::default();
        let settings = ExchangeSettings {
            accounts: PROFILES.map(Profile::account).to_vec(),
            clock: clock.clone(),
            disruptions: faults.disruptions(),
            ..ExchangeSettings::new(Arc::new(Recording::embedded().unwrap()))
        };
        let alone = ALONE.lock().await;
        let metrics = Settings::new(Mode::Paper).exchange(labels::Exchange::Paper).install().unwrap();
        let exchange = PaperExchange::start(settings).await.unwrap();
        let database = Database::open(None).unwrap();
        let shown = (Output::Lines, None);
        let bot = Arc::new(Bot::new(&exchange.url(), faults.clone(), shown, metrics, database).unwrap());
        bot.refresh_market_data().await.unwrap();
        bot.monitor_cycle().await.unwrap();
        let before = bot.metrics.exposition();
        Self { bot, clock, faults, before, _exchange: exchange, _alone: alone }
    }

    /// How many events of one type the metrics have counted since the start.
    pub(crate) fn events(&self, event_type: &str) -> u64 {
        self.count("operational_events_total", &format!("type=\"{event_type}\""))
    }

    /// The increase, since the start, of the series of one family whose labels contain `label`.
    pub(crate) fn count(&self, family: &str, label: &str) -> u64 {
        let sum = |exposition: &str| -> u64 {
            let series = exposition.lines().filter(|line| !line.starts_with('#'));
            let series = series.filter(|line| line.contains(family) && line.contains(label));
            series.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
        };
        sum(&self.bot.metrics.exposition()) - sum(&self.before)
    }

    pub(crate) fn desk(&self) -> Arc<Desk> {
        Arc::clone(&self.bot.roster.all()[0])
    }

    /// A desk without orders on the exchange at `url`, with the bot's journal.
    pub(crate) fn desk_at(&self, url: &str) -> Desk {
        self.continued_desk(StoredProfile::default(), url)
    }

    /// A desk without orders on an exchange that answers as `router` does.
    pub(crate) async fn desk_on(&self, router: Router) -> Desk {
        self.desk_that_continues(StoredProfile::default(), router).await
    }

    /// A desk that continues stored orders, on an exchange that answers as `router` does.
    pub(crate) async fn desk_that_continues(&self, stored: StoredProfile, router: Router) -> Desk {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        self.continued_desk(stored, &url)
    }

    fn continued_desk(&self, stored: StoredProfile, url: &str) -> Desk {
        let metrics = Settings::new(Mode::Paper).build().unwrap();
        let gauge = metrics.rate_limit(labels::Exchange::Paper, labels::RateLimit::RequestWeight);
        let throttle = Arc::new(Throttle::new(gauge));
        let profile = self.desk().profile;
        let api = Client::new(url, Arc::clone(&throttle)).unwrap();
        let (database, _) = Database::open(None).unwrap();
        let journal = Arc::clone(&self.bot.journal);
        Desk::new(profile, api, self.faults.clone(), journal, throttle, (database, stored))
    }
}
