use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::exchange::Balance;
use crate::recording::Recording;

const NOW: Duration = Duration::from_hours(484_140);
const ALICE: &str = "alice";
const BOB: &str = "bob";

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn level(price: &str, quantity: &str) -> Level {
    Level { price: decimal(price), quantity: decimal(quantity) }
}

/// Ether at 2000.00 by 2000.10, two offered on either side; both customers have 10,000 dollars and 5 ether.
fn venue() -> Venue {
    let mut venue = Venue::default();
    for customer in [ALICE, BOB] {
        venue.open_account(customer, [(Asset::Usdt, 10_000.into()), (Asset::Eth, 5.into())]);
    }
    quote(&mut venue, level("2000.00", "2"), level("2000.10", "2"));
    venue
}

fn quote(venue: &mut Venue, bid: Level, ask: Level) {
    let kind = MarketEventKind::Quote(Touch { bid, ask });
    venue.apply(&MarketEvent { at: Duration::ZERO, symbol: Symbol::EthUsdt, kind }, NOW);
}

fn trade(venue: &mut Venue, price: &str, quantity: &str) {
    let Level { price, quantity } = level(price, quantity);
    let kind = MarketEventKind::Trade { side: Side::Sell, price, quantity };
    venue.apply(&MarketEvent { at: Duration::ZERO, symbol: Symbol::EthUsdt, kind }, NOW);
}

fn order(side: Side, execution: Execution, quantity: &str) -> NewOrder {
    NewOrder { symbol: Symbol::EthUsdt, side, execution, quantity: decimal(quantity), client_id: None }
}

fn limit(venue: &mut Venue, customer: &str, side: Side, price: &str, quantity: &str) -> u64 {
    venue.place(customer, &order(side, Execution::Limit(decimal(price)), quantity), NOW).unwrap().id
}

fn executed(venue: &Venue, customer: &str, id: u64) -> Decimal {
    venue.order(customer, Symbol::EthUsdt, &OrderReference::Id(id)).unwrap().executed
}

fn balance(venue: &Venue, customer: &str, asset: Asset) -> Balance {
    venue.account(customer).unwrap().balance(asset)
}

#[test]
fn a_resting_buy_fills_when_the_ask_falls_to_it() {
    let mut venue = venue();
    let id = limit(&mut venue, ALICE, Side::Buy, "1999.00", "1");
    quote(&mut venue, level("1999.00", "3"), level("1999.01", "3"));
    assert_eq!(executed(&venue, ALICE, id), Decimal::ZERO);
    quote(&mut venue, level("1998.00", "3"), level("1998.50", "3"));
    let order = venue.order(ALICE, Symbol::EthUsdt, &OrderReference::Id(id)).unwrap();
    assert_eq!((order.status, order.executed_quote), (OrderStatus::Filled, decimal("1999")));
    assert_eq!(balance(&venue, ALICE, Asset::Usdt), Balance { free: decimal("8001"), locked: Decimal::ZERO });
    assert_eq!(balance(&venue, ALICE, Asset::Eth).free, decimal("5.99989"), "less the fee of a maker");
}

#[test]
fn trades_fill_partly_at_their_price_or_beyond() {
    let mut venue = venue();
    let buy = limit(&mut venue, ALICE, Side::Buy, "1999.00", "1");
    let sell = limit(&mut venue, ALICE, Side::Sell, "2001.00", "1");
    trade(&mut venue, "1999.01", "5");
    trade(&mut venue, "2000.99", "5");
    assert_eq!(executed(&venue, ALICE, buy) + executed(&venue, ALICE, sell), Decimal::ZERO);
    trade(&mut venue, "1999.00", "0.3");
    trade(&mut venue, "1990.00", "0.3");
    trade(&mut venue, "2001.00", "0.4");
    assert_eq!(executed(&venue, ALICE, buy), decimal("0.6"));
    assert_eq!(executed(&venue, ALICE, sell), decimal("0.4"));
    let prices: Vec<_> = venue.account(ALICE).unwrap().trades().map(|trade| trade.price).collect();
    assert_eq!(
        prices,
        [decimal("1999"), decimal("1999"), decimal("2001")],
        "a maker trades at its own price"
    );
    assert_eq!(balance(&venue, ALICE, Asset::Usdt).locked, decimal("799.6"));
}

#[test]
fn price_comes_before_time() {
    let mut venue = venue();
    let early = limit(&mut venue, ALICE, Side::Buy, "1999.00", "1");
    let late = limit(&mut venue, BOB, Side::Buy, "1999.00", "1");
    let better = limit(&mut venue, BOB, Side::Buy, "1999.50", "1");
    trade(&mut venue, "1999.00", "2.5");
    assert_eq!(executed(&venue, BOB, better), decimal("1"));
    assert_eq!(executed(&venue, ALICE, early), decimal("1"));
    assert_eq!(executed(&venue, BOB, late), decimal("0.5"));
}

#[test]
fn an_order_that_meets_the_touch_takes_the_offered_quantity_and_the_rest_stays_open() {
    let mut venue = venue();
    let id = limit(&mut venue, ALICE, Side::Buy, "2001.00", "3");
    assert_eq!(executed(&venue, ALICE, id), decimal("2"));
    let usdt = balance(&venue, ALICE, Asset::Usdt);
    assert_eq!(
        usdt,
        Balance { free: decimal("3998.80"), locked: decimal("2001.00") },
        "paid 2000.10, locked 2001.00"
    );
    let late = limit(&mut venue, BOB, Side::Buy, "2001.00", "1");
    assert_eq!(executed(&venue, BOB, late), Decimal::ZERO, "the touch was taken already");
}

#[test]
fn the_rest_expires_unless_the_order_may_stay_open() {
    for execution in [Execution::Market, Execution::ImmediateOrCancel(decimal("2000.10"))] {
        let mut venue = venue();
        let order = venue.place(ALICE, &order(Side::Buy, execution, "3"), NOW).unwrap();
        assert_eq!((order.status, order.executed), (OrderStatus::Expired, decimal("2")), "{execution:?}");
        assert_eq!(
            balance(&venue, ALICE, Asset::Usdt),
            Balance { free: decimal("5999.8"), locked: Decimal::ZERO }
        );
        let order =
            venue.place(ALICE, &super::tests::order(Side::Sell, Execution::Market, "1"), NOW).unwrap();
        assert_eq!((order.status, order.executed_quote), (OrderStatus::Filled, decimal("2000")));
    }
}

#[test]
fn refuses_orders_that_break_a_rule() {
    let buy = |price: &str, quantity: &str| order(Side::Buy, Execution::Limit(decimal(price)), quantity);
    let maker = Execution::LimitMaker(decimal("2000.10"));
    for (new, refusal) in [
        (buy("1999.001", "1"), Refusal::Filter("PRICE_FILTER")),
        (buy("0", "1"), Refusal::Filter("PRICE_FILTER")),
        (buy("-1", "1"), Refusal::Filter("PRICE_FILTER")),
        (buy("1999", "0.00001"), Refusal::Filter("LOT_SIZE")),
        (buy("1999", "-1"), Refusal::Filter("LOT_SIZE")),
        (buy("1999", "9999999999"), Refusal::Filter("LOT_SIZE")),
        (buy("1999", "0.0025"), Refusal::Filter("NOTIONAL")),
        (buy("1999", "6"), Refusal::InsufficientBalance),
        (order(Side::Sell, Execution::Market, "5.1"), Refusal::InsufficientBalance),
        (order(Side::Buy, maker, "1"), Refusal::WouldTake),
    ] {
        let mut venue = venue();
        assert_eq!(venue.place(ALICE, &new, NOW), Err(refusal), "{new:?}");
        assert_eq!(balance(&venue, ALICE, Asset::Usdt).free, decimal("10000"), "{new:?}");
    }
    let mut venue = venue();
    assert_eq!(venue.place("carol", &buy("1999", "1"), NOW), Err(Refusal::UnknownApiKey));
    assert!(
        venue.place(ALICE, &order(Side::Sell, maker, "1"), NOW).is_ok(),
        "a maker's sell at the ask stays open"
    );
}

#[test]
fn cancelling_gives_the_rest_back_once() {
    let mut venue = venue();
    let mut new = order(Side::Buy, Execution::Limit(decimal("1999")), "1");
    new.client_id = Some("mine".to_owned());
    let id = venue.place(ALICE, &new, NOW).unwrap().id;
    assert_eq!(venue.place(ALICE, &new, NOW), Err(Refusal::DuplicateOrder));
    trade(&mut venue, "1999", "0.4");
    let mine = OrderReference::ClientId("mine".to_owned());
    assert_eq!(venue.cancel(BOB, Symbol::EthUsdt, &mine, NOW), Err(Refusal::UnknownOrder), "not his");
    assert_eq!(venue.cancel(ALICE, Symbol::BtcUsdt, &mine, NOW), Err(Refusal::UnknownOrder), "not there");
    let cancelled = venue.cancel(ALICE, Symbol::EthUsdt, &mine, NOW).unwrap();
    assert_eq!((cancelled.status, cancelled.executed), (OrderStatus::Canceled, decimal("0.4")));
    assert_eq!(
        balance(&venue, ALICE, Asset::Usdt),
        Balance { free: decimal("9200.4"), locked: Decimal::ZERO }
    );
    assert_eq!(
        venue.cancel(ALICE, Symbol::EthUsdt, &OrderReference::Id(id), NOW),
        Err(Refusal::UnknownOrder)
    );
    trade(&mut venue, "1999", "1");
    assert_eq!(executed(&venue, ALICE, id), decimal("0.4"), "a cancelled order trades no more");
    assert!(venue.place(ALICE, &new, NOW).is_ok(), "the client id is free again");
}

#[test]
fn a_fill_or_kill_order_executes_completely_or_not_at_all() {
    let mut venue = venue();
    let fok = Execution::FillOrKill(decimal("2000.10"));
    let killed = venue.place(ALICE, &order(Side::Buy, fok, "3"), NOW).unwrap();
    assert_eq!((killed.status, killed.executed), (OrderStatus::Expired, Decimal::ZERO));
    let filled = venue.place(ALICE, &order(Side::Buy, fok, "2"), NOW).unwrap();
    assert_eq!((filled.status, filled.executed), (OrderStatus::Filled, decimal("2")));
}

#[test]
fn a_fee_is_a_part_of_the_received_amount_and_smaller_for_makers() {
    let mut venue = venue();
    venue.place(ALICE, &order(Side::Buy, Execution::Market, "0.5"), NOW).unwrap();
    venue.place(ALICE, &order(Side::Sell, Execution::Market, "0.5"), NOW).unwrap();
    let fees: Vec<_> = venue
        .account(ALICE)
        .unwrap()
        .trades()
        .map(|trade| (trade.commission, trade.commission_asset))
        .collect();
    assert_eq!(fees, [(decimal("0.000115"), Asset::Eth), (decimal("0.23"), Asset::Usdt)]);
    assert_eq!(balance(&venue, ALICE, Asset::Usdt).free, decimal("9999.72"));
    assert_eq!(balance(&venue, ALICE, Asset::Eth).free, decimal("4.999885"));
}

#[test]
fn closed_orders_and_trades_are_kept_in_a_bounded_window() {
    let mut venue = venue();
    for _ in 0..1_500 {
        let id = limit(&mut venue, ALICE, Side::Buy, "1999.00", "0.01");
        venue.cancel(ALICE, Symbol::EthUsdt, &OrderReference::Id(id), NOW).unwrap();
    }
    assert_eq!(venue.account(ALICE).unwrap().closed_orders().count(), 1_000);
    let state = |id| venue.order(ALICE, Symbol::EthUsdt, &OrderReference::Id(id)).map(|order| order.status);
    assert_eq!((state(500), state(501)), (Err(Refusal::NoSuchOrder), Ok(OrderStatus::Canceled)));
}

#[test]
fn a_market_has_at_most_200_open_orders_of_an_account() {
    let mut venue = venue();
    for _ in 0..200 {
        limit(&mut venue, ALICE, Side::Buy, "1000.00", "0.01");
    }
    let one_more = order(Side::Buy, Execution::Limit(decimal("1000")), "0.01");
    assert_eq!(venue.place(ALICE, &one_more, NOW), Err(Refusal::Filter("MAX_NUM_ORDERS")));
    assert!(venue.place(BOB, &one_more, NOW).is_ok());
}

#[derive(Debug, Clone)]
enum Step {
    Market { bid_ticks: i64, spread_ticks: i64, quantity: i64 },
    Print { ticks: i64, quantity: i64 },
    Place { customer: &'static str, side: Side, kind: u8, ticks: i64, quantity: i64 },
    Cancel { customer: &'static str, nth: usize },
    CancelAll { customer: &'static str },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let customer = || select(vec![ALICE, BOB]);
    let step = prop_oneof![
        (-50..50_i64, 1..20_i64, 1..30_000_i64).prop_map(|(bid_ticks, spread_ticks, quantity)| {
            Step::Market { bid_ticks, spread_ticks, quantity }
        }),
        (-50..50_i64, 1..30_000_i64).prop_map(|(ticks, quantity)| Step::Print { ticks, quantity }),
        (customer(), select(Side::ALL.to_vec()), 0..4_u8, -50..50_i64, 25..30_000_i64).prop_map(
            |(customer, side, kind, ticks, quantity)| Step::Place { customer, side, kind, ticks, quantity }
        ),
        (customer(), 0..8_usize).prop_map(|(customer, nth)| Step::Cancel { customer, nth }),
        customer().prop_map(|customer| Step::CancelAll { customer }),
    ];
    prop::collection::vec(step, 1..120)
}

fn price(ticks: i64) -> Decimal {
    decimal("2000") + Decimal::new(ticks, 2)
}

/// Runs a step; refusals are expected.
fn run(venue: &mut Venue, step: &Step) {
    let symbol = Symbol::EthUsdt;
    match *step {
        Step::Market { bid_ticks, spread_ticks, quantity } => {
            let quantity = Decimal::new(quantity, 4);
            let ask = Level { price: price(bid_ticks + spread_ticks), quantity };
            quote(venue, Level { price: price(bid_ticks), quantity }, ask);
        }
        Step::Print { ticks, quantity } => {
            trade(venue, &price(ticks).to_string(), &Decimal::new(quantity, 4).to_string());
        }
        Step::Place { customer, side, kind, ticks, quantity } => {
            let execution = match kind {
                0 => Execution::Limit(price(ticks)),
                1 => Execution::ImmediateOrCancel(price(ticks)),
                2 => Execution::LimitMaker(price(ticks)),
                _ => Execution::Market,
            };
            let new = order(side, execution, &Decimal::new(quantity, 4).to_string());
            let _ = venue.place(customer, &new, NOW);
        }
        Step::Cancel { customer, nth } => {
            let id = venue.account(customer).unwrap().open_orders().nth(nth).map(|order| order.id);
            if let Some(id) = id {
                venue.cancel(customer, symbol, &OrderReference::Id(id), NOW).unwrap();
            }
        }
        Step::CancelAll { customer } => {
            let _ = venue.cancel_all(customer, symbol, NOW);
        }
    }
}

/// The balances computed from the initial funds, the trades and their fees.
fn expected(account: &Account) -> (Decimal, Decimal) {
    account.trades().fold((decimal("10000"), decimal("5")), |(usdt, eth), trade| match trade.side {
        Side::Buy => (usdt - trade.price * trade.quantity, eth + trade.quantity - trade.commission),
        Side::Sell => (usdt + trade.price * trade.quantity - trade.commission, eth - trade.quantity),
    })
}

fn check(account: &Account) {
    let (usdt, eth) = (account.balance(Asset::Usdt), account.balance(Asset::Eth));
    assert_eq!(
        (usdt.free + usdt.locked, eth.free + eth.locked),
        expected(account),
        "totals move by fills alone"
    );
    assert!(usdt.free >= Decimal::ZERO && eth.free >= Decimal::ZERO, "{usdt:?} {eth:?}");
    let locked = |side| -> Decimal {
        let open = account.open_orders().filter(|order| order.side == side);
        open.map(|order| order.remaining() * if side == Side::Buy { order.limit } else { Decimal::ONE }).sum()
    };
    assert_eq!(
        (usdt.locked, eth.locked),
        (locked(Side::Buy), locked(Side::Sell)),
        "the locked amount is that of the open orders"
    );
    for order in account.open_orders() {
        assert!(order.status.is_open() && order.remaining() > Decimal::ZERO, "{order:?}");
    }
}

proptest! {
    #[test]
    fn balances_change_by_trades_alone(steps in steps()) {
        let mut venue = venue();
        for step in &steps {
            run(&mut venue, step);
            check(venue.account(ALICE).unwrap());
            check(venue.account(BOB).unwrap());
        }
    }

    #[test]
    fn no_order_trades_beyond_its_limit(steps in steps()) {
        let mut venue = venue();
        for step in &steps {
            run(&mut venue, step);
        }
        for account in [ALICE, BOB].map(|customer| venue.account(customer).unwrap()) {
            for trade in account.trades() {
                let order = account.find_order(|order| order.id == trade.order_id).unwrap();
                prop_assert!(trade.side.reaches(order.limit, trade.price), "{order:?} {trade:?}");
            }
        }
    }
}

#[test]
fn the_recorded_market_fills_a_quote_at_the_touch() {
    let recording = Recording::embedded().unwrap();
    let mut venue = venue();
    let mut orders = 0;
    for event in recording.events().iter().take(10_000) {
        venue.apply(event, NOW + event.at);
        let idle = venue.account(ALICE).unwrap().open_orders().next().is_none();
        if idle && let Some(touch) = venue.touch(Symbol::EthUsdt) {
            let execution = Execution::Limit(touch.bid.price);
            orders +=
                u32::from(venue.place(ALICE, &order(Side::Buy, execution, "0.04"), NOW + event.at).is_ok());
        }
    }
    let fills = venue.account(ALICE).unwrap().trades().count();
    assert!(orders > 10 && fills >= 10, "{orders} orders, {fills} fills");
}
