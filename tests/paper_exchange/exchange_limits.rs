//! Weights, refusals, bans, delays and the exchange's own faults.

use std::time::{Duration, Instant};

use bot_metrics_examples::exchange::ExchangeSettings;
use bot_metrics_examples::recording::Recording;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::session::{Session, header};

#[tokio::test]
async fn weight_is_counted_refused_and_finally_banned() {
    let session = Session::with_settings(|settings| ExchangeSettings { weight_limit: 25, ..settings }).await;
    let first = session.send("GET", "account", Some("alice")).await;
    assert_eq!(header(&first, "x-mbx-used-weight-1m"), "20");
    assert_eq!(header(&session.send("GET", "ping", None).await, "x-mbx-used-weight-1m"), "21");
    assert_eq!(header(&session.send("GET", "order", None).await, "x-mbx-used-weight-1m"), "25");

    session.clock.advance(Duration::from_secs(20));
    let refused = session.send("GET", "ping", None).await;
    assert_eq!((refused.status().as_u16(), header(&refused, "retry-after")), (429, "40"));
    for _ in 0..49 {
        assert_eq!(session.send("GET", "ping", None).await.status(), 429);
    }
    let banned = session.send("GET", "ping", None).await;
    assert_eq!((banned.status().as_u16(), header(&banned, "retry-after")), (418, "120"));
    assert_eq!(session.refused("GET", "ping", None).await.1, -1003);
    session.clock.advance(Duration::from_secs(119));
    assert_eq!(session.send("GET", "ping", None).await.status(), 418);
    session.clock.advance(Duration::from_secs(1));
    assert_eq!(session.send("GET", "ping", None).await.status(), 200);
}

#[tokio::test]
async fn accepted_orders_are_counted_by_account_and_too_many_are_refused() {
    let session = Session::start().await;
    let order = "order?symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&price=90&quantity=0.1";
    for count in ["1", "2"] {
        let placed = session.send("POST", order, Some("alice")).await;
        assert_eq!(header(&placed, "x-mbx-order-count-10s"), count);
        assert_eq!(header(&placed, "x-mbx-order-count-1d"), count);
    }
    assert_eq!(session.refused("POST", order, Some("bob")).await.1, -2010, "not counted");
    let info = session.ok("GET", "exchangeInfo").await;
    let limits = info["rateLimits"].as_array().unwrap();
    let of_orders: Vec<_> = limits.iter().filter(|limit| limit["rateLimitType"] == "ORDERS").collect();
    assert_eq!((&of_orders[0]["interval"], &of_orders[0]["limit"]), (&json!("SECOND"), &json!(400)));
    assert_eq!((&of_orders[1]["interval"], &of_orders[1]["limit"]), (&json!("DAY"), &json!(800_000)));
    let limit = "order?symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&price=90&quantity=0.1";
    for _ in 2..400 {
        session.ok("POST", limit).await;
    }
    let refused = session.refused("POST", limit, Some("alice")).await;
    let message = "Too many new orders; current limit is 400 orders per 10 SECOND.".to_owned();
    assert_eq!(refused, (429, -1015, message));
    session.clock.advance(Duration::from_secs(10));
    session.ok("POST", limit).await;
}

#[tokio::test]
async fn a_seed_delays_the_answers_and_no_seed_does_not() {
    let elapsed = async |delay_seed| {
        let session = Session::with_settings(|settings| {
            let recording = Recording::embedded().unwrap().into();
            ExchangeSettings { delay_seed, recording, ..settings }
        })
        .await;
        session.ok("GET", "ping").await;
        let start = Instant::now();
        for _ in 0..5 {
            session.ok("GET", "ping").await;
        }
        start.elapsed()
    };
    // The shortest recorded delay is 130.8 ms, a quarter of which is 32.7 ms.
    let delayed = elapsed(Some(42)).await;
    assert!(delayed >= Duration::from_millis(5 * 32), "{delayed:?}");
    let immediate = elapsed(None).await;
    assert!(immediate < delayed, "{immediate:?} without, {delayed:?} with delays");
}

/// More clients than connections send part of a header and no more. The clock of the runtime advances while all wait.
#[tokio::test(start_paused = true)]
async fn slow_clients_are_disconnected_and_others_wait_for_their_connections() {
    let session = Session::start().await;
    let address = session.address();
    let mut slow = Vec::new();
    for _ in 0..64 {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(b"GET /api/v3/ping HTTP/1.1\r\n").await.unwrap();
        slow.push(stream);
    }
    let mut waiting = TcpStream::connect(&address).await.unwrap();
    waiting.write_all(b"GET /api/v3/ping HTTP/1.0\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    waiting.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.0 200 OK"), "{answer}");
    for mut stream in slow {
        assert_eq!(stream.read_to_end(&mut Vec::new()).await.unwrap(), 0);
    }
}
