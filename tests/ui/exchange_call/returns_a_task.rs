use bot_metrics::prelude::*;
use std::pin::Pin;
use std::task::{Context, Poll};

struct JoinHandle;

impl Future for JoinHandle {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

#[exchange_call(op = "place_order")]
fn start() -> JoinHandle {
    JoinHandle
}

fn main() {}
