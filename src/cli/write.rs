//! Writing a file of the operator's: whole or not at all.

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
        let mut file = std::fs::File::create(&draft)?;
        std::io::Write::write_all(&mut file, text.as_bytes())?;
        file.sync_all()?;
        if let Some(permissions) = permissions {
            std::fs::set_permissions(&draft, permissions)?;
        }
        std::fs::rename(&draft, &target)
    };
    put().inspect_err(|_| {
        let _ = std::fs::remove_file(&draft);
    })
}

#[cfg(test)]
mod tests {
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
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
