//! What the exchange does wrong while its owner wants it.

use std::time::{Duration, Instant};

use bot_metrics_examples::exchange::Disruption;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::session::{START, Session, header};

const RESTING_BUY: &str =
    "order?symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&price=90&quantity=1&newClientOrderId=mine";

#[tokio::test]
async fn a_rate_limit_refuses_everything_until_it_ends() {
    let session = Session::start().await;
    session.disruptions.begin(Disruption::RateLimit);
    for (method, path) in [("GET", "ping"), ("GET", "openOrders"), ("DELETE", "openOrders?symbol=BTCUSDT")] {
        let response = session.send(method, path, Some("alice")).await;
        assert_eq!((response.status().as_u16(), header(&response, "retry-after")), (429, "2"), "{path}");
    }
    session.disruptions.end(Disruption::RateLimit);
    assert_eq!(session.send("GET", "ping", None).await.status(), 200);
}

#[tokio::test]
async fn hidden_open_orders_are_all_that_is_hidden() {
    let session = Session::start().await;
    session.disruptions.begin(Disruption::HideOpenOrders);
    let blind = session.refused("GET", "openOrders", Some("alice")).await;
    assert_eq!((blind.0, blind.1), (503, -1000));
    session.ok("GET", "account").await;
    session.ok("GET", "myTrades?symbol=BTCUSDT").await;
    let none_open = session.refused("DELETE", "openOrders?symbol=BTCUSDT", Some("alice")).await;
    assert_eq!(none_open.1, -2011, "cancelling still works");
    session.disruptions.end(Disruption::HideOpenOrders);
    session.ok("GET", "openOrders").await;
}

#[tokio::test]
async fn an_orphan_is_open_while_it_lasts() {
    let session = Session::start().await;
    let open = async |expected: usize| {
        let deadline = Instant::now() + Duration::from_secs(5);
        while session.ok("GET", "openOrders").await.as_array().unwrap().len() != expected {
            assert!(Instant::now() < deadline, "never {expected} open orders");
        }
    };
    session.disruptions.begin(Disruption::OrphanOrder);
    open(1).await;
    session.disruptions.end(Disruption::OrphanOrder);
    open(0).await;
}

#[tokio::test]
async fn halted_markets_quote_and_cancel_but_accept_no_order() {
    let session = Session::start().await;
    let order =
        "order?symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&price=90&quantity=1&newClientOrderId=";
    session.ok("POST", &format!("{order}before")).await;
    session.disruptions.begin(Disruption::HaltMarkets);
    assert_eq!(session.ok("GET", "exchangeInfo").await["symbols"][0]["status"], "BREAK");
    let refused = session.refused("POST", &format!("{order}meanwhile"), Some("alice")).await;
    assert_eq!(refused, (400, -1013, "Market is closed.".to_owned()));
    session.ok("GET", "ticker/bookTicker").await;
    session.ok("DELETE", "order?symbol=BTCUSDT&origClientOrderId=before").await;
    session.disruptions.end(Disruption::HaltMarkets);
    assert_eq!(session.ok("GET", "exchangeInfo").await["symbols"][0]["status"], "TRADING");
    session.ok("POST", &format!("{order}after")).await;
}

#[tokio::test]
async fn a_ban_and_a_server_error_refuse_everything() {
    let session = Session::start().await;
    for (disruption, status, code) in [(Disruption::Ban, 418, -1003), (Disruption::ServerError, 503, -1000)] {
        session.disruptions.begin(disruption);
        for (method, path) in [("GET", "ping"), ("POST", RESTING_BUY)] {
            let refused = session.refused(method, path, Some("alice")).await;
            assert_eq!((refused.0, refused.1), (status, code), "{disruption:?} {path}");
        }
        session.disruptions.end(disruption);
    }
    assert_eq!(session.ok("GET", "openOrders").await, json!([]), "nothing was executed");
}

#[tokio::test]
async fn a_lost_reply_is_that_of_an_accepted_order() {
    let session = Session::start().await;
    session.disruptions.begin(Disruption::LostReply);
    let error = session.attempt("POST", RESTING_BUY, Some("alice")).await.unwrap_err();
    assert!(error.is_request(), "{error:?}");
    session.ok("DELETE", "order?symbol=BTCUSDT&origClientOrderId=mine").await;
    let too_poor = session.refused("POST", RESTING_BUY, Some("bob")).await;
    assert_eq!(too_poor.1, -2010, "a refusal is not lost");
}

#[tokio::test]
async fn a_request_without_an_answer_is_not_executed_if_its_client_gives_up() {
    let session = Session::start().await;
    session.disruptions.begin(Disruption::NoAnswer);
    let mut client = TcpStream::connect(session.address()).await.unwrap();
    let request = format!("POST /api/v3/{RESTING_BUY} HTTP/1.1\r\nX-MBX-APIKEY: alice\r\n\r\n");
    client.write_all(request.as_bytes()).await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(client.read_to_end(&mut Vec::new()).await.unwrap(), 0);
    session.disruptions.end(Disruption::NoAnswer);
    assert_eq!(session.ok("GET", "openOrders").await, json!([]));
}

#[tokio::test]
async fn a_skewed_clock_refuses_what_has_a_key() {
    let session = Session::start().await;
    session.disruptions.begin(Disruption::ClockSkew);
    let time: Value = session.send("GET", "time", None).await.json().await.unwrap();
    assert_eq!(u128::from(time["serverTime"].as_u64().unwrap()), START.as_millis() + 30_000);
    let refused = session.refused("GET", "account", Some("alice")).await;
    let message = "Timestamp for this request is outside of the recvWindow.".to_owned();
    assert_eq!(refused, (400, -1021, message));
    session.disruptions.end(Disruption::ClockSkew);
    session.ok("GET", "account").await;
}

#[tokio::test]
async fn slow_orders_delay_the_acceptance_of_orders_alone() {
    let session = Session::start().await;
    session.disruptions.begin(Disruption::SlowOrders);
    let elapsed = async |method, path| {
        let start = Instant::now();
        let response = session.send(method, path, Some("alice")).await;
        assert_eq!(response.status(), 200, "{path}");
        start.elapsed()
    };
    let cancel = "order?symbol=BTCUSDT&origClientOrderId=mine";
    let placing = elapsed("POST", RESTING_BUY).await;
    assert!(placing >= Duration::from_secs(2), "{placing:?}");
    let others = elapsed("GET", "account").await + elapsed("DELETE", cancel).await;
    assert!(others < placing, "{others:?}");
    session.disruptions.end(Disruption::SlowOrders);
    let again = elapsed("POST", RESTING_BUY).await;
    assert!(again < placing, "{again:?}");
}

#[tokio::test]
async fn a_ghost_is_forgotten_with_its_funds() {
    let session = Session::start().await;
    session.ok("POST", RESTING_BUY).await;
    session.disruptions.begin(Disruption::GhostOrder);
    let deadline = Instant::now() + Duration::from_secs(5);
    while session.ok("GET", "openOrders").await != json!([]) {
        assert!(Instant::now() < deadline, "never forgotten");
    }
    let path = "order?symbol=BTCUSDT&origClientOrderId=mine";
    assert_eq!(session.refused("GET", path, Some("alice")).await.1, -2013);
    assert_eq!(session.refused("DELETE", path, Some("alice")).await.1, -2011);
    let account = session.ok("GET", "account").await;
    assert_eq!(account["balances"][3]["free"], "1000.00000000");
}

#[tokio::test]
async fn stopped_quotes_leave_empty_books_in_which_nothing_executes() {
    let session = Session::start().await;
    session.disruptions.begin(Disruption::StopQuotes);
    let tickers = session.ok("GET", "ticker/bookTicker").await;
    assert_eq!(tickers[0]["bidPrice"], "0.00000000");
    assert_eq!(session.ok("GET", "depth?symbol=BTCUSDT").await["asks"], json!([]));
    let market = session.ok("POST", "order?symbol=BTCUSDT&side=BUY&type=MARKET&quantity=1").await;
    assert_eq!((&market["status"], &market["executedQty"]), (&json!("EXPIRED"), &json!("0.00000000")));
    let order = "order?symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&price=99.50&quantity=0.2";
    let id = session.ok("POST", order).await["orderId"].clone();
    session.clock.advance(Duration::from_secs(10));
    let path = format!("order?symbol=BTCUSDT&orderId={id}");
    assert_eq!(session.ok("GET", &path).await["status"], "NEW", "a recorded trade would have filled it");
    session.disruptions.end(Disruption::StopQuotes);
    session.clock.advance(Duration::from_secs(21));
    assert_eq!(session.ok("GET", &path).await["status"], "FILLED");
}
