//! Prints an edition once per version and keeps the bytes, however many ask.
//!
//! Everything printed comes from the store: stories as they were emitted, settings as they were recorded. So two presses
//! over equal stores give equal bytes, after a restart and on every machine, and a settings file that is being edited
//! changes nothing before it is applied. Nothing depends on now: an idle feed never changes.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::model::edition::{EditionId, Order, Version};
use crate::model::place::Code;
use crate::model::position::Texts;
use crate::model::setting::{self, Cities, InForce, Setting, Site};
use crate::model::source::{Rank, Republish};
use crate::model::story::Story;
use crate::model::tag::Tag;
use crate::model::time::Time;
use crate::model::websub;
use crate::place::Gazetteer;
use crate::render::{Channel, Entry, Format, Told};
use crate::store::view::View;
use crate::store::{Store, StoreError};

/// Why an edition could not be printed.
#[derive(Debug, thiserror::Error)]
pub enum PressError {
    /// Nothing was recorded yet to print with: title and address of the desk are settings. Wait until they are applied.
    #[error("no settings are recorded yet: ask again once the ledger is applied")]
    Unready,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which part of an edition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The feed: its window.
    Window,
    /// So many of its newest entries.
    Newest(usize),
    /// So many entries older than one (RFC 5005 section 3).
    Before(Order, usize),
    /// The page of its archive at this address (RFC 5005 section 4).
    Archive(u64),
}

impl Part {
    /// Most entries that may be asked for at once.
    pub const MOST: usize = 500;

    /// What stands behind the feed's path: `?limit=…` and `?before=…`, with the values in force.
    #[must_use]
    fn query(self) -> String {
        match self {
            Self::Window | Self::Archive(_) => String::new(),
            Self::Newest(limit) => format!("?limit={limit}"),
            Self::Before(order, limit) => format!("?before={}&limit={limit}", cursor(order)),
        }
    }
}

/// A place in an edition as it stands in an address.
#[must_use]
pub fn cursor(order: Order) -> String {
    format!("{}-{}", order.at.0, order.story)
}

/// Which search is printed.
#[derive(Debug, Clone, Copy)]
pub struct Searched<'q> {
    /// The query in its canonical form.
    pub query: &'q str,
    /// Which part; there is no archive.
    pub part: Part,
    /// The minute from which its relative dates count, if it has some: what is found changes with it.
    pub minute: Option<i64>,
}

impl Searched<'_> {
    fn key(&self, format: &dyn Format) -> Key {
        let minute = self.minute.map(|minute| format!("@{minute}")).unwrap_or_default();
        (format!("search/{}#{}{minute}", self.query, self.part.query()), format.extension())
    }
}

/// What a search found.
#[derive(Debug, Default)]
pub struct Hits {
    /// The stories, newest first.
    pub stories: Vec<(Order, Story)>,
    /// Where it goes on, if it does.
    pub next: Option<Order>,
    /// So many were asked for.
    pub limit: usize,
}

/// A form that a document is sent in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// RFC 7932.
    Brotli,
}

/// What is said of a printed feed in headers.
#[derive(Debug, Clone)]
pub struct Stamps {
    /// Entity tags: of the document as it is, and of its forms in the order of [`Form`].
    pub etags: [String; 4],
    /// The headers of a 304 for each of them; what a document goes out with besides is added to them.
    pub heads: [http::HeaderMap; 4],
}

/// What is to be printed.
struct Contents {
    version: Version,
    stories: Vec<(Order, Story)>,
    /// Cursor of the next older page, if there is more.
    next: Option<Order>,
    previous: Option<u64>,
    /// Where a page of the archive stands now.
    at: Option<u64>,
}

/// An edition in one format, ready to be sent.
#[derive(Debug, Clone)]
pub struct Printed {
    /// The document.
    pub bytes: Bytes,
    /// The document in each [`Form`] that was asked for: made once.
    forms: [OnceLock<Bytes>; 3],
    /// What is said of it in headers, written once.
    pub stamps: OnceLock<Stamps>,
    /// Strong entity tag of `bytes`, with its quotes; those of the coded forms are [`Printed::etag_for`].
    pub etag: String,
    /// `Last-Modified`, in seconds since 1970.
    pub modified: i64,
    /// Seconds that a reader may keep it; the `ttl` in it says the same in minutes.
    pub max_age: u32,
    /// `Content-Type`, with charset.
    pub media_type: &'static str,
    /// Version of the edition.
    pub version: Version,
    /// The feed's own address, whole.
    pub address: String,
    /// The hub that delivers it, where one is announced.
    pub hub: Option<String>,
}

impl Printed {
    /// Strong entity tag of a coded form (`gzip`, `br`; `None` for the document as it is): each representation has its
    /// own (RFC 9110 section 8.8.3.3).
    #[must_use]
    pub fn etag_for(&self, coding: Option<&str>) -> String {
        match coding {
            Some(coding) => format!("{}-{coding}\"", self.etag.trim_end_matches('"')),
            None => self.etag.clone(),
        }
    }

    /// The document in this form, if it was made already.
    #[must_use]
    pub fn form(&self, form: Form) -> Option<Bytes> {
        self.forms[form as usize].get().cloned()
    }

    /// The document in this form, compressed if it was not yet: once, however many ask. Takes a millisecond or two.
    #[must_use]
    pub fn formed(&self, form: Form) -> Bytes {
        let make = || match form {
            Form::Gzip => gzip(&self.bytes),
            Form::Zstd => zstd(&self.bytes),
            Form::Brotli => brotli(&self.bytes),
        };
        self.forms[form as usize].get_or_init(make).clone()
    }

    fn new(bytes: Vec<u8>, version: Version, max_age: u32, media_type: &'static str, channel: Channel) -> Self {
        // 128 bits of the hash: two editions never share a tag by chance.
        let hash = blake3::hash(&bytes).to_hex();
        Self {
            forms: [const { OnceLock::new() }; 3],
            stamps: OnceLock::new(),
            bytes: bytes.into(),
            etag: format!("\"{}\"", &hash[..32]),
            modified: version.modified,
            max_age,
            media_type,
            version,
            address: channel.address,
            hub: channel.hub,
        }
    }

    /// Memory it takes at most, nearly: its three forms take a third of it each, or less.
    fn weight(&self) -> usize {
        self.bytes.len() * 2 + 512
    }
}

/// Edition and format.
type Key = (String, &'static str);

/// A printed edition on the shelf.
#[derive(Debug)]
struct Kept {
    printed: Arc<Printed>,
    /// Settings it was printed with: some (addresses of cities) change what is printed, but make no version.
    settings: Arc<InForce>,
    /// Last ledger record applied when it was found to be of the edition's version: until the next one, it still is.
    checked: u64,
    /// When it was last asked for.
    used: u64,
}

/// What is kept, bounded.
#[derive(Debug, Default)]
struct Shelf {
    /// Most bytes on it.
    most: usize,
    kept: BTreeMap<Key, Kept>,
    /// Who was asked for when: the smallest goes first.
    by_use: BTreeMap<u64, Key>,
    uses: u64,
    weight: usize,
    /// Those being printed: whoever asks meanwhile waits for the same one.
    printing: BTreeMap<Key, Arc<Mutex<()>>>,
}

impl Shelf {
    /// What is known to be of the version that stands after this ledger record, without a look into the store.
    fn fresh(&mut self, key: &Key, applied: u64, settings: &Arc<InForce>) -> Option<Arc<Printed>> {
        let kept =
            self.kept.get(key).filter(|kept| kept.checked == applied && Arc::ptr_eq(&kept.settings, settings))?;
        let printed = Arc::clone(&kept.printed);
        self.touch(key);
        Some(printed)
    }

    fn take(&mut self, key: &Key, version: Version, applied: u64, settings: &Arc<InForce>) -> Option<Arc<Printed>> {
        let kept = self.kept.get_mut(key)?;
        if kept.printed.version != version || !Arc::ptr_eq(&kept.settings, settings) {
            return None;
        }
        kept.checked = applied;
        let printed = Arc::clone(&kept.printed);
        self.touch(key);
        Some(printed)
    }

    /// Notes that it was asked for.
    fn touch(&mut self, key: &Key) {
        let Some(kept) = self.kept.get_mut(key).filter(|kept| kept.used != self.uses) else { return };
        self.uses += 1;
        self.by_use.remove(&kept.used);
        kept.used = self.uses;
        self.by_use.insert(self.uses, key.clone());
    }

    fn put(&mut self, key: Key, printed: Arc<Printed>, applied: u64, settings: Arc<InForce>) {
        self.drop(&key);
        if printed.weight() > self.most {
            return;
        }
        self.uses += 1;
        self.weight += printed.weight();
        self.by_use.insert(self.uses, key.clone());
        self.kept.insert(key, Kept { printed, settings, checked: applied, used: self.uses });
        while self.weight > self.most {
            let Some((_, oldest)) = self.by_use.first_key_value() else { break };
            let oldest = oldest.clone();
            self.drop(&oldest);
        }
    }

    /// Puts it there, unless the same bytes are there already: then those go on, with the forms that were made of them.
    fn keep(&mut self, key: Key, printed: Arc<Printed>, applied: u64, settings: Arc<InForce>) -> Arc<Printed> {
        if let Some(kept) = self.kept.get_mut(&key).filter(|kept| kept.printed.etag == printed.etag) {
            (kept.checked, kept.settings) = (applied, settings);
            let same = Arc::clone(&kept.printed);
            self.touch(&key);
            return same;
        }
        self.put(key, Arc::clone(&printed), applied, settings);
        printed
    }

    fn drop(&mut self, key: &Key) {
        if let Some(kept) = self.kept.remove(key) {
            self.by_use.remove(&kept.used);
            self.weight -= kept.printed.weight();
        }
    }
}

/// Prints editions and keeps them.
pub struct Press {
    store: Arc<Store>,
    texts: Arc<dyn Texts>,
    shelf: Mutex<Shelf>,
    /// Parts of editions that are not their windows: whoever asks for many of those drives no feed off its shelf.
    aside: Mutex<Shelf>,
    /// Searches, likewise.
    searches: Mutex<Shelf>,
    /// Whether pages that are asked for by a query are named: a folder of files has none.
    paged: bool,
    /// The gazetteer of the recorded `[cities]`, made when they change.
    gazetteer: Mutex<Option<(Cities, Arc<Gazetteer>)>>,
    renders: AtomicU64,
}

impl std::fmt::Debug for Press {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Press").field("renders", &self.renders).finish_non_exhaustive()
    }
}

impl Press {
    /// Most memory for printed editions, in bytes: about a thousand feeds of 60 entries in one format. What was not asked
    /// for longest goes first, and is printed again when it is.
    pub const SHELF: usize = 56 * 1024 * 1024;
    /// Most memory for pages of archives and other parts, in bytes.
    pub const ASIDE: usize = 8 * 1024 * 1024;
    /// Most memory for searches, in bytes: anybody can ask for any number of them.
    pub const SEARCHES: usize = 4 * 1024 * 1024;
    /// All of it.
    pub const MOST: usize = Self::SHELF + Self::ASIDE + Self::SEARCHES;
    /// `max-age` of a page of an archive, in minutes: a day. It never changes but where something was taken out of it.
    pub const ARCHIVED: u32 = 24 * 60;
    /// So many feeds are printed at a start because they were asked for last before it.
    pub const WARM: usize = 200;
    /// Shortest `max-age`, in minutes: readers ask no more often however busy an edition is.
    pub const SOONEST: i64 = 2;
    /// Longest `max-age`, in minutes: what follows after a quiet time is not missed for longer.
    pub const LATEST: i64 = 15;

    /// The texts that stand on the wire.
    #[must_use]
    pub fn texts(&self) -> &Arc<dyn Texts> {
        &self.texts
    }

    /// A press over this store, with the texts that stand on the wire.
    #[must_use]
    pub fn new(store: Arc<Store>, texts: Arc<dyn Texts>) -> Self {
        Self {
            store,
            texts,
            shelf: Mutex::new(Shelf { most: Self::SHELF, ..Shelf::default() }),
            aside: Mutex::new(Shelf { most: Self::ASIDE, ..Shelf::default() }),
            searches: Mutex::new(Shelf { most: Self::SEARCHES, ..Shelf::default() }),
            paged: true,
            gazetteer: Mutex::new(None),
            renders: AtomicU64::new(0),
        }
    }

    /// For files: feeds name no page that is asked for by a query.
    #[must_use]
    pub fn still(self) -> Self {
        Self { paged: false, ..self }
    }

    /// How often anything was rendered since the start.
    #[must_use]
    pub fn renders(&self) -> u64 {
        self.renders.load(Ordering::Relaxed)
    }

    /// Bytes on the shelf.
    #[must_use]
    pub fn weight(&self) -> usize {
        [&self.shelf, &self.aside, &self.searches].map(|shelf| locked(shelf).weight).iter().sum()
    }

    /// Names of the feeds asked for last, the latest first, a line each: what the next start prints before anybody asks.
    #[must_use]
    pub fn asked(&self) -> String {
        let shelf = locked(&self.shelf);
        let mut keys: Vec<_> = shelf.by_use.values().collect();
        keys.reverse();
        keys.iter().take(Self::WARM).map(|(edition, extension)| format!("{extension} {edition}\n")).collect()
    }

    /// Prints the feeds of such a list. A line that names none is passed over, and a feed that cannot be printed now is
    /// printed when it is asked for. Blocking; the number printed.
    pub fn warm(&self, list: &str) -> usize {
        let feeds = list.lines().take(Self::WARM).filter_map(|line| {
            let (extension, edition) = line.split_once(' ')?;
            Some((EditionId::parse(edition)?, crate::render::format(extension)?))
        });
        let feeds: Vec<_> = feeds.collect();
        // The one asked for last comes last, and stays longest.
        feeds.iter().rev().filter(|(edition, format)| self.print(edition, *format).is_ok()).count()
    }

    /// The edition as it stands, if it is printed already. Costs at most one look into the store: an answer at once, or `None`
    /// where [`Press::print`] has work to do.
    ///
    /// # Errors
    /// [`PressError`] if the store fails.
    pub fn ready(&self, edition: &EditionId, format: &dyn Format) -> Result<Option<Arc<Printed>>, PressError> {
        let key = key(edition, Part::Window, format);
        let view = self.store.view();
        let (applied, settings) = (view.meta().applied.seq, view.settings());
        if let Some(printed) = locked(&self.shelf).fresh(&key, applied, &settings) {
            return Ok(Some(printed));
        }
        let version = version(&view, edition, format)?;
        drop(view);
        Ok(locked(&self.shelf).take(&key, version, applied, &settings))
    }

    /// Version of an edition as it stands, in this format.
    ///
    /// # Errors
    /// [`PressError`] if the store fails.
    pub fn version(&self, edition: &EditionId, format: &dyn Format) -> Result<Version, PressError> {
        Ok(version(&self.store.view(), edition, format)?)
    }

    /// A feed's own address, whole; `None` while no settings are recorded.
    #[must_use]
    pub fn address(&self, edition: &EditionId, format: &dyn Format) -> Option<String> {
        let settings = self.store.view().settings();
        let gazetteer = self.gazetteer(&settings);
        site(&settings).map(|site| format!("{}{}", base(site), feed(edition, format.extension(), &gazetteer)))
    }

    /// The edition as it stands, printed if need be: once per version, however many ask at once. An edition that nothing
    /// ever entered is a valid feed without entries; whether there is such an edition, the caller knows. Blocking: reads
    /// the store and texts, renders and compresses.
    ///
    /// # Errors
    /// [`PressError`] if the store fails, or if nothing is recorded yet to print with.
    pub fn print(&self, edition: &EditionId, format: &dyn Format) -> Result<Arc<Printed>, PressError> {
        if let Some(printed) = self.ready(edition, format)? {
            return Ok(printed);
        }
        // Of an edition there always is a window.
        self.part(edition, Part::Window, format)?.ok_or(PressError::Unready)
    }

    /// A part of an edition as it stands, printed if need be: once per version, however many ask at once. `None` if there
    /// is no such page of its archive. Blocking.
    ///
    /// # Errors
    /// As [`Press::print`].
    pub fn part(
        &self,
        edition: &EditionId,
        part: Part,
        format: &dyn Format,
    ) -> Result<Option<Arc<Printed>>, PressError> {
        let key = key(edition, part, format);
        let shelf = match part {
            Part::Window => &self.shelf,
            _ => &self.aside,
        };
        alone(shelf, &key, || match self.fresh(shelf, &key) {
            Some(printed) => Ok(Some(printed)),
            None => self.printed(edition, part, format, shelf, &key),
        })
    }

    fn fresh(&self, shelf: &Mutex<Shelf>, key: &Key) -> Option<Arc<Printed>> {
        let view = self.store.view();
        let (applied, settings) = (view.meta().applied.seq, view.settings());
        locked(shelf).fresh(key, applied, &settings)
    }

    /// The feed of a search, if it is known to be as it was printed last.
    #[must_use]
    pub fn searched_ready(&self, searched: &Searched<'_>, format: &dyn Format) -> Option<Arc<Printed>> {
        self.fresh(&self.searches, &searched.key(format))
    }

    /// The feed of a search, printed if need be from what `find` finds: searched once a ledger record, however many ask at
    /// once. It has no version of its own: its entity tag says whether it changed. Blocking.
    ///
    /// # Errors
    /// As [`Press::print`], and as `find`.
    pub fn searched<E: From<PressError>>(
        &self,
        searched: &Searched<'_>,
        format: &dyn Format,
        find: impl FnOnce() -> Result<Hits, E>,
    ) -> Result<Arc<Printed>, E> {
        let key = searched.key(format);
        alone(&self.searches, &key, || {
            if let Some(printed) = self.fresh(&self.searches, &key) {
                return Ok(printed);
            }
            let (applied, settings, desk, empty) = {
                let view = self.store.view();
                (view.meta().applied.seq, view.settings(), view.meta().desk, view.empty())
            };
            let hits = find()?;
            let site = site(&settings).ok_or(PressError::Unready)?;
            let gazetteer = self.gazetteer(&settings);
            let edition = &EditionId::All;
            let plate = Plate { edition, name: None, site, settings: &settings, gazetteer: &gazetteer };
            let minutes = minutes(&hits.stories);
            let version = hits.stories.iter().map(|(_, story)| story.printed).max_by_key(|version| version.modified);
            let version = version.unwrap_or(empty);
            let mut channel = plate.channel(format.extension());
            let query = utf8_percent_encode(searched.query, SEGMENT);
            let address = format!("{}/feeds/search.{}?q={query}", base(site), format.extension());
            let with = |part: Part| format!("{address}{}", part.query().replacen('?', "&", 1));
            searched.query.clone_into(&mut channel.title);
            channel.id = format!("{desk}/search/{query}");
            channel.home = format!("{}/search?q={query}", base(site));
            channel.address = with(searched.part);
            channel.next = hits.next.map(|order| with(Part::Before(order, hits.limit)));
            channel.modified = Time::from_seconds(version.modified);
            channel.ttl = minutes;
            let grows = format.grows();
            let entry = |(_, story)| self.entry(story, site, &settings, grows);
            channel.entries = hits.stories.into_iter().filter_map(entry).collect();
            self.renders.fetch_add(1, Ordering::Relaxed);
            // Whether a search has something new nobody knows before it is made: no hub can tell.
            channel.hub = None;
            let printed = Printed::new(format.render(&channel), version, minutes * 60, format.media_type(), channel);
            Ok(locked(&self.searches).keep(key.clone(), Arc::new(printed), applied, Arc::clone(&settings)))
        })
    }

    /// What a part of an edition holds, in one view: version and entries belong together.
    fn contents(
        &self,
        view: &View<'_>,
        edition: &EditionId,
        part: Part,
        format: &dyn Format,
    ) -> Result<Option<Contents>, StoreError> {
        if let Part::Archive(n) = part {
            return Ok(view.archive(edition, n)?.map(|page| Contents {
                version: page.version,
                stories: page.stories,
                next: None,
                previous: page.previous,
                at: Some(page.n),
            }));
        }
        let version = version(view, edition, format)?;
        let (mut stories, limit) = match part {
            Part::Newest(limit) => (view.newest(edition, limit)?, limit),
            Part::Before(before, limit) => (view.page(edition, Some(before), limit + 1)?, limit),
            Part::Window | Part::Archive(_) => (view.window(edition)?, usize::MAX),
        };
        let last = stories.get(limit.min(stories.len()).wrapping_sub(1)).map(|(order, _)| *order);
        let more = match (part, last) {
            (_, None) => false,
            (Part::Window, Some(_)) if !self.paged => false,
            (Part::Window | Part::Newest(_), Some(last)) => !view.page(edition, Some(last), 1)?.is_empty(),
            (_, Some(_)) => stories.len() > limit,
        };
        stories.truncate(limit);
        let previous = if part == Part::Window { view.newest_run(edition)? } else { None };
        Ok(Some(Contents { version, stories, next: last.filter(|_| more), previous, at: None }))
    }

    fn printed(
        &self,
        edition: &EditionId,
        part: Part,
        format: &dyn Format,
        shelf: &Mutex<Shelf>,
        key: &Key,
    ) -> Result<Option<Arc<Printed>>, PressError> {
        let (applied, name, settings, contents, desk) = {
            let view = self.store.view();
            let name = view.edition(edition)?.and_then(|head| head.name);
            let contents = self.contents(&view, edition, part, format)?;
            (view.meta().applied.seq, name, view.settings(), contents, view.meta().desk)
        };
        let Some(contents) = contents else { return Ok(None) };
        let Contents { version, stories, next, previous, at } = contents;
        if let Some(printed) = locked(shelf).take(key, version, applied, &settings) {
            return Ok(Some(printed));
        }
        let site = site(&settings).ok_or(PressError::Unready)?;
        let minutes = if at.is_some() { Self::ARCHIVED } else { minutes(&stories) };
        let gazetteer = self.gazetteer(&settings);
        let plate = Plate { edition, name: name.as_deref(), site, settings: &settings, gazetteer: &gazetteer };
        let mut channel = plate.channel(format.extension());
        channel.id = format!("{desk}/{}", edition.key());
        channel.modified = Time::from_seconds(version.modified);
        channel.ttl = minutes;
        let address = channel.address.clone();
        let page = |n: u64| {
            let (stem, extension) = address.rsplit_once('.').unwrap_or((&address, ""));
            format!("{stem}/archive/{n}.{extension}")
        };
        channel.next = next.map(|order| {
            let limit = match part {
                Part::Newest(limit) | Part::Before(_, limit) => limit,
                Part::Window | Part::Archive(_) => stories.len().clamp(1, Part::MOST),
            };
            format!("{address}{}", Part::Before(order, limit).query())
        });
        channel.prev_archive = previous.map(page);
        // A folder of files has nobody who would tell a hub.
        if part == Part::Window && self.paged {
            channel.hub = hub(&settings, site);
        }
        if let Some(n) = at {
            channel.address = page(n);
            channel.current = Some(address);
        } else {
            channel.address = format!("{address}{}", part.query());
        }
        // What grows has no place where nothing changes any more.
        let grows = format.grows() && at.is_none();
        let entry = |(_, story)| self.entry(story, site, &settings, grows);
        channel.entries = stories.into_iter().filter_map(entry).collect();
        self.renders.fetch_add(1, Ordering::Relaxed);
        let printed = Printed::new(format.render(&channel), version, minutes * 60, format.media_type(), channel);
        let printed = Arc::new(printed);
        locked(shelf).put(key.clone(), Arc::clone(&printed), applied, settings);
        Ok(Some(printed))
    }

    /// `None` while the story is held back. Where it `grows` it tells of all copies.
    fn entry(&self, story: Story, site: &Site, settings: &InForce, grows: bool) -> Option<Entry> {
        let copies = if grows { told(&story, settings) } else { Vec::new() };
        let versions = if grows { (story.edits, story.corrections) } else { (0, 0) };
        let mut emission = story.emission?;
        // What is passed on may become less after it was emitted, and never more.
        if let Some(rules) = setting::source(settings, emission.source.as_str()) {
            emission.republish = emission.republish.min(rules.republish);
        }
        if emission.republish < Republish::Summary {
            emission.summary.clear();
        }
        let html = (emission.republish == Republish::Full)
            .then(|| self.texts.item(emission.text))
            .flatten()
            .map(|item| item.html)
            .filter(|html| !html.is_empty());
        let ours = || format!("{}/feeds/source/{}.rss", base(site), emission.source);
        let source_feed = emission.source_feed.clone().unwrap_or_else(ours);
        Some(Entry { guid: story.guid, emission, html, source_feed, copies, versions })
    }

    fn gazetteer(&self, settings: &InForce) -> Arc<Gazetteer> {
        let Some(Setting::Cities(cities)) = settings.get("cities") else { return Gazetteer::builtin() };
        let mut made = locked(&self.gazetteer);
        match &*made {
            Some((of, gazetteer)) if *of == **cities => Arc::clone(gazetteer),
            _ => {
                // What is recorded was checked. Should a later built-in table contradict it, the table alone prints on.
                let gazetteer = Gazetteer::build(cities).unwrap_or_else(|_| Gazetteer::builtin());
                *made = Some((Cities::clone(cities), Arc::clone(&gazetteer)));
                gazetteer
            }
        }
    }
}

/// What the head of an edition is made of.
struct Plate<'a> {
    edition: &'a EditionId,
    /// A tag's spelling.
    name: Option<&'a str>,
    site: &'a Site,
    settings: &'a InForce,
    gazetteer: &'a Gazetteer,
}

impl Plate<'_> {
    /// The channel without entries and times.
    fn channel(&self, extension: &str) -> Channel {
        let base = base(self.site);
        let subject = self.subject();
        let chinese = self.site.language.to_ascii_lowercase().starts_with("zh");
        let about = subject.as_deref().unwrap_or(&self.site.title);
        let title = match (&subject, self.edition) {
            // Readers cut long titles: what tells feeds apart comes first. A saved feed has the title it was given.
            (Some(name), EditionId::Saved(_)) => name.clone(),
            (Some(name), _) => format!("{name} · {}", self.site.title),
            (None, _) => self.site.title.clone(),
        };
        let description = if chinese {
            format!("{about}：各来源的新闻汇成一处，同一篇只出现一次，链接指向原发布者。")
        } else {
            format!("{about}: news from many sources in one place, each story once, linked to its publisher.")
        };
        Channel {
            title,
            home: format!("{base}{}", page(self.edition, self.gazetteer)),
            address: format!("{base}{}", feed(self.edition, extension, self.gazetteer)),
            description,
            language: self.site.language.clone(),
            image: Some(format!("{base}{}", feed(self.edition, "png", self.gazetteer))),
            public_url: base.to_owned(),
            ..Channel::default()
        }
    }

    /// What the edition is about, for people; `None` for everything.
    fn subject(&self) -> Option<String> {
        let place = |code: Code| self.gazetteer.unit(code).map_or_else(|| code.to_string(), |unit| unit.short.clone());
        match self.edition {
            EditionId::All => None,
            EditionId::City(code) | EditionId::Province(code) => Some(place(*code)),
            EditionId::Tag(id) => Some(self.tag(id)),
            EditionId::CityTag(code, id) => Some(format!("{} · {}", place(*code), self.tag(id))),
            EditionId::Source(id) => Some(named(self.settings, id.as_str())),
            EditionId::Saved(id) => Some(match self.settings.get(&format!("feed/{id}")) {
                Some(Setting::Feed(feed)) if !feed.title.is_empty() => feed.title.clone(),
                _ => id.clone(),
            }),
        }
    }

    /// A tag as its first story spelt it, for good; as its rule does while there is none.
    fn tag(&self, id: &str) -> String {
        if let Some(name) = self.name {
            return name.to_owned();
        }
        let rule = match self.settings.get("tags") {
            Some(Setting::Tags(rules)) => rules.iter().find(|rule| Tag::new(&rule.id).is_some_and(|tag| tag.id == id)),
            _ => None,
        };
        rule.map_or_else(|| id.to_owned(), |rule| rule.id.clone())
    }
}

/// What is written as it is in one segment of a path: the unreserved characters of RFC 3986 section 2.3.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What an edition's feed and its page have in common in their addresses. A tag stands there by its folded id, which
/// never changes, whoever spells it otherwise.
fn path(edition: &EditionId, gazetteer: &Gazetteer) -> String {
    let segment = |name: &str| utf8_percent_encode(name, SEGMENT).to_string();
    let slug = |code: Code| match gazetteer.unit(code) {
        Some(unit) if !unit.slug.is_empty() => unit.slug.clone(),
        _ => code.to_string(),
    };
    match edition {
        EditionId::All => "/all".to_owned(),
        EditionId::City(code) => format!("/city/{}", slug(*code)),
        EditionId::Province(code) => format!("/province/{}", slug(*code)),
        EditionId::Tag(id) => format!("/tag/{}", segment(id)),
        EditionId::Source(id) => format!("/source/{id}"),
        EditionId::Saved(id) => format!("/saved/{}", segment(id)),
        EditionId::CityTag(code, tag) => format!("/city/{}/tag/{}", slug(*code), segment(tag)),
    }
}

/// Path of an edition's feed: `/feeds/city/xuchang.rss`.
#[must_use]
pub fn feed(edition: &EditionId, extension: &str, gazetteer: &Gazetteer) -> String {
    format!("/feeds{}.{extension}", path(edition, gazetteer))
}

/// Path of an edition's page for people: `/city/xuchang`.
#[must_use]
pub fn page(edition: &EditionId, gazetteer: &Gazetteer) -> String {
    match edition {
        EditionId::All => "/".to_owned(),
        EditionId::Source(source) => format!("/sources/{source}"),
        other => path(other, gazetteer),
    }
}

fn base(site: &Site) -> &str {
    site.public_url.trim_end_matches('/')
}

fn site(settings: &InForce) -> Option<&Site> {
    match settings.get("site") {
        Some(Setting::Site(site)) => Some(site),
        _ => None,
    }
}

/// The hub that feeds name.
fn hub(settings: &InForce, site: &Site) -> Option<String> {
    match settings.get("publish") {
        Some(Setting::Publish(publish)) => websub::announced(&publish.hub, &site.public_url),
        _ => None,
    }
}

fn version(view: &View<'_>, edition: &EditionId, format: &dyn Format) -> Result<Version, StoreError> {
    let Some(head) = view.edition(edition)? else { return Ok(view.empty()) };
    let (version, grown) = (head.version, head.grown);
    if !format.grows() {
        return Ok(version);
    }
    Ok(Version { seq: version.seq.max(grown.seq), modified: version.modified.max(grown.modified) })
}

/// Name of a source for people.
fn named(settings: &InForce, id: &str) -> String {
    let name = setting::source(settings, id).map(|rules| &rules.name).filter(|name| !name.is_empty());
    name.map_or_else(|| id.to_owned(), Clone::clone)
}

/// A story's copies, as programs are told of them.
fn told(story: &Story, settings: &InForce) -> Vec<Told> {
    let copies = story.copies.iter().enumerate();
    copies
        .map(|(at, copy)| Told {
            source: copy.source.to_string(),
            name: named(settings, copy.source.as_str()),
            title: copy.title.clone(),
            link: copy.link.clone(),
            seen: copy.seen,
            published: copy.published.as_ref().map(|claim| claim.at),
            rank: match copy.rank {
                Rank::Origin => "origin",
                Rank::Media => "media",
                Rank::Reprint => "reprint",
            },
            shown: at == story.shown as usize,
            joined: copy.joined.as_ref().map(|why| (why.to_string(), copy.score)),
        })
        .collect()
}

/// Minutes a reader may wait: a quarter of the median gap between entries, within bounds. Of the entries alone, never of
/// now, so that it changes only when they do.
fn minutes(stories: &[(Order, Story)]) -> u32 {
    let mut gaps: Vec<i64> = stories.windows(2).map(|pair| pair[0].0.at.since(pair[1].0.at)).collect();
    let middle = gaps.len() / 2;
    let quarter = if gaps.is_empty() { i64::MAX } else { *gaps.select_nth_unstable(middle).1 / (4 * Time::MINUTE) };
    quarter.clamp(Press::SOONEST, Press::LATEST) as u32
}

fn key(edition: &EditionId, part: Part, format: &dyn Format) -> Key {
    let key = match part {
        Part::Window => edition.key(),
        Part::Archive(n) => format!("{}#{n}", edition.key()),
        other => format!("{}{}", edition.key(), other.query()),
    };
    (key, format.extension())
}

/// Makes something of this name while nobody else does: whoever asks meanwhile waits, and finds it made.
fn alone<T>(shelf: &Mutex<Shelf>, key: &Key, make: impl FnOnce() -> T) -> T {
    let gate = Arc::clone(locked(shelf).printing.entry(key.clone()).or_default());
    let made = {
        let _only = locked(&gate);
        make()
    };
    drop(gate);
    let mut shelf = locked(shelf);
    // Nobody else holds the gate: the next version gets a new one.
    if shelf.printing.get(key).is_some_and(|gate| Arc::strong_count(gate) == 1) {
        shelf.printing.remove(key);
    }
    made
}

/// The lock, also after a panic under it: what it guards is whole between any two statements.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn gzip(bytes: &[u8]) -> Bytes {
    // The header's time stays 0, so that equal documents are equal compressed.
    let mut encoder = flate2::write::GzEncoder::new(Vec::with_capacity(bytes.len() / 3), flate2::Compression::new(6));
    match encoder.write_all(bytes).and_then(|()| encoder.finish()) {
        Ok(compressed) => compressed.into(),
        Err(error) => unreachable!("compressing to memory failed: {error}"),
    }
}

fn zstd(bytes: &[u8]) -> Bytes {
    // Level 6: as small as gzip at its usual level in a third of its time.
    match ::zstd::bulk::compress(bytes, 6) {
        Ok(compressed) => compressed.into(),
        Err(error) => unreachable!("compressing to memory failed: {error}"),
    }
}

fn brotli(bytes: &[u8]) -> Bytes {
    // Quality 5 is as fast as gzip and a fifth smaller; higher ones cost ten times as much for a few per cent.
    let params = brotli::enc::BrotliEncoderParams { quality: 5, size_hint: bytes.len(), ..Default::default() };
    let mut out = Vec::with_capacity(bytes.len() / 3);
    match brotli::BrotliCompress(&mut &*bytes, &mut out, &params) {
        Ok(_) => out.into(),
        Err(error) => unreachable!("compressing to memory failed: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::model::edit::{Body, Cause, Edit, Progress, Record};
    use crate::model::id::{Guid, ItemKey, SourceId, StoryNo};
    use crate::model::item::Item;
    use crate::model::place::Placed;
    use crate::model::position::Position;
    use crate::model::setting::{Publish, SavedFeed, TagRule};
    use crate::model::source::SourceRules;
    use crate::model::story::{Copy, Emission};
    use crate::model::tag::Tag;
    use crate::render::rss::Rss;

    const XUCHANG: Code = Code(411_000);
    /// 2026-11-10 12:00 UTC.
    const START: Time = Time(1_794_312_000_000);

    /// The whole text of every story, by the number of its record on the wire; the odd ones are gone.
    struct Wire;

    impl Texts for Wire {
        fn item(&self, at: Position) -> Option<Item> {
            at.seq.is_multiple_of(2).then(|| Item { html: format!("<p>whole text {}</p>", at.seq), ..Item::default() })
        }
    }

    /// A store with its folder, and the ledger so far.
    struct Desk {
        store: Arc<Store>,
        press: Arc<Press>,
        seq: u64,
        _folder: tempfile::TempDir,
    }

    impl Desk {
        fn empty() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let store = Arc::new(Store::open(folder.path()).expect("a store"));
            let press = Arc::new(Press::new(Arc::clone(&store), Arc::new(Wire)));
            Self { store, press, seq: 0, _folder: folder }
        }

        fn new() -> Self {
            let mut desk = Self::empty();
            desk.set(vec![
                Setting::from(Site {
                    title: "河南城市新闻".to_owned(),
                    language: "zh-CN".to_owned(),
                    public_url: "https://desk.example/news/".to_owned(),
                    contact: None,
                    zone: "Asia/Shanghai".to_owned(),
                }),
                Setting::from(Publish { items: 60, hub: "none".to_owned() }),
                Setting::from(Cities::default()),
                Setting::Tags(vec![TagRule { id: "Edu 教育".to_owned(), when: "双减".to_owned() }]),
                Setting::from(SavedFeed {
                    id: "schools".to_owned(),
                    title: "河南教育".to_owned(),
                    when: "双减".to_owned(),
                }),
                Setting::Source(
                    SourceRules {
                        id: source(),
                        name: "许昌晨报".to_owned(),
                        republish: Republish::Full,
                        ..SourceRules::default()
                    }
                    .into(),
                ),
            ]);
            desk
        }

        fn record(&mut self, body: Body) {
            self.seq += 1;
            let at = START.plus(self.seq as i64 * 10 * Time::MINUTE);
            let record = Record { at, progress: Progress::default(), body };
            self.store.apply(Position { seq: self.seq, sum: 0 }, &record).expect("applied");
        }

        fn set(&mut self, set: Vec<Setting>) {
            self.record(Body::Settings { set, gone: vec![], closes: true });
        }

        /// Story `no`, in these editions; every one has `minutes` between it and the one before.
        fn story(&mut self, no: u64, editions: &[EditionId], minutes: i64, republish: Republish) {
            let key = ItemKey::guid(&no.to_string());
            let copy = Copy { source: source(), key: key.clone(), title: format!("story {no}"), ..Copy::default() };
            let placed = |code, name: &str| Placed {
                code,
                name: name.to_owned(),
                score: 900,
                evidence: vec![],
                counties: vec![],
                point: None,
            };
            let emission = Emission {
                title: format!("story {no}"),
                link: format!("https://news.example/{no}"),
                summary: format!("summary {no}"),
                creator: "许昌晨报".to_owned(),
                source: source(),
                source_name: "许昌晨报".to_owned(),
                source_feed: (no == 2).then(|| "https://news.example/rss".to_owned()),
                published: START,
                offset: 480,
                cities: vec![placed(XUCHANG, "许昌市")],
                tags: vec![Tag::new("教育").expect("a tag")],
                republish,
                text: Position { seq: no, sum: 0 },
                first: START,
                ..Emission::default()
            };
            let story = StoryNo(no);
            self.record(Body::Edits(vec![
                Edit::Open { story, guid: Guid::mint(&source(), &key, 0), copy: Box::new(copy) },
                Edit::Emit { story, emission: Box::new(emission), cause: Cause::First },
                Edit::Enter { story, at: START.plus(no as i64 * minutes * Time::MINUTE), editions: editions.to_vec() },
            ]));
        }

        fn print(&self, edition: &EditionId) -> Arc<Printed> {
            self.press.print(edition, &Rss).expect("printed")
        }

        fn text(&self, edition: &EditionId) -> String {
            String::from_utf8(self.print(edition).bytes.to_vec()).expect("UTF-8")
        }
    }

    fn source() -> SourceId {
        SourceId::new("xuchang-daily").expect("an id")
    }

    fn city() -> EditionId {
        EditionId::City(XUCHANG)
    }

    #[test]
    fn an_edition_is_printed_once_a_version() {
        let mut desk = Desk::new();
        desk.story(1, &[EditionId::All, city()], 60, Republish::Summary);
        let first = desk.print(&city());
        let all = desk.print(&EditionId::All);
        assert!(Arc::ptr_eq(&first, &desk.print(&city())) && desk.press.renders() == 2);
        // Elsewhere: this one stays as it is.
        desk.story(2, &[EditionId::All], 60, Republish::Summary);
        assert!(Arc::ptr_eq(&first, &desk.print(&city())));
        let later = desk.print(&EditionId::All);
        assert!(later.version > all.version && later.modified > all.modified && later.etag != all.etag);
        assert_eq!(desk.press.renders(), 3);
        // Another press over the same store, as after a restart: the same bytes, the same tag.
        let again = Press::new(Arc::clone(&desk.store), Arc::new(Wire)).print(&city(), &Rss).expect("printed");
        assert_eq!((&again.bytes, &again.etag, again.version), (&first.bytes, &first.etag, first.version));
        assert!(desk.press.ready(&city(), &Rss).expect("ready").is_some());
        assert!(desk.press.ready(&EditionId::Province(Code(410_000)), &Rss).expect("ready").is_none());
    }

    #[test]
    fn what_an_edition_says_of_itself() {
        let mut desk = Desk::new();
        let tag = EditionId::Tag("教育".to_owned());
        let both = EditionId::CityTag(XUCHANG, "教育".to_owned());
        desk.story(1, &[EditionId::All, city(), tag.clone()], 60, Republish::Summary);
        desk.story(2, &[EditionId::All], 60, Republish::Summary);
        let base = "https://desk.example/news";
        let table = [
            (EditionId::All, "河南城市新闻", "/", "/feeds/all.rss", 2),
            (city(), "许昌 · 河南城市新闻", "/city/xuchang", "/feeds/city/xuchang.rss", 1),
            (
                EditionId::Province(Code(410_000)),
                "河南 · 河南城市新闻",
                "/province/henan",
                "/feeds/province/henan.rss",
                0,
            ),
            (tag, "教育 · 河南城市新闻", "/tag/%E6%95%99%E8%82%B2", "/feeds/tag/%E6%95%99%E8%82%B2.rss", 1),
            (
                both,
                "许昌 · 教育 · 河南城市新闻",
                "/city/xuchang/tag/%E6%95%99%E8%82%B2",
                "/feeds/city/xuchang/tag/%E6%95%99%E8%82%B2.rss",
                1,
            ),
            (
                EditionId::Tag(Tag::new("Edu 教育").unwrap().id),
                "Edu 教育 · 河南城市新闻",
                "/tag/edu%E6%95%99%E8%82%B2",
                "/feeds/tag/edu%E6%95%99%E8%82%B2.rss",
                0,
            ),
            (
                EditionId::Source(source()),
                "许昌晨报 · 河南城市新闻",
                "/sources/xuchang-daily",
                "/feeds/source/xuchang-daily.rss",
                0,
            ),
            (EditionId::Saved("schools".to_owned()), "河南教育", "/saved/schools", "/feeds/saved/schools.rss", 0),
        ];
        for (edition, title, home, address, entries) in table {
            let text = desk.text(&edition);
            let head = text.split("<item>").next().unwrap_or_default();
            for needed in [
                format!("<title>{title}</title>"),
                format!("<link>{base}{home}</link>"),
                format!("<atom:link href=\"{base}{address}\" rel=\"self\""),
            ] {
                assert!(head.contains(&needed), "{needed} is missing in {head}");
            }
            assert_eq!(text.matches("<item>").count(), entries, "{title}");
        }
        // The source element is always a feed: theirs, or ours of it.
        let text = desk.text(&EditionId::All);
        assert!(text.contains("<source url=\"https://news.example/rss\">"), "{text}");
        assert!(text.contains("<source url=\"https://desk.example/news/feeds/source/xuchang-daily.rss\">"), "{text}");
        let order: Vec<_> = text.match_indices("<title>story ").map(|(at, _)| &text[at + 13..at + 14]).collect();
        assert_eq!(order, ["2", "1"], "newest first");
    }

    #[test]
    fn an_edition_without_entries_is_a_valid_feed() {
        let desk = Desk::new();
        let printed = desk.print(&EditionId::City(Code(513_200)));
        let read = ::rss::Channel::read_from(&printed.bytes[..]).expect("a feed");
        assert_eq!((read.title(), read.items().len()), ("阿坝 · 河南城市新闻", 0));
        assert_eq!((printed.max_age, read.ttl()), (900, Some("15")));
        assert!(printed.modified > START.seconds());
        let empty = Desk::empty();
        assert!(matches!(empty.press.print(&EditionId::All, &Rss), Err(PressError::Unready)));
    }

    #[test]
    fn whole_texts_are_printed_where_they_may_be_and_while_they_are_kept() {
        let mut desk = Desk::new();
        for (no, republish) in
            [(1, Republish::Full), (2, Republish::Full), (4, Republish::Summary), (6, Republish::Title)]
        {
            desk.story(no, &[city()], 60, republish);
        }
        let text = desk.text(&city());
        assert!(text.contains("<p>whole text 2</p>"), "{text}");
        assert_eq!(text.matches("content:encoded>").count(), 2, "one element, opened and closed: {text}");
    }

    #[test]
    fn a_republish_that_says_less_counts_for_what_was_published_before() {
        let mut desk = Desk::new();
        desk.story(2, &[city()], 60, Republish::Full);
        let all = [(Republish::Full, true, true), (Republish::Summary, false, true), (Republish::Title, false, false)];
        for (republish, whole, summary) in all.into_iter().chain([all[0]]) {
            let name = "许昌晨报".to_owned();
            desk.set(vec![Setting::Source(
                SourceRules { id: source(), name, republish, ..SourceRules::default() }.into(),
            )]);
            let text = desk.text(&city());
            let told = (text.contains("whole text 2"), text.contains("summary 2"));
            assert_eq!(told, (whole, summary), "{republish:?}: {text}");
        }
    }

    #[test]
    fn a_reader_waits_a_quarter_of_the_usual_gap() {
        for (minutes, max_age) in [(1, 120), (8, 120), (20, 300), (47, 660), (60, 900), (600, 900)] {
            let mut desk = Desk::new();
            for no in 1..=5 {
                desk.story(no, &[city()], minutes, Republish::Summary);
            }
            let printed = desk.print(&city());
            assert_eq!(printed.max_age, max_age, "{minutes} minutes between entries");
            let text = desk.text(&city());
            assert!(text.contains(&format!("<ttl>{}</ttl>", max_age / 60)), "{text}");
        }
    }

    #[test]
    fn changed_settings_are_printed_once_they_are_recorded() {
        let mut desk = Desk::new();
        desk.story(1, &[city()], 60, Republish::Summary);
        let before = desk.print(&city());
        desk.set(vec![Setting::from(Cities { slug: vec![(XUCHANG, "hsuchang".to_owned())], ..Cities::default() })]);
        let text = desk.text(&city());
        assert!(text.contains("/feeds/city/hsuchang.rss"), "{text}");
        desk.set(vec![Setting::from(Site {
            title: "Henan".to_owned(),
            language: "en".to_owned(),
            public_url: "http://127.0.0.1:8080".to_owned(),
            contact: None,
            zone: "UTC".to_owned(),
        })]);
        let after = desk.print(&city());
        assert!(after.version > before.version && after.modified > before.modified);
        let text = desk.text(&city());
        assert!(text.contains("<title>许昌 · Henan</title>") && text.contains("<language>en</language>"), "{text}");
    }

    /// Counts how often it renders, and takes its time.
    #[derive(Debug, Default)]
    struct Slow(AtomicUsize);

    impl Format for Slow {
        fn name(&self) -> &'static str {
            "slow"
        }

        fn extension(&self) -> &'static str {
            "slow"
        }

        fn media_type(&self) -> &'static str {
            "text/plain"
        }

        fn render(&self, channel: &Channel) -> Vec<u8> {
            self.0.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(std::time::Duration::from_millis(50));
            channel.title.clone().into_bytes()
        }
    }

    #[test]
    fn however_many_ask_it_is_rendered_once() {
        let desk = Desk::new();
        let slow = Slow::default();
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| desk.press.print(&EditionId::All, &slow).expect("printed"));
            }
        });
        assert_eq!(slow.0.load(Ordering::SeqCst), 1);
        assert!(locked(&desk.press.shelf).printing.is_empty(), "no gate is left behind");
    }

    #[test]
    fn what_was_asked_for_stands_ready_after_a_restart() {
        let mut desk = Desk::new();
        desk.story(1, &[EditionId::All, city()], 60, Republish::Summary);
        desk.print(&EditionId::All);
        desk.print(&city());
        assert_eq!(desk.press.asked(), "rss city/411000\nrss all\n");
        let again = Press::new(Arc::clone(&desk.store), Arc::new(Wire));
        assert_eq!(again.warm(&format!("{}junk\nrss nowhere\npdf all\n", desk.press.asked())), 2);
        assert!(again.ready(&city(), &Rss).expect("ready").is_some());
        assert_eq!((again.renders(), again.asked()), (2, desk.press.asked()));
    }

    #[test]
    fn the_shelf_is_bounded_and_keeps_what_is_asked_for() {
        let settings = Arc::new(InForce::new());
        let printed = |size: usize| {
            let bytes = Bytes::from(vec![0; size]);
            let (etag, version) = (String::new(), Version::default());
            let forms = [const { OnceLock::new() }; 3];
            Arc::new(Printed {
                bytes,
                forms,
                stamps: OnceLock::new(),
                etag,
                modified: 0,
                max_age: 0,
                media_type: "",
                version,
                address: String::new(),
                hub: None,
            })
        };
        let mut shelf = Shelf { most: Press::SHELF, ..Shelf::default() };
        let third = Press::SHELF / 6 - 1_000;
        for name in ["a", "b", "c"] {
            shelf.put((name.to_owned(), "rss"), printed(third), 1, Arc::clone(&settings));
        }
        let has = |shelf: &mut Shelf, name: &str| {
            shelf.take(&(name.to_owned(), "rss"), Version::default(), 2, &settings).is_some()
        };
        assert!(has(&mut shelf, "a"));
        shelf.put(("d".to_owned(), "rss"), printed(third), 1, Arc::clone(&settings));
        assert!(!has(&mut shelf, "b") && has(&mut shelf, "a") && has(&mut shelf, "c") && has(&mut shelf, "d"));
        shelf.put(("d".to_owned(), "rss"), printed(10), 1, Arc::clone(&settings));
        assert!(shelf.weight < Press::SHELF && has(&mut shelf, "c"));
        // One that fits nowhere is printed, and not kept.
        shelf.put(("e".to_owned(), "rss"), printed(Press::SHELF), 1, Arc::clone(&settings));
        assert!(!has(&mut shelf, "e") && has(&mut shelf, "c"));
        assert_eq!((shelf.kept.len(), shelf.by_use.len()), (3, 3));
    }

    #[test]
    fn coded_forms_are_the_same_document_under_their_own_tags() {
        use std::io::Read;
        let mut desk = Desk::new();
        for no in 1..=9 {
            desk.story(no, &[city()], 60, Republish::Summary);
        }
        let printed = desk.print(&city());
        let mut unzipped = Vec::new();
        flate2::read::GzDecoder::new(&printed.formed(Form::Gzip)[..]).read_to_end(&mut unzipped).expect("gzip");
        assert_eq!(unzipped, printed.bytes);
        let mut unpacked = Vec::new();
        brotli::BrotliDecompress(&mut &printed.formed(Form::Brotli)[..], &mut unpacked).expect("brotli");
        assert_eq!(unpacked, printed.bytes);
        let small = printed.formed(Form::Zstd);
        assert_eq!(::zstd::stream::decode_all(&small[..]).expect("zstd"), printed.bytes);
        let forms = [Form::Gzip, Form::Zstd, Form::Brotli].map(|form| printed.form(form).expect("made once"));
        assert!(forms.iter().all(|form| form.len() < printed.bytes.len() / 2));
        assert!(printed.bytes.len() + forms.iter().map(Bytes::len).sum::<usize>() <= printed.weight());
        let tag = printed.etag.trim_matches('"');
        assert_eq!(printed.etag, format!("\"{tag}\""));
        assert_eq!(printed.etag_for(Some("gzip")), format!("\"{tag}-gzip\""));
        assert_eq!(printed.etag_for(None), printed.etag);
        assert_eq!((tag.len(), printed.media_type), (32, "application/rss+xml; charset=utf-8"));
    }
}
