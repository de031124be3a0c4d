//! The page of one story: who had it first, who followed and what each changed, and why it stands where it stands.

use askama::Template;

use super::{Chip, Chrome, Desk};
use crate::model::diff::{Diff, Piece};
use crate::model::edition::EditionId;
use crate::model::story::{self, Story};
use crate::model::time::Trust;
use crate::serve::account::{Account, Change, Dated, Other};
use crate::serve::moment::Moment;
use crate::serve::reply::Unmade;
use crate::serve::{link, reason};

/// Copies listed on the page; the busiest story of a national agency has some hundreds.
const COPIES: usize = 300;
/// Characters shown beside a difference.
const CONTEXT: usize = 12;
/// Characters of a difference shown at most, where the terms allow the whole text.
const DIFFERENCE: usize = 1_200;

#[derive(Template)]
#[template(path = "story.html")]
struct Page {
    chrome: Chrome,
    title: String,
    story_lang: Option<String>,
    published: Option<Moment>,
    creator: String,
    cities: Vec<Chip>,
    tags: Vec<Chip>,
    notices: Vec<Chip>,
    summary: String,
    link: Option<String>,
    copies: Vec<Copy>,
    dated: String,
    places: Vec<Place>,
    dropped: Vec<String>,
    tagged: Vec<(Chip, String)>,
    stands: Vec<Stand>,
    others: Vec<(&'static str, Vec<(Chip, String)>)>,
}

struct Copy {
    seen: Moment,
    claimed: Option<Moment>,
    doubt: Option<&'static str>,
    how_claimed: String,
    source: Chip,
    marks: Vec<&'static str>,
    credit: String,
    title: String,
    link: Option<String>,
    headline: Vec<Stretch>,
    text: Option<String>,
    pieces: Vec<Stretch>,
    joined: String,
}

/// A stretch of a difference: `s`, `del` or `ins`.
struct Stretch {
    kind: Kind,
    text: String,
}

#[derive(PartialEq, Eq)]
enum Kind {
    Same,
    Cut,
    Added,
}

struct Place {
    chip: Chip,
    score: String,
    evidence: Vec<String>,
}

struct Stand {
    chip: Chip,
    since: Moment,
    left: bool,
}

impl Desk<'_> {
    /// `/story/{guid}`.
    ///
    /// # Errors
    /// [`Unmade`] if the store fails.
    pub fn story(&self, story: &Story, account: &Account) -> Result<String, Unmade> {
        let emission = story.emission.as_ref();
        let shown = story.shown();
        let title = emission.map(|e| &e.title).or_else(|| shown.map(|copy| &copy.title)).cloned().unwrap_or_default();
        let edition = story.places.cities.first().map_or(EditionId::All, |placed| EditionId::City(placed.code));
        let mut chrome = self.chrome("", Some(&title), &edition);
        chrome.noindex = true;
        let address = emission.map_or_else(|| shown.map_or("", |copy| &copy.link), |e| &e.link);
        let page = Page {
            chrome,
            title,
            story_lang: emission.and_then(|e| e.language.clone()),
            published: Some(self.dial.moment(story.published())),
            creator: emission.map_or_else(
                || shown.map_or_else(String::new, |copy| self.source_name(&copy.source)),
                |e| e.creator.clone(),
            ),
            cities: self.cities(&story.places.cities),
            tags: self.tags(&story.tags),
            notices: self.notices(story)?,
            // What was never emitted is not ours to pass on.
            summary: emission.map_or_else(String::new, |e| e.summary.clone()),
            link: link::outside(address),
            copies: account.order.iter().take(COPIES).map(|index| self.copy(story, account, *index)).collect(),
            dated: self.dated(story, account),
            places: self.places(story),
            dropped: story.places.dropped.iter().map(|dropped| reason::dropped(self.words, dropped)).collect(),
            tagged: self.tagged(account),
            stands: self.stands(account),
            others: self.others(account),
        };
        Ok(page.render()?)
    }

    fn notices(&self, story: &Story) -> Result<Vec<Chip>, Unmade> {
        let mut notices = Vec::new();
        let mut say = |name: &str, href: String| notices.push(Chip { name: name.to_owned(), href, count: None });
        if story.emission.is_none() {
            say(self.words.held, String::new());
        }
        for mended in story.emission.iter().flat_map(story::Emission::mended) {
            let account = &self.words.account;
            let [headline, text] = if mended.from.len() == 1 { account.repaired } else { account.worded };
            let sentence = match mended.part {
                story::Part::Headline => headline,
                story::Part::Text => text,
            };
            let names: Vec<String> = mended.from.iter().map(|source| self.source_name(source)).collect();
            say(&sentence(&names.join("、")), String::new());
        }
        if let Some(no) = story.retired_into
            && let Some(kept) = self.view.story(no)?
        {
            say(self.words.retired, format!("{}{}", self.root, link::story(kept.guid)));
        }
        Ok(notices)
    }

    fn copy(&self, story: &Story, account: &Account, index: usize) -> Copy {
        let (copy, words) = (&story.copies[index], &self.words.account);
        let claim = copy.published.as_ref();
        let source = self.source_name(&copy.source);
        let marks = [
            (account.first == Some(index), self.words.first),
            (account.earliest == Some(index), words.earliest),
            (index == story.shown as usize, self.words.shown),
            (copy.held, words.held),
        ];
        let change = account.changes[index].as_ref();
        let pieces = change.and_then(|change| Some((change, change.text.as_ref()?)));
        let pieces = pieces.filter(|(_, diff)| !diff.is_other());
        Copy {
            seen: self.dial.moment(copy.seen),
            claimed: claim.map(|claim| self.dial.moment(claim.at)),
            doubt: claim.and_then(|claim| match claim.trust {
                Trust::Full => None,
                Trust::Low => Some(words.doubts[0]),
                Trust::None => Some(words.doubts[1]),
            }),
            how_claimed: claim.map_or_else(String::new, |claim| reason::method(self.words, &claim.method)),
            credit: self.credit(copy, &source),
            source: self.chip(&EditionId::Source(copy.source.clone()), source, None),
            marks: marks.into_iter().filter(|(holds, _)| *holds).map(|(_, mark)| mark).collect(),
            title: copy.title.clone(),
            link: link::outside(&copy.link),
            headline: change.map_or_else(Vec::new, |change| stretches(&change.headline, usize::MAX)),
            text: change.map(|change| self.changed(change)),
            pieces: pieces.map_or_else(Vec::new, |(change, diff)| stretches(diff, change.budget())),
            joined: copy.joined.as_ref().map_or_else(String::new, |why| {
                let why = reason::likeness(self.words, why, &|id| self.source_name(id));
                format!("{why} ({})", sure(copy.score))
            }),
        }
    }

    /// The chain of attribution, nearest first. That a source credits itself tells nobody anything.
    fn credit(&self, copy: &story::Copy, source: &str) -> String {
        let credits = copy.credits.iter().filter(|credit| credit.name != source).map(|credit| {
            let place = reason::position(self.words, &credit.place);
            if place.is_empty() { credit.name.clone() } else { format!("{} ({place})", credit.name) }
        });
        credits.collect::<Vec<_>>().join(" → ")
    }

    fn changed(&self, change: &Change) -> String {
        let words = &self.words.account;
        match &change.text {
            None => words.nothing.to_owned(),
            Some(diff) if diff.is_empty() => words.same.to_owned(),
            Some(diff) if diff.is_other() => words.other.to_owned(),
            Some(diff) => format!("{}{}", words.text, (words.changed)(diff.cut, diff.of, diff.added)),
        }
    }

    fn dated(&self, story: &Story, account: &Account) -> String {
        let words = &self.words.account;
        match account.dated {
            Dated::Claimed(index) => (words.claimed)(&self.source_name(&story.copies[index].source)),
            Dated::Seen => words.seen.to_owned(),
            Dated::Pinned => words.pinned.to_owned(),
        }
    }

    fn tagged(&self, account: &Account) -> Vec<(Chip, String)> {
        let one = |tagged: &crate::serve::account::Tagged| {
            let chip = self.chip(&EditionId::Tag(tagged.tag.id.clone()), tagged.tag.name.clone(), None);
            (chip, reason::tagged(self.words, tagged))
        };
        account.tags.iter().map(one).collect()
    }

    fn stands(&self, account: &Account) -> Vec<Stand> {
        let one = |stand: &crate::serve::account::Stand| Stand {
            chip: self.chip(&stand.edition, self.name(&stand.edition), None),
            since: self.dial.moment(stand.since),
            left: stand.left,
        };
        account.stands.iter().map(one).collect()
    }

    /// Stories that have to do with this one, under their headings.
    fn others(&self, account: &Account) -> Vec<(&'static str, Vec<(Chip, String)>)> {
        let words = &self.words.account;
        let chip = |other: &Other| Chip {
            name: other.title.clone(),
            href: format!("{}{}", self.root, link::story(other.guid)),
            count: None,
        };
        let plain = |others: &[Other]| others.iter().map(|other| (chip(other), String::new())).collect::<Vec<_>>();
        let near = account.near.iter().map(|near| {
            let name = |id: &crate::model::id::SourceId| self.source_name(id);
            let why = match &near.judgement {
                Ok((score, why)) => (words.alike)(&reason::likeness(self.words, why, &name), &sure(*score)),
                Err(veto) => reason::veto(self.words, veto, &name),
            };
            (chip(&near.other), why)
        });
        let lists = [
            (words.absorbed, plain(&account.absorbed)),
            (words.apart, plain(&account.apart)),
            (words.near, near.collect()),
        ];
        lists.into_iter().filter(|(_, list)| !list.is_empty()).collect()
    }

    fn places(&self, story: &Story) -> Vec<Place> {
        let cities = story.places.cities.iter().map(|placed| (EditionId::City(placed.code), placed));
        let provinces = story.places.provinces.iter().map(|placed| (EditionId::Province(placed.code), placed));
        cities
            .chain(provinces)
            .filter(|(_, placed)| !placed.evidence.is_empty())
            .map(|(edition, placed)| Place {
                chip: self.chip(&edition, placed.name.clone(), None),
                score: sure(placed.score),
                evidence: placed.evidence.iter().map(|sign| reason::sign(self.words, sign)).collect(),
            })
            .collect()
    }
}

/// The stretches of a difference, no more of the texts than `budget` characters.
fn stretches(diff: &Diff, budget: usize) -> Vec<Stretch> {
    if diff.is_empty() || budget == 0 {
        return Vec::new();
    }
    let one = |piece| match piece {
        Piece::Same(text) => Stretch { kind: Kind::Same, text },
        Piece::Cut(text) => Stretch { kind: Kind::Cut, text },
        Piece::Added(text) => Stretch { kind: Kind::Added, text },
    };
    diff.excerpt(CONTEXT, budget.min(DIFFERENCE)).into_iter().map(one).collect()
}

/// Thousandths as 0.93.
fn sure(thousandths: u16) -> String {
    let hundredths = (u32::from(thousandths.min(1_000)) + 5) / 10;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::sure;

    #[test]
    fn thousandths_are_written_with_two_places() {
        for (score, text) in [(0, "0.00"), (4, "0.00"), (5, "0.01"), (934, "0.93"), (1_000, "1.00"), (2_000, "1.00")] {
            assert_eq!(sure(score), text);
        }
    }
}
