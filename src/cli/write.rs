//! Writing a file of the operator's: whole or not at all.

use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Puts a text in the place of a file, or makes it. A link keeps being one, and a file keeps its permissions; who reads
/// meanwhile sees the old text or the new one.
///
/// # Errors
/// What the system says.
pub fn whole(path: &Path, text: &str) -> std::io::Result<()> {
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let mut draft = target.clone().into_os_string();
    draft.push(".new");
    let permissions = std::fs::metadata(&target).ok().map(|known| known.permissions());
    let put = || {
        let mut open = std::fs::OpenOptions::new();
        open.write(true).create(true).truncate(true);
        if permissions.is_some() {
            // There may be secrets in it: nobody reads the draft who may not read the file.
            open.mode(0o600);
        }
        let mut file = open.open(&draft)?;
        if let Some(permissions) = permissions {
            file.set_permissions(permissions)?;
        }
        std::io::Write::write_all(&mut file, text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&draft, &target)
    };
    put().inspect_err(|_| {
        let _ = std::fs::remove_file(&draft);
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_link_stays_and_what_it_leads_to_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real.toml"), folder.path().join("feeds.toml"));
        whole(&real, "a").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        whole(&link, "b").unwrap();
        assert_eq!(std::fs::read_to_string(&real).unwrap(), "b");
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(whole(&folder.path().join("no/such"), "c").is_err());
        // What others may not read stays so, whatever an attempt that was killed left behind.
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(folder.path().join("real.toml.new"), "half").unwrap();
        whole(&link, "c").unwrap();
        assert_eq!((mode(&real), std::fs::read_to_string(&real).unwrap()), (0o600, "c".to_owned()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
