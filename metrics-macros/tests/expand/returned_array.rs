#[exchange_call(op = "get_trades")]
async fn prices<'a>(book: &'a Book) -> [&'a str; 2] {
    [book.bid().await, book.ask().await]
}
