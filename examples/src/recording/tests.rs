use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::market::Level;

const HEADER: &str = "received_us,exchange_us,symbol,kind,side,price,quantity,ask_price,ask_quantity";
const QUOTES: &str = "\
1000,1000,BTCUSDT,quote,,100,1,100.01,2
1000,1000,ETHUSDT,quote,,10,1,10.01,2
1000,1000,SOLUSDT,quote,,1,1,1.01,2";
const TRADE: &str = "3000,1500,BTCUSDT,trade,sell,100,0.5,,";

fn read(lines: &[&str]) -> Result<Recording, RecordingError> {
    Recording::read("market.csv", lines.join("\n").as_bytes())
}

fn gzipped(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn reads_the_embedded_recording() {
    let recording = Recording::embedded().unwrap();
    assert_eq!(recording.events().len(), 50_000);
    assert_eq!(recording.delays().len(), 11_032);
    assert_eq!(recording.events()[0].at, Duration::ZERO);
    let length = recording.events().last().unwrap().at;
    assert!(length > Duration::from_mins(3) && length < Duration::from_secs(190), "{length:?}");
    assert!(recording.events().is_sorted_by_key(|event| event.at));
    assert_eq!(recording.first_quotes().map(|quote| quote.symbol).collect::<Vec<_>>(), Symbol::ALL);
}

#[test]
fn reads_trades_and_quotes() {
    let recording = read(&[HEADER, QUOTES, TRADE]).unwrap();
    let [quote, _, _, trade] = recording.events() else { panic!("{recording:?}") };
    let level =
        |price: &str, quantity: i64| Level { price: price.parse().unwrap(), quantity: quantity.into() };
    assert_eq!(quote.kind, MarketEventKind::Quote(Touch { bid: level("100", 1), ask: level("100.01", 2) }));
    assert_eq!(trade.at, Duration::from_millis(2));
    let half = Decimal::new(5, 1);
    assert_eq!(trade.kind, MarketEventKind::Trade { side: Side::Sell, price: 100.into(), quantity: half });
    assert_eq!(recording.delays(), [Duration::from_micros(1_500)]);
}

#[test]
fn small_quantities_may_be_written_with_an_exponent() {
    let recording = read(&[HEADER, QUOTES, "3000,1500,BTCUSDT,trade,sell,100,6e-05,,"]).unwrap();
    let MarketEventKind::Trade { quantity, .. } = recording.events()[3].kind else { panic!("{recording:?}") };
    assert_eq!(quantity, Decimal::new(6, 5));
}

#[test]
fn plain_and_gzipped_text_read_alike() {
    let text = [HEADER, QUOTES, TRADE].join("\n");
    let plain = Recording::read("market.csv", text.as_bytes()).unwrap();
    assert_eq!(Recording::read("market.csv.gz", &gzipped(&text)).unwrap(), plain);
}

#[test]
fn names_file_line_and_column_of_a_bad_field() {
    for (line, place) in [
        (
            "x,1500,BTCUSDT,trade,sell,100,0.5,,",
            "column received_us: `x`; allowed: a whole number of microseconds",
        ),
        ("3000,,BTCUSDT,trade,sell,100,0.5,,", "column exchange_us: ``"),
        (
            "3000,1500,DOGEUSDT,trade,sell,100,0.5,,",
            "column symbol: `DOGEUSDT`; allowed: BTCUSDT, ETHUSDT or SOLUSDT",
        ),
        ("3000,1500,BTCUSDT,swap,sell,100,0.5,,", "column kind: `swap`; allowed: trade or quote"),
        ("3000,1500,BTCUSDT,trade,SELL,100,0.5,,", "column side: `SELL`; allowed: buy or sell"),
        ("3000,1500,BTCUSDT,trade,sell,1e,0.5,,", "column price: `1e`; allowed: a decimal number above 0"),
        ("3000,1500,BTCUSDT,trade,sell,100,0,,", "column quantity: `0`"),
        ("3000,1500,BTCUSDT,trade,sell,100,-1,,", "column quantity: `-1`"),
        ("3000,1500,BTCUSDT,trade,sell,NaN,1,,", "column price: `NaN`"),
        ("3000,1500,BTCUSDT,trade,sell,1,1e-09,,", "column quantity: `1e-09`"),
        ("3000,1500,BTCUSDT,trade,sell,1e99,1,,", "column price: `1e99`"),
        ("3000,1500,BTCUSDT,trade,sell,2000000000,1,,", "column price: `2000000000`"),
        (
            "3000,3001,BTCUSDT,trade,sell,100,0.5,,",
            "column exchange_us: `3001`; allowed: not more than received_us",
        ),
        ("3000,1500,BTCUSDT,quote,,100,1,,", "column ask_price: ``"),
        ("3000,1500,BTCUSDT,quote,,100,1,99,1", "column ask_price: `99`; allowed: above the bid's price"),
        (
            "999,999,BTCUSDT,trade,sell,100,0.5,,",
            "column received_us: `999`; allowed: not less than on the line before",
        ),
    ] {
        let error = read(&[HEADER, QUOTES, line]).unwrap_err().to_string();
        assert!(error.starts_with(&format!("market.csv: line 5, {place}")), "{line}\n{error}");
    }
}

#[test]
fn names_what_else_is_wrong() {
    let six_columns = HEADER.replace("quantity,ask", "amount,ask");
    for (lines, message) in [
        (&[""][..], "market.csv: line 1: the columns are ``; allowed: `received_us,"),
        (
            &[&six_columns, QUOTES, TRADE],
            "market.csv: line 1: the columns are `received_us,exchange_us,symbol,kind,side,price,amount,",
        ),
        (&[QUOTES, TRADE], "market.csv: line 1: the columns are `1000,"),
        (&[HEADER, QUOTES, "3000,1500"], "market.csv: line 5: 2 fields; allowed: 9"),
        (&[HEADER, TRADE], "market.csv: no quote of BTCUSDT"),
        (&[HEADER], "market.csv: no quote of BTCUSDT"),
        (&[HEADER, QUOTES], "market.csv: no trade"),
    ] {
        let error = read(lines).unwrap_err().to_string();
        assert!(error.starts_with(message), "{lines:?}\n{error}");
    }
}

#[test]
fn a_truncated_gzip_is_refused_at_its_last_line() {
    let error = Recording::read("market.csv.gz", &EMBEDDED[..EMBEDDED.len() / 2]).unwrap_err();
    let RecordingError::Unreadable { line, .. } = &error else { panic!("{error}") };
    assert!((10_000..40_000).contains(line), "{error}");
    assert!(error.to_string().starts_with("market.csv.gz: unreadable after line "), "{error}");
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let error = Recording::read("market.csv", b"received_us\xff\xfe,exchange_us\n").unwrap_err();
    assert!(matches!(error, RecordingError::Unreadable { .. }), "{error}");
}

#[test]
fn a_missing_file_is_named() {
    let error = Recording::from_file(Path::new("no/such/market.csv")).unwrap_err().to_string();
    assert!(error.starts_with("no/such/market.csv: "), "{error}");
}
