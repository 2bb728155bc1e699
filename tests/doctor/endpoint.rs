//! An endpoint that gives prepared answers.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

/// An HTTP answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// An exposition in the text format.
    pub(crate) fn page(body: impl Into<Vec<u8>>) -> Self {
        let content_type = bot_metrics::CONTENT_TYPE.to_owned();
        Self { status: "200 OK", headers: vec![("Content-Type", content_type)], body: body.into() }
    }

    pub(crate) fn json(body: &str) -> Self {
        Self::page(body).with("Content-Type", "application/json")
    }

    /// The answer with this header instead of its own.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self
    }
}

/// The first line of a request and its headers, in lower case.
pub(crate) type Request = Vec<String>;

/// Answers every connection until it is dropped.
pub(crate) struct Endpoint {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    _stop: mpsc::Sender<()>,
}

impl Endpoint {
    pub(crate) fn that_answers(answer: Answer) -> Self {
        Self::new(move |_| answer.clone())
    }

    /// An endpoint whose answer depends on the request.
    pub(crate) fn new(answer: impl Fn(&Request) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (stop, stopped) = mpsc::channel();
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stopped.try_recv() == Err(mpsc::TryRecvError::Disconnected) {
                    return;
                }
                serve(stream, &seen, &answer);
            }
        });
        Self { address, requests, _stop: stop }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no panic").clone()
    }
}

fn serve(mut stream: TcpStream, seen: &Mutex<Vec<Request>>, answer: &dyn Fn(&Request) -> Answer) {
    let reader = BufReader::new(stream.try_clone().expect("a socket"));
    let request: Request = reader
        .lines()
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .map(|line| line.to_lowercase())
        .collect();
    let answer = answer(&request);
    seen.lock().expect("no panic").push(request);
    let length = ("Content-Length", answer.body.len().to_string());
    let mut head = vec![format!("HTTP/1.1 {}", answer.status), "Connection: close".to_owned()];
    head.extend(answer.headers.iter().chain([&length]).map(|(name, value)| format!("{name}: {value}")));
    let head = head.join("\r\n") + "\r\n\r\n";
    // A client that has left is not the endpoint's trouble.
    let _ = stream.write_all(&[head.as_bytes(), &answer.body].concat());
}
