//! Articles of new items: fetched within the round, before anything is filed.
//!
//! An item waits until its text is there: it is not filed, so it is not known, and the next poll meets it again, soon and
//! without conditions. After [`TRIES`] attempts or [`HOLD`] it is filed with what its list tells. A source's first filing
//! tells where the source stands; nothing of it waits, or what waited would count as news.

use super::draft::{Draft, Fate};
use super::reach::{Missing, Reach};
use crate::clock::Clock;
use crate::model::book::Held;
use crate::model::time::Time;
use crate::parse::{self, Article};

/// Attempts at an article.
pub const TRIES: u32 = 3;
/// Longest wait for an article, from when its item was met first.
pub const HOLD: i64 = 10 * Time::MINUTE;
/// Pause before the next attempt.
pub const PAUSE: i64 = 2 * Time::MINUTE;
/// Articles asked for in one round; further items wait for the next one.
pub const ARTICLES: usize = 60;
/// Longest time that one round spends on articles.
pub const SPENT: i64 = 5 * Time::MINUTE;
/// So many failures of the site itself in a row, and the round asks it no more.
pub const IN_A_ROW: usize = 3;
/// Most items that are remembered as waiting or not wanted.
pub const HELD: usize = 2_000;
/// Most pages of one article.
pub const PAGES: usize = 12;
/// Longest text that is put together from the pages of an article, in bytes of HTML.
pub const LONGEST: usize = 1 << 20;
/// Key under which a first filing as a whole waits.
const WHOLE: u64 = 0;

/// What came of it.
#[derive(Debug, Default)]
pub struct Gathered {
    /// What the poll book is to remember.
    pub held: Vec<Held>,
    /// Nothing at all is filed in this round: the site does not answer, and the first filing waits.
    pub postponed: bool,
    /// Milliseconds until the next attempt.
    pub pause: i64,
    /// What was wrong.
    pub complaints: Vec<String>,
}

/// Fetches what the drafts need, and decides what is filed, what waits and what is left out. `before` is what the poll book
/// remembers, `most` how many articles may be asked for.
pub async fn gather(
    reach: &Reach<'_>,
    drafts: &mut [Draft],
    baseline: bool,
    before: &[Held],
    most: usize,
    clock: &Clock,
) -> Gathered {
    let begun = clock();
    let mut work = Work { reach, clock, begun, most, asked: 0, row: 0, pause: PAUSE, wrong: None, forbidden: None };
    let mut gathered = Gathered { pause: PAUSE, ..Gathered::default() };
    let whole = before.iter().find(|held| held.key == WHOLE);
    let (mut without, mut waiting, mut passed) = (0_usize, 0_usize, 0_usize);
    let mut again = Vec::new();
    for (place, draft) in drafts.iter_mut().enumerate() {
        let Some(how) = draft.how.clone() else { continue };
        let key = draft.key();
        let known = before.iter().find(|held| held.key == key && held.hash == draft.item.hash);
        let fresh = Held { key, hash: draft.item.hash, first: begun, tries: 0, settled: false };
        let mut held = known.cloned().unwrap_or(fresh);
        if held.settled {
            draft.fate = Fate::Out;
            gathered.held.push(held);
            continue;
        }
        let late = begun.since(held.first) >= HOLD;
        let got = work.article(&how, &draft.item.link).await;
        match got {
            Got::Whole(article) => draft.article = Some(article),
            Got::Part(article, why) => {
                held.tries += 1;
                draft.article = article;
                draft.item.complaints.push(format!("its article: {why}"));
                let last = held.tries >= TRIES || late;
                if baseline && !work.stopped() {
                    again.push(place);
                } else if !last {
                    draft.fate = Fate::Hold;
                }
                without += usize::from(last && !baseline && draft.article.is_none() && draft.has_headline());
            }
            Got::Final(why) => draft.item.complaints.push(format!("its article: {why}")),
            Got::NotAsked if baseline || late => {
                without += usize::from(draft.has_headline());
                draft.item.complaints.push("its article was not asked for: too many items came at once".to_owned());
            }
            Got::NotAsked => draft.fate = Fate::Hold,
        }
        if draft.fate == Fate::File && !draft.has_headline() {
            draft.fate = Fate::Out;
            passed += 1;
            // On a first filing it is an old one, and told from news by its date.
            if !baseline {
                gathered.held.push(Held { settled: true, ..held });
            }
        } else if draft.fate == Fate::Hold {
            waiting += 1;
            gathered.held.push(held);
        }
    }
    // A first filing cannot wait for single articles: each gets its second chance now.
    for place in again {
        if let Some(draft) = drafts.get_mut(place)
            && let Some(how) = draft.how.clone()
            && !work.stopped()
        {
            match work.article(&how, &draft.item.link).await {
                Got::Whole(article) => {
                    draft.item.complaints.retain(|complaint| !complaint.starts_with("its article: "));
                    draft.article = Some(article);
                    draft.fate = Fate::File;
                }
                _ => without += usize::from(draft.article.is_none()),
            }
        }
    }
    if baseline && work.stopped() {
        let mut held = whole.cloned().unwrap_or(Held { key: WHOLE, first: begun, ..Held::default() });
        held.tries += 1;
        if held.tries < TRIES && begun.since(held.first) < HOLD {
            gathered.postponed = true;
            gathered.held = vec![held];
        }
    }
    gathered.pause = work.pause;
    if let Some(why) = &work.wrong {
        if gathered.postponed {
            gathered.complaints.push(format!("articles cannot be had, so its first items wait: {why}"));
        } else if work.stopped() {
            gathered.complaints.push(format!("articles cannot be had: {why}"));
        }
    }
    if waiting > 0 && !gathered.postponed {
        let why = work.wrong.as_ref().map(|why| format!(", for example: {why}")).unwrap_or_default();
        gathered.complaints.push(format!("{waiting} items wait for their articles{why}"));
    }
    if without > 0 && !gathered.postponed {
        let why = work.wrong.as_ref().map(|why| format!(", for example: {why}")).unwrap_or_default();
        gathered.complaints.push(format!("{without} items were filed without their articles{why}"));
    }
    if let Some(forbidden) = work.forbidden {
        gathered.complaints.push(format!("articles are not read: {forbidden}"));
    }
    if passed > 0 && !gathered.postponed {
        gathered.complaints.push(format!("{passed} entries have no headline, on the list or on their page: left out"));
    }
    if gathered.held.len() > HELD {
        gathered.held.truncate(HELD);
        gathered.complaints.push(format!("more than {HELD} items wait or are not wanted: only so many are remembered"));
    }
    gathered
}

/// What came of one article.
enum Got {
    /// It is there.
    Whole(Box<Article>),
    /// It is not, or not its text; what is there, and why it may be asked for again.
    Part(Option<Box<Article>>, String),
    /// It is not, and asking again cannot help.
    Final(String),
    /// It was not asked for.
    NotAsked,
}

struct Work<'a> {
    reach: &'a Reach<'a>,
    clock: &'a Clock,
    begun: Time,
    most: usize,
    asked: usize,
    /// Failures of the site in a row.
    row: usize,
    pause: i64,
    /// The last failure.
    wrong: Option<String>,
    /// What robots.txt forbids, for example.
    forbidden: Option<String>,
}

impl Work<'_> {
    const fn stopped(&self) -> bool {
        self.row >= IN_A_ROW
    }

    async fn article(&mut self, how: &str, link: &str) -> Got {
        let now = (self.clock)();
        if self.stopped() || self.asked >= self.most || now.since(self.begun) >= SPENT {
            return Got::NotAsked;
        }
        self.asked += 1;
        match self.reach.article(how, link, now).await {
            Ok(mut article) if article.html.is_some() && !article.instead => {
                self.row = 0;
                match self.further(how, link, &mut article).await {
                    Ok(()) => Got::Whole(Box::new(article)),
                    Err(why) => Got::Part(Some(Box::new(article)), why),
                }
            }
            Ok(article) => {
                self.row = 0;
                let why = article.complaints.last().cloned().unwrap_or_default();
                self.wrong = Some(format!("{link}: {why}"));
                Got::Part(Some(Box::new(article)), why)
            }
            Err(error) => self.failed(link, &error),
        }
    }

    /// Adds the text of the further pages of an article, in their order, each once.
    async fn further(&mut self, how: &str, link: &str, article: &mut Article) -> Result<(), String> {
        let mut number = 0;
        let mut next = article.next.take();
        for _ in 1..PAGES {
            let Some(address) = next.take() else { return Ok(()) };
            // The first page may count from 0 or from 1; behind it each is one higher.
            let page = parse::continues(link, &address);
            let Some(page) = page.filter(|page| if number == 0 { *page <= 2 } else { *page == number + 1 }) else {
                return Ok(());
            };
            number = page;
            if self.asked >= self.most || (self.clock)().since(self.begun) >= SPENT {
                return Err(format!("its page {address} was not asked for: too much came at once"));
            }
            self.asked += 1;
            let further = self.reach.article(how, &address, (self.clock)()).await;
            let further = further.map_err(|error| {
                self.row = if error.whole_site() { self.row + 1 } else { 0 };
                self.pause = self.pause.max(error.retry_after().unwrap_or(0));
                self.wrong = Some(format!("{address}: {error}"));
                format!("its page {address}: {error}")
            })?;
            let Some(html) = further.html.filter(|_| !further.instead) else { return Ok(()) };
            let whole = article.html.get_or_insert_default();
            // A site that answers any number with the first page again.
            if whole.contains(&html) {
                return Ok(());
            }
            if whole.len() + html.len() > LONGEST {
                article.complaints.push(format!("its pages hold more than {LONGEST} bytes: the rest was not taken"));
                return Ok(());
            }
            article.append(&html, &further.base);
            next = further.next;
        }
        if next.is_some() {
            article.complaints.push(format!("it has more than {PAGES} pages: the rest was not asked for"));
        }
        Ok(())
    }

    fn failed(&mut self, link: &str, error: &Missing) -> Got {
        self.row = if error.whole_site() { self.row + 1 } else { 0 };
        self.pause = self.pause.max(error.retry_after().unwrap_or(0));
        if error.forbidden() {
            self.forbidden = Some(error.to_string());
        } else {
            self.wrong = Some(format!("{link}: {error}"));
        }
        if error.final_answer() { Got::Final(error.to_string()) } else { Got::Part(None, error.to_string()) }
    }
}
