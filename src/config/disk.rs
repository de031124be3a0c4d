//! Reading a file of the configuration whole, within a bound.

use std::io::Read;
use std::path::Path;

/// Why a file could not be read, to stand behind its name.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    /// The system refused.
    #[error("can't be read: {0}")]
    Refused(#[from] std::io::Error),
    /// More than the bound.
    #[error("is larger than {0} bytes")]
    TooLarge(u64),
    /// Not UTF-8; the bytes up to the first mistake.
    #[error("is not UTF-8 text")]
    NotText(Vec<u8>),
}

/// The text of a file.
pub(super) fn read(path: &Path, most: u64) -> Result<String, Unreadable> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(Unreadable::TooLarge(most));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let mut bytes = error.into_bytes();
        bytes.truncate(good);
        Unreadable::NotText(bytes)
    })
}
