//! A scrape that Prometheus receives compressed.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::Outcome;
use crate::prometheus::Prometheus;
use bot_metrics::testing::{Samples, instance};

/// Everything that a server has sent through a relay.
type Sent = Arc<Mutex<Vec<u8>>>;

pub(crate) fn scraped() -> Outcome {
    let (metrics, _) = instance();
    let server = metrics.serve("127.0.0.1:0")?;
    let (relay, sent) = relay(server.local_addr().to_string())?;
    let prometheus = Prometheus::with_jobs(&format!(
        "  - {{job_name: bot, static_configs: [{{targets: ['{relay}']}}]}}\n"
    ))?;
    let scraped = prometheus.wait_for("scrape_samples_scraped", |scraped| scraped.len() == 1)?;
    let sent = sent.lock().expect("nothing panics").clone();
    let head = String::from_utf8_lossy(&sent).to_ascii_lowercase();
    if !head.contains("content-encoding: gzip") {
        return Err(format!("not compressed: {head}").into());
    }
    let samples = Samples::of(&metrics).iter().count();
    #[expect(clippy::cast_precision_loss, reason = "few")]
    let expected = samples as f64;
    if scraped[0].1 != expected {
        return Err(format!("{} samples, not {expected}", scraped[0].1).into());
    }
    Ok(())
}

/// The address of a relay to the server at `to`, and what the server sends.
fn relay(to: String) -> Result<(String, Sent), std::io::Error> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    let sent = Sent::default();
    let copy = Arc::clone(&sent);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(&to) else { return };
            let (Ok(mut from_client), Ok(mut to_server)) = (client.try_clone(), server.try_clone()) else {
                return;
            };
            thread::spawn(move || {
                let _ = std::io::copy(&mut from_client, &mut to_server);
                let _ = to_server.shutdown(Shutdown::Write);
            });
            let copy = Arc::clone(&copy);
            thread::spawn(move || pass_on(server, client, &copy));
        }
    });
    Ok((address, sent))
}

fn pass_on(mut server: TcpStream, mut client: TcpStream, sent: &Sent) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(read @ 1..) = server.read(&mut buffer) {
        sent.lock().expect("nothing panics").extend_from_slice(&buffer[..read]);
        if client.write_all(&buffer[..read]).is_err() {
            return;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
}
