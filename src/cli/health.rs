//! `citydesk health`: is the daemon ready? For containers, whose images have no shell and no curl.

use std::path::Path;
use std::time::Duration;

use super::exit::Exit;
use super::say;
use crate::control;

/// An answer later than this is none.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks `/readyz` of the address in feeds.toml, or of `host:port` or `http://host:port` if one is given.
#[must_use]
pub fn run(runtime: &tokio::runtime::Runtime, config: &Path, url: Option<&str>) -> Exit {
    let address = if let Some(url) = url {
        url.trim_start_matches("http://").trim_end_matches('/').to_owned()
    } else {
        let listen = match crate::config::load(config) {
            Ok(loaded) => loaded.settings.server.listen,
            // A daemon runs on with its last good feeds.toml: a bad save must not have it killed.
            Err(failed) => return beside(runtime, &failed.store),
        };
        // A daemon that listens everywhere is asked on loopback.
        if listen.ip().is_unspecified() { format!("127.0.0.1:{}", listen.port()) } else { listen.to_string() }
    };
    let asked = control::ready(&address);
    let outcome = runtime.block_on(async { tokio::time::timeout(PATIENCE, asked).await });
    match outcome {
        Ok(Ok(())) => say::out(format!("ok: http://{address}/readyz\n"), Exit::Fine),
        Ok(Err(why)) => Exit::Unavailable.failed(format!("http://{address}/readyz: {why}")),
        Err(_) => Exit::Unavailable.failed(format!("http://{address}/readyz does not answer within 3 s")),
    }
}

/// Asks the daemon of a folder through its control socket.
fn beside(runtime: &tokio::runtime::Runtime, store: &Path) -> Exit {
    let asked = control::ask(store, http::Method::GET, "/readyz", |_| Ok(()));
    match runtime.block_on(async { tokio::time::timeout(PATIENCE, asked).await }) {
        Ok(Ok(status)) if status.is_success() => {
            say::out(format!("ok: the citydesk on {}; its feeds.toml is broken\n", store.display()), Exit::Fine)
        }
        Ok(Ok(status)) => Exit::Unavailable.failed(format!("the citydesk on {} answers {status}", store.display())),
        Ok(Err(error)) => Exit::Unavailable.failed(error),
        Err(_) => Exit::Unavailable.failed(format!("the citydesk on {} does not answer within 3 s", store.display())),
    }
}
