use bot_metrics::metrics;

metrics! {
    /// Size.
    gauge size { symbol: String }

    /// Orders.
    counter orders_total { symbol: std::string::String, level: u32, side: Option<String> }
}

fn main() {
    let symbol = String::from("BTCUSDT");
    size(symbol.clone()).set(1.0);
    orders_total(symbol, 1, None).increment();
}
