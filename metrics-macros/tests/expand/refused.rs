#[exchange_call(op = "get_ticker", exchage = "okx", op = 3)]
const fn get_ticker() -> u8 {
    1
}
