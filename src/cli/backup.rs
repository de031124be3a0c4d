//! `citydesk backup FILE`: a consistent snapshot of the desk, also while the daemon runs.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use super::exit::Exit;
use super::{locate, probe, say};
use crate::app::backup;
use crate::clock;

/// Writes the snapshot. The file has its name only once it is whole and on the disk.
#[must_use]
pub fn run(runtime: &tokio::runtime::Runtime, config: &Path, file: &Path) -> Exit {
    let store = match locate::store(config) {
        Ok(store) => store,
        Err(exit) => return exit,
    };
    let mut part = file.as_os_str().to_owned();
    part.push(".part");
    let part = Path::new(&part);
    let made = match File::create(part) {
        Ok(made) => made,
        Err(error) => return Exit::CannotCreate.failed(format!("{} cannot be made: {error}", part.display())),
    };
    // A backup holds what feeds.toml's secrets brought: nobody else's to read.
    #[cfg(unix)]
    let _ = std::fs::set_permissions(part, std::os::unix::fs::PermissionsExt::from_mode(0o600));
    let out = std::cell::RefCell::new(BufWriter::new(made));
    let bar = probe::spinner("bytes written");
    let take = |piece: &[u8]| {
        bar.inc(piece.len() as u64);
        out.borrow_mut().write_all(piece)
    };
    let done = locate::ask_or_open(runtime, &store, "/backup", take, |folder| {
        let written = backup::write(&folder.journal, clock::system()(), &mut *out.borrow_mut(), |_| ());
        written.map(|_| ()).map_err(|error| Exit::Io.failed(error))
    });
    bar.finish_and_clear();
    let kept = done.and_then(|()| {
        let failed = |error: std::io::Error| Exit::Io.failed(format!("{} cannot be written: {error}", part.display()));
        let whole = out.into_inner().into_inner().map_err(|error| failed(error.into_error()))?;
        whole.sync_all().map_err(failed)?;
        // The daemon may have died while it was writing: a file without its end is no backup.
        match File::open(part).map_err(backup::BackupError::Io).and_then(backup::verify) {
            Ok(count) => std::fs::rename(part, file).map(|()| count).map_err(failed),
            Err(error) => Err(Exit::Io.failed(error)),
        }
    });
    match kept {
        Ok(count) => say::out(
            format_args!("{}: {} ledger and {} wire records\n", file.display(), count.ledger, count.wire),
            Exit::Fine,
        ),
        Err(exit) => {
            // What is left of it is of no use.
            let _ = std::fs::remove_file(part);
            exit
        }
    }
}
