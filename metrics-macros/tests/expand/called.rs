#[exchange_call(op = "place_order", exchange = "binance")]
#[must_use]
fn place_order<'a>(self, order: &'a Order, (price, _): (f64, String), _unused: u8, mut text: String) -> Result<&'a str, ApiError> {
    self.send(order, price, &mut text)?;
    Ok(&order.symbol)
}
