//! Pages that panic, hang or are requested by many clients at once.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use hyper::StatusCode;
use tokio::task::yield_now;
use tokio::time::sleep;

use super::client::{ask, connect, eventually, get, read_reply};
use super::{Delivered, EXPOSITION, HealthAnswer, Pages, Reports, ServerOptions, patient, serve, start};
use crate::exposition::WaitingClients;
use crate::exposition::format::RequestedPage;
use crate::server::answer::Answer;
use crate::server::connections::{ConnectionSlot, Connections};
use crate::server::negotiation::Variant;
use crate::server::outlet::Outlet;
use crate::server::rendering::Rendering;
use crate::server::unread::Unread;

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

#[test]
fn a_page_that_panics_gets_500_and_the_server_lives() {
    let served = start(patient(), {
        let calls = AtomicUsize::new(0);
        move || match calls.fetch_add(1, Ordering::Relaxed) {
            0 => panic!("collector {}", "broke"),
            _ => EXPOSITION.to_owned(),
        }
    });
    let broken = get(served.address, "/metrics");
    assert_eq!((broken.status, broken.header("content-type")), (500, Some("text/plain; charset=utf-8")));
    assert_eq!(served.reports.lines(), ["the page /metrics panicked: collector broke"]);
    assert_eq!(get(served.address, "/metrics").status, 200);
}

/// Pages that all panic.
struct Broken;

impl Pages for Broken {
    fn metrics(
        &self,
        _: &RequestedPage,
        _: &WaitingClients,
        _: &mut dyn std::io::Write,
    ) -> std::io::Result<Delivered> {
        panic!("metrics")
    }

    fn is_live(&self) -> bool {
        false
    }

    fn healthy(&self) -> HealthAnswer {
        panic!("healthy")
    }

    fn ready(&self) -> HealthAnswer {
        std::panic::panic_any(7)
    }
}

#[test]
fn each_page_may_panic_and_reports_stay_few() {
    let reports = Reports::default();
    let server = serve("127.0.0.1:0", patient(), Arc::new(Broken), reports.hook()).unwrap();
    for _ in 0..5 {
        for path in ["/metrics", "/-/healthy", "/-/ready"] {
            assert_eq!(get(server.local_addr(), path).status, 500, "{path}");
        }
    }
    assert_eq!(reports.lines().len(), 9);
    assert_eq!(reports.lines()[2], "the page /-/ready panicked: no message");
}

#[test]
fn a_page_that_hangs_gets_503_and_is_reported() {
    let (_leave, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let served = start(patient().render_timeout(Duration::from_millis(100)), move || {
        let _ = gate.lock().unwrap().recv();
        EXPOSITION.to_owned()
    });
    let reply = get(served.address, "/metrics");
    assert_eq!(
        (reply.status, reply.body.as_str()),
        (503, "the page /metrics took longer than 100ms to render\n")
    );
    assert_eq!(served.reports.lines(), [reply.body.trim_end()]);
    assert_eq!(get(served.address, "/-/healthy").status, 200);
}

/// One rendering hangs, and clients that gave up on it or on the next one are removed.
#[test]
fn clients_that_gave_up_on_a_hanging_page_are_removed() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let (leave, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    runtime.block_on(async {
        let options = ServerOptions::new();
        let unread = Unread::new(&options, Connections::new(1));
        let render = Arc::new(move |_: &Variant, _: &WaitingClients, _: &mut Outlet| {
            let _ = gate.lock().unwrap().recv();
            Some(Answer::text(StatusCode::OK, EXPOSITION))
        });
        let timeout = Duration::from_millis(1);
        let page = Rendering::start("/metrics", timeout, &Reports::default().hook(), unread, render);
        for _ in 0..100 {
            page.answer(Variant::default(), None).await;
        }
        assert!(page.waiting() <= 1, "{}", page.waiting());
    });
    drop(leave);
}

/// A connection that gets its slot by the end of a rendering asks in time for the next one, although another client
/// waits for that already.
#[test]
fn a_connection_that_waited_for_its_slot_shares_the_next_rendering() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let (leave, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let renderings = AtomicUsize::new(0);
    runtime.block_on(async {
        let connections = Connections::new(1);
        let unread = Unread::new(&ServerOptions::new(), Arc::clone(&connections));
        let render = Arc::new(move |_: &Variant, _: &WaitingClients, _: &mut Outlet| {
            gate.lock().unwrap().recv().unwrap();
            let number = renderings.fetch_add(1, Ordering::Relaxed) + 1;
            Some(Answer::text(StatusCode::OK, number.to_string()))
        });
        let timeout = Duration::from_mins(1);
        let page =
            Arc::new(Rendering::start("/metrics", timeout, &Reports::default().hook(), unread, render));
        let ask = |slot: Option<ConnectionSlot>| {
            let page = Arc::clone(&page);
            async move {
                let body = page.answer(Variant::default(), None).await.answer.body().clone();
                drop(slot);
                body
            }
        };
        let slot = connections.admit(CLIENT).await;
        slot.activity().requested();
        let first = tokio::spawn(ask(Some(slot)));
        yield_now().await;
        let second = tokio::spawn(ask(None));
        let newcomer = tokio::spawn({
            let ask = ask(None);
            async move {
                let _slot = connections.admit(CLIENT).await;
                ask.await
            }
        });
        sleep(Duration::from_millis(100)).await;
        for _ in 0..3 {
            leave.send(()).unwrap();
        }
        assert_eq!(first.await.unwrap(), "1\n");
        assert_eq!([second.await.unwrap(), newcomer.await.unwrap()], ["2\n", "2\n"]);
    });
}

/// The first rendering is held until all other clients have sent their requests, so that they must share the second
/// one.
#[test]
fn clients_that_wait_share_one_rendering_begun_after_they_asked() {
    let renderings = Arc::new(AtomicUsize::new(0));
    let (leave, gate) = mpsc::channel::<()>();
    let served = start(patient(), {
        let renderings = Arc::clone(&renderings);
        let gate = Mutex::new(gate);
        move || {
            let number = renderings.fetch_add(1, Ordering::Relaxed) + 1;
            gate.lock().unwrap().recv().unwrap();
            format!("renderings {number}\n")
        }
    });
    let scrape = || {
        let mut stream = connect(served.address);
        ask(&mut stream, "GET", "/metrics");
        stream
    };
    let mut first = scrape();
    eventually("the first rendering begins", || renderings.load(Ordering::Relaxed) == 1);
    let others: Vec<_> = (0..20).map(|_| scrape()).collect();
    // This page is answered on the same thread, which by then has read the earlier requests.
    assert_eq!(get(served.address, "/-/healthy").status, 200);
    leave.send(()).unwrap();
    leave.send(()).unwrap();
    assert_eq!(read_reply(&mut first, "GET").body, "renderings 1\n");
    for mut other in others {
        assert_eq!(read_reply(&mut other, "GET").body, "renderings 2\n");
    }
}
