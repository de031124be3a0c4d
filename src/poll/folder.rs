//! Sources on disk (`files = "…"`): which files match, and what is in them.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::model::id::hash64;

/// Files of one source that are read, in order of their names.
pub const FILES: usize = 2_000;
/// Bytes of all files of one source that are read at once.
pub const BYTES: u64 = 128 << 20;

/// A file with its contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Where it is.
    pub path: PathBuf,
    /// What it holds, up to the cap.
    pub body: Vec<u8>,
}

/// The files of a source.
#[derive(Debug, Default)]
pub struct Folder {
    /// Those that could be read.
    pub sheets: Vec<Sheet>,
    /// Changes when a file comes, goes or changes: names, lengths and times of change.
    pub mark: String,
    /// What could not be read, and why.
    pub complaints: Vec<String>,
}

/// The state of the matching files, without reading them: their mark, and their names.
///
/// # Errors
/// What is wrong with the glob.
pub fn look(pattern: &str) -> Result<(String, Vec<PathBuf>), String> {
    let found = glob::glob(pattern).map_err(|error| format!("the pattern {pattern} cannot be used: {error}"))?;
    let mut paths: Vec<PathBuf> = found.filter_map(Result::ok).filter(|path| path.is_file()).collect();
    paths.sort();
    let mut parts = Vec::with_capacity(paths.len() * 2);
    for path in &paths {
        let state = std::fs::metadata(path).ok();
        let changed = state
            .as_ref()
            .and_then(|state| state.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok())
            .map_or(0, |since| since.as_nanos());
        parts.push(path.to_string_lossy().into_owned().into_bytes());
        parts.push(format!("{} {changed}", state.map_or(0, |state| state.len())).into_bytes());
    }
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    Ok((format!("{:016x}", hash64(&parts)), paths))
}

/// Reads the matching files, each up to `most` bytes, and together up to [`BYTES`].
///
/// # Errors
/// What is wrong with the glob, or that nothing matches.
pub fn read(pattern: &str, most: u64) -> Result<Folder, String> {
    read_some(pattern, most, BYTES)
}

fn read_some(pattern: &str, most: u64, whole: u64) -> Result<Folder, String> {
    let (mark, paths) = look(pattern)?;
    if paths.is_empty() {
        return Err(format!("no file matches {pattern}"));
    }
    let mut folder = Folder { mark, ..Folder::default() };
    if paths.len() > FILES {
        folder.complaints.push(format!("{} files match; only the first {FILES} are read", paths.len()));
    }
    let mut room = whole;
    let count = paths.len().min(FILES);
    for (at, path) in paths.into_iter().take(FILES).enumerate() {
        match contents(&path, most) {
            Ok(body) if body.len() as u64 > room => {
                let left = count - at;
                folder.complaints.push(format!(
                    "together larger than {whole} bytes: the last {left} files are not read; keep only what is new there"
                ));
                break;
            }
            Ok(body) => {
                room -= body.len() as u64;
                folder.sheets.push(Sheet { path, body });
            }
            Err(why) => folder.complaints.push(format!("{}: {why}", path.display())),
        }
    }
    Ok(folder)
}

fn contents(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let mut body = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut body).map_err(|error| error.to_string())?;
    if body.len() as u64 > most {
        return Err(format!("larger than {most} bytes; raise [fetch] body_max if it is right"));
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_read_in_order_and_its_mark_moves_with_it() {
        let dir = tempfile::tempdir().unwrap();
        let pattern = dir.path().join("*.xml").display().to_string();
        assert!(read(&pattern, 100).is_err());
        for (name, text) in [("b.xml", "two"), ("a.xml", "one"), ("c.txt", "no"), ("d.xml", &"x".repeat(200))] {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        let folder = read(&pattern, 100).unwrap();
        let bodies: Vec<&[u8]> = folder.sheets.iter().map(|sheet| &sheet.body[..]).collect();
        assert_eq!(bodies, [b"one", b"two"]);
        assert_eq!(folder.complaints.len(), 1, "{:?}", folder.complaints);
        assert_eq!(look(&pattern).unwrap().0, folder.mark);
        std::fs::write(dir.path().join("a.xml"), "other").unwrap();
        assert_ne!(look(&pattern).unwrap().0, folder.mark);
        // "other" and "two" are eight bytes; the larger file is left out for itself.
        for (whole, sheets, complaints) in [(8, 2, 1), (7, 1, 1), (4, 0, 1)] {
            let folder = read_some(&pattern, 100, whole).unwrap();
            assert_eq!((folder.sheets.len(), folder.complaints.len()), (sheets, complaints), "{whole}");
        }
    }
}
