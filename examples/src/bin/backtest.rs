//! Backtest: runs a strategy over recorded data on a simulated clock and pushes its metrics at the end.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bot_metrics::prelude::*;
use bot_metrics::push::Pushgateway;
use bot_metrics::testing::{ManualClock, with_manual_clock};
use bot_metrics::{ExchangeCallHandle, ProfileHandle, SubsystemHandle};
use bot_metrics_examples::demo::{self, Failure, Stop};
use bot_metrics_examples::exchange::{
    Delays, Execution, NewOrder, Order, OrderReference, Refusal, Replay, Venue,
};
use bot_metrics_examples::market::{Asset, Side, Symbol};
use bot_metrics_examples::recording::Recording;
use rust_decimal::Decimal;

const API_KEY: &str = "backtest";
const SYMBOL: Symbol = Symbol::BtcUsdt;
const FUNDS: Decimal = Decimal::from_parts(10_000, 0, 0, false, 0);
const EVERY: Duration = Duration::from_secs(1);

/// Runs a maker strategy over recorded data as fast as possible and pushes its metrics at the end.
#[derive(clap::Parser)]
#[command(name = "backtest")]
struct Options {
    /// Pushes the metrics to this Pushgateway, http://HOST:PORT.
    #[arg(long, value_name = "URL")]
    push: Option<String>,

    /// Replays this recording, CSV or gzipped CSV, instead of the built-in one.
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,

    /// Seed of the delays of the exchange's answers.
    #[arg(long, value_name = "NUMBER", default_value = "42")]
    seed: u64,
}

/// The handles that measure the strategy. Attributes cannot be used: they record to the process-wide instance, which
/// reads the machine's clock.
struct Handles {
    metrics: Metrics,
    trading: SubsystemHandle,
    place_order: ExchangeCallHandle,
    cancel_order: ExchangeCallHandle,
    profile: ProfileHandle,
}

impl Handles {
    fn new(metrics: Metrics) -> Result<Self, Failure> {
        let call = |operation| metrics.exchange_call(labels::Exchange::Paper, operation);
        Ok(Self {
            trading: metrics.subsystem(labels::Subsystem::Trading).with_max_age(EVERY * 3)?,
            place_order: call(labels::Operation::PlaceOrder),
            cancel_order: call(labels::Operation::CancelOrder),
            profile: metrics.profile("backtest"),
            metrics,
        })
    }

    fn event(&self, kind: labels::EventType, count: usize) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let event = self.metrics.event(labels::Severity::Info, kind);
        event.profile("backtest").symbol(SYMBOL.as_str()).count(count).record();
    }
}

/// A strategy on the recorded market, in simulated time.
struct Backtest<'a> {
    venue: Venue,
    replay: Replay,
    delays: Delays,
    now: Duration,
    clock: ManualClock,
    handles: &'a Handles,
    resting: Vec<Order>,
    seen_trades: usize,
}

impl<'a> Backtest<'a> {
    fn new(recording: &Arc<Recording>, seed: u64, handles: &'a Handles, clock: ManualClock) -> Self {
        let now = recording.started();
        clock.set_wall(now);
        let mut venue = Venue::default();
        venue.open_account(API_KEY, [(Asset::Usdt, FUNDS)]);
        for quote in recording.first_quotes() {
            venue.apply(quote, now);
        }
        Self {
            venue,
            replay: Replay::new(Arc::clone(recording), 1.0, now),
            delays: Delays::new(recording.delays(), seed),
            now,
            clock,
            handles,
            resting: Vec::new(),
            seen_trades: 0,
        }
    }

    /// Advances simulated time and the market with it.
    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.clock.advance(time);
        while let Some((event, happened)) = self.replay.due(self.now) {
            self.venue.apply(&event, happened);
        }
    }

    /// Makes one attempt: the exchange acts when the request has arrived, after the recorded delay.
    fn attempt(
        &mut self,
        call: &ExchangeCallHandle,
        act: impl FnOnce(&mut Venue, Duration) -> Result<Order, Refusal>,
    ) -> Result<Order, Refusal> {
        let attempt = call.start();
        let delay = self.delays.draw();
        self.pass(delay);
        let answer = act(&mut self.venue, self.now);
        attempt.finish(if answer.is_ok() { Outcome::Ok } else { Outcome::Rejected });
        answer
    }

    /// Cancels the previous quotes and places new ones on both sides of the touch.
    fn cycle(&mut self) -> Result<(), Refusal> {
        let handles = self.handles;
        let run = handles.trading.start();
        for order in std::mem::take(&mut self.resting) {
            // An order that has been filled since cannot be cancelled any more.
            let id = OrderReference::Id(order.id);
            if self
                .attempt(&handles.cancel_order, |venue, now| venue.cancel(API_KEY, SYMBOL, &id, now))
                .is_ok()
            {
                self.handles.event(labels::EventType::OrderCancelled, 1);
            }
        }
        for side in Side::ALL {
            self.quote(side);
        }
        let outcome = self.check();
        run.finish(if outcome.is_ok() { Outcome::Ok } else { Outcome::Error });
        outcome
    }

    fn quote(&mut self, side: Side) {
        let Some(touch) = self.venue.touch(SYMBOL) else { return };
        let price = match side {
            Side::Buy => touch.bid.price,
            Side::Sell => touch.ask.price,
        };
        let new = NewOrder {
            symbol: SYMBOL,
            side,
            execution: Execution::LimitMaker(price),
            quantity: Decimal::new(1, 2),
            client_id: None,
        };
        match self.attempt(&self.handles.place_order, |venue, now| venue.place(API_KEY, &new, now)) {
            Ok(order) => {
                self.resting.push(order);
                self.handles.event(labels::EventType::OrderPlaced, 1);
            }
            Err(_) => self.handles.event(labels::EventType::OrderRejected, 1),
        }
    }

    /// Counts executions and checks the capital.
    fn check(&mut self) -> Result<(), Refusal> {
        let account = self.venue.account(API_KEY)?;
        let trades = account.trades().count();
        let price = self.venue.touch(SYMBOL).map_or(Decimal::ZERO, |touch| touch.mid());
        let (base, quote) = (account.balance(SYMBOL.base()), account.balance(Asset::Usdt));
        self.handles.profile.update(Capital {
            allocated: FUNDS,
            positions: (base.free + base.locked) * price,
            open_orders: quote.locked,
            ..Capital::default()
        });
        let filled = trades.saturating_sub(self.seen_trades);
        self.seen_trades = trades;
        self.handles.event(labels::EventType::OrderFilled, filled);
        Ok(())
    }

    /// The account's current value minus its initial funds.
    fn profit(&self) -> Result<Decimal, Refusal> {
        let account = self.venue.account(API_KEY)?;
        let price = self.venue.touch(SYMBOL).map_or(Decimal::ZERO, |touch| touch.mid());
        let total = |asset| account.balance(asset).free + account.balance(asset).locked;
        Ok(total(Asset::Usdt) + total(SYMBOL.base()) * price - FUNDS)
    }
}

fn run(options: &Options) -> Result<(), Failure> {
    let gateway = options.push.as_deref().map(|url| Pushgateway::new(url, "backtest")).transpose()?;
    let stop = Stop::listen()?;
    let recording = Arc::new(match &options.data {
        Some(path) => Recording::from_file(path)?,
        None => Recording::embedded()?,
    });
    let length = recording.events().last().map_or(Duration::ZERO, |event| event.at);
    let (settings, clock) = with_manual_clock(demo::settings()?);
    let handles = Handles::new(settings.build()?)?;
    let mut backtest = Backtest::new(&recording, options.seed, &handles, clock);
    let (start, end) = (Instant::now(), recording.started() + length);
    while backtest.now < end && !stop.has_come() {
        backtest.cycle()?;
        backtest.pass(EVERY);
    }
    let simulated = backtest.now.saturating_sub(recording.started());
    demo::say(format_args!(
        "{:.1} s of trading simulated in {:.1} ms, {} executions, pnl {:+.2} USDT",
        simulated.as_secs_f64(),
        start.elapsed().as_secs_f64() * 1_000.0,
        backtest.seen_trades,
        backtest.profit()?
    ));
    match gateway {
        Some(gateway) => {
            gateway.push(&handles.metrics)?;
            demo::say(format_args!("metrics pushed to {}", options.push.as_deref().unwrap_or_default()));
        }
        None => {
            demo::say("no Pushgateway given, //HOST:PORT keeps them");
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    demo::main(|options: Options| run(&options))
}
