//! TLS and authentication, with real handshakes and password checks.

mod changes;
mod logins;
mod refused_files;
mod tls;
mod tls_client;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use super::client::{Reply, connect, get_with, read_reply};
use super::*;

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static FOLDERS: AtomicUsize = AtomicUsize::new(0);
        let name = format!("bot-metrics-{}-{}", std::process::id(), FOLDERS.fetch_add(1, Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        // As an editor and a renewal of certificates do it: no one sees half a file.
        let unfinished = self.0.join("unfinished");
        fs::write(&unfinished, content).unwrap();
        fs::rename(unfinished, self.path(name)).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn secured(web_config: &Path) -> Served {
    start(patient().web_config(web_config), || EXPOSITION.to_owned())
}

/// A server with these users and passwords, and the folder of its web configuration.
fn with_users(users: &[(&str, &str)]) -> (Served, Folder) {
    with_hashes(&users.iter().map(|&(user, password)| (user, hash(password))).collect::<Vec<_>>())
}

fn with_hashes(users: &[(&str, String)]) -> (Served, Folder) {
    let folder = Folder::new();
    folder.write("web.yml", users_file(users));
    (secured(&folder.path("web.yml")), folder)
}

fn users_file(users: &[(&str, String)]) -> String {
    let users: Vec<_> = users.iter().map(|(user, hash)| format!("  {user}: {hash}\n")).collect();
    format!("basic_auth_users:\n{}", users.concat())
}

/// At the lowest cost.
fn hash(password: &str) -> String {
    bcrypt::hash_with_salt(password, 4, *b"sixteen bytes!!!").unwrap().to_string()
}

/// A scrape with this header.
fn login(address: SocketAddr, authorization: &str) -> Reply {
    get_with(address, "/metrics", &format!("Authorization: {authorization}\r\n"))
}

fn basic(user: &str, password: &str) -> String {
    use base64::Engine as _;
    let pair = format!("{user}:{password}");
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}

/// Tries until it holds.
fn eventually(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
