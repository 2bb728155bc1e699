use bot_metrics::prelude::*;

bot_metrics::metrics! {
    /// Calls.
    counter calls_total
}

#[counted(calls_total, on = rejct)]
fn place() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
