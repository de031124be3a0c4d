//! `citydesk why`: everything that is known of one story, or what two stories have to do with each other, in words or as
//! JSON.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::export;
use super::find::{self, FindError, Found};
use crate::desk::{self, Rules, Shelf, same};
use crate::editor::Reading;
use crate::journal::Journal;
use crate::model::diff::{Diff, Piece};
use crate::model::evidence::{Likeness, Veto};
use crate::model::id::StoryNo;
use crate::model::place::Placed;
use crate::model::setting::InForce;
use crate::model::story::{Copy, Emission, Part, Sharing, Story};
use crate::model::time::{Claim, Time, Trust};
use crate::place::Gazetteer;
use crate::press;
use crate::serve::account::{Account, Change, Dated, Near, Neighbours, Other};
use crate::serve::reason;
use crate::serve::words::{self, Words};
use crate::store::{Store, StoreError};

/// Copies of a story whose keys are asked for neighbours.
const ASKED: usize = 8;
/// Stories that share a key and are judged.
const JUDGED: usize = 16;
/// Neighbours told.
const TOLD: usize = 8;
/// Texts that share less than this are no neighbours, per mille.
const SHARED: u16 = 100;
/// Characters beside a difference, and characters of differences told in words.
const CONTEXT: usize = 12;
const BUDGET: usize = 400;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// A story: its guid, page, or the address or guid of a copy.
    pub story: String,
    /// Another one: why are the two one story, or why not?
    pub with: Option<String>,
    /// JSON instead of words.
    pub json: bool,
}

impl Asked {
    /// As target for a running daemon.
    #[must_use]
    pub fn target(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("story", &self.story);
        if let Some(with) = &self.with {
            query.append_pair("with", with);
        }
        query.append_pair("form", if self.json { "json" } else { "words" });
        format!("/why?{}", query.finish())
    }

    /// The inverse of [`Asked::target`], of what stands behind the question mark.
    #[must_use]
    pub fn parse(query: &str) -> Self {
        let mut asked = Self { story: String::new(), with: None, json: false };
        for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match &*key {
                "story" => asked.story = value.into_owned(),
                "with" => asked.with = Some(value.into_owned()),
                "form" => asked.json = value == "json",
                _ => {}
            }
        }
        asked
    }
}

/// Answers why. Cheap to share; keeps the rules it judged by last.
#[derive(Debug)]
pub struct Inquiry {
    store: Arc<Store>,
    journal: Journal,
    rules: Mutex<Option<(Arc<InForce>, Arc<Rules>)>>,
}

impl Inquiry {
    /// Over this store, with the texts of this journal.
    #[must_use]
    pub const fn new(store: Arc<Store>, journal: Journal) -> Self {
        Self { store, journal, rules: Mutex::new(None) }
    }

    /// The rules in force, as recorded.
    fn rules(&self) -> Arc<Rules> {
        let settings = self.store.view().settings();
        let mut kept = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, rules)) = kept.as_ref().filter(|(of, _)| Arc::ptr_eq(of, &settings)) {
            debug_assert!(Arc::ptr_eq(of, &settings));
            return Arc::clone(rules);
        }
        let rules = Arc::new(Rules::new(&settings, kept.as_ref().map(|(_, rules)| rules.as_ref())).0);
        *kept = Some((settings, Arc::clone(&rules)));
        rules
    }

    /// The judgement of today on two stories.
    fn judge(&self, one: &Story, other: &Story) -> Result<(u16, Likeness), Veto> {
        if one.kept_apart(other) {
            return Err(Veto::ByHand);
        }
        if one.spiked || other.spiked {
            return Err(Veto::Spiked);
        }
        let draft = self.store.draft();
        same::between(&self.rules(), one, other, &Reading::new(&draft, &self.journal))
    }

    /// Stories that came near this one.
    ///
    /// # Errors
    /// [`desk::ShelfError`] if the store cannot be read.
    pub fn near(&self, story: &Story) -> Result<Vec<Near>, desk::ShelfError> {
        let draft = self.store.draft();
        let shelf = Reading::new(&draft, &self.journal);
        let mut numbers: BTreeSet<StoryNo> = BTreeSet::new();
        for copy in story.copies.iter().take(ASKED) {
            let Sharing { link, headline, text } = shelf.sharing(copy)?;
            let sharers = headline.into_iter().chain(text).chain([link]).flatten();
            numbers.extend(sharers.map(|sharer| sharer.no));
        }
        let mut met: BTreeSet<StoryNo> = [story.no].into();
        let mut near = Vec::new();
        // The newest first: what came near long ago is of another time.
        for no in numbers.into_iter().rev().take(JUDGED) {
            let Some(other) = desk::going_on(&shelf, no)?.filter(|other| met.insert(other.no)) else { continue };
            let judgement = self.judge(story, &other);
            if !matches!(judgement, Err(Veto::Unlike(shared)) if shared.is_none_or(|shared| shared < SHARED)) {
                near.push(Near { other: Other::of(&other), judgement });
            }
        }
        let order = |near: &Near| match &near.judgement {
            Ok((score, _)) => (0, u16::MAX - score),
            Err(Veto::Unlike(shared)) => (2, u16::MAX - shared.unwrap_or_default()),
            Err(_) => (1, 0),
        };
        near.sort_by_key(order);
        near.truncate(TOLD);
        Ok(near)
    }

    /// [`Inquiry::near`] for the pages: what cannot be read is left out.
    #[must_use]
    pub fn neighbours(self: &Arc<Self>) -> Neighbours {
        let inquiry = Arc::clone(self);
        Arc::new(move |story| {
            inquiry.near(story).unwrap_or_else(|error| {
                tracing::error!(%error, "what came near a story cannot be told");
                Vec::new()
            })
        })
    }

    /// The answer, with a line break at its end.
    ///
    /// # Errors
    /// [`FindError`] if no story is meant.
    pub fn answer(&self, gazetteer: &Gazetteer, asked: &Asked) -> Result<String, FindError> {
        let found = find::story(&self.store.view(), &asked.story)?;
        let (value, text) = match &asked.with {
            Some(with) => {
                let other = find::story(&self.store.view(), with)?;
                self.pair(&found, &other)
            }
            None => self.one(gazetteer, &found)?,
        };
        Ok(if asked.json { format!("{}\n", pretty(&value)) } else { text })
    }

    fn one(&self, gazetteer: &Gazetteer, found: &Found) -> Result<(Value, String), FindError> {
        let story = &found.story;
        let near = self.near(story).map_err(|error| StoreError::Damaged(error.0))?;
        let settings = self.store.view().settings();
        let account = Account::of(story, &settings, &self.journal, near).named(story, &self.store.view())?;
        let teller = Teller { story, account: &account, gazetteer, words: words::of("en") };
        Ok((teller.json(found), teller.words(found)))
    }

    /// Why two stories are one, or are not.
    fn pair(&self, one: &Found, other: &Found) -> (Value, String) {
        let line = |found: &Found| json!({ "id": found.story.guid.to_string(), "title": find::title(&found.story) });
        let mut text = String::new();
        if one.story.no == other.story.no {
            let story = &one.story;
            let mut named: Vec<&Copy> = one.copies.iter().chain(&other.copies).collect();
            if named.is_empty() {
                named = story.copies.iter().collect();
            }
            let _ = writeln!(text, "one story: {}", find::line(story));
            let mut joins = Vec::new();
            for copy in named {
                let why = copy.joined.as_ref().map_or_else(|| "opened the story".to_owned(), ToString::to_string);
                let score = copy.joined.as_ref().map(|_| thousandth(copy.score));
                let _ = writeln!(text, "  {} {}: {why}{}", copy.source, copy.link, sure(copy));
                joins.push(json!({ "source": copy.source.as_str(), "url": copy.link, "reason": why, "score": score }));
            }
            for retired in one.retired.iter().chain(&other.retired) {
                let _ = writeln!(text, "  {} was retired into it", retired.guid);
            }
            return (json!({ "one": line(one), "other": line(other), "same": true, "joins": joins }), text);
        }
        let _ = writeln!(text, "two stories:\n  {}\n  {}", find::line(&one.story), find::line(&other.story));
        let mut value = json!({ "one": line(one), "other": line(other), "same": false });
        match self.judge(&one.story, &other.story) {
            Ok((score, why)) => {
                let _ = writeln!(text, "alike: {why} ({})", hundredths(score));
                let _ = writeln!(
                    text,
                    "each was a story before the other came, and no item proved them one: `citydesk join` makes them one"
                );
                value["score"] = json!(thousandth(score));
                value["reason"] = json!(why.to_string());
            }
            Err(veto) => {
                let _ = writeln!(text, "not one because: {veto}");
                value["veto"] = json!(veto.to_string());
            }
        }
        (value, text)
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn thousandth(score: u16) -> f64 {
    f64::from(score) / 1000.0
}

fn hundredths(score: u16) -> String {
    format!("{:.2}", thousandth(score))
}

fn sure(copy: &Copy) -> String {
    if copy.joined.is_some() { format!(" ({})", hundredths(copy.score)) } else { String::new() }
}

const fn trust(trust: Trust) -> &'static str {
    match trust {
        Trust::Full => "full trust",
        Trust::Low => "low trust",
        Trust::None => "not believed",
    }
}

const fn degree(trust: Trust) -> &'static str {
    match trust {
        Trust::Full => "full",
        Trust::Low => "low",
        Trust::None => "none",
    }
}

/// Tells of one story.
struct Teller<'a> {
    story: &'a Story,
    account: &'a Account,
    gazetteer: &'a Gazetteer,
    words: &'static Words,
}

impl Teller<'_> {
    fn time(&self, at: Time) -> String {
        at.at_offset(export::offset(self.story)).format("%Y-%m-%d %H:%M:%S %:z").to_string()
    }

    fn state(&self) -> &'static str {
        match self.story {
            story if story.spiked => "taken out by an editor",
            story if story.retired_into.is_some() => "part of another story",
            story if story.emission.is_some() => "in the feeds",
            _ => "held back from the feeds",
        }
    }

    fn date(&self) -> String {
        match self.account.dated {
            Dated::Claimed(index) => {
                let copy = &self.story.copies[index];
                let claim = copy.published.as_ref();
                let said =
                    claim.map_or_else(String::new, |claim| format!(" ({}), {}", claim.method, trust(claim.trust)));
                format!("as claimed by {}{said}", copy.source)
            }
            Dated::Seen => "first seen: nobody claimed a date that can be believed".to_owned(),
            Dated::Pinned => "pinned when it was first published; its copies claim other dates since".to_owned(),
        }
    }

    fn words(&self, found: &Found) -> String {
        let story = self.story;
        let mut out = String::new();
        let _ = writeln!(out, "{}", find::title(story));
        let _ = writeln!(out, "story     {}, {}", story.guid, self.state());
        if let Some(retired) = &found.retired {
            let _ = writeln!(out, "asked     {} was retired into it, and stays where it stands", retired.guid);
        }
        let _ = writeln!(out, "date      {}: {}", self.time(story.published()), self.date());
        for mended in story.emission.iter().flat_map(Emission::mended) {
            let _ = writeln!(out, "repaired  {mended}");
        }
        let _ = writeln!(out, "\nwho had it, in the order seen");
        for index in &self.account.order {
            self.copy(*index, &mut out);
        }
        let list = |out: &mut String, head: &str, placed: &[Placed]| {
            for (at, placed) in placed.iter().enumerate() {
                let head = if at == 0 { head } else { "" };
                let why: Vec<String> = placed.evidence.iter().map(ToString::to_string).collect();
                let _ = writeln!(out, "{head:9} {} {}: {}", placed.name, hundredths(placed.score), why.join("; "));
                let counties = placed.counties.iter().filter_map(|code| self.gazetteer.unit(*code));
                let counties: Vec<&str> = counties.map(|unit| unit.name.as_str()).collect();
                if !counties.is_empty() {
                    let _ = writeln!(out, "            there: {}", counties.join(", "));
                }
            }
        };
        let _ = writeln!(out);
        list(&mut out, "cities", &story.places.cities);
        list(&mut out, "provinces", &story.places.provinces);
        if story.places.cities.is_empty() && story.places.provinces.is_empty() {
            let _ = writeln!(out, "cities    no place was found");
        }
        for dropped in &story.places.dropped {
            let _ = writeln!(out, "not       {dropped}");
        }
        for tagged in &self.account.tags {
            let _ = writeln!(out, "tag       {}: {}", tagged.tag.name, reason::tagged(self.words, tagged));
        }
        let _ = writeln!(out);
        for stand in &self.account.stands {
            let left = if stand.left { ", left its window" } else { "" };
            let address = press::feed(&stand.edition, "rss", self.gazetteer);
            let _ = writeln!(out, "feed      {address} since {}{left}", self.time(stand.since));
        }
        if self.account.stands.is_empty() {
            let _ = writeln!(out, "feed      none");
        }
        for (head, others) in [("absorbed", &self.account.absorbed), ("split off", &self.account.apart)] {
            for other in others {
                let _ = writeln!(out, "{head:9} {}  {}", other.guid, other.title);
            }
        }
        for near in &self.account.near {
            let why = match &near.judgement {
                Ok((score, why)) => format!("alike, {why} ({}): no item proved them one", hundredths(*score)),
                Err(veto) => veto.to_string(),
            };
            let _ = writeln!(out, "near      {}  {}\n            not joined: {why}", near.other.guid, near.other.title);
        }
        out
    }

    fn copy(&self, index: usize, out: &mut String) {
        let (story, account) = (self.story, self.account);
        let copy = &story.copies[index];
        let marks = [
            (index == story.shown as usize, "shown"),
            (account.first == Some(index), "seen first"),
            (account.earliest == Some(index), "claims the earliest date"),
            (copy.held, "held back: its source was new or read anew"),
        ];
        let marks: Vec<&str> = marks.iter().filter(|(holds, _)| *holds).map(|(_, mark)| *mark).collect();
        let marks = if marks.is_empty() { String::new() } else { format!("  [{}]", marks.join(", ")) };
        let _ = writeln!(out, "  {} {} {}{marks}", index + 1, self.time(copy.seen), copy.source);
        let _ = writeln!(out, "      {}", copy.title);
        if !copy.link.is_empty() {
            let _ = writeln!(out, "      {}", copy.link);
        }
        let claimed = copy.published.as_ref().map_or_else(
            || "no date".to_owned(),
            |claim| {
                let at = claim.at.at_offset(claim.offset).format("%Y-%m-%d %H:%M:%S %:z");
                format!("{at} ({}), {}", claim.method, trust(claim.trust))
            },
        );
        let _ = writeln!(out, "      claims   {claimed}");
        let chain = copy.credits.iter().map(|credit| {
            let place = reason::position(self.words, &credit.place);
            if place.is_empty() { credit.name.clone() } else { format!("{} ({place})", credit.name) }
        });
        let chain: Vec<String> = chain.collect();
        if !chain.is_empty() {
            let _ = writeln!(out, "      credits  {}", chain.join(" → "));
        }
        if let Some(why) = &copy.joined {
            let _ = writeln!(out, "      joined   {why} ({})", hundredths(copy.score));
        }
        if let Some(change) = &account.changes[index] {
            if !change.headline.is_empty() {
                let _ = writeln!(out, "      headline {}", drawn(&change.headline));
            }
            let _ = writeln!(out, "      text     {}", told(change));
        }
    }

    fn json(&self, found: &Found) -> Value {
        let (story, account) = (self.story, self.account);
        let offset = export::offset(story);
        let mut value = export::one(story, self.gazetteer);
        let other = |other: &Other| json!({ "id": other.guid.to_string(), "title": other.title });
        value["state"] = json!(self.state());
        let repairs = story.emission.iter().flat_map(|emission| &emission.repairs).map(|repair| {
            let part = match repair.part {
                Part::Headline => "headline",
                Part::Text => "text",
            };
            json!({ "part": part, "from": repair.from.as_str() })
        });
        value["repairs"] = repairs.collect();
        value["asked"] = json!(found.retired.as_ref().map(|retired| retired.guid.to_string()));
        value["date"] = json!({
            "published": export::rfc3339(story.published(), offset),
            "reason": self.date(),
        });
        for (index, copy) in story.copies.iter().enumerate() {
            let told = &mut value["copies"][index];
            told["number"] = json!(index + 1);
            told["seen_first"] = json!(account.first == Some(index));
            told["claims_earliest"] = json!(account.earliest == Some(index));
            told["held"] = json!(copy.held);
            let trusted = |claim: &Claim| json!({ "trust": degree(claim.trust), "method": claim.method });
            told["claim"] = copy.published.as_ref().map_or(Value::Null, trusted);
            let credits = copy.credits.iter().map(|credit| json!({ "name": credit.name, "place": credit.place }));
            told["credits"] = credits.collect();
            told["characters"] = json!(copy.length);
            told["damage"] = json!(copy.damage);
            told["joined"] = copy
                .joined
                .as_ref()
                .map_or(Value::Null, |why| json!({ "reason": why.to_string(), "score": thousandth(copy.score) }));
            told["changed"] = account.changes[index].as_ref().map_or(
                Value::Null,
                |change| json!({ "headline": figures(&change.headline), "text": change.text.as_ref().map(figures) }),
            );
        }
        for (key, placed) in [("cities", &story.places.cities), ("provinces", &story.places.provinces)] {
            let list = placed.iter().map(|placed| {
                json!({
                    "code": placed.code.to_string(),
                    "name": placed.name,
                    "slug": self.gazetteer.unit(placed.code).map(|unit| unit.slug.clone()),
                    "score": thousandth(placed.score),
                    "evidence": placed.evidence.iter().map(ToString::to_string).collect::<Vec<_>>(),
                    "counties": placed.counties.iter().map(ToString::to_string).collect::<Vec<_>>(),
                })
            });
            value[key] = list.collect();
        }
        value["dropped"] = story.places.dropped.iter().map(|dropped| json!(dropped.to_string())).collect();
        let tag = |tagged: &crate::serve::account::Tagged| json!({ "name": tagged.tag.name, "evidence": reason::tagged(self.words, tagged) });
        value["tags"] = account.tags.iter().map(tag).collect();
        let stands = account.stands.iter().map(|stand| {
            json!({
                "edition": stand.edition.key(),
                "feed": press::feed(&stand.edition, "rss", self.gazetteer),
                "since": export::rfc3339(stand.since, offset),
                "left": stand.left,
            })
        });
        value["feeds"] = stands.collect();
        value["retired_into"] = account.became.as_ref().map_or(Value::Null, other);
        value["absorbed"] = account.absorbed.iter().map(other).collect();
        value["split_off"] = account.apart.iter().map(other).collect();
        let near = account.near.iter().map(|near| {
            let mut value = other(&near.other);
            match &near.judgement {
                Ok((score, why)) => {
                    (value["score"], value["reason"]) = (json!(thousandth(*score)), json!(why.to_string()));
                }
                Err(veto) => value["veto"] = json!(veto.to_string()),
            }
            value
        });
        value["near"] = near.collect();
        value
    }
}

/// A difference as one line: `…九站。[-末班十点。-]{+票价不变。+}`.
fn drawn(diff: &Diff) -> String {
    let pieces = diff.excerpt(CONTEXT, BUDGET).into_iter().map(|piece| match piece {
        Piece::Same(text) => text,
        Piece::Cut(text) => format!("[-{text}-]"),
        Piece::Added(text) => format!("{{+{text}+}}"),
    });
    pieces.collect::<String>().replace('\n', " ")
}

fn told(change: &Change) -> String {
    match &change.text {
        None => "nothing to compare".to_owned(),
        Some(diff) if diff.is_empty() => "as shown".to_owned(),
        Some(diff) => {
            let figures = format!("cut {} of {} characters, added {}", diff.cut, diff.of, diff.added);
            if diff.is_other() { format!("{figures}: another text") } else { format!("{figures}: {}", drawn(diff)) }
        }
    }
}

fn figures(diff: &Diff) -> Value {
    let pieces = diff.pieces.iter().map(|piece| match piece {
        Piece::Same(text) => json!({ "same": text }),
        Piece::Cut(text) => json!({ "cut": text }),
        Piece::Added(text) => json!({ "added": text }),
    });
    json!({ "of": diff.of, "cut": diff.cut, "added": diff.added, "pieces": pieces.collect::<Vec<_>>() })
}
