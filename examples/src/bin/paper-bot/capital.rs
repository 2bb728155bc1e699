//! A profile's allocated and used capital, and the breaker that trips when more is used than allocated.

use bot_metrics::prelude::*;
use bot_metrics_examples::fault::Fault;
use bot_metrics_examples::market::Asset;
use rust_decimal::Decimal;

use crate::api::AccountReport;
use crate::desk::Desk;
use crate::error::BotError;
use crate::journal::Event;
use crate::market_data::MarketData;
use crate::profile::Available;

/// One profile's capital, in dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CapitalFigures {
    /// The capital that the profile may use.
    pub(crate) allocated: Decimal,
    /// The value of its coins.
    pub(crate) positions: Decimal,
    /// The amount locked by open buy orders; open sell orders lock coins, which count as positions.
    pub(crate) open_orders: Decimal,
    /// The unused capital, if the exchange reports it.
    pub(crate) reported_available: Option<Decimal>,
}

impl CapitalFigures {
    /// The unused capital; below zero when too much is used.
    pub(crate) fn available(&self) -> Decimal {
        self.reported_available.unwrap_or(self.allocated - self.positions - self.open_orders)
    }
}

/// The result of the last query of a profile's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccountView {
    /// The balances.
    pub(crate) account: AccountReport,
    /// The capital computed from them.
    pub(crate) capital: CapitalFigures,
    /// The total value of the account, in dollars.
    pub(crate) equity: Decimal,
}

impl Desk {
    /// Queries the account and trips or resets the profile's breaker.
    #[capital_check(profile = self.profile.id)]
    pub(crate) async fn check_capital(&self, market: &MarketData) -> Result<Capital<Decimal>, BotError> {
        let account = self.call(self.api.get_account()).await?;
        let view = view(account, self.profile.available, self.allocated(), market)?;
        let capital = view.capital;
        let previous = self.set_view(view);
        self.publish();
        let was_below = previous.is_some_and(|previous| previous.capital.available() < Decimal::ZERO);
        let available = capital.available();
        match (was_below, available < Decimal::ZERO) {
            (false, true) => self.record(None, Event::CapitalViolation { available }),
            (true, false) => self.record(None, Event::CapitalRestored { available }),
            _ => {}
        }
        Ok(capital.into())
    }

    /// The capital that the profile may use now. Two faults simulate a risk desk that cuts it to a tenth, which is less
    /// than the value of the coins that the profile holds: [`Fault::NegativeCapital`] that of a profile whose available
    /// capital follows from it, [`Fault::OverAllocated`] that of one whose account reports free funds.
    fn allocated(&self) -> Decimal {
        let cut = match self.profile.available {
            Available::Allocation => Fault::NegativeCapital,
            Available::Account => Fault::OverAllocated,
        };
        let allocated = self.profile.allocated;
        if self.faults.is_on(cut) { allocated / Decimal::TEN } else { allocated }
    }
}

fn view(
    account: AccountReport,
    available: Available,
    allocated: Decimal,
    market: &MarketData,
) -> Result<AccountView, BotError> {
    let mut positions = Decimal::ZERO;
    for asset in Asset::ALL.into_iter().filter(|asset| *asset != Asset::Usdt) {
        positions += market.value(asset, account.total(asset))?;
    }
    let open_orders = account.locked(Asset::Usdt);
    let equity = positions + account.total(Asset::Usdt);
    let reported_available = match available {
        Available::Allocation => None,
        Available::Account => Some(account.free(Asset::Usdt)),
    };
    let capital = CapitalFigures { allocated, positions, open_orders, reported_available };
    Ok(AccountView { account, capital, equity })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::Ticker;
    use crate::rehearsal::Rehearsal;

    #[tokio::test]
    async fn journal_and_metric_agree_on_violations_even_for_a_profile_that_was_stopped_and_restarted() {
        let rehearsal = Rehearsal::start().await;
        let desk = rehearsal.desk();
        rehearsal.faults.begin(Fault::NegativeCapital);
        let both = async |expected: u64| {
            desk.check_capital(&rehearsal.bot.market).await.unwrap();
            let profile = format!("profile_id=\"{}\"", desk.profile.id);
            assert_eq!(rehearsal.events("CAPITAL_VIOLATION"), expected);
            assert_eq!(rehearsal.count("capital_invariant_violations_total", &profile), expected);
        };
        both(1).await;
        both(1).await;
        rehearsal.bot.stop_profile(&desk).await;
        assert_eq!(desk.view(), None);
        assert!(desk.profit().is_some(), "the profit is kept");
        rehearsal.bot.start_profile(&desk).await;
        both(2).await;
    }

    #[test]
    fn nothing_used_of_nothing_allocated_is_zero_percent() {
        let nothing = Decimal::ZERO;
        let (allocated, positions, open_orders) = (nothing, nothing, nothing);
        let figures = CapitalFigures { allocated, positions, open_orders, reported_available: None };
        assert!(Capital::from(figures).utilization_percent().abs() < f64::EPSILON);
    }

    #[test]
    fn capital_is_valued_at_the_middle_and_counts_nothing_twice() {
        let metrics = Settings::new(Mode::Paper).build().unwrap();
        let market = MarketData::new(&metrics);
        let account: AccountReport = serde_json::from_value(json!({ "balances": [
            {"asset": "BTC", "free": "0.01", "locked": "0.01"},
            {"asset": "USDT", "free": "500", "locked": "90"},
            {"asset": "BNB", "free": "7", "locked": "0"},
        ]}))
        .unwrap();
        let view = |available| view(account.clone(), available, 2_000.into(), &market);
        assert!(matches!(view(Available::Allocation), Err(BotError::NoMarketData)));

        let ticker = |symbol: &str, bid: &str, ask: &str| {
            let quantity = "1";
            json!({
                "symbol": symbol, "bidPrice": bid, "bidQty": quantity, "askPrice": ask, "askQty": quantity,
            })
        };
        let tickers = json!([
            ticker("BTCUSDT", "99999", "100001"),
            ticker("ETHUSDT", "9", "11"),
            ticker("SOLUSDT", "9", "11"),
            ticker("BNBUSDT", "9", "11"),
        ]);
        market.update(&serde_json::from_value::<Vec<Ticker>>(tickers).unwrap());
        let by_allocation = view(Available::Allocation).unwrap();
        let expected = CapitalFigures {
            allocated: 2_000.into(),
            positions: 2_000.into(),
            open_orders: 90.into(),
            reported_available: None,
        };
        assert_eq!((by_allocation.capital, by_allocation.equity), (expected, 2_590.into()));
        assert_eq!(by_allocation.capital.available(), (-90).into());
        let by_account = view(Available::Account).unwrap();
        assert_eq!(by_account.capital.available(), 500.into(), "the account's free dollars");
        for view in [by_allocation, by_account] {
            assert!((Capital::from(view.capital).utilization_percent() - 104.5).abs() < 1e-9);
        }
    }
}
