//! The memory of a scrape in addition to the series.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::allocator::{in_use, peak_of};
use crate::alone;
use crate::series::{METRICS, ack_all};

/// Few enough that the tests of the bytes per series still find words for each thread.
const SERIES: usize = 1_500;

/// The length of the answer, which is read in chunks.
fn scrape(address: SocketAddr) -> usize {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: bot\r\nConnection: close\r\n\r\n").expect("it reads");
    let (mut piece, mut length, mut end) = ([0; 16 * 1024], 0, Vec::with_capacity(32 * 1024));
    loop {
        let read = stream.read(&mut piece).expect("an answer");
        if read == 0 {
            break;
        }
        length += read;
        end.extend_from_slice(&piece[..read]);
        end.drain(..end.len().saturating_sub(5));
    }
    assert_eq!(end, b"0\r\n\r\n", "the answer is chunked and complete");
    length
}

/// The number of series does not matter.
#[test]
fn a_long_exposition_is_served_in_a_megabyte() {
    let _alone = alone();
    let long = std::env::var_os("BOT_METRICS_LONG_TESTS").is_some();
    let series = if long { 100_000 } else { SERIES };
    ack_all(series);
    let server = METRICS.serve("127.0.0.1:0").expect("a free port");
    // The server's own memory is allocated from here on.
    let length = scrape(server.local_addr());
    assert!(length > series * 1_500, "{length}");
    let peak = peak_of(|| assert!(scrape(server.local_addr()).abs_diff(length) < length / 10));
    println!("{length} bytes of {series} series in {peak} bytes");
    assert!(peak <= 1 << 20, "{peak} bytes for {length} of text");
}

/// Otherwise each of them would hold an exposition.
#[test]
fn clients_that_do_not_read_take_no_more_than_a_few_that_do() {
    let _alone = alone();
    ack_all(SERIES);
    let server = METRICS.serve("127.0.0.1:0").expect("a free port");
    let length = scrape(server.local_addr());
    let before = in_use();
    let idlers: Vec<_> = (0..3)
        .map(|_| {
            let mut stream = TcpStream::connect(server.local_addr()).expect("it listens");
            stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: bot\r\n\r\n").expect("it reads");
            stream.read_exact(&mut [0; 64]).expect("an answer");
            stream
        })
        .collect();
    std::thread::sleep(std::time::Duration::from_millis(300));
    let held = in_use() - before;
    println!("{held} bytes for {} clients of {length}", idlers.len());
    assert!(held <= 3 << 20, "{held} bytes");
    assert!(scrape(server.local_addr()) > length / 2);
}
