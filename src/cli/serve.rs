//! `citydesk serve`: the daemon. In a folder without feeds.toml it writes a commented starter file, says so, and goes on.

use std::path::Path;

use super::exit::Exit;
use super::locate;
use crate::app::folder::Folder;
use crate::app::{self};
use crate::clock;
use crate::config;

/// Sample feeds that the starter file reads, so that a first start shows stories even offline.
const SAMPLES: &[(&str, &str)] = &[
    ("henan.xml", include_str!("../../samples/henan.xml")),
    ("wuhu.xml", include_str!("../../samples/wuhu.xml")),
    ("reprint.xml", include_str!("../../samples/reprint.xml")),
];

/// Writes the starter file and its samples where there is no feeds.toml yet.
fn start_from_nothing(path: &Path) -> Result<(), Exit> {
    if path.exists() {
        return Ok(());
    }
    let failed = |what: &Path, error: std::io::Error| {
        Exit::CannotCreate.failed(format!("{} cannot be written: {error}", what.display()))
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let samples = folder.join("samples");
    // The folder itself is not made: a slip in --config would start a desk of samples in a new place.
    match std::fs::create_dir(&samples) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
    .map_err(|error| failed(&samples, error))?;
    for (name, text) in SAMPLES {
        let file = samples.join(name);
        if !file.exists() {
            std::fs::write(&file, text).map_err(|error| failed(&file, error))?;
        }
    }
    std::fs::write(path, config::STARTER).map_err(|error| failed(path, error))?;
    eprintln!("wrote {} ({} sample sources from disk, more from the web, commented)", path.display(), SAMPLES.len());
    Ok(())
}

/// Runs until a signal.
#[must_use]
pub fn run(runtime: &tokio::runtime::Runtime, path: &Path) -> Exit {
    if let Err(exit) = start_from_nothing(path) {
        return exit;
    }
    // On a thread of its own: what was put together while a long file was read goes back to the system with it.
    let loaded = match std::thread::scope(|scope| scope.spawn(|| locate::load(path)).join()) {
        Ok(Ok(loaded)) => loaded,
        Ok(Err(exit)) => return exit,
        Err(panic) => std::panic::resume_unwind(panic),
    };
    let public = loaded.settings.site.public_url.clone();
    let store = loaded.settings.store.clone();
    let bar = super::probe::spinner("ledger records applied");
    let open = move || {
        let folder = Folder::open(&store, true, |count| bar.set_position(count));
        bar.finish_and_clear();
        folder
    };
    let ready = |address| {
        eprintln!("listening on http://{address}   open it in a browser");
        eprintln!("feeds      {public}/feeds/all.rss");
        eprintln!("next: edit {} - a save applies it;  citydesk check  tells what is wrong", path.display());
        if public.contains("//127.0.0.1") || public.contains("//localhost") {
            eprintln!(
                "note: public_url is {public}: others cannot subscribe until [site] public_url names this machine"
            );
        }
    };
    match runtime.block_on(app::serve(path, loaded, open, clock::system(), ready)) {
        Ok(()) => Exit::Fine,
        Err(error) => Exit::from(&error).failed(error),
    }
}
