//! Broken pages, as the programs take them that read pages of others.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use bot_metrics::conformance::Format;
use bot_metrics_tests::broken_pages::{BROKEN_PAGES, BrokenPage};

use crate::Outcome;
use crate::prometheus::Prometheus;
use crate::promtool::check;

/// promtool and Prometheus accept the broken pages that the table says, and no others.
pub(crate) fn accepted() -> Outcome {
    let accepted_by = |program: &str| {
        let accepted = BROKEN_PAGES.iter().filter(|broken| broken.accepted_by.contains(&program));
        accepted.map(|broken| broken.name.to_owned()).collect::<BTreeSet<_>>()
    };
    let mut by_promtool = BTreeSet::new();
    for broken in BROKEN_PAGES.iter().filter(|broken| broken.format == Format::Text) {
        let (code, remarks) = check(broken.page)?;
        // A remark about style is not about a fault.
        if matches!(code, Some(0 | 3)) && !remarks.contains("error") {
            by_promtool.insert(broken.name.to_owned());
        }
    }
    expect("promtool", &by_promtool, &accepted_by("promtool"))?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    // It ends with the process.
    thread::spawn(move || listener.incoming().flatten().for_each(|stream| drop(serve(stream))));
    let mut jobs = String::new();
    for BrokenPage { name, .. } in BROKEN_PAGES {
        let targets = format!("static_configs: [{{targets: ['{address}']}}]");
        writeln!(jobs, "  - {{job_name: {name}, metrics_path: /{name}, {targets}}}")?;
    }
    let prometheus = Prometheus::with_jobs(&jobs)?;
    let scraped = prometheus.wait_for("up", |up| up.len() == BROKEN_PAGES.len())?;
    let up = scraped.iter().filter(|(_, value)| *value == 1.0).map(|(labels, _)| labels["job"].clone());
    expect("Prometheus", &up.collect(), &accepted_by("prometheus"))
}

fn expect(what: &str, found: &BTreeSet<String>, expected: &BTreeSet<String>) -> Outcome {
    let differences: Vec<_> = found.symmetric_difference(expected).collect();
    if differences.is_empty() { Ok(()) } else { Err(format!("{what}: {differences:?}").into()) }
}

/// Answers one request with the page that its path names.
fn serve(mut stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut request, mut header) = (String::new(), String::new());
    reader.read_line(&mut request)?;
    while reader.read_line(&mut header)? > 2 {
        header.clear();
    }
    let name = request.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
    let Some(broken) = BROKEN_PAGES.iter().find(|broken| broken.name == name) else { return Ok(()) };
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        broken.format.content_type(),
        broken.page.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(broken.page)
}
