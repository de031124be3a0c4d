//! Same story?
//!
//! **Candidates** are stories that share a key with the item: its canonical link, the beginning of its folded headline,
//! one of the two smallest hashes of the headline's shingles, its city with its figures, or one of the smallest hashes of
//! its text's shingles. One that shares but headline or text, and names another city in its headline, is none; nor is one
//! that shares but pieces of headline or text that [`Sharer::MOST`] stories have, or but one that [`Sharer::FEW`] have: a
//! phrase; nor is one of long ago that shares less than [`Sharer::OLD`] keys, and not its link. Those that share most keys
//! are looked at, at most [`LOOKED_AT`]: so the cost of an item does not grow with the archive. Headlines are compared with
//! those of all copies; texts with one copy of the story, its fullest, and not with any member: chains would creep from one
//! story to the next.
//!
//! **Evidence**, strongest first:
//!
//! * the same canonical link, and headlines or texts that are related (a link that stands under another headline *and*
//!   another text is the site's front page, or an address used again: no identity);
//! * headlines alike and one text contained in the other: at least 400 of 1,000 of the shingles of the *shorter* one stand
//!   in the longer (containment, not Jaccard: a cut copy breaks Jaccard), 700 where the shorter is but a line. Headlines
//!   are alike that are equal, cut, part of the other, or a word apart ([`super::headline`]);
//! * another headline, but 500 of 1,000 of the shorter text's shingles in the longer: retitled, or a part of it;
//! * where one side has no text, the headline alone: equal and of a weight of ten within ten days, of eight within three;
//!   cut or part of the other, of a weight of ten, within ten days; a character more or less, of a weight of fourteen,
//!   within three; the same city with the same two or more figures, on one day or the next, and a third of the
//!   shorter headline's pairs of characters in the other;
//! * equal headlines of a weight of at least twelve on the same day in different sources, whatever the texts: each has its
//!   own lead.
//!
//! **Vetoes**, without which look-alikes merge:
//!
//! * the headlines name different cities, or neither names one, the sources serve different cities and the texts are not
//!   contained: one template serves many towns;
//! * the numbers contradict: fewer than 700 of 1,000 of the numbers of the shorter text stand in the longer (last month's
//!   bulletin has other numbers);
//! * the dates are more than ten days apart. Reprints are often dated by the day of their import, so a text contained by
//!   850 of 1,000 outweighs this; so does one of 600 under a like headline if nine in ten of its numbers agree, and, for a
//!   headline without text, that it says much: a weight of sixteen, or of twelve with a figure, within [`LATE`];
//! * the story already holds another item of this source, which would not list one article twice, unless the headlines
//!   are alike and the texts contained by 850 of 1,000 with the same numbers; or, within twelve hours, by 500 without a
//!   contradiction: a further version; or, within six hours, one of them is a headline without a text. Of a source's
//!   headlines of one word each, another word is another thing: it lists names or addresses;
//! * the headline recurs: some source has used it for two stories, or this one on another day. Then it says nothing
//!   without a text;
//! * under another headline, the shorter text stands in the midst of a text more than twice as long: a digest;
//! * either source has `join = false`, unless both are the same.
//!
//! Known misses: retold stories, and translations.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use super::headline::{Alike, Headline};
use super::{Case, Rules, Shelf, ShelfError};
use crate::model::evidence::{Headlines, Likeness, Veto};
use crate::model::fold::letters;
use crate::model::id::{SourceId, StoryNo};
use crate::model::place::Code;
use crate::model::shingle::{LEAST, SHORTEST, Shingled};
use crate::model::story::{Copy, Sharer, Sharing, Story};
use crate::model::time::{Time, Trust};

/// A story that the item is a copy of, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Which story.
    pub story: StoryNo,
    /// How sure, 0 to 1000.
    pub score: u16,
    /// What speaks for it.
    pub why: Likeness,
}

/// So many stories are compared with an item.
const LOOKED_AT: usize = 16;
/// Copies of one story are dated at most so far apart.
const WINDOW: i64 = 10 * Time::DAY;
/// Copies dated by their import may be so late.
const LATE: i64 = 250 * Time::DAY;
/// Further versions of one source's item come so soon: tomorrow's bulletin is another one.
const VERSION: i64 = 12 * Time::HOUR;
/// Headlines that share so many pairs of characters may be two of one article; per mille.
const HALF: usize = 500;
/// Items of a series, under one headline, that are dated so far apart are another day's.
const SERIES: i64 = 2 * Time::DAY;
/// So many stories under a headline that recurs, or begins as many do, are compared with an item: those that share most
/// keys with it.
const SERIES_LOOKED_AT: usize = 4;
/// A headline without text and its article are listed by one source so soon after each other.
const LISTED: i64 = 6 * Time::HOUR;
/// Containment that makes two texts one, headlines being alike; per mille.
const CONTAINED: u32 = 400;
/// Containment that makes two texts one under other headlines, or two of one source's items; per mille.
const CONTAINED_ALONE: u32 = 500;
/// Containment of a late copy under a like headline; per mille.
const CONTAINED_MOSTLY: u32 = 600;
/// Containment of a line of text in the article, headlines being alike; per mille.
const CONTAINED_LINE: u32 = 700;
/// Containment that outweighs the window; per mille.
const CONTAINED_ANYWAY: u32 = 850;
/// Containment without which two texts that an item is contained in are two stories; per mille.
const RELATED: u32 = 300;
/// Numbers of the shorter text that must stand in the longer; per mille.
const NUMBERS: u32 = 700;
/// Numbers that must stand in the longer text of a further version; per mille.
const NUMBERS_MOSTLY: u32 = 850;
/// Fewer numbers than this contradict nothing.
const FEW: usize = 3;
/// An equal headline of so much weight is the same story on the same day, and says much if it tells a figure.
const LONG_HEADLINE: usize = 12;
/// An equal headline of so much weight is the same story within three days, one side having no text.
const SHORT_HEADLINE: usize = 8;
/// What an equal headline adds to a contained text: it tells between two stories that one text holds.
const EQUAL: u16 = 10;
/// A headline of so much weight may have lost a character.
const LOST_HEADLINE: usize = 14;
/// A headline of so much weight says much.
const TELLING_HEADLINE: usize = 16;
/// Part of a short headline's pairs that must stand in another that tells the same figures; per mille.
const TOLD: usize = 330;
/// So much of a text is compared, in folded characters.
pub(super) const COMPARED: usize = 8_000;

/// The stories an item is a copy of, surest first; the older one first where they are as sure. `copy` is what is kept of
/// it, `folded` its text, folded.
///
/// # Errors
/// [`ShelfError`] if the past cannot be read.
pub fn find(rules: &Rules, copy: &Copy, folded: Vec<char>, shelf: &dyn Shelf) -> Result<Vec<Match>, ShelfError> {
    let (candidates, common) = candidates(copy, shelf)?;
    let mut stories: Vec<Story> = Vec::new();
    for no in candidates {
        let Some(story) = super::going_on_card(shelf, no)? else { continue };
        if !stories.iter().any(|known| known.no == story.no) {
            stories.push(story);
        }
    }
    let mut found = Vec::new();
    if stories.is_empty() {
        return Ok(found);
    }
    let own = Side { common, ..Side::folded(copy, folded) };
    let stories: Vec<Known<'_>> = stories.iter().map(Known::of).collect();
    let recurring = recurs(&own, &stories);
    let mut compared = 0;
    for known in &stories {
        if recurring && known.headlines.iter().any(|theirs| own.headline.equals(theirs)) {
            compared += 1;
            if compared > SERIES_LOOKED_AT {
                continue;
            }
        }
        if let Ok((score, why)) = weigh(rules, &own, known, recurring, shelf) {
            found.push(Match { story: known.story.no, score, why });
        }
    }
    found.sort_by_key(|m| (std::cmp::Reverse(m.score), m.story));
    Ok(found)
}

/// Stories to be compared with a copy, those that share most keys first; and which hashes of its text many stories have.
fn candidates(copy: &Copy, shelf: &dyn Shelf) -> Result<(Vec<StoryNo>, Vec<u64>), ShelfError> {
    let mut votes: BTreeMap<StoryNo, usize> = BTreeMap::new();
    // Those that share more than words of a headline.
    let mut told: BTreeSet<StoryNo> = BTreeSet::new();
    // A shared link says more than a shared headline, and that more than a shared piece of text.
    let Sharing { link, headline, text } = shelf.sharing(copy)?;
    for sharer in link {
        *votes.entry(sharer.no).or_default() += 100;
        told.insert(sharer.no);
    }
    // By its beginning alone a headline that recurs is found.
    let series = headline.first().is_some_and(|sharers| sharers.len() >= Sharer::MOST);
    let common = copy.sketch.iter().zip(&text).filter(|(_, sharers)| sharers.len() >= Sharer::MOST);
    let common = common.map(|(hash, _)| *hash).collect();
    // Of each key: those who share it, what that counts, whether it is of the text, and whether it nominates by itself.
    let few = |sharers: &[Sharer]| sharers.len() < Sharer::FEW;
    let headline = headline.iter().enumerate().map(|(index, sharers)| (sharers, 4, false, index == 0 || few(sharers)));
    let (mut phrases, mut once): (Vec<&Sharer>, BTreeSet<StoryNo>) = (Vec::new(), BTreeSet::new());
    for (sharers, vote, of_text, telling) in headline.chain(text.iter().map(|sharers| (sharers, 3, true, few(sharers))))
    {
        // What many have is a phrase, and nominates none.
        if sharers.len() >= Sharer::MOST && !telling {
            phrases.extend(sharers);
            continue;
        }
        for sharer in sharers.iter().filter(|sharer| !elsewhere(&copy.named, sharer.named.as_slice())) {
            if telling || votes.contains_key(&sharer.no) || !once.insert(sharer.no) {
                *votes.entry(sharer.no).or_default() += vote;
                if of_text {
                    told.insert(sharer.no);
                }
            }
        }
    }
    for sharer in phrases {
        if let Some(votes) = votes.get_mut(&sharer.no) {
            *votes += 1;
        }
    }
    let mut candidates: Vec<(usize, StoryNo)> = votes.into_iter().map(|(no, votes)| (votes, no)).collect();
    candidates.sort_unstable_by(|one, other| other.cmp(one));
    if series {
        let mut by_headline = 0;
        candidates.retain(|(_, no)| {
            by_headline += usize::from(!told.contains(no));
            told.contains(no) || by_headline <= SERIES_LOOKED_AT
        });
    }
    candidates.truncate(LOOKED_AT);
    Ok((candidates.into_iter().map(|(_, no)| no).collect(), common))
}

/// Whether the copy shown of one story is a copy of the other, either way: the surer answer.
///
/// # Errors
/// What speaks against it.
pub fn between(rules: &Rules, one: &Story, other: &Story, shelf: &dyn Shelf) -> Result<(u16, Likeness), Veto> {
    let ask = |own: &Story, story: &Story| {
        let own = Side::kept(own.shown().ok_or(Veto::Unlike(None))?, shelf);
        let known = Known::of(story);
        let recurring = recurs(&own, std::slice::from_ref(&known));
        weigh(rules, &own, &known, recurring, shelf)
    };
    match (ask(one, other), ask(other, one)) {
        (Ok(one), Ok(other)) => Ok(if other.0 > one.0 { other } else { one }),
        (Ok(found), Err(_)) | (Err(_), Ok(found)) => Ok(found),
        (Err(veto), Err(_)) => Err(veto),
    }
}

/// One side of a comparison.
struct Side<'a> {
    copy: &'a Copy,
    headline: Headline,
    text: Shingled,
    /// Hashes of its sketch that many stories have: a phrase, and no sign that two texts are one.
    common: Vec<u64>,
}

impl<'a> Side<'a> {
    fn of(copy: &'a Copy, text: &str) -> Self {
        Self::folded(copy, letters(text))
    }

    fn folded(copy: &'a Copy, mut folded: Vec<char>) -> Self {
        folded.truncate(COMPARED);
        Self { copy, headline: Headline::of(&copy.title), text: Shingled::of(folded), common: Vec::new() }
    }

    /// Whether its text shares no hash with those of a story, but for these, although it would if half of it stood in the
    /// one it is compared with: neither is but a small part of the other.
    fn is_strange_to(&self, story: &Story, theirs: &Copy, but: &[u64]) -> bool {
        let (own, other) = (self.copy.length, theirs.length);
        let shared = |hash: &u64| !but.contains(hash) && story.copies.iter().any(|copy| copy.sketch.contains(hash));
        own.min(other) >= own.max(other) / 3 && !self.copy.sketch.is_empty() && !self.copy.sketch.iter().any(shared)
    }

    fn kept(copy: &'a Copy, shelf: &dyn Shelf) -> Self {
        Self::of(copy, &shelf.text(copy.wire).unwrap_or_default())
    }
}

/// A story with the headlines of its copies, in their order, made ready for comparing once.
struct Known<'a> {
    story: &'a Story,
    headlines: Vec<Headline>,
}

impl<'a> Known<'a> {
    fn of(story: &'a Story) -> Self {
        Self { story, headlines: story.copies.iter().map(|copy| Headline::of(&copy.title)).collect() }
    }

    fn copies(&self) -> impl Iterator<Item = (&Copy, &Headline)> {
        self.story.copies.iter().zip(&self.headlines)
    }
}

/// When a copy claims to be from; when it was seen, if it claims nothing that can be believed.
#[must_use]
pub fn date(copy: &Copy) -> Time {
    let believed = copy.published.as_ref().filter(|claim| claim.trust > Trust::None);
    believed.map_or(copy.seen, |claim| claim.at)
}

fn span(one: &Copy, other: &Copy) -> i64 {
    date(one).since(date(other)).abs()
}

/// The copy that the others are compared with: the one shown, unless it is but a part of another.
#[must_use]
pub fn fullest(story: &Story) -> Option<&Copy> {
    let shown = story.shown()?;
    let fullest = story.copies.iter().rev().max_by_key(|copy| (std::cmp::Reverse(copy.damage), copy.length))?;
    let longest = story.copies.iter().rev().max_by_key(|copy| copy.length)?;
    // Half as long says that it is a part; a damaged one that is whole serves better than an undamaged line.
    let enough = |copy: &Copy| copy.length * 2 >= longest.length;
    Some([shown, fullest].into_iter().find(|copy| enough(copy)).unwrap_or(longest))
}

/// Whether this headline is used for more than one story.
fn recurs(own: &Side<'_>, stories: &[Known<'_>]) -> bool {
    let mut users: BTreeSet<&SourceId> = BTreeSet::new();
    for known in stories {
        let mut here: BTreeSet<&SourceId> = BTreeSet::new();
        for (copy, _) in known.copies().filter(|(_, theirs)| own.headline.equals(theirs)) {
            if copy.source == own.copy.source && span(copy, own.copy) > VERSION {
                return true;
            }
            here.insert(&copy.source);
        }
        if here.iter().any(|source| users.contains(source)) {
            return true;
        }
        users.extend(here);
    }
    false
}

/// How sure it is that the item is a copy of the story, and why; else why not.
fn weigh(
    rules: &Rules,
    own: &Side<'_>,
    known: &Known<'_>,
    recurring: bool,
    shelf: &dyn Shelf,
) -> Result<(u16, Likeness), Veto> {
    let (copy, story) = (own.copy, known.story);
    let theirs = fullest(story).ok_or(Veto::Unlike(None))?;
    let alone = |copy: &Copy| rules.source(&copy.source).is_some_and(|source| !source.join);
    let siblings: Vec<&Copy> = story.copies.iter().filter(|c| c.source == copy.source).collect();
    // A source that stays alone may still rewrite its guids: its own items it may meet again.
    if alone(copy) && siblings.is_empty() {
        return Err(Veto::Alone(copy.source.clone()));
    }
    if alone(theirs) && theirs.source != copy.source {
        return Err(Veto::Alone(theirs.source.clone()));
    }
    let facing = Facing::of(own, known);
    let linked = !copy.canonical.is_empty() && story.copies.iter().any(|c| c.canonical == copy.canonical);
    if linked && facing.alike.is_some() {
        return Ok((1000, Likeness::Address { with: theirs.source.clone() }));
    }
    // The places are asked before a text is fetched: most look-alikes end here.
    let named: Vec<Code> = story.copies.iter().flat_map(|c| c.named.iter().copied()).collect();
    if !linked && elsewhere(&copy.named, &named) {
        return Err(Veto::Cities);
    }
    // One copy dated late must not push the others out.
    let apart = story.copies.iter().map(|c| span(c, copy)).min().unwrap_or_default();
    // Of texts that share a good part, the smallest hashes tell it: most strangers end here.
    if !linked && !theirs.sketch.is_empty() {
        let likely = || known.headlines.iter().any(|theirs| own.headline.shared(theirs) >= HALF);
        if facing.alike.is_none() && own.is_strange_to(story, theirs, &[]) && !likely() {
            return Err(Veto::Unlike(None));
        }
        if recurring && apart > SERIES && own.is_strange_to(story, theirs, &own.common) {
            return Err(Veto::Recurring);
        }
    }
    let other = Side::kept(theirs, shelf);
    let texts = Texts::of(&own.text, &other.text);
    let told = texts.contained.map(|c| c as u16);
    // The gist leaves digits out: a read counter is no edit, but last month's bulletin has other numbers.
    let gist = story.copies.iter().any(|c| c.gist == copy.gist);
    if gist && facing.alike.is_some() && own.text.weight >= LEAST && texts.agree() {
        return Ok((980, Likeness::Copied { with: theirs.source.clone() }));
    }
    // A source's own address used for another item again and again is a page, not an article.
    if linked {
        let related = (texts.over(CONTAINED) && siblings.is_empty()) || texts.copied();
        return if related { Ok((950, Likeness::Related)) } else { Err(Veto::Page) };
    }
    let enough = texts.enough(facing.alike);
    let figures = told_in_figures(own, known);
    if facing.alike.is_none() && !enough && !(figures && texts.contained.is_none()) {
        return Err(Veto::Unlike(told));
    }
    if texts.agreeing().is_some_and(|agreeing| agreeing < NUMBERS) {
        return Err(Veto::Numbers);
    }
    if let Some(near) = siblings.iter().map(|c| span(c, copy)).min()
        && (!again(&facing, &texts, near) || siblings.iter().any(|sibling| other_name(copy, sibling)))
    {
        return Err(Veto::Repeated(copy.source.clone()));
    }
    // What is dated by its import is the bare headline, and later than the article.
    let imported = if own.text.weight < LEAST { date(copy) > date(theirs) } else { date(theirs) > date(copy) };
    if apart > WINDOW && !late(own, &facing, &texts, apart, imported) {
        return Err(Veto::Days((apart / Time::DAY) as u32));
    }
    if copy.named.is_empty() && named.is_empty() && !enough {
        let serves = |copy: &Copy| rules.source(&copy.source).map(|s| s.cities.clone()).unwrap_or_default();
        if elsewhere(&serves(copy), &serves(theirs)) {
            return Err(Veto::Served);
        }
    }
    let headline = match facing.alike {
        Some(Alike::Equal) => Headlines::Equal,
        Some(Alike::Cut | Alike::CutOther) => Headlines::Cut,
        Some(Alike::Part) => Headlines::Part,
        Some(Alike::Lost) => Headlines::Lost,
        Some(Alike::Reworded) => Headlines::Reworded,
        None if enough => Headlines::Other,
        None => Headlines::Figures,
    };
    let compared = |day: bool| Likeness::Compared { headline, contained: told, day };
    match texts.contained {
        Some(_) if enough && facing.alike.is_none() && digest(&own.text, &other.text) => Err(Veto::Digest),
        Some(c) if enough => {
            let equal = u16::from(facing.alike == Some(Alike::Equal));
            Ok((700 + (c / 4) as u16 + equal * EQUAL, compared(false)))
        }
        None => match facing.suffices(figures, apart) {
            Some(_) if recurring => Err(Veto::Recurring),
            Some(score) => Ok((score, compared(false))),
            None => Err(Veto::Unlike(None)),
        },
        Some(_) if facing.alike == Some(Alike::Equal) && facing.weight >= LONG_HEADLINE && apart <= Time::DAY => {
            if recurring {
                Err(Veto::Recurring)
            } else {
                Ok((700, compared(true)))
            }
        }
        Some(_) => Err(Veto::Unlike(told)),
    }
}

/// A headline against those of a story's copies.
struct Facing {
    /// The best likeness.
    alike: Option<Alike>,
    /// What the shorter of the two headlines that are so alike weighs.
    weight: usize,
}

impl Facing {
    fn of(own: &Side<'_>, known: &Known<'_>) -> Self {
        let others = known.headlines.iter();
        let pairs =
            others.filter_map(|other| Some((own.headline.alike(other)?, other.weight.min(own.headline.weight))));
        let best = pairs.min_by_key(|(alike, weight)| (*alike, std::cmp::Reverse(*weight)));
        Self { alike: best.map(|(alike, _)| alike), weight: best.map_or(0, |(_, weight)| weight) }
    }

    /// How sure the headlines alone make it, with dates so far apart.
    fn suffices(&self, figures: bool, apart: i64) -> Option<u16> {
        let (least, days, score) = match self.alike {
            Some(Alike::Equal) if apart <= 3 * Time::DAY => (SHORT_HEADLINE, 3, 820),
            Some(Alike::Equal) => (super::headline::SHORTEST, i64::MAX, 820),
            Some(Alike::Cut | Alike::CutOther | Alike::Part) => (super::headline::SHORTEST, i64::MAX, 800),
            Some(Alike::Lost) => (LOST_HEADLINE, 3, 760),
            Some(Alike::Reworded) | None => (0, 1, 720),
        };
        let other_words = matches!(self.alike, Some(Alike::Reworded) | None);
        let near = apart <= days.saturating_mul(Time::DAY);
        (self.weight >= least && near && (!other_words || figures)).then_some(score)
    }
}

/// Two texts compared. Their numbers are compared when they are asked for: most look-alikes end before.
struct Texts<'a> {
    one: &'a Shingled,
    other: &'a Shingled,
    /// How much of the shorter stands in the longer, per mille.
    contained: Option<u32>,
    /// What the shorter weighs.
    weight: usize,
    /// Whether one is there and the other is not.
    one_sided: bool,
    agreeing: OnceCell<Option<u32>>,
    agree: OnceCell<bool>,
}

impl<'a> Texts<'a> {
    fn of(one: &'a Shingled, other: &'a Shingled) -> Self {
        Self {
            one,
            other,
            contained: one.containment(other),
            weight: one.ordered(other).0.weight,
            one_sided: (one.weight < LEAST) != (other.weight < LEAST),
            agreeing: OnceCell::new(),
            agree: OnceCell::new(),
        }
    }

    /// How many numbers of the shorter stand in the longer, per mille.
    fn agreeing(&self) -> Option<u32> {
        *self.agreeing.get_or_init(|| agreeing(self.one, self.other))
    }

    /// Whether they all do, as often.
    fn agree(&self) -> bool {
        *self.agree.get_or_init(|| agree(self.one, self.other))
    }

    fn over(&self, least: u32) -> bool {
        self.contained.is_some_and(|contained| contained >= least)
    }

    /// Whether they are the same but for little, and all numbers with them.
    fn copied(&self) -> bool {
        self.over(CONTAINED_ANYWAY) && self.agree()
    }

    /// Whether enough of the shorter stands in the longer, under headlines so alike.
    fn enough(&self, alike: Option<Alike>) -> bool {
        match alike {
            None => self.weight >= SHORTEST && self.over(CONTAINED_ALONE),
            Some(_) => self.over(if self.weight < SHORTEST { CONTAINED_LINE } else { CONTAINED }),
        }
    }

    fn agreeing_over(&self, least: u32) -> bool {
        self.agreeing().is_none_or(|agreeing| agreeing >= least)
    }
}

/// Whether an item of a source that the story has one of already is the same one again, `near` being how far apart they
/// are dated.
fn again(facing: &Facing, texts: &Texts<'_>, near: i64) -> bool {
    // A source that gives two headlines means two items: what they share is what it writes under everything.
    let Some(alike) = facing.alike else { return false };
    let numbers = if alike <= Alike::Part { NUMBERS } else { NUMBERS_MOSTLY };
    let agreeing = texts.agreeing().map_or_else(|| texts.agree(), |agreeing| agreeing >= numbers);
    let version = texts.over(CONTAINED_ALONE) && agreeing && near <= VERSION;
    let listed =
        texts.one_sided && alike <= Alike::CutOther && near <= LISTED && facing.weight >= super::headline::SHORTEST;
    texts.copied() || version || listed
}

/// Whether both headlines are one word each, and other words: names or addresses of two things. A list of them repeats
/// the text beside each.
fn other_name(copy: &Copy, sibling: &Copy) -> bool {
    let word = |title: &str| title.is_ascii() && !title.trim().contains(char::is_whitespace);
    let (one, other) = (copy.title.trim().to_ascii_lowercase(), sibling.title.trim().to_ascii_lowercase());
    !one.is_empty() && !other.is_empty() && word(&one) && word(&other) && !one.contains(&other) && !other.contains(&one)
}

/// Whether a copy dated outside the window is one still.
fn late(own: &Side<'_>, facing: &Facing, texts: &Texts<'_>, apart: i64, imported: bool) -> bool {
    let part = facing.alike.is_some_and(|alike| alike <= Alike::Part);
    let figure = !own.headline.numbers().is_empty();
    let telling = facing.weight >= TELLING_HEADLINE || (figure && facing.weight >= LONG_HEADLINE);
    match texts.contained {
        Some(_) => texts.over(CONTAINED_ANYWAY) || (part && texts.over(CONTAINED_MOSTLY) && texts.agreeing_over(900)),
        None => part && telling && imported && apart <= LATE,
    }
}

fn elsewhere(one: &[Code], other: &[Code]) -> bool {
    !one.is_empty() && !other.is_empty() && !one.iter().any(|code| other.contains(code))
}

/// Whether a copy's headline tells of the same city and the same figures in other words.
fn told_in_figures(own: &Side<'_>, known: &Known<'_>) -> bool {
    let figures = sorted(own.headline.numbers());
    figures.len() >= 2
        && known.copies().any(|(copy, headline)| {
            copy.named.iter().any(|code| own.copy.named.contains(code))
                && sorted(headline.numbers()) == figures
                && own.headline.shared(headline) >= TOLD
        })
}

fn sorted(mut numbers: Vec<&str>) -> Vec<&str> {
    numbers.sort_unstable();
    numbers
}

/// Whether the shorter text stands in the midst of one more than twice as long: a digest of several stories. A cut copy
/// has the beginning of the article, if not its first sentence.
fn digest(one: &Shingled, other: &Shingled) -> bool {
    let (short, long) = one.ordered(other);
    if long.letters.len() < short.letters.len() * 2 {
        return false;
    }
    let marks: Vec<bool> = short.marks(long).collect();
    let early = marks.iter().take(marks.len() / 3).filter(|mark| **mark).count();
    early * 10 < marks.iter().filter(|mark| **mark).count()
}

/// What keeps two stories apart although one item seems to be a copy of both: it may be a digest, or have a headline that
/// both bear. `None` if nothing does.
#[must_use]
pub fn contradiction(one: &Story, two: &Story, shelf: &dyn Shelf) -> Option<Veto> {
    let (mine, theirs) = (fullest(one)?, fullest(two)?);
    let named = |story: &Story| story.copies.iter().flat_map(|c| c.named.clone()).collect::<Vec<_>>();
    if elsewhere(&named(one), &named(two)) {
        return Some(Veto::Cities);
    }
    let (mine, theirs) = (Side::kept(mine, shelf), Side::kept(theirs, shelf));
    let texts = Texts::of(&mine.text, &theirs.text);
    if texts.agreeing().is_some_and(|agreeing| agreeing < NUMBERS) {
        return Some(Veto::Numbers);
    }
    if let Some(contained) = texts.contained.filter(|c| *c < RELATED) {
        return Some(Veto::Unlike(Some(contained as u16)));
    }
    // One source lists a headline and its article at most hours apart; two articles are two stories.
    let twice = |copy: &&Copy| {
        one.copies.iter().any(|c| c.source == copy.source && (span(c, copy) > LISTED || texts.contained.is_some()))
    };
    let twice = two.copies.iter().find(twice).filter(|_| !texts.over(CONTAINED_MOSTLY))?;
    Some(Veto::Repeated(twice.source.clone()))
}

/// Whether a known key stands for another article now: headline, address and text are all other ones.
#[must_use]
pub fn reused(case: &Case<'_>, old: &Copy, new: &Copy, shelf: &dyn Shelf) -> bool {
    let elsewhere = !old.canonical.is_empty() && !new.canonical.is_empty() && old.canonical != new.canonical;
    if !elsewhere || super::headline::alike(&old.title, &new.title).is_some() {
        return false;
    }
    let (before, now) = (Side::kept(old, shelf), Side::of(new, &case.item.text));
    before.text.containment(&now.text).is_none_or(|contained| contained < CONTAINED)
}

/// The numbers of a text, as [`super::headline::numbers`] finds them; nothing has to be made a string for it.
fn figures(text: &Shingled) -> impl Iterator<Item = &[char]> {
    let runs = text.letters.split(|letter| !(letter.is_ascii_digit() || *letter == '.'));
    let trimmed = runs.map(|mut run| {
        while let ['.', rest @ ..] | [rest @ .., '.'] = run {
            run = rest;
        }
        run
    });
    trimmed.filter(|run| !run.is_empty())
}

/// Whether every number of the shorter text stands in the longer, as often; the last one may be cut.
fn agree(one: &Shingled, other: &Shingled) -> bool {
    let (short, long) = one.ordered(other);
    let (mine, mut theirs): (Vec<&[char]>, Vec<&[char]>) = (figures(short).collect(), figures(long).collect());
    let last = mine.len().saturating_sub(1);
    mine.iter().enumerate().all(|(index, number)| {
        let cut = index == last && short.letters.ends_with(number);
        let same = |their: &&[char]| their == number || (cut && their.starts_with(number));
        let found = theirs.iter().position(same);
        found.map(|index| theirs.swap_remove(index)).is_some()
    })
}

/// How many of the numbers of the shorter text stand in the longer, per mille; `None` if there are too few to tell.
fn agreeing(one: &Shingled, other: &Shingled) -> Option<u32> {
    let (short, long) = one.ordered(other);
    let mine: Vec<&[char]> = figures(short).collect();
    if mine.len() < FEW {
        return None;
    }
    let mut theirs: Vec<&[char]> = figures(long).collect();
    if theirs.is_empty() {
        return None;
    }
    theirs.sort_unstable();
    let shared = mine.iter().filter(|number| theirs.binary_search(number).is_ok()).count();
    Some((shared * 1000 / mine.len()) as u32)
}

#[cfg(test)]
mod tests {
    use super::super::headline::numbers;
    use super::*;

    #[test]
    fn numbers_are_the_same_without_a_string() {
        for text in ["", "增长6.5%，共1,200家，19.", "..5..7 8 . 9亿12", "许昌", "3.15晚会..2026", ".", "146 9亿元3"]
        {
            let shingled = Shingled::of(letters(text));
            let folded: String = shingled.letters.iter().collect();
            let found: Vec<String> = figures(&shingled).map(|number| number.iter().collect()).collect();
            assert_eq!(found, numbers(&folded), "{text}");
        }
        let text = |text: &str| Shingled::of(letters(text));
        let long = text("首班5.30，末班22.15，票价2元，全程40分钟，共9站");
        for (short, expected) in
            [("首班5.30，末班22.1", true), ("首班5.30，末班22.1分", false), ("末班22.15又22.15", false)]
        {
            assert_eq!(agree(&text(short), &long), expected, "{short}");
        }
        assert_eq!(agreeing(&text("首班5.30用时40共8"), &long), Some(666));
        assert_eq!(agreeing(&text("首班5.30用时40"), &long), None);
    }
}
