//! Every endpoint, and every error that a request can cause.

use std::time::Duration;

use serde_json::{Value, json};

use crate::session::{START, Session};

const RESTING_BUY: &str = "order?symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&price=99.00&quantity=0.5";

/// The named fields of an answer.
fn fields<const N: usize>(answer: &Value, names: [&str; N]) -> [Value; N] {
    names.map(|name| answer[name].clone())
}

#[tokio::test]
async fn public_endpoints_answer_in_binances_shape() {
    let session = Session::start().await;
    assert_eq!(session.ok("GET", "ping").await, json!({}));
    let now = u64::try_from(START.as_millis()).unwrap();
    assert_eq!(session.ok("GET", "time").await, json!({ "serverTime": now }));
    let btc = json!({
        "symbol": "BTCUSDT", "bidPrice": "100.00000000", "bidQty": "1.00000000",
        "askPrice": "100.01000000", "askQty": "2.00000000",
    });
    assert_eq!(session.ok("GET", "ticker/bookTicker?symbol=BTCUSDT").await, btc);
    let all = session.ok("GET", "ticker/bookTicker").await;
    assert_eq!((all.as_array().unwrap().len(), &all[0]), (3, &btc));
    let depth = session.ok("GET", "depth?symbol=SOLUSDT").await;
    assert_eq!(depth["bids"], json!([["1.00000000", "1.00000000"]]));
    assert_eq!(depth["asks"], json!([["1.01000000", "2.00000000"]]));

    let info = session.ok("GET", "exchangeInfo").await;
    assert_eq!(info["rateLimits"][0]["rateLimitType"], "REQUEST_WEIGHT");
    let names: Vec<_> = info["symbols"].as_array().unwrap().iter().map(|market| &market["symbol"]).collect();
    assert_eq!(names, ["BTCUSDT", "ETHUSDT", "SOLUSDT"]);
    assert_eq!(
        info["symbols"][1]["filters"][1],
        json!({
            "filterType": "LOT_SIZE",
            "minQty": "0.00010000", "maxQty": "90000.00000000", "stepSize": "0.00010000",
        })
    );
}

#[tokio::test]
async fn an_order_is_placed_and_filled() {
    let session = Session::start().await;
    let placed = session.ok("POST", &format!("{RESTING_BUY}&newClientOrderId=mine")).await;
    assert_eq!(
        fields(&placed, ["status", "clientOrderId", "price", "fills"]),
        [json!("NEW"), json!("mine"), json!("99.00000000"), json!([])]
    );
    let account = session.ok("GET", "account").await;
    let usdt = json!({"asset": "USDT", "free": "950.50000000", "locked": "49.50000000"});
    assert!(account["balances"].as_array().unwrap().contains(&usdt), "{account}");

    session.clock.advance(Duration::from_secs(10));
    let order = session.ok("GET", "order?symbol=BTCUSDT&origClientOrderId=mine").await;
    assert_eq!(
        fields(&order, ["status", "executedQty", "cummulativeQuoteQty"]),
        [json!("PARTIALLY_FILLED"), json!("0.30000000"), json!("29.70000000")]
    );
    let open = session.ok("GET", "openOrders").await;
    assert_eq!(open, json!([order]));
    assert_eq!(session.ok("GET", "openOrders?symbol=ETHUSDT").await, json!([]));
    let trades = session.ok("GET", "myTrades?symbol=BTCUSDT").await;
    let happened = u64::try_from(START.as_millis()).unwrap() + 10_000;
    assert_eq!(
        fields(&trades[0], ["orderId", "price", "qty", "time", "isBuyer", "isMaker"]),
        [
            placed["orderId"].clone(),
            json!("99.00000000"),
            json!("0.30000000"),
            json!(happened),
            json!(true),
            json!(true)
        ]
    );
    let next = trades[0]["id"].as_u64().unwrap() + 1;
    assert_eq!(session.ok("GET", &format!("myTrades?symbol=BTCUSDT&fromId={next}")).await, json!([]));

    let id = &placed["orderId"];
    let cancelled = session.ok("DELETE", &format!("order?symbol=BTCUSDT&orderId={id}")).await;
    assert_eq!(fields(&cancelled, ["status", "origClientOrderId"]), [json!("CANCELED"), json!("mine")]);
    assert_eq!(session.ok("GET", "openOrders").await, json!([]));
}

#[tokio::test]
async fn an_order_that_takes_reports_its_fills() {
    let session = Session::start().await;
    let market = session.ok("POST", "order?symbol=BTCUSDT&side=SELL&type=MARKET&quantity=0.4").await;
    assert_eq!(
        fields(&market, ["status", "type", "price"]),
        [json!("FILLED"), json!("MARKET"), json!("0.00000000")]
    );
    assert_eq!(market["fills"][0]["price"], "100.00000000");
    let path = "order?symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&price=100.01&quantity=5";
    let immediate = session.ok("POST", path).await;
    assert_eq!(
        fields(&immediate, ["status", "executedQty", "timeInForce"]),
        [json!("EXPIRED"), json!("2.00000000"), json!("IOC")]
    );
}

#[tokio::test]
async fn all_orders_of_a_market_are_cancelled_at_once() {
    let session = Session::start().await;
    for _ in 0..2 {
        session.ok("POST", RESTING_BUY).await;
    }
    let maker = "order?symbol=ETHUSDT&side=BUY&type=LIMIT_MAKER&price=9&quantity=1";
    session.ok("POST", maker).await;
    let cancelled = session.ok("DELETE", "openOrders?symbol=BTCUSDT").await;
    assert_eq!(cancelled.as_array().unwrap().len(), 2);
    assert_eq!(session.ok("GET", "openOrders").await.as_array().unwrap().len(), 1);
    let again = session.refused("DELETE", "openOrders?symbol=BTCUSDT", Some("alice")).await;
    assert_eq!(again, (400, -2011, "Unknown order sent.".to_owned()));
}

#[tokio::test]
async fn accounts_do_not_see_each_other() {
    let session = Session::start().await;
    let placed = session.ok("POST", RESTING_BUY).await;
    let id = &placed["orderId"];
    let foreign = session.refused("DELETE", &format!("order?symbol=BTCUSDT&orderId={id}"), Some("bob")).await;
    assert_eq!(foreign.1, -2011);
    let open = session.send("GET", "openOrders", Some("bob")).await;
    assert_eq!(open.json::<Value>().await.unwrap(), json!([]));
}

#[tokio::test]
async fn every_mistake_has_binances_code() {
    let session = Session::start().await;
    let buy = |rest: &str| format!("order?symbol=BTCUSDT&side=BUY&{rest}");
    for (method, path, status, code, message) in [
        ("GET", "ticker/bookTicker?symbol=DOGEUSDT".to_owned(), 400, -1121, "Invalid symbol."),
        ("GET", "depth".to_owned(), 400, -1102, "Mandatory parameter 'symbol'"),
        ("POST", "order?symbol=&side=BUY".to_owned(), 400, -1105, "Parameter 'symbol' was empty."),
        ("POST", "order?symbol=BTCUSDT".to_owned(), 400, -1102, "Mandatory parameter 'side'"),
        ("POST", "order?symbol=BTCUSDT&side=HOLD".to_owned(), 400, -1117, "Invalid side."),
        ("POST", buy("quantity=1"), 400, -1102, "Mandatory parameter 'type'"),
        ("POST", buy("type=STOP_LOSS&quantity=1"), 400, -1116, "Invalid orderType."),
        ("POST", buy("type=MARKET"), 400, -1102, "Mandatory parameter 'quantity'"),
        (
            "POST",
            buy("type=MARKET&quantity=many"),
            400,
            -1100,
            "Illegal characters found in parameter 'quantity'",
        ),
        (
            "POST",
            buy("type=MARKET&quantity=0.000000001"),
            400,
            -1111,
            "Parameter 'quantity' has too much precision.",
        ),
        (
            "POST",
            buy("type=MARKET&quantity=1&price=1"),
            400,
            -1106,
            "Parameter 'price' sent when not required.",
        ),
        ("POST", buy("side=SELL"), 400, -1101, "Duplicate values for a parameter detected."),
        ("GET", "account?recvWindow=60001".to_owned(), 400, -1131, "recvWindow must be less than 60000."),
        ("POST", buy("type=LIMIT&timeInForce=GTC&quantity=1"), 400, -1102, "Mandatory parameter 'price'"),
        ("POST", buy("type=LIMIT&price=99&quantity=1"), 400, -1102, "Mandatory parameter 'timeInForce'"),
        ("POST", buy("type=LIMIT&timeInForce=GTX&price=99&quantity=1"), 400, -1115, "Invalid timeInForce."),
        ("POST", buy("type=LIMIT_MAKER&price=99.001&quantity=1"), 400, -1013, "Filter failure: PRICE_FILTER"),
        ("POST", buy("type=LIMIT_MAKER&price=99&quantity=0.000001"), 400, -1013, "Filter failure: LOT_SIZE"),
        ("POST", buy("type=LIMIT_MAKER&price=99&quantity=0.01"), 400, -1013, "Filter failure: NOTIONAL"),
        (
            "POST",
            buy("type=LIMIT_MAKER&price=99&quantity=11"),
            400,
            -2010,
            "Account has insufficient balance",
        ),
        ("POST", buy("type=LIMIT_MAKER&price=101&quantity=1"), 400, -2010, "Order would immediately match"),
        (
            "POST",
            buy("type=MARKET&quantity=1&newClientOrderId=0123456789012345678901234567890123456"),
            400,
            -1100,
            "Illegal",
        ),
        ("DELETE", "order?symbol=BTCUSDT".to_owned(), 400, -1102, "Param 'origClientOrderId' or 'orderId'"),
        ("DELETE", "order?symbol=BTCUSDT&orderId=99".to_owned(), 400, -2011, "Unknown order sent."),
        (
            "DELETE",
            "order?symbol=BTCUSDT&orderId=x".to_owned(),
            400,
            -1100,
            "Illegal characters found in parameter 'orderId'",
        ),
        (
            "GET",
            "order?symbol=BTCUSDT&origClientOrderId=none".to_owned(),
            400,
            -2013,
            "Order does not exist.",
        ),
        ("GET", "myTrades".to_owned(), 400, -1102, "Mandatory parameter 'symbol'"),
        ("GET", "klines".to_owned(), 404, -1000, "No such endpoint."),
        ("PUT", "order".to_owned(), 404, -1000, "No such endpoint."),
    ] {
        let (found_status, found_code, found_message) = session.refused(method, &path, Some("alice")).await;
        assert_eq!((found_status, found_code), (status, code), "{method} {path}");
        assert!(found_message.starts_with(message), "{method} {path}: {found_message}");
    }
    assert_eq!(session.refused("GET", "account", None).await.1, -2014);
    let unknown = session.refused("GET", "account", Some("mallory")).await;
    assert_eq!((unknown.0, unknown.1), (401, -2015));
}
