//! A bot for tests, on an exchange that answers at once and whose market stands still.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bot_metrics::prelude::*;
use bot_metrics_examples::clock::Clock;
use bot_metrics_examples::exchange::{ExchangeSettings, PaperExchange};
use bot_metrics_examples::fault::Switchboard;
use bot_metrics_examples::recording::Recording;

use crate::bot::Bot;
use crate::desk::Desk;
use crate::profile::PROFILES;

/// A bot that has looked at the market and its accounts once.
pub(crate) struct Rehearsal {
    pub(crate) bot: Arc<Bot>,
    pub(crate) clock: Clock,
    pub(crate) faults: Switchboard,
    _exchange: PaperExchange,
}

impl Rehearsal {
    pub(crate) async fn start() -> Self {
        let clock = Clock::steered(Duration::from_hours(484_140));
        let faults = Switchboard::default();
        let settings = ExchangeSettings {
            accounts: PROFILES.map(|profile| (profile.api_key.to_owned(), profile.funds.to_vec())).to_vec(),
            clock: clock.clone(),
            faults: faults.clone(),
            ..ExchangeSettings::new(Arc::new(Recording::embedded().unwrap()))
        };
        let metrics = Settings::new(Mode::Paper).build().unwrap();
        let exchange = PaperExchange::start(settings).await.unwrap();
        let bot = Arc::new(Bot::new(&exchange.url(), faults.clone(), Instant::now(), metrics).unwrap());
        bot.refresh_market_data().await.unwrap();
        bot.monitor_cycle().await.unwrap();
        Self { bot, clock, faults, _exchange: exchange }
    }

    /// How many events of one type the metrics count.
    pub(crate) fn events(&self, event_type: &str) -> u64 {
        self.count("operational_events_total", &format!("type=\"{event_type}\""))
    }

    /// What the series of one family whose labels contain `label` add up to.
    pub(crate) fn count(&self, family: &str, label: &str) -> u64 {
        let exposition = self.bot.metrics.exposition();
        let series = exposition.lines().filter(|line| !line.starts_with('#'));
        let series = series.filter(|line| line.contains(family) && line.contains(label));
        series.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
    }

    pub(crate) fn desk(&self) -> Arc<Desk> {
        Arc::clone(&self.bot.roster.all()[0])
    }
}
