//! The profiles: two market makers, each with its own account, capital and strategy.

use bot_metrics_examples::exchange::AccountSettings;
use bot_metrics_examples::market::{Asset, Side, Symbol};
use rust_decimal::Decimal;

use crate::api::OrderKind;

/// The parameters of a strategy and its capital.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Profile {
    /// Its name, also as a label value.
    pub(crate) id: &'static str,
    /// The key of its account.
    pub(crate) api_key: &'static str,
    /// The secret with which it signs requests. It opens an account of the paper exchange only.
    pub(crate) secret: &'static str,
    /// The capital that it may use, in dollars.
    pub(crate) allocated: Decimal,
    /// How the part of the capital that is left is determined.
    pub(crate) available: Available,
    /// The initial balances of its account on the paper exchange.
    pub(crate) funds: [(Asset, Decimal); 4],
    /// The distance of its quotes from the touch, as a fraction of the price.
    pub(crate) distance: Decimal,
    /// The deviation from the target price at which a quote is moved, as a fraction of the price.
    pub(crate) tolerance: Decimal,
    /// Whether its quotes may take liquidity.
    pub(crate) kind: OrderKind,
    /// The size of its quotes, in multiples of the smallest size.
    size: i64,
}

/// The source of a profile's available capital.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Available {
    /// The allocated capital less the used part.
    Allocation,
    /// The free dollars of the account, as the exchange reports them.
    Account,
}

const fn decimal(number: u32, scale: u32) -> Decimal {
    Decimal::from_parts(number, 0, 0, false, scale)
}

/// Quotes at the touch and follows it at once.
pub(crate) static MAKER_TIGHT: Profile = Profile {
    id: "maker-tight",
    api_key: "paper-maker-tight",
    secret: "secret of maker-tight",
    allocated: decimal(10_000, 0),
    available: Available::Allocation,
    funds: [
        (Asset::Btc, decimal(2, 2)),
        (Asset::Eth, decimal(8, 1)),
        (Asset::Sol, decimal(10, 0)),
        (Asset::Usdt, decimal(5_500, 0)),
    ],
    distance: Decimal::ZERO,
    tolerance: Decimal::ZERO,
    kind: OrderKind::PostOnly,
    size: 1,
};

/// Quotes half a basis point behind the touch and lets the market come.
pub(crate) static MAKER_WIDE: Profile = Profile {
    id: "maker-wide",
    api_key: "paper-maker-wide",
    secret: "secret of maker-wide",
    allocated: decimal(20_000, 0),
    available: Available::Account,
    funds: [
        (Asset::Btc, decimal(4, 2)),
        (Asset::Eth, decimal(16, 1)),
        (Asset::Sol, decimal(20, 0)),
        (Asset::Usdt, decimal(11_000, 0)),
    ],
    distance: decimal(5, 5),
    tolerance: decimal(3, 5),
    kind: OrderKind::Limit,
    size: 2,
};

/// Every profile.
pub(crate) static PROFILES: [&Profile; 2] = [&MAKER_TIGHT, &MAKER_WIDE];

impl Profile {
    /// Its account on the paper exchange.
    pub(crate) fn account(&self) -> AccountSettings {
        let (api_key, secret) = (self.api_key.to_owned(), self.secret.to_owned());
        AccountSettings { api_key, secret, funds: self.funds.to_vec() }
    }

    /// The size of its quotes: about 90 or 180 dollars.
    pub(crate) fn quote_size(&self, symbol: Symbol) -> Decimal {
        let smallest = match symbol {
            Symbol::BtcUsdt => decimal(1, 3),
            Symbol::EthUsdt => decimal(4, 2),
            Symbol::SolUsdt => decimal(6, 1),
        };
        smallest * Decimal::from(self.size)
    }

    /// Whether it wants more of a side: it keeps its holdings between half and one and a half times the initial ones.
    pub(crate) fn wants(&self, symbol: Symbol, side: Side, held: Decimal) -> bool {
        let funds = self.funds.iter().find(|(asset, _)| *asset == symbol.base());
        let target = funds.map_or(Decimal::ZERO, |(_, amount)| *amount);
        match side {
            Side::Buy => held < target * decimal(15, 1),
            Side::Sell => held > target * decimal(5, 1),
        }
    }
}
