use bot_metrics::{ProfileId, Symbol, metrics};

metrics! {
    /// Size.
    gauge size { profile: ProfileId, symbol: Symbol, other: Symbol }
}

fn main() {}
