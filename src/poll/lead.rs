//! Further documents of a round: the child sitemaps of an index, and older pages of a list where a new source wants them.

use std::collections::BTreeSet;

use url::Url;

use super::draft::Read;
use super::reach::{Missing, Reach};
use crate::model::item::Child;
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

/// Asks the pages that follow a list's first one, until there are so many items, or a page brings nothing new.
pub async fn older(reach: &Reach<'_>, read: &mut Read, wanted: usize, at: Time) {
    let Some((_, first)) = read.documents.first() else { return };
    let mut links: BTreeSet<String> = first.items.iter().filter_map(|raw| raw.link.clone()).collect();
    let mut count = first.items.len();
    let mut next = first.next.clone();
    for _ in 1..PAGES {
        if count >= wanted {
            return;
        }
        let Some(address) = next.take() else { return };
        match reach.document(&address, at).await {
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
