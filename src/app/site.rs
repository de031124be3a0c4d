//! The desk as files for any static host: every feed, page and list that can be reached, as the daemon would answer it.
//!
//! What is written is found as a visitor finds it: by the links of pages, of lists and of feeds (their archives), from the
//! front page on; the feeds of every edition are asked for by name as well. A page stands as `index.html` in a folder of its
//! name, so that hosts answer its address; links begin with the path of `public_url`. Addresses that need a program behind
//! them (queries, search, hub, metrics) are left out, and so are the links to them.
//!
//! A file is written only where its bytes differ, beside its place, and renamed: no visitor gets half of one. What an
//! earlier run wrote and nobody leads to any more goes, by the list that it left; whatever else stands in the folder is
//! left alone. A page of a story stays as long as the story does.

use std::collections::{BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use percent_encoding::percent_decode_str;

use super::Desk;
use super::why::Inquiry;
use crate::model::markup;
use crate::press::{self, Press};
use crate::render;
use crate::serve::health::Status;
use crate::serve::metrics::Metrics;
use crate::serve::{Front, address, link};

/// The list of what was written, in the folder.
const LIST: &str = ".citydesk-files";

/// Where a walk begins.
const SEEDS: [&str; 9] = [
    "/",
    "/subscribe",
    "/sources",
    "/about",
    "/feeds.opml",
    "/sources.opml",
    "/.well-known/feeds",
    "/favicon.ico",
    "/favicon.svg",
];

/// Most files of one site.
const FILES: usize = 200_000;

/// Why a site could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// A file could not be written.
    #[error("{path} cannot be written: {error}")]
    Io {
        /// Which.
        path: PathBuf,
        /// The system's words.
        error: std::io::Error,
    },
    /// An answer could not be made.
    #[error("{path} cannot be made: {why}")]
    Unmade {
        /// Its address.
        path: String,
        /// What stood against it.
        why: String,
    },
    /// More than is bearable.
    #[error("more than {FILES} files: serve this desk with `citydesk serve`")]
    Many,
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}

/// What came of it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Files of the site.
    pub files: usize,
    /// Of those, new or changed.
    pub changed: usize,
    /// Files of an earlier run that are gone.
    pub removed: usize,
}

/// Writes the site below `folder`.
///
/// # Errors
/// [`SiteError`]; what was written before it is whole.
pub async fn write(desk: &Desk, folder: &Path) -> Result<Written, SiteError> {
    let status = Status::new();
    status.set_ready(true);
    let press = Press::new(Arc::clone(&desk.store), Arc::new(desk.journal.clone())).still();
    let front = Front::new(
        Arc::new(press),
        Arc::clone(&desk.store),
        Arc::clone(&desk.settings),
        Arc::clone(&desk.gazetteer),
        Arc::clone(&desk.clock),
        Arc::new(Metrics::new()),
        Arc::new(status),
    );
    let inquiry = Arc::new(Inquiry::new(Arc::clone(&desk.store), desk.journal.clone()));
    let base = desk.settings.load().site.public_url.trim_end_matches('/').to_owned();
    let mut walk = Walk {
        front: Arc::new(front.fixed().with_neighbours(inquiry.neighbours())),
        base,
        folder,
        waiting: VecDeque::new(),
        met: BTreeSet::new(),
    };
    for seed in SEEDS {
        walk.meet(seed);
    }
    for alias in address::aliases().filter(|alias| !alias.ends_with('/') && !alias[1..].contains('/')) {
        walk.meet(alias);
    }
    let gazetteer = desk.gazetteer.load_full();
    for (edition, _) in desk.store.view().editions()? {
        for extension in render::FORMATS.iter().map(|format| format.extension()).chain(["png"]) {
            walk.meet(&press::feed(&edition, extension, &gazetteer));
        }
    }
    let before = listed(folder);
    // A story that has left every window is still a story: its page may be linked from anywhere.
    for file in &before {
        if let Some(guid) = file.strip_prefix("story/").and_then(|rest| rest.strip_suffix("/index.html")) {
            walk.meet(&format!("/story/{guid}"));
        }
        // So is a feed whose place or tag is called otherwise now: its old address goes on with its bytes.
        if file.starts_with("feeds/") {
            walk.meet(&format!("/{}", file.split('/').map(link::segment).collect::<Vec<_>>().join("/")));
        }
    }
    let mut written = Written::default();
    let mut files = BTreeSet::new();
    while let Some(path) = walk.waiting.pop_front() {
        let Some((file, changed)) = walk.take(&path).await? else { continue };
        written.changed += usize::from(changed);
        files.insert(file);
        if files.len() > FILES {
            return Err(SiteError::Many);
        }
    }
    if let Some(changed) = walk.missing().await? {
        written.changed += usize::from(changed);
        files.insert("404.html".to_owned());
    }
    // Written before anything goes: a run that is killed here leaves too many files, never too few.
    let all: String = before.union(&files).map(|file| format!("{file}\n")).collect();
    put(&folder.join(LIST), all.as_bytes())?;
    for file in before.difference(&files) {
        written.removed += usize::from(std::fs::remove_file(folder.join(file)).is_ok());
        // Its folder, if nothing else stands in it.
        if let Some(empty) = folder.join(file).parent().filter(|parent| *parent != folder) {
            let _ = std::fs::remove_dir(empty);
        }
    }
    put(&folder.join(LIST), files.iter().map(|file| format!("{file}\n")).collect::<String>().as_bytes())?;
    written.files = files.len();
    Ok(written)
}

/// What an earlier run wrote: only paths that stay inside.
fn listed(folder: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(folder.join(LIST)).unwrap_or_default();
    text.lines().filter(|line| is_inside(line)).map(str::to_owned).collect()
}

/// Whether a path leads nowhere but down.
fn is_inside(path: &str) -> bool {
    !path.is_empty() && path.split('/').all(|part| !matches!(part, "" | "." | "..") && !part.contains(['\\', '\0']))
}

/// A walk through the site.
struct Walk<'a> {
    front: Arc<Front>,
    /// Where all our addresses begin.
    base: String,
    folder: &'a Path,
    waiting: VecDeque<String>,
    met: BTreeSet<String>,
}

impl Walk<'_> {
    /// Puts a path of ours on the way, once.
    fn meet(&mut self, path: &str) {
        if self.met.insert(path.to_owned()) {
            self.waiting.push_back(path.to_owned());
        }
    }

    async fn ask(&self, path: &str) -> Result<(StatusCode, String, bytes::Bytes), SiteError> {
        let unmade = |why: String| SiteError::Unmade { path: path.to_owned(), why };
        let request = Request::get(path).header(http::header::ACCEPT, "text/html, */*").body(());
        let request = request.map_err(|error| unmade(error.to_string()))?;
        let reply = self.front.answer(&request, IpAddr::V4(Ipv4Addr::LOCALHOST)).await;
        let reply = reply.map_err(|dropped| unmade(dropped.to_string()))?;
        let status = reply.status();
        let kind = reply.headers().get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().to_owned();
        // A body of ours stands in memory, whole.
        let body = match reply.into_body().frame().await {
            Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
            _ => bytes::Bytes::new(),
        };
        if status.is_server_error() {
            return Err(unmade(String::from_utf8_lossy(&body).trim().to_owned()));
        }
        Ok((status, kind, body))
    }

    /// Asks for a path, writes what comes, and meets what it leads to: the file, and whether it changed.
    async fn take(&mut self, path: &str) -> Result<Option<(String, bool)>, SiteError> {
        let (status, kind, body) = self.ask(path).await?;
        if status != StatusCode::OK {
            return Ok(None);
        }
        let page = kind.starts_with("text/html");
        let name = percent_decode_str(path.trim_matches('/')).decode_utf8_lossy().into_owned();
        let file = match (page, name.is_empty()) {
            (true, true) => "index.html".to_owned(),
            (true, false) => format!("{name}/index.html"),
            (false, _) => name,
        };
        // A tag may be called like a way out of the folder.
        if !is_inside(&file) {
            return Ok(None);
        }
        let changed = put(&self.folder.join(&file), &body)?;
        if page || kind.contains("xml") || kind.contains("opml") {
            let text = String::from_utf8_lossy(&body);
            let links: Vec<String> = leads(&text).filter_map(|link| self.own(&link)).collect();
            for link in links {
                self.meet(&link);
            }
        }
        Ok(Some((file, changed)))
    }

    /// The page that hosts show where nothing is: whether it changed.
    async fn missing(&self) -> Result<Option<bool>, SiteError> {
        let (status, kind, body) = self.ask("/404").await?;
        let page = status == StatusCode::NOT_FOUND && kind.starts_with("text/html");
        if page { put(&self.folder.join("404.html"), &body).map(Some) } else { Ok(None) }
    }

    /// A link as a path of ours that a file can stand at.
    fn own(&self, link: &str) -> Option<String> {
        let prefix = link::prefix(&self.base);
        let path = match link.strip_prefix(&self.base) {
            Some(rest) => rest,
            None if link.starts_with('/') && !link.starts_with("//") => link::without_prefix(link, prefix),
            None => return None,
        };
        let path = path.split('#').next().unwrap_or_default();
        let path = if path.is_empty() { "/" } else { path };
        // A namespace of categories is an address too, but nobody comes there.
        let kept = path.starts_with('/') && !path.contains('?') && !path.starts_with("/ns/");
        kept.then(|| path.to_owned())
    }
}

/// The addresses in `href`, `src` and `xmlUrl` attributes of a document that we wrote.
fn leads(text: &str) -> impl Iterator<Item = String> {
    ["href=\"", "src=\"", "xmlUrl=\""].into_iter().flat_map(move |name| {
        text.match_indices(name).filter_map(move |(at, _)| {
            let rest = &text[at + name.len()..];
            rest.find('"').map(|end| markup::decode(&rest[..end]).into_owned())
        })
    })
}

/// Writes a file where it differs; whether it did.
fn put(path: &Path, bytes: &[u8]) -> Result<bool, SiteError> {
    if std::fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(false);
    }
    let failed = |error: std::io::Error| SiteError::Io { path: path.to_owned(), error };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    std::fs::write(&draft, bytes).map_err(failed)?;
    std::fs::rename(&draft, path).map_err(failed)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_out_of_the_folder_is_none() {
        for good in ["index.html", "feeds/tag/教育.rss", ".well-known/feeds", "tag/a..b/index.html"] {
            assert!(is_inside(good), "{good}");
        }
        for bad in ["", "/etc/passwd", "../x", "tag/../../x.rss", "feeds/tag/..", "a//b", "a/./b", "a\\b", "a\0b"] {
            assert!(!is_inside(bad), "{bad:?}");
        }
    }

    #[test]
    fn links_are_found_where_they_stand() {
        let text =
            r#"<a href="/city/xuchang">x</a><script src="/s.js"></script><outline xmlUrl="http://d/a?b=1&amp;c=2"/>"#;
        assert_eq!(leads(text).collect::<Vec<_>>(), ["/city/xuchang", "/s.js", "http://d/a?b=1&c=2"]);
    }
}
