//! The accept loop, which continues after every error.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

use super::ServerOptions;
use super::connection::Connection;
use super::connections::{ConnectionSlot, Connections};
use super::listeners;
use super::security::Security;
use super::site::PageService;
use super::stop::StopSignal;
use crate::report::{Report, Topic};

/// The pause after an error that an immediate retry would only repeat: ten attempts per second cost nothing, and 0.1
/// s does not matter to a scraper. Without the pause such a listener used 104 % CPU.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) struct Acceptor {
    pub(super) connections: Arc<Connections>,
    pub(super) site: Arc<PageService>,
    pub(super) options: ServerOptions,
    pub(super) report: Report,
    pub(super) stop: StopSignal,
    pub(super) security: Security,
}

impl Acceptor {
    /// Accepts on all listeners until the stop signal, then closes them.
    pub(super) async fn run(self, listeners: Vec<TcpListener>) {
        let acceptor = Arc::new(self);
        let loops =
            listeners.into_iter().map(|listener| tokio::spawn(Arc::clone(&acceptor).accept(listener)));
        for accepting in loops.collect::<Vec<_>>() {
            // It fails only by a panic, which the panic hook has printed.
            let _ = accepting.await;
        }
    }

    async fn accept(self: Arc<Self>, listener: TcpListener) {
        let mut stop = self.stop.listen();
        while let Some(()) = stop.unless_stopped(self.accept_one(&listener)).await {}
        listeners::stop(&listener);
    }

    async fn accept_one(&self, listener: &TcpListener) {
        match listener.accept().await {
            Ok((stream, from)) => self.answer(stream, from, self.connections.admit(from.ip()).await),
            Err(error) => self.recover(&error).await,
        }
    }

    fn answer(&self, stream: TcpStream, from: SocketAddr, slot: ConnectionSlot) {
        let id = slot.id();
        let connection = Connection {
            slot,
            from,
            security: self.security.clone(),
            site: Arc::clone(&self.site),
            options: self.options.clone(),
        };
        let task = tokio::spawn(connection.answer(stream, self.stop.listen()));
        self.connections.occupy(id, task.abort_handle());
    }

    async fn recover(&self, error: &io::Error) {
        if is_of_one_connection(error) {
            return;
        }
        self.report.tell(Topic::Accept, "", format_args!("cannot accept a connection: {error}"));
        if is_out_of_descriptors(error) && self.connections.free_a_descriptor() {
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Whether the error concerns a client that left before it was accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}

fn is_out_of_descriptors(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}
