//! The variants of the exposition.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use prometheus::Gauge;
use prometheus::core::{Collector, Desc};
use prometheus::proto;

use super::client::{ask, connect, eventually, get, get_with, read_reply};
use super::{Delivered, HealthAnswer, Pages, Reports, ServerOptions, patient, serve};
use crate::exposition::WaitingClients;
use crate::exposition::format::RequestedPage;
use crate::server::{Format, Server};
use crate::{Mode, Settings};

/// An exposition that shows what was requested, with as many further lines as the second field says. It is rendered
/// once for each message in the third.
struct Shown(Arc<Mutex<Vec<String>>>, usize, Option<Mutex<mpsc::Receiver<()>>>);

impl Pages for Shown {
    fn metrics(
        &self,
        page: &RequestedPage,
        _: &WaitingClients,
        out: &mut dyn std::io::Write,
    ) -> std::io::Result<Delivered> {
        let shown = format!("{page:?}\n");
        self.0.lock().unwrap().push(shown.clone());
        if let Some(gate) = &self.2 {
            let _ = gate.lock().unwrap().recv();
        }
        out.write_all(shown.as_bytes())?;
        for line in 0..self.1 {
            writeln!(out, "line {line}")?;
        }
        Ok(Box::new(|| {}))
    }

    fn is_live(&self) -> bool {
        false
    }

    fn healthy(&self) -> HealthAnswer {
        HealthAnswer { ok: true, text: String::new() }
    }

    fn ready(&self) -> HealthAnswer {
        HealthAnswer { ok: true, text: String::new() }
    }
}

fn start(options: ServerOptions, lines: usize) -> Server {
    serve("127.0.0.1:0", options, Arc::new(Shown(Arc::default(), lines, None)), Reports::default().hook())
        .unwrap()
}

const OPENMETRICS: &str = "Accept: application/openmetrics-text; version=1.0.0\r\n";

#[test]
fn a_format_is_served_to_clients_that_name_it_if_it_is_offered() {
    let text = "text/plain; version=0.0.4; charset=utf-8";
    let openmetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    for (formats, named, unnamed) in [
        (&[][..], text, text),
        (&[Format::Text], text, text),
        (&[Format::OpenMetrics, Format::Text], openmetrics, text),
        (&[Format::OpenMetrics], openmetrics, openmetrics),
    ] {
        let server = start(ServerOptions::new().formats(formats.iter().copied()), 0);
        for (headers, expected) in [(OPENMETRICS, named), ("", unnamed)] {
            let reply = get_with(server.local_addr(), "/metrics", headers);
            assert_eq!(reply.header("content-type"), Some(expected), "{formats:?} {headers}");
            assert_eq!(reply.header("vary"), Some("accept, accept-encoding"));
            assert_eq!(reply.body.contains("OpenMetrics"), expected == openmetrics, "{}", reply.body);
        }
    }
}

#[cfg(feature = "protobuf")]
#[test]
fn protobuf_has_its_exact_type() {
    let server = start(ServerOptions::new().formats([Format::Protobuf]), 0);
    let reply = get(server.local_addr(), "/metrics");
    let exact =
        "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";
    assert_eq!(reply.header("content-type"), Some(exact));
}

#[cfg(feature = "gzip")]
#[test]
fn an_exposition_of_any_length_is_compressed_for_clients_that_accept_it() {
    use std::io::Read as _;

    // The second one is sent in pieces.
    for lines in [10, 1_000_000] {
        let server = start(patient(), lines);
        let plain = get(server.local_addr(), "/metrics");
        assert_eq!(plain.header("content-encoding"), None);
        let reply = get_with(server.local_addr(), "/metrics", "Accept-Encoding: gzip\r\n");
        assert_eq!(reply.header("content-encoding"), Some("gzip"));
        assert_eq!(reply.header("content-length").is_some(), lines == 10);
        let mut body = String::new();
        flate2::read::GzDecoder::new(&reply.bytes[..]).read_to_string(&mut body).unwrap();
        assert!(body == plain.body, "{lines}");
        let other = get_with(server.local_addr(), "/-/healthy", "Accept-Encoding: gzip\r\n");
        assert_eq!((other.status, other.header("content-encoding")), (200, None));
    }
}

#[cfg(not(feature = "gzip"))]
#[test]
fn without_the_feature_nothing_is_compressed() {
    let server = start(ServerOptions::new(), 0);
    let reply = get_with(server.local_addr(), "/metrics", "Accept-Encoding: gzip\r\n");
    assert_eq!((reply.status, reply.header("content-encoding")), (200, None));
}

#[test]
fn names_select_families_and_are_no_complete_scrape() {
    let server = start(ServerOptions::new(), 0);
    let reply = get(server.local_addr(), "/metrics?name[]=up&name%5B%5D=a%5Fb");
    assert!(reply.body.contains(r#"["a_b", "up"]"#), "{}", reply.body);
    std::thread::scope(|scope| {
        let drained = scope.spawn(|| server.drain(Duration::from_secs(20)));
        eventually("the bot waits", || server.scrapes.asked() == 1);
        let _ = get(server.local_addr(), "/metrics?name[]=up");
        assert!(!drained.is_finished());
        eventually("a complete scrape ends the wait", || {
            let _ = get(server.local_addr(), "/metrics");
            drained.is_finished()
        });
        assert!(drained.join().unwrap());
    });
}

/// Many clients wait while the first page is rendered: each variant is rendered once, and complete pages do not wait
/// for all parts.
#[test]
fn clients_of_one_variant_share_a_rendering_and_parts_do_not_delay_complete_pages() {
    let (leave, gate) = mpsc::channel();
    let rendered = Arc::<Mutex<Vec<String>>>::default();
    let pages = Shown(Arc::clone(&rendered), 0, Some(Mutex::new(gate)));
    let server = serve("127.0.0.1:0", patient(), Arc::new(pages), Reports::default().hook()).unwrap();
    let ask_for = |path: &str| {
        let mut stream = connect(server.local_addr());
        ask(&mut stream, "GET", path);
        stream
    };
    let mut clients = vec![ask_for("/metrics?name[]=first")];
    eventually("the first rendering begins", || rendered.lock().unwrap().len() == 1);
    for path in
        ["/metrics?name[]=a", "/metrics?name[]=b", "/metrics?name[]=c", "/metrics", "/metrics?name[]=a"]
    {
        clients.push(ask_for(path));
        // Answered on the thread that reads the requests, which by then has read the one before.
        assert_eq!(get(server.local_addr(), "/").status, 200);
    }
    (0..clients.len()).for_each(|_| leave.send(()).unwrap());
    for client in &mut clients {
        assert_eq!(read_reply(client, "GET").status, 200);
    }
    let rendered = rendered.lock().unwrap().clone();
    let order: Vec<_> = rendered.iter().map(|page| page.split('"').nth(1).unwrap_or("complete")).collect();
    assert_eq!(order, ["first", "complete", "a", "b", "c"]);
}

#[test]
fn a_scraper_learns_before_its_time_limit_that_the_page_is_late() {
    let (_leave, gate) = mpsc::channel();
    let reports = Reports::default();
    let pages = Shown(Arc::default(), 0, Some(Mutex::new(gate)));
    let server = serve("127.0.0.1:0", patient(), Arc::new(pages), reports.hook()).unwrap();
    let header = "X-Prometheus-Scrape-Timeout-Seconds: 0.2\r\n";
    let reply = get_with(server.local_addr(), "/metrics", header);
    assert_eq!((reply.status, &*reply.body), (503, "the page /metrics took longer than 190ms to render\n"));
    assert_eq!(reports.lines(), [reply.body.trim_end()]);
    let reply = get_with(server.local_addr(), "/metrics", &header.replace("0.2", "0.01"));
    assert_eq!((reply.status, reports.lines().len()), (503, 1), "a short limit is the client's own trouble");
}

/// A count, so that a format that is not offered costs no rendering of its own.
#[test]
fn every_client_of_a_pinned_format_shares_its_renderings() {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let served = super::start(ServerOptions::new().formats([Format::Text]), move || {
        counted.fetch_add(1, Relaxed).to_string()
    });
    for headers in ["", OPENMETRICS] {
        assert_eq!(get_with(served.address, "/metrics", headers).status, 200);
    }
    assert_eq!(count.load(Relaxed), 2);
}

/// A collector that exports the number of its runs, the first of which waits for a message.
struct Counted {
    description: Desc,
    runs: Arc<AtomicUsize>,
    gate: Mutex<mpsc::Receiver<()>>,
}

impl Collector for Counted {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.description]
    }

    fn collect(&self) -> Vec<proto::MetricFamily> {
        let run = self.runs.fetch_add(1, Relaxed) + 1;
        if run == 1 {
            let _ = self.gate.lock().unwrap().recv();
        }
        let runs = Gauge::new("counted", "Runs.").unwrap();
        runs.set(f64::from(u32::try_from(run).unwrap()));
        runs.collect()
    }
}

/// The first run is held until all other clients have sent their requests.
#[test]
fn clients_of_all_variants_share_one_run_of_the_collectors_begun_after_they_asked() {
    let metrics = Settings::new(Mode::Paper).build().unwrap();
    let (leave, gate) = mpsc::channel();
    let runs = Arc::<AtomicUsize>::default();
    let description = Desc::new("counted".to_owned(), "Runs.".to_owned(), Vec::new(), HashMap::new());
    let counted =
        Counted { description: description.unwrap(), runs: Arc::clone(&runs), gate: Mutex::new(gate) };
    metrics.register(Box::new(counted)).unwrap();
    let server = metrics.serve_with("127.0.0.1:0", patient().formats([Format::Text, Format::OpenMetrics]));
    let address = server.as_ref().unwrap().local_addr();
    let scrape = |path: &str, headers: &str| {
        let mut stream = connect(address);
        write!(stream, "GET {path} HTTP/1.1\r\nHost: bot\r\n{headers}\r\n").unwrap();
        stream
    };
    let mut first = scrape("/metrics", "");
    eventually("the first run begins", || runs.load(Relaxed) == 1);
    let others = [
        ("/metrics", ""),
        ("/metrics", OPENMETRICS),
        ("/metrics?name[]=counted", ""),
        ("/metrics", ""),
        ("/metrics?name[]=counted", OPENMETRICS),
    ]
    .map(|(path, headers)| scrape(path, headers));
    // It is answered on the same thread, which by then has read the earlier requests.
    assert_eq!(get(address, "/").status, 200);
    leave.send(()).unwrap();
    assert!(read_reply(&mut first, "GET").body.contains("\ncounted 1\n"));
    for mut other in others {
        assert!(read_reply(&mut other, "GET").body.contains("\ncounted 2\n"));
    }
    assert_eq!(runs.load(Relaxed), 2);
    assert!(get(address, "/metrics").body.contains("\ncounted 3\n"), "a later client sees later values");
}
