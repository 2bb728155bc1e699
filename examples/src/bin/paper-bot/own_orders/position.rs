//! The position of a market.

use bot_metrics_examples::market::{Asset, Side, Symbol};
use rust_decimal::Decimal;

use crate::api::AccountTrade;

/// The sum of all fills of one market, after fees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// Bought less sold, in the base currency.
    pub(crate) quantity: Decimal,
    /// Received less paid, in the quote currency.
    pub(crate) cash: Decimal,
}

impl Position {
    /// Adds a fill with its fee. A fee in a third currency is in neither amount.
    pub(super) fn add(&mut self, symbol: Symbol, side: Side, trade: &AccountTrade) {
        let signed = match side {
            Side::Buy => trade.qty,
            Side::Sell => -trade.qty,
        };
        self.quantity += signed;
        self.cash -= signed * trade.price;
        if trade.commission_asset == symbol.base().as_str() {
            self.quantity -= trade.commission;
        } else if trade.commission_asset == Asset::Usdt.as_str() {
            self.cash -= trade.commission;
        }
    }
}
