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
    let address = url.map_or_else(
        || {
            let listen =
                crate::config::load(config).map_or(([127, 0, 0, 1], 8080).into(), |l| l.settings.server.listen);
            // A daemon that listens everywhere is asked on loopback.
            if listen.ip().is_unspecified() { format!("127.0.0.1:{}", listen.port()) } else { listen.to_string() }
        },
        |url| url.trim_start_matches("http://").trim_end_matches('/').to_owned(),
    );
    let asked = control::ready(&address);
    let outcome = runtime.block_on(async { tokio::time::timeout(PATIENCE, asked).await });
    match outcome {
        Ok(Ok(())) => say::out(format!("ok: http://{address}/readyz\n"), Exit::Fine),
        Ok(Err(why)) => Exit::Unavailable.failed(format!("http://{address}/readyz: {why}")),
        Err(_) => Exit::Unavailable.failed(format!("http://{address}/readyz does not answer within 3 s")),
    }
}
