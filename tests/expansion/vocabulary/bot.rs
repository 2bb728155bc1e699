//! A bot with its own label values; prints the labels of all call sites.
#![allow(dead_code)]
use bot_metrics::prelude::*;

mod labels {
    pub use bot_metrics::labels::*;
    use bot_metrics::LabelValue;

    #[derive(Clone, Copy, Debug, LabelValue)]
    pub enum Subsystem {
        Trading,
        Hedging,
        Pricing,
        Quoting,
        Routing,
        Reporting,
    }

    #[derive(Clone, Copy, Debug, LabelValue)]
    pub enum Exchange {
        Binance,
        MyBroker,
        Paper,
    }

    #[derive(Clone, Copy, Debug, LabelValue)]
    pub enum Operation {
        PlaceOrder,
        CancelOrder,
        GetOrder,
        GetTicker,
        GetFees,
    }
}

/// In the module's own file.
#[timed_subsystem("trading")]
fn trade() {}

mod by_name {
    use crate::labels;
    use bot_metrics::prelude::*;

    #[timed_subsystem("hedging")]
    pub fn hedge() {}
}

mod by_glob {
    use super::*;

    #[timed_subsystem("pricing")]
    pub fn price() {}

    mod twice {
        use super::*;

        #[timed_subsystem(labels::Subsystem::Quoting)]
        pub fn quote() {}
    }
}

mod by_path {
    #[bot_metrics::exchange_call(op = "get_fees", exchange = "my_broker", labels = crate::labels)]
    pub fn fees() {}
}

mod own_names {
    use crate::labels;
    use bot_metrics::prelude::*;

    pub trait Exchange {
        fn place_order(&self) -> Result<(), String>;
    }

    pub struct Operation;

    pub struct Broker(labels::Exchange);

    impl Exchange for Broker {
        #[exchange_call(op = "place_order", exchange = "my_broker")]
        fn place_order(&self) -> Result<(), String> {
            Ok(())
        }
    }

    impl Broker {
        #[exchange_call(op = "get_ticker", exchange = self.0)]
        pub fn ticker(&self) -> Result<(), String> {
            Ok(())
        }
    }

    pub fn broker() -> Broker {
        Broker(labels::Exchange::Binance)
    }
}

/// Generic parameters with the names of label types.
#[exchange_call(op = "cancel_order", exchange = "my_broker")]
fn cancel<Exchange, Operation: Default>(labels: Exchange) -> Result<(Exchange, Operation), String> {
    Ok((labels, Operation::default()))
}

macro_rules! caller {
    ($name:ident, $subsystem:literal, $op:literal, $venue:expr) => {
        #[timed_subsystem($subsystem)]
        #[exchange_call(op = $op, exchange = $venue)]
        fn $name() {}
    };
}

caller!(route, "routing", "get_order", labels::Exchange::Paper);
library::auditing!(audit);
library::measured!(report, "reporting");

fn main() {
    let _ = own_names::broker().ticker();
    library::archive();
    let metrics = Settings::new(Mode::Paper).install().unwrap();
    let snapshot = metrics.exposition();
    let label = |line: &str, name: &str| {
        line.split_once(&format!("{name}=\"")).map(|(_, rest)| rest.split('"').next().unwrap().to_owned())
    };
    let lines = |family: &'static str| {
        snapshot.lines().filter(move |line| line.starts_with(&format!("bytelyst_bot_{family}{{")))
    };
    for line in lines("exchange_api_in_flight") {
        println!("{} {}", label(line, "exchange").unwrap(), label(line, "operation").unwrap());
    }
    for line in lines("subsystem_alive") {
        println!("{}", label(line, "subsystem").unwrap());
    }
}
