//! The three markets of the recording: their symbols, assets and trading rules.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;

/// A coin an account can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Asset {
    /// Bitcoin.
    Btc,
    /// Ether.
    Eth,
    /// Solana.
    Sol,
    /// The dollar coin in which all three markets are quoted.
    Usdt,
}

impl Asset {
    /// Every asset, in the order of its declaration.
    pub const ALL: [Self; 4] = [Self::Btc, Self::Eth, Self::Sol, Self::Usdt];

    /// The exchange's name for the asset.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Btc => "BTC",
            Self::Eth => "ETH",
            Self::Sol => "SOL",
            Self::Usdt => "USDT",
        }
    }
}

impl fmt::Display for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Asset {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|asset| asset.as_str() == name).ok_or(UnknownName)
    }
}

/// A market, in which a coin is traded against the dollar coin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Symbol {
    /// Bitcoin.
    BtcUsdt,
    /// Ether.
    EthUsdt,
    /// Solana.
    SolUsdt,
}

impl Symbol {
    /// Every market, in the order of its declaration.
    pub const ALL: [Self; 3] = [Self::BtcUsdt, Self::EthUsdt, Self::SolUsdt];

    /// The exchange's name for the market.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BtcUsdt => "BTCUSDT",
            Self::EthUsdt => "ETHUSDT",
            Self::SolUsdt => "SOLUSDT",
        }
    }

    /// The traded asset.
    #[must_use]
    pub const fn base(self) -> Asset {
        match self {
            Self::BtcUsdt => Asset::Btc,
            Self::EthUsdt => Asset::Eth,
            Self::SolUsdt => Asset::Sol,
        }
    }

    /// The increments and the smallest order that the exchange accepts.
    #[must_use]
    pub const fn rules(self) -> TradingRules {
        let step_scale = match self {
            Self::BtcUsdt => 5,
            Self::EthUsdt => 4,
            Self::SolUsdt => 3,
        };
        TradingRules {
            tick: Decimal::from_parts(1, 0, 0, false, 2),
            step: Decimal::from_parts(1, 0, 0, false, step_scale),
            max_price: Decimal::from_parts(1_000_000, 0, 0, false, 0),
            max_quantity: Decimal::from_parts(90_000, 0, 0, false, 0),
            min_notional: Decimal::from_parts(5, 0, 0, false, 0),
        }
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Symbol {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|symbol| symbol.as_str() == name).ok_or(UnknownName)
    }
}

/// The error of an unknown name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown name")]
pub struct UnknownName;

/// The increments and limits of an order's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TradingRules {
    /// Price increment, in the quote currency.
    pub tick: Decimal,
    /// Quantity increment, in the base currency.
    pub step: Decimal,
    /// Highest price, in the quote currency.
    pub max_price: Decimal,
    /// Largest quantity, in the base currency.
    pub max_quantity: Decimal,
    /// Smallest value of an order, in the quote currency.
    pub min_notional: Decimal,
}

/// The side of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Pays the quote currency.
    Buy,
    /// Pays the base currency.
    Sell,
}

impl Side {
    /// Both sides.
    pub const ALL: [Self; 2] = [Self::Buy, Self::Sell];

    /// The exchange's name for the side.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Buy => "BUY",
            Self::Sell => "SELL",
        }
    }

    /// Whether an order of this side with this limit may trade at `price`.
    #[must_use]
    pub fn reaches(self, limit: Decimal, price: Decimal) -> bool {
        match self {
            Self::Buy => price <= limit,
            Self::Sell => price >= limit,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Side {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|side| side.as_str() == name).ok_or(UnknownName)
    }
}

/// The best bid and the best ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touch {
    /// The best bid.
    pub bid: Level,
    /// The best ask.
    pub ask: Level,
}

impl Touch {
    /// The price halfway between bid and ask.
    #[must_use]
    pub fn mid(&self) -> Decimal {
        (self.bid.price + self.ask.price) / Decimal::TWO
    }

    /// The side of the touch that an order of `side` would trade against.
    #[must_use]
    pub fn against(&self, side: Side) -> Level {
        match side {
            Side::Buy => self.ask,
            Side::Sell => self.bid,
        }
    }
}

/// A price and the quantity offered at it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Level {
    /// In the quote currency.
    pub price: Decimal,
    /// In the base currency.
    pub quantity: Decimal,
}
