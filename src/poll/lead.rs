//! Further documents of a round: the child sitemaps of an index, and older pages of a list where a new source wants them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use url::Url;

use super::draft::Read;
use super::reach::{Missing, Reach};
use crate::model::item::Child;
use crate::model::source::Kind;
use crate::model::time::Time;

/// Most child sitemaps of an index that are asked in a round, those likeliest to hold news.
pub const CHILDREN: usize = 4;
/// Most pages of a list that are asked in a round.
pub const PAGES: usize = 20;

/// Asks the children of a sitemap index, its grandchildren among them. Whether the index vouches for them: whether each is
/// there and states when it changed, so that an index that did not change says that they did not.
///
/// # Errors
/// What was wrong with the last one, if none is there.
pub async fn children(reach: &Reach<'_>, read: &mut Read, at: Time) -> Result<bool, Missing> {
    let mut next: Vec<(String, Child)> = Vec::new();
    for (url, document) in &mut read.documents {
        next.extend(std::mem::take(&mut document.children).into_iter().map(|child| (url.clone(), child)));
    }
    let (mut asked, mut came, mut vouched) = (0, 0, true);
    let mut wrong = None;
    let mut seen = BTreeSet::new();
    while !next.is_empty() && asked < CHILDREN {
        let (parent, child) = next.remove(0);
        vouched &= child.changed.is_some();
        let address = Url::parse(&parent).and_then(|parent| parent.join(child.url.trim()));
        let address = address.map_or(child.url, String::from);
        if !seen.insert(address.clone()) {
            continue;
        }
        asked += 1;
        match reach.document(&address, at).await {
            Ok((url, mut document)) => {
                came += 1;
                let inner = std::mem::take(&mut document.children).into_iter().map(|child| (url.clone(), child));
                // A child that is an index itself: what it names comes before its siblings.
                next.splice(0..0, inner.collect::<Vec<_>>());
                read.documents.push((url, document));
            }
            Err(error) => {
                read.complaints.push(format!("the child sitemap {address}: {error}"));
                wrong = Some(error);
            }
        }
    }
    if !next.is_empty() {
        read.complaints.push(format!(
            "the index names more sitemaps than the {CHILDREN} that are asked in a round: the newest were taken"
        ));
    }
    match wrong {
        Some(error) if came == 0 => Err(error),
        Some(_) => Ok(false),
        None => Ok(vouched),
    }
}

/// Asks the pages that follow a list's first one, until there are so many items, or a page brings nothing new. A page of a
/// site names the next one; of a list in JSON it is the request whose number of the page is one higher.
pub async fn older(reach: &Reach<'_>, read: &mut Read, wanted: usize, at: Time) {
    let Some((_, first)) = read.documents.first() else { return };
    let mut links: BTreeSet<String> = first.items.iter().filter_map(|raw| raw.link.clone()).collect();
    let mut count = first.items.len();
    let mut next = first.next.clone();
    let mut turn = match &reach.source.kind {
        Kind::Api { url, post, .. } => Turn::of(url, post, count),
        _ => None,
    };
    for _ in 1..PAGES {
        if count >= wanted {
            return;
        }
        let (address, answer) = if let Some(address) = next.take() {
            let answer = reach.document(&address, at).await;
            (address, answer)
        } else if let Some(turn) = &mut turn {
            turn.forward();
            (turn.to_string(), reach.turned(&turn.url, &turn.post, at).await)
        } else {
            return;
        };
        match answer {
            Ok((url, mut document)) => {
                // Beyond the last page some sites show the first again.
                document.items.retain(|raw| raw.link.as_ref().is_none_or(|link| links.insert(link.clone())));
                if document.items.is_empty() {
                    return;
                }
                document.items.truncate(wanted.saturating_sub(count));
                count += document.items.len();
                next = document.next.take();
                read.documents.push((url, document));
            }
            Err(error) => {
                read.complaints.push(format!("the next page, {address}: {error}"));
                return;
            }
        }
    }
    if count < wanted {
        read.complaints.push(format!("no more than {PAGES} pages are asked in a round: {count} of {wanted} items"));
    }
}

/// Names of the parameter that counts pages, in lower case.
const PAGE_NAMES: [&str; 18] = [
    "page",
    "pageno",
    "page_no",
    "pagenum",
    "page_num",
    "pagenumber",
    "pageindex",
    "page_index",
    "pageid",
    "currpage",
    "currentpage",
    "curpage",
    "nowpage",
    "cpage",
    "pno",
    "pn",
    "p",
    "current",
];

/// Names of the parameter that counts the items before the page, in lower case.
const OFFSET_NAMES: [&str; 6] = ["offset", "start", "skip", "from", "pp", "startrecord"];

/// A list in JSON, page by page: its request with one number raised.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Turn {
    url: String,
    post: BTreeMap<String, String>,
    /// Name of the parameter, as written.
    name: String,
    now: u64,
    step: u64,
}

impl Turn {
    /// Of a request whose answer has so many items; `None` if nothing in it counts pages.
    fn of(url: &str, post: &BTreeMap<String, String>, items: usize) -> Option<Self> {
        let known = |names: &[&str], name: &str| names.contains(&name.to_ascii_lowercase().as_str());
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let query = query.split('#').next().unwrap_or_default();
        let fields = query.split('&').filter_map(|pair| pair.split_once('='));
        let form = post.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let all: Vec<(&str, u64)> =
            form.chain(fields).filter_map(|(name, value)| Some((name, value.trim().parse().ok()?))).collect();
        let page = all.iter().find(|(name, _)| known(&PAGE_NAMES, name)).map(|found| (found, 1));
        let offset = || all.iter().find(|(name, _)| known(&OFFSET_NAMES, name)).map(|found| (found, items as u64));
        let ((name, now), step) = page.or_else(offset)?;
        Some(Self { url: url.to_owned(), post: post.clone(), name: (*name).to_owned(), now: *now, step })
    }

    /// To the next page.
    fn forward(&mut self) {
        self.now = self.now.saturating_add(self.step);
        let value = self.now.to_string();
        if let Some(field) = self.post.get_mut(&self.name) {
            *field = value;
            return;
        }
        // The rest of the address stays as it is written: it may hold the name of a secret.
        let (head, query) = self.url.split_once('?').unwrap_or((&self.url, ""));
        let pairs = query.split('&').map(|pair| match pair.split_once('=') {
            Some((name, _)) if name == self.name => format!("{name}={value}"),
            _ => pair.to_owned(),
        });
        self.url = format!("{head}?{}", pairs.collect::<Vec<_>>().join("&"));
    }
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.name, self.now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_that_counts_pages_is_raised() {
        let form = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        for (url, post, turned) in [
            (
                "https://n.example/l?pagesize=15&currpage=1&c=7",
                form(&[]),
                "https://n.example/l?pagesize=15&currpage=2&c=7",
            ),
            ("https://n.example/l?key=${KEY}&offset=0", form(&[]), "https://n.example/l?key=${KEY}&offset=20"),
            ("https://n.example/l?Page=0", form(&[]), "https://n.example/l?Page=1"),
            ("https://n.example/l", form(&[("pno", "1"), ("psize", "20")]), "https://n.example/l pno=2 psize=20"),
            ("https://n.example/l", form(&[("page", "one")]), ""),
            ("https://n.example/l?id=7", form(&[]), ""),
        ] {
            let turn = Turn::of(url, &post, 20).map(|mut turn| {
                turn.forward();
                let form = turn.post.iter().map(|(name, value)| format!(" {name}={value}"));
                format!("{}{}", turn.url, form.collect::<String>())
            });
            assert_eq!(turn.unwrap_or_default(), turned, "{url}");
        }
    }
}
