//! Raw item to item: text, links, times, attribution.
//!
//! [`identify`] first, for every item of every poll, and cheap: which item it is, and whether it is still as it was. Only a
//! new or changed one goes through [`item`]: [`address`] makes links absolute, by the [`rules`] of what in them follows
//! readers; [`policy`] sanitises HTML once, with its [`picture`]s and [`film`]s; [`text`] makes plain text; [`credit`] takes the
//! chain of attribution out of it ([`label`] reads its lines, [`excise`] cuts them out of the HTML); [`moment`] judges dates;
//! [`name`] cleans bylines and tags.

mod address;
mod credit;
mod direct;
mod excise;
mod film;
mod identity;
mod label;
mod moment;
mod name;
mod picture;
mod policy;
mod rules;
mod text;

pub use address::canonical;
pub use identity::{identify, identities};
pub use moment::Siblings;

use crate::model::fold::fold;
use crate::model::id::ItemKey;
use crate::model::item::{Enclosure, Item, Raw};
use crate::model::source::{Kind, Source};
use crate::model::time::Time;
use std::cmp::Reverse;

/// A headline as one clean line.
#[must_use]
pub fn headline(raw: &str) -> String {
    text::headline(raw)
}

/// HTML as plain text, a line for each block.
#[must_use]
pub fn plain(html: &str) -> String {
    text::plain(html)
}

/// Longest plain text kept, in bytes: with the HTML it must fit into one record of the wire ([`Item::LARGEST`]).
const TEXT: usize = 80 * 1024;

/// Longest headline, in characters; what is longer is a text without a headline.
const TITLE: usize = 300;

/// The item, clean and complete.
#[must_use]
pub fn item(raw: &Raw, key: ItemKey, hash: u64, source: &Source, url: &str, at: Time, siblings: &Siblings) -> Item {
    let mut complaints = Vec::new();
    let bases = address::Bases::new(raw.base.as_deref(), url);
    let address = address::of(raw, &bases);
    // A link that several items of the document share is evidence of nothing.
    let own = address.as_ref().filter(|_| !siblings.share(raw));
    let canonical = own.cloned().map(address::canonical_of).unwrap_or_default();
    let link = address.map(String::from).unwrap_or_default();

    let title = raw.title.as_deref().map(text::headline).unwrap_or_default();
    let content = Part::new(raw.content.as_deref(), &bases, &title);
    let summary = Part::new(raw.summary.as_deref(), &bases, &title);
    for part in [&content, &summary] {
        complaints.extend(part.clean.hits.iter().cloned());
    }
    // A description longer than a summary may be is the text itself; a content that holds only a picture is none.
    let length = |part: &Part| part.text.chars().count();
    let whole = length(&content) >= length(&summary) && !content.text.is_empty();
    let first_image = [&content, &summary].into_iter().find_map(|part| part.clean.image.clone());
    let described = !whole && length(&summary) > Item::SUMMARY;
    let html = if described { summary.html() } else { content.html() };
    let short = if summary.text.is_empty() { content.printed() } else { summary.printed() };
    let (main, other) = if whole { (content, summary) } else { (summary, content) };
    let mut full = main.taken.judged(&main.text);
    if full.len() > TEXT {
        full.truncate(full.floor_char_boundary(TEXT));
        complaints.push(format!("the text is longer than {TEXT} bytes: cut"));
    }

    let place = if matches!(source.kind, Kind::Page { .. } | Kind::Api { .. }) { "list" } else { "feed" };
    let (header, footer) = (credit::beside(&raw.header, "page"), credit::beside(&raw.footer, "foot"));
    let credits = credit::chain(credit::stated(raw, &header, place), &other.taken, &main.taken, &footer);
    let in_text = if main.taken.hands.is_empty() { other.taken.hands } else { main.taken.hands };
    let hands = credit::hands(header.hands, in_text, footer.hands);
    let authors = credit::bylines(&raw.authors, &hands, &credits);
    let mut tags = raw.tags.clone();
    tags.extend(header.tags.into_iter().chain(main.taken.tags).chain(other.taken.tags).chain(footer.tags));
    let former = main.taken.headline.or(other.taken.headline).or(header.headline).or(footer.headline);

    let mut title = title;
    // A headline that was cut is whole where the text quotes it.
    if let (Some(stem), Some(former)) = (text::stem(&title), &former)
        && fold(former).starts_with(&stem)
    {
        title.clone_from(former);
    }
    if title.is_empty() {
        title = text::first_sentence(&short);
        complaints.push("no headline: the first sentence of the text stands in".to_owned());
    } else if title.chars().count() > TITLE {
        title = text::cut(&title, TITLE);
        complaints.push(format!("the headline is longer than {TITLE} characters: cut"));
    }

    let published = moment::judge(raw, source, &link, at, siblings, &mut complaints);
    let image = raw.image.as_deref().and_then(|image| bases.absolute(image)).or(first_image);
    let enclosure = raw.enclosure.as_ref().filter(|e| e.length > 0).and_then(|enclosure| {
        Some(Enclosure {
            url: bases.absolute(&enclosure.url)?,
            kind: enclosure.kind.trim().to_owned(),
            length: enclosure.length,
        })
    });
    Item {
        source: source.id().clone(),
        key,
        hash,
        link,
        canonical,
        title,
        summary: text::summary(&short, Item::SUMMARY),
        html,
        published,
        seen: at,
        authors: name::authors(&authors),
        credits,
        tags: name::tags(&tags),
        image,
        enclosure,
        point: raw.point,
        language: raw.language.as_deref().or(siblings.language()).and_then(|raw| name::language(raw, &full)),
        complaints: bounded(complaints),
        text: full,
        hands,
        former,
        rights: raw.rights.as_deref().or(siblings.rights()).and_then(rights),
    }
}

/// What is said of rights, as one line of at most this many characters; nothing if it only holds markup.
const RIGHTS: usize = 200;

fn rights(raw: &str) -> Option<String> {
    let line = text::headline(raw);
    (!line.is_empty()).then(|| text::cut(&line, RIGHTS))
}

/// A text of an item: clean, with its attribution found.
#[derive(Debug, Default)]
struct Part {
    clean: policy::Clean,
    /// Its plain text.
    text: String,
    taken: credit::Taken,
}

impl Part {
    fn new(html: Option<&str>, bases: &address::Bases, title: &str) -> Self {
        let Some(html) = html else { return Self::default() };
        let clean = policy::clean(html, bases);
        let text = text::plain(&clean.html);
        let taken = credit::take(&text, title);
        Self { clean, text, taken }
    }

    /// Its HTML without its attribution.
    fn html(&self) -> String {
        if self.taken.is_empty() {
            return self.clean.html.clone();
        }
        excise::lines(&self.clean.html, &self.text, &self.taken.printed())
    }

    /// Its text without its attribution.
    fn printed(&self) -> String {
        self.taken.print(&self.text)
    }
}

/// Most complaints of one item that are kept: they go on the wire.
const COMPLAINTS: usize = 8;

fn bounded(mut complaints: Vec<String>) -> Vec<String> {
    complaints.sort_by_key(|complaint| Reverse(complaint.starts_with("dated")));
    complaints.dedup();
    complaints.truncate(COMPLAINTS);
    complaints
}
