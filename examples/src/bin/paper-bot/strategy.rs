//! Computes a profile's target quotes and the steps to reach them, without acting.

use bot_metrics_examples::market::{Side, Symbol, Touch};
use rust_decimal::Decimal;

use crate::own_orders::OwnOrder;
use crate::profile::Profile;

/// A quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quote {
    pub(crate) side: Side,
    pub(crate) price: Decimal,
    pub(crate) quantity: Decimal,
}

/// The steps to take on one market.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Client order ids of quotes at a wrong price or size.
    pub(crate) cancel: Vec<String>,
    /// Quotes that are missing.
    pub(crate) place: Vec<Quote>,
}

/// The balance below which a profile does not bid, in bids: one for each market, which may be executed once more
/// before the balance is queried again.
const RESERVE: usize = 2 * Symbol::ALL.len();

/// The target quotes of `profile`; `held` is its balance of the base asset, and `cash` that of the quote currency.
pub(crate) fn quotes(
    profile: &Profile,
    symbol: Symbol,
    touch: &Touch,
    held: Decimal,
    cash: Decimal,
) -> Vec<Quote> {
    let quantity = profile.quote_size(symbol);
    let wanted = Side::ALL.into_iter().filter(|side| profile.wants(symbol, *side, held));
    let quotes = wanted.map(|side| Quote { side, price: price(profile, symbol, touch, side), quantity });
    let is_affordable =
        |quote: &Quote| quote.side == Side::Sell || cash >= quote.price * quantity * Decimal::from(RESERVE);
    quotes.filter(is_affordable).collect()
}

fn price(profile: &Profile, symbol: Symbol, touch: &Touch, side: Side) -> Decimal {
    let tick = symbol.rules().tick;
    match side {
        Side::Buy => (touch.bid.price * (Decimal::ONE - profile.distance) / tick).floor() * tick,
        Side::Sell => (touch.ask.price * (Decimal::ONE + profile.distance) / tick).ceil() * tick,
    }
}

/// The steps from the open orders to the wanted quotes.
pub(crate) fn plan<'a>(
    profile: &Profile,
    open: impl IntoIterator<Item = &'a OwnOrder>,
    mut wanted: Vec<Quote>,
) -> Plan {
    let mut plan = Plan::default();
    for order in open {
        let fits = |quote: &Quote| {
            quote.side == order.side && (quote.price - order.price).abs() <= profile.tolerance * quote.price
        };
        match wanted.iter().position(fits) {
            Some(position) => {
                wanted.remove(position);
            }
            None => plan.cancel.push(order.client_id.clone()),
        }
    }
    plan.place = wanted;
    plan
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bot_metrics_examples::market::Level;

    use super::*;
    use crate::own_orders::OrderState;
    use crate::profile::{MAKER_TIGHT, MAKER_WIDE};

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn touch() -> Touch {
        let level = |price| Level { price: decimal(price), quantity: Decimal::ONE };
        Touch { bid: level("2000.00"), ask: level("2000.01") }
    }

    fn prices(profile: &Profile, held: &str) -> Vec<(Side, String)> {
        let quotes = quotes(profile, Symbol::EthUsdt, &touch(), decimal(held), 5_000.into());
        quotes.into_iter().map(|quote| (quote.side, format!("{:.2}", quote.price))).collect()
    }

    fn order(client_id: &str, side: Side, price: &str) -> OwnOrder {
        OwnOrder {
            client_id: client_id.to_owned(),
            symbol: Symbol::EthUsdt,
            side,
            price: decimal(price),
            quantity: Decimal::ONE,
            executed: Decimal::ZERO,
            state: OrderState::Open { order_id: 1 },
            sent_at: Duration::ZERO,
        }
    }

    #[test]
    fn the_tight_maker_quotes_at_the_touch_and_the_wide_one_behind_it() {
        let at = |bid: &str, ask: &str| vec![(Side::Buy, bid.to_owned()), (Side::Sell, ask.to_owned())];
        assert_eq!(prices(&MAKER_TIGHT, "0.8"), at("2000.00", "2000.01"));
        assert_eq!(prices(&MAKER_WIDE, "1.6"), at("1999.90", "2000.12"));
    }

    #[test]
    fn inventory_decides_which_sides_are_quoted() {
        let sides = |held| prices(&MAKER_TIGHT, held).into_iter().map(|(side, _)| side).collect::<Vec<_>>();
        assert_eq!(sides("0.4"), [Side::Buy]);
        assert_eq!(sides("0.41"), [Side::Buy, Side::Sell]);
        assert_eq!(sides("1.19"), [Side::Buy, Side::Sell]);
        assert_eq!(sides("1.2"), [Side::Sell]);
    }

    #[test]
    fn a_profile_bids_as_long_as_it_can_pay_for_all_markets() {
        let sides = |cash: &str| {
            let quotes = quotes(&MAKER_TIGHT, Symbol::EthUsdt, &touch(), decimal("0.8"), decimal(cash));
            quotes.into_iter().map(|quote| quote.side).collect::<Vec<_>>()
        };
        // A bid is for 80 dollars.
        assert_eq!(sides("480"), [Side::Buy, Side::Sell]);
        assert_eq!(sides("479.99"), [Side::Sell]);
    }

    #[test]
    fn a_quote_at_its_target_is_kept() {
        let orders = [order("bid", Side::Buy, "2000.00"), order("ask", Side::Sell, "2000.02")];
        let wanted = quotes(&MAKER_TIGHT, Symbol::EthUsdt, &touch(), decimal("0.8"), 5_000.into());
        let plan = plan(&MAKER_TIGHT, &orders, wanted.clone());
        assert_eq!(plan, Plan { cancel: vec!["ask".to_owned()], place: vec![wanted[1]] });
    }

    #[test]
    fn the_wide_maker_tolerates_three_hundred_thousandths() {
        let orders = [order("near", Side::Buy, "1999.95"), order("far", Side::Sell, "2000.19")];
        let wanted = quotes(&MAKER_WIDE, Symbol::EthUsdt, &touch(), decimal("1.6"), 5_000.into());
        assert_eq!(plan(&MAKER_WIDE, &orders, wanted).cancel, ["far"]);
    }

    #[test]
    fn unwanted_and_duplicate_quotes_are_cancelled() {
        let orders = [order("one", Side::Buy, "2000.00"), order("two", Side::Buy, "2000.00")];
        let wanted = vec![Quote { side: Side::Buy, price: decimal("2000"), quantity: Decimal::ONE }];
        assert_eq!(
            plan(&MAKER_TIGHT, &orders, wanted),
            Plan { cancel: vec!["two".to_owned()], place: vec![] }
        );
        assert_eq!(plan(&MAKER_TIGHT, &orders, vec![]).cancel, ["one", "two"]);
    }
}
