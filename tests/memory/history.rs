//! The memory that the history of the status page takes.

use std::time::Duration;

use bot_metrics::prelude::*;
use bot_metrics::testing::{sample, with_manual_clock};

use crate::allocator::in_use;
use crate::alone;

/// Defines a label enum of the bot's own with many values.
macro_rules! label {
    ($name:ident: $($value:ident)+) => {
        #[derive(Clone, Copy, LabelValue)]
        enum $name { $($value),+ }
        const _: () = assert!(<$name as LabelValue>::VALUES.len() > 16);
        impl $name { const ALL: &[Self] = &[$(Self::$value),+]; }
    };
}

label!(Subsystem: A B C D E F G H I J K L M N O P Q R S T);
label!(Operation: A B C D E F G H I J K L M N O P Q R S T U V W X Y Z Aa Bb Cc Dd Ee Ff Gg Hh Ii Jj Kk Ll);

/// 15 minutes in steps of 5 s, and some more.
const STEPS: u32 = 200;

#[test]
fn at_most_a_mebibyte_whatever_is_recorded() {
    let _alone = alone();
    let (settings, clock) = with_manual_clock(Settings::new(Mode::Paper).profile_limit(200));
    let metrics = settings.build().expect("legal");
    let loops: Vec<_> = Subsystem::ALL.iter().map(|subsystem| metrics.subsystem(*subsystem)).collect();
    // More than have a rate.
    let exchanges = {
        use labels::Exchange::{Binance, Bybit, Kraken, Okx};
        [Binance, Bybit, Kraken, Okx]
    };
    let calls_of = |exchange| {
        Operation::ALL.iter().map(|operation| metrics.exchange_call(exchange, *operation)).collect()
    };
    let calls: Vec<_> = exchanges.into_iter().flat_map::<Vec<_>, _>(calls_of).collect();
    let capital = Capital { allocated: 100.0, positions: 30.0, ..Capital::default() };
    let record = || {
        for subsystem in &loops {
            subsystem.start().finish(Outcome::Error);
        }
        for call in &calls {
            call.start().finish(Outcome::Rejected);
        }
        for name in (0..200).map(|n| format!("{n:0>128}")) {
            metrics.profile(&name).update(capital);
            metrics.event(labels::Severity::Info, labels::EventType::OrderPlaced).profile(&name).record();
        }
    };
    record();
    let before = in_use();
    let step = || {
        for _ in 0..5 {
            clock.advance(Duration::from_secs(1));
            sample(&metrics);
            record();
        }
    };
    (0..STEPS).for_each(|_| step());
    let full = in_use() - before;
    println!("{full} bytes with the history of {STEPS} steps");
    let history = metrics.status().history;
    assert_eq!((history.sequence.len(), history.operations.len()), (180, 32));
    assert_eq!((history.subsystems.len(), history.profiles.len()), (16, 64));
    drop(history);
    assert!((400_000..1 << 20).contains(&full), "{full} bytes");
    (0..STEPS).for_each(|_| step());
    let grown = in_use() - before - full;
    assert!(grown.abs() < 16 * 1024, "{grown} bytes more after as many steps again");
}
