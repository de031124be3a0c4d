//! From documents to items: which of them are new or changed, and what is made of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;

use super::sieve::Sieve;
use super::signs::Marks;
use super::{AHEAD, ITEMS};
use crate::model::book::{Signs, Skip};
use crate::model::id::{ItemKey, hash64};
use crate::model::item::{Document, Item, Raw};
use crate::model::position::Position;
use crate::model::source::{Kind, Source};
use crate::model::time::{Time, Trust};
use crate::normalise::{self, Siblings};
use crate::parse::{self, Article, Fetched, ParseError};
use crate::store::layout::SourceHead;
use crate::store::{Store, StoreError};
use crate::websub::link::Offer;

/// How the article of an entry without a headline is read, where its source does not say.
const WITHOUT_HEADLINE: &str = "readable";

/// Most entries that state neither headline nor date and may be new at once. More of them are the whole archive of a site:
/// nothing tells the news among them.
pub const UNTOLD: usize = 100;

/// A body in hand.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// Where it came from.
    pub url: String,
    /// As sent, unpacked.
    pub body: Bytes,
    /// `Content-Type` as sent.
    pub content_type: Option<String>,
}

impl Sheet {
    /// As the parser takes it.
    #[must_use]
    pub fn fetched(&self, at: Time) -> Fetched<'_> {
        Fetched { body: &self.body, content_type: self.content_type.as_deref(), url: &self.url, at }
    }
}

/// Documents of a source, read.
#[derive(Debug, Default)]
pub struct Read {
    /// Each with the address that its links are relative to.
    pub documents: Vec<(String, Document)>,
    /// What was wrong with the others.
    pub complaints: Vec<String>,
}

/// Reads bodies. One that cannot be read is a complaint beside the others, unless it is the only one.
///
/// # Errors
/// The first refusal, if nothing could be read.
pub fn read(source: &Source, sheets: &[Sheet], at: Time) -> Result<Read, ParseError> {
    let mut read = Read::default();
    let mut refused = None;
    for sheet in sheets {
        match parse::parse(source, &sheet.fetched(at)) {
            Ok(document) => read.documents.push((sheet.url.clone(), document)),
            Err(error) => {
                read.complaints.push(format!("{}: {error}", sheet.url.trim_start_matches("file:///")));
                refused = refused.or(Some(error));
            }
        }
    }
    match refused {
        Some(error) if read.documents.is_empty() => Err(error),
        _ => Ok(read),
    }
}

/// What is done with a draft at the end of the round.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is filed.
    #[default]
    File,
    /// It waits for its article.
    Hold,
    /// It is left out.
    Out,
}

/// An item that is new or changed, on its way.
#[derive(Debug, Default)]
pub struct Draft {
    /// As the list tells it.
    pub item: Item,
    /// Whether it was not known at all.
    pub new: bool,
    /// How its article is to be read; `None` if it needs none.
    pub how: Option<String>,
    /// Its article, once it is there.
    pub article: Option<Box<Article>>,
    /// What becomes of it.
    pub fate: Fate,
    raw: Option<Box<Raw>>,
    /// Of the document it stands in.
    url: Arc<str>,
    siblings: Arc<Siblings>,
}

impl Draft {
    /// Its key as the poll book has it.
    #[must_use]
    pub fn key(&self) -> u64 {
        hash64(&[self.item.key.0.as_bytes()])
    }

    /// Whether anything is there that a reader could be shown.
    #[must_use]
    pub fn has_headline(&self) -> bool {
        !self.item.title.is_empty() || self.article.as_ref().is_some_and(|article| article.title.is_some())
    }
}

/// What the reading brought.
#[derive(Debug, Default)]
pub struct Reading {
    /// New and changed items.
    pub items: Vec<Item>,
    /// Items that the documents show.
    pub listed: u32,
    /// Of these unknown.
    pub unknown: u32,
    /// Kept away by `drop` and `only`.
    pub dropped: u32,
    /// Newest believable date.
    pub newest: Option<Time>,
    /// Format of the first document.
    pub format: String,
    /// Its character set and why.
    pub charset: String,
    /// Its title.
    pub title: Option<String>,
    /// The page it names as its own.
    pub home: Option<String>,
    /// The hub that it names, and its own address.
    pub offer: Offer,
    /// Minutes between polls that it asks for.
    pub ttl: Option<u32>,
    /// Hours and days in which it wants nobody to ask.
    pub skip: Skip,
    /// Dates of unknown items, where they have any.
    pub moments: Vec<Time>,
    /// What is odd about it.
    pub signs: Signs,
    /// What was wrong.
    pub complaints: Vec<String>,
}

/// Drafts of a round.
#[derive(Debug, Default)]
pub struct Sifted {
    /// In document order.
    pub drafts: Vec<Draft>,
    /// What is known so far.
    pub reading: Reading,
    /// Whether this is the source's first filing, or the first under another reading: then it tells where the source
    /// stands and brings no news.
    pub baseline: bool,
}

/// How the article of an item is to be read; `None` if the source wants none and its list has a headline.
#[must_use]
pub fn article_of(source: &Source, raw: &Raw) -> Option<String> {
    let bare = raw.title.is_none() && matches!(source.kind, Kind::Sitemap(_));
    source.how.body.clone().or_else(|| bare.then(|| WITHOUT_HEADLINE.to_owned()))
}

/// Whether what is filed next is the source's first filing, or the first under another reading. `vouched` is the last one
/// on the wire: it may not be decided yet.
#[must_use]
pub fn is_baseline(source: &Source, head: Option<&SourceHead>, vouched: Position) -> bool {
    match head {
        None => vouched == Position::default(),
        Some(head) => head.reading != source.reading(),
    }
}

/// Identifies every item of the documents, and makes drafts of those that are new or changed. No effect but its result.
///
/// # Errors
/// If the store cannot be asked.
pub fn sift(source: &Source, read: Read, at: Time, store: &Store, vouched: Position) -> Result<Sifted, StoreError> {
    let mut reading = Reading { complaints: read.complaints, ..Reading::default() };
    let sieve = Sieve::of(source, &mut reading.complaints);
    let head = store.view().source(source.id())?;
    let baseline = is_baseline(source, head.as_ref(), vouched);
    let begun = head.map(|head| head.first);
    let mut drafts: Vec<Draft> = Vec::new();
    let mut seen: BTreeSet<ItemKey> = BTreeSet::new();
    let (mut old, mut untold) = (0, 0);
    let mut marks = Marks::default();
    for (url, mut document) in read.documents {
        let room = ITEMS.saturating_sub(reading.listed as usize);
        if document.items.len() > room {
            reading.complaints.push(format!("{} items; only the first {ITEMS} are looked at", document.items.len()));
            document.items.truncate(room);
        }
        reading.listed += document.items.len() as u32;
        let identities = normalise::identities(&document, source, &url);
        let siblings = Arc::new(Siblings::of(&document));
        let shared: Arc<str> = Arc::from(url.as_str());
        let (mut here, mut twice) = (BTreeSet::new(), 0);
        for (raw, (key, hash)) in std::mem::take(&mut document.items).into_iter().zip(identities) {
            let stamp = raw.published.as_ref().or(raw.updated.as_ref());
            let claim = stamp.and_then(|stamp| stamp.claim.as_ref());
            marks.see(raw.title.as_deref(), claim.map(|claim| claim.at), at);
            let claim = claim.filter(|claim| claim.trust > Trust::None);
            if let Some(claim) = claim.filter(|claim| claim.at < at.plus(AHEAD)) {
                reading.newest = reading.newest.max(Some(claim.at));
            }
            if !here.insert(key.clone()) {
                twice += 1;
                continue;
            }
            if !seen.insert(key.clone()) {
                continue; // In an earlier document of this source.
            }
            let known = store.view().known(source.id(), &key)?;
            if known.as_ref().is_some_and(|known| known.hash == hash) {
                continue;
            }
            let bare = raw.title.is_none() && matches!(source.kind, Kind::Sitemap(_));
            if bare && known.is_none() && !baseline {
                // A plain sitemap names everything a site ever wrote, and an old entry may come to light at any time: news
                // is what changed since the source was first read.
                let day = |claim: &crate::model::time::Claim| if claim.trust == Trust::Full { 0 } else { Time::DAY };
                match (claim, begun) {
                    (Some(claim), Some(begun)) if claim.at.plus(day(claim)) < begun => {
                        old += 1;
                        continue;
                    }
                    _ => {}
                }
            }
            untold += usize::from(bare && claim.is_none());
            let how = article_of(source, &raw);
            let item = normalise::item(&raw, key, hash, source, &url, at, &siblings);
            let how = how.filter(|_| !item.link.is_empty());
            // What `drop` refuses by its headline needs no article; what `only` wants may stand in the article alone.
            if if how.is_some() { sieve.drops(&item, source) } else { !sieve.keeps(&item, source) } {
                reading.dropped += 1;
                continue;
            }
            let raw = how.is_some().then(|| Box::new(raw));
            let (url, siblings) = (Arc::clone(&shared), Arc::clone(&siblings));
            let new = known.is_none();
            drafts.push(Draft { item, new, how, raw, url, siblings, ..Draft::default() });
        }
        if twice > 0 {
            reading.complaints.push(format!("items that stand in the document more than once: {twice}"));
        }
        // An index is only the way to its children.
        if reading.format.is_empty() {
            (reading.format, reading.charset) = (document.format, document.charset);
            (reading.title, reading.home, reading.ttl) = (document.title, document.link, document.ttl);
            reading.skip = document.skip;
            reading.offer = Offer { hub: document.hub, topic: document.topic };
        } else {
            reading.title = reading.title.take().or(document.title);
        }
        reading.complaints.extend(document.complaints);
    }
    reading.signs = marks.signs();
    if old > 0 {
        reading.complaints.push(format!("{old} entries without a headline are older than the source: passed over"));
    }
    if untold > UNTOLD {
        let dated = |draft: &Draft| draft.has_headline() || draft.item.published.is_some();
        drafts.retain(dated);
        reading.complaints.push(format!(
            "{untold} entries state neither headline nor date, and no more than {UNTOLD} can be new at once: they were \
             passed over; read a page of the site instead"
        ));
    }
    Ok(Sifted { drafts, reading, baseline })
}

/// Makes items of the drafts that are filed; returns what is not wanted after all, now that its article is known. No
/// effect but its result.
#[must_use]
pub fn finish(source: &Source, sifted: Sifted, at: Time) -> (Reading, Vec<(u64, u64)>) {
    let Sifted { drafts, mut reading, .. } = sifted;
    let sieve = Sieve::of(source, &mut Vec::new());
    let mut unwanted = Vec::new();
    for mut draft in drafts {
        let key = draft.key();
        if draft.fate != Fate::File {
            continue;
        }
        let mut item = draft.item;
        if let (Some(article), Some(mut raw)) = (draft.article.take(), draft.raw.take()) {
            let complaints = [std::mem::take(&mut item.complaints), article.complaints.clone()].concat();
            article.complete(&mut raw, &item.link);
            item = normalise::item(&raw, item.key, item.hash, source, &draft.url, at, &draft.siblings);
            for complaint in complaints {
                if !item.complaints.contains(&complaint) && !complaint.starts_with("no headline") {
                    item.complaints.push(complaint);
                }
            }
            let claim = item.published.as_ref().filter(|claim| claim.trust > Trust::None && claim.at < at.plus(AHEAD));
            reading.newest = reading.newest.max(claim.map(|claim| claim.at));
        }
        if draft.how.is_some() && !sieve.keeps(&item, source) {
            reading.dropped += 1;
            unwanted.push((key, item.hash));
            continue;
        }
        if item.title.is_empty() && item.text.is_empty() {
            unwanted.push((key, item.hash));
            continue;
        }
        if draft.new {
            reading.unknown += 1;
            let claim = item.published.as_ref().filter(|claim| claim.trust == Trust::Full);
            reading.moments.extend(claim.map(|claim| claim.at).filter(|moment| *moment <= at));
        }
        reading.items.push(item);
    }
    (reading, unwanted)
}
