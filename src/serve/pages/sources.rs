//! The sources: how each is doing and why, most trouble first.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;

use super::river::{River, STORIES, before};
use super::{Chrome, Desk};
use crate::model::book::{Entry, State};
use crate::model::edition::EditionId;
use crate::model::id::SourceId;
use crate::model::setting;
use crate::model::source::Republish;
use crate::model::time::Time;
use crate::serve::directory::Source;
use crate::serve::link;
use crate::serve::moment::Moment;
use crate::serve::reason;
use crate::serve::reply::Unmade;

/// Sources on one page.
const ROWS: usize = 500;

#[derive(Template)]
#[template(path = "sources.html")]
struct List {
    chrome: Chrome,
    tallies: Vec<Tally>,
    notices: Vec<String>,
    rows: Vec<Row>,
    more: Option<String>,
}

struct Tally {
    word: &'static str,
    name: &'static str,
    count: usize,
}

struct Row {
    word: &'static str,
    state: &'static str,
    name: String,
    href: String,
    kind: String,
    reason: String,
    last_new: Option<Moment>,
    last_good: Option<Moment>,
    due: Option<Moment>,
    items: u64,
}

/// Its name, what it is, and where it leads.
type Fact = (&'static str, String, Option<String>);

#[derive(Template)]
#[template(path = "source.html")]
struct One {
    chrome: Chrome,
    name: String,
    word: &'static str,
    state: &'static str,
    reason: String,
    retired: bool,
    river: River,
    facts: Vec<Fact>,
    complaints: Vec<String>,
}

impl Desk<'_> {
    /// `/sources`; `complaints` are the daemon's own (a feeds.toml that was not accepted).
    ///
    /// # Errors
    /// [`Unmade`] if the template fails.
    pub fn sources(&self, query: Option<&str>, complaints: &[(&'static str, String)]) -> Result<String, Unmade> {
        let from = query
            .and_then(|query| query.split('&').find_map(|part| part.strip_prefix("from=")))
            .and_then(|from| from.parse::<usize>().ok())
            .unwrap_or(0);
        let all = &self.directory.sources;
        let shown: Vec<&Source> = all.iter().skip(from).take(ROWS).collect();
        let ids: BTreeSet<&SourceId> = shown.iter().map(|source| &source.id).collect();
        let configured = self.settings.sources.iter().filter(|configured| ids.contains(configured.id()));
        let kinds: BTreeMap<&SourceId, &'static str> =
            configured.map(|configured| (configured.id(), configured.kind.name())).collect();
        let states = [
            Some(State::Broken),
            Some(State::Gone),
            Some(State::Silent),
            Some(State::Late),
            Some(State::New),
            Some(State::Ok),
            None,
        ];
        let tallies = states
            .into_iter()
            .map(|state| {
                let (word, name) = self.state(state);
                Tally { word, name, count: all.iter().filter(|source| source.state == state).count() }
            })
            .filter(|tally| tally.count > 0)
            .collect();
        let page = List {
            chrome: self.chrome("sources", Some(self.words.sources), &EditionId::All),
            tallies,
            notices: complaints.iter().map(|(part, sentence)| self.complaint(part, sentence)).collect(),
            rows: shown.into_iter().map(|source| self.row(source, kinds.get(&source.id).copied())).collect(),
            more: (all.len() > from.saturating_add(ROWS))
                .then(|| format!("{}/sources?from={}", self.root, from + ROWS)),
        };
        Ok(page.render()?)
    }

    /// `/sources/{id}`.
    ///
    /// # Errors
    /// [`Unmade`] if the store fails.
    pub fn source(&self, source: &Source, query: Option<&str>) -> Result<String, Unmade> {
        let edition = EditionId::Source(source.id.clone());
        let stories = self.view.page(&edition, before(query), STORIES + 1)?;
        let (word, state) = self.state(source.state);
        let book = self.view.book(&source.id).unwrap_or_default();
        let page = One {
            chrome: self.chrome("sources", Some(&source.name), &edition),
            name: source.name.clone(),
            word,
            state,
            reason: self.trouble(&book),
            retired: source.state.is_none(),
            river: self.river(&stories, STORIES, &link::page(&edition, self.gazetteer)),
            facts: self.facts(source, &book)?,
            complaints: book.complaints.clone(),
        };
        Ok(page.render()?)
    }

    fn facts(&self, source: &Source, book: &Entry) -> Result<Vec<Fact>, Unmade> {
        let (words, columns) = (&self.words.source, &self.words.columns);
        let mut facts = Vec::new();
        let mut say = |name, text: String, href| {
            if !text.is_empty() {
                facts.push((name, text, href));
            }
        };
        let time = |at: Option<Time>| at.map_or_else(String::new, |at| self.dial.moment(at).moment);
        if let Some(home) = self.view.source(&source.id)?.and_then(|head| head.home) {
            say(words.home, home.clone(), link::outside(&home));
        }
        let configured = self.settings.sources.iter().find(|configured| *configured.id() == source.id);
        if let Some(configured) = configured {
            let address = polled(configured.kind.address(), configured.kind.name());
            say(words.polled, format!("{} {address}", configured.kind.name()), None);
        }
        let settings = self.view.settings();
        if let Some(rules) = setting::source(&settings, source.id.as_str()) {
            let name = |code| self.gazetteer.unit(code).map_or_else(|| code.to_string(), |unit| unit.name.clone());
            say(words.about, rules.cities.iter().map(|code| name(*code)).collect::<Vec<_>>().join("、"), None);
            let republish = match rules.republish {
                Republish::Title => words.republish[0],
                Republish::Summary => words.republish[1],
                Republish::Full => words.republish[2],
            };
            say(words.passed_on, republish.to_owned(), None);
        }
        say(columns.last_new, time(book.last_new), None);
        say(columns.last_good, time(book.last_good), None);
        if source.state.is_some() && book.due > Time(0) {
            say(columns.due, time(Some(book.due)), None);
        }
        if book.interval > 0 {
            say(words.interval, (words.span)(book.interval / Time::SECOND), None);
        }
        if source.state.is_some_and(|state| state > State::Ok) {
            say(words.since, time(book.since), None);
        }
        // As of its last poll: a page hangs on no clock.
        let asked = book.last_asked.unwrap_or_default();
        // Where a secret stands in the address or beside it, one may stand in what the server made of it.
        let open =
            configured.is_some_and(|source| source.how.headers.is_empty() && !source.kind.address().contains("${"));
        if let Some(to) = book.settled(asked).filter(|_| open) {
            say(words.moved, polled(to, "feed"), link::outside(to).filter(|to| !to.contains(['?', '@'])));
        }
        if let Some(push) = self.view.push(&source.id).filter(|_| open && source.state.is_some()) {
            say(words.hub, polled(&push.hub, "hub"), None);
            let until = push.until.filter(|_| push.since.is_some());
            for (name, at) in words.pushed.into_iter().zip([push.since, push.last, until]) {
                say(name, time(at), None);
            }
            say(words.pushed[3], push.trouble, None);
        }
        if book.status > 0 {
            say(words.status, book.status.to_string(), None);
        }
        let format = [book.format.as_str(), book.charset.as_str()];
        say(words.format, format.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · "), None);
        say(columns.items, source.items.to_string(), None);
        Ok(facts)
    }

    fn row(&self, source: &Source, kind: Option<&str>) -> Row {
        let (word, state) = self.state(source.state);
        let book = self.view.book(&source.id);
        let book = book.as_ref();
        let moment = |at: Option<Time>| at.filter(|at| *at > Time(0)).map(|at| self.dial.moment(at));
        Row {
            word,
            state,
            name: source.name.clone(),
            href: format!("{}/sources/{}", self.root, source.id),
            kind: kind.unwrap_or_default().to_owned(),
            reason: book.map_or_else(String::new, |entry| self.trouble(entry)),
            last_new: moment(book.and_then(|entry| entry.last_new)),
            last_good: moment(book.and_then(|entry| entry.last_good)),
            due: moment(book.filter(|_| source.state.is_some()).map(|entry| entry.due)),
            items: source.items,
        }
    }

    /// Why a source is in its state, in the language of the site.
    fn trouble(&self, book: &Entry) -> String {
        reason::trouble(self.words, book, &|at| self.dial.moment(at).moment)
    }

    /// A state as a class of the style sheet and in words.
    fn state(&self, state: Option<State>) -> (&'static str, &'static str) {
        let names = &self.words.states;
        match state {
            Some(State::Ok) => ("ok", names[0]),
            Some(State::Late) => ("late", names[1]),
            Some(State::Silent) => ("silent", names[2]),
            Some(State::Broken) => ("broken", names[3]),
            Some(State::Gone) => ("gone", names[4]),
            Some(State::New) => ("new", names[5]),
            None => ("retired", names[6]),
        }
    }

    fn complaint(&self, part: &str, sentence: &str) -> String {
        if part == "feeds.toml" {
            format!("{}\n{sentence}", self.words.config_wrong)
        } else {
            format!("{part}: {sentence}")
        }
    }
}

/// What may be shown of a polled address: a folder on our own disk is nobody's business, and neither is what stands
/// behind the question mark, where keys are.
fn polled(address: &str, kind: &str) -> String {
    if kind == "files" {
        return address.rsplit('/').next().unwrap_or(address).to_owned();
    }
    let (shown, query) = address.split_once('?').map_or((address, ""), |(shown, _)| (shown, "?…"));
    let (scheme, rest) = shown.split_once("://").unwrap_or(("", shown));
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}{query}")
}

#[cfg(test)]
mod tests {
    use super::polled;

    #[test]
    fn what_is_shown_of_an_address() {
        for (address, kind, expected) in [
            ("https://news.example/rss.xml", "feed", "https://news.example/rss.xml"),
            ("https://u:p@news.example/rss?key=secret", "feed", "https://news.example/rss?…"),
            ("https://news.example/a@b/rss", "feed", "https://news.example/a@b/rss"),
            ("/srv/desk/samples/*.xml", "files", "*.xml"),
            ("https://${HOST}/rss?key=${KEY}", "feed", "https://${HOST}/rss?…"),
        ] {
            assert_eq!(polled(address, kind), expected, "{address}");
        }
    }
}
