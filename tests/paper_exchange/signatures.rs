//! Who may do what: keys, signatures and timestamps; and how a body is read.

use std::time::Duration;

use bot_metrics_examples::signature::sign;
use reqwest::Method;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::session::{START, Session, secret};

#[tokio::test]
async fn a_request_needs_a_timestamp_and_its_own_signature() {
    let session = Session::start().await;
    let time = START.as_millis();
    let signed = |query: &str, key: &str| format!("account?{query}&signature={}", sign(&secret(key), query));
    for (path, code, message) in [
        ("account".to_owned(), -1102, "Mandatory parameter 'timestamp'"),
        (format!("account?timestamp={time}"), -1102, "Mandatory parameter 'signature'"),
        (format!("account?timestamp={time}&signature=00"), -1022, "Signature for this request is not valid."),
        (signed(&format!("timestamp={time}"), "bob"), -1022, "Signature for this request is not valid."),
        (
            signed(&format!("timestamp={}", time - 5_001), "alice"),
            -1021,
            "Timestamp for this request is outside",
        ),
        (
            signed(&format!("timestamp={}", time + 1_000), "alice"),
            -1021,
            "Timestamp for this request was 1000ms ahead",
        ),
        (signed("timestamp=now", "alice"), -1100, "Illegal characters found in parameter 'timestamp'"),
    ] {
        let response =
            session.request(Method::GET, &path).header("X-MBX-APIKEY", "alice").send().await.unwrap();
        assert_eq!(response.status(), 400, "{path}");
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["code"], code, "{path}");
        assert!(body["msg"].as_str().unwrap().starts_with(message), "{path}: {body}");
    }
    let late = signed(&format!("timestamp={}&recvWindow=60000", time - 60_000), "alice");
    let response = session.request(Method::GET, &late).header("X-MBX-APIKEY", "alice").send().await.unwrap();
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn an_order_may_be_sent_in_the_body() {
    let session = Session::start().await;
    let query = "symbol=BTCUSDT&side=BUY";
    let body = format!("type=LIMIT_MAKER&price=99&quantity=1&timestamp={}", START.as_millis());
    let signature = sign(&secret("alice"), &format!("{query}{body}"));
    let request = session.request(Method::POST, &format!("order?{query}")).header("X-MBX-APIKEY", "alice");
    let answer: Value =
        request.body(format!("{body}&signature={signature}")).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["orderId"], 1);
    assert!(answer["status"].is_null(), "a LIMIT_MAKER order is only acknowledged: {answer}");
    assert_eq!(session.ok("GET", "allOrders?symbol=BTCUSDT").await[0]["status"], "NEW");
}

/// The clock of the runtime advances while all wait.
#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_arrive_is_not_waited_for_long() {
    let session = Session::start().await;
    let mut stream = TcpStream::connect(session.address()).await.unwrap();
    stream.write_all(b"POST /api/v3/order HTTP/1.1\r\nContent-Length: 10\r\n\r\nside=").await.unwrap();
    let started = tokio::time::Instant::now();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout"), "{answer}");
    assert!(started.elapsed() < Duration::from_secs(11), "{:?}", started.elapsed());
}

#[tokio::test]
async fn the_same_requests_have_the_same_answers() {
    let answers = async || {
        let session = Session::start().await;
        let mut answers = Vec::new();
        for path in [
            "order?symbol=BTCUSDT&side=BUY&type=MARKET&quantity=1.5",
            "order?symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=GTC&price=100&quantity=0.4",
        ] {
            answers.push(session.ok("POST", path).await);
            session.clock.advance(Duration::from_secs(11));
        }
        for path in ["allOrders?symbol=BTCUSDT", "myTrades?symbol=BTCUSDT", "account"] {
            answers.push(session.ok("GET", path).await);
        }
        answers
    };
    assert_eq!(answers().await, answers().await);
}
