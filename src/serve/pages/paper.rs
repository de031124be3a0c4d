//! Pages that change little: how to subscribe, and what this desk is.

use askama::Template;

use super::{Chip, Chrome, Desk, List};
use crate::model::edition::EditionId;
use crate::model::websub;
use crate::serve::link;
use crate::serve::reply::Unmade;

/// So many cities, tags and provinces are offered.
const LISTED: usize = 400;

/// Hosted readers that take a feed's address in a link, as their own "subscribe" buttons do.
const READERS: &[(&str, &str)] = &[
    ("Feedly", "https://feedly.com/i/subscription/feed/"),
    ("Inoreader", "https://www.inoreader.com/?add_feed="),
    ("NewsBlur", "https://www.newsblur.com/?url="),
    ("The Old Reader", "https://theoldreader.com/feeds/subscribe?url="),
    ("Feedbin", "https://feedbin.com/?subscribe="),
];

#[derive(Template)]
#[template(path = "subscribe.html")]
struct Subscribe {
    chrome: Chrome,
    readers: Vec<Chip>,
    /// Where push is offered: what it is.
    push: Option<String>,
    lists: Vec<List>,
}

#[derive(Template)]
#[template(path = "about.html")]
struct About {
    chrome: Chrome,
    contact: Option<String>,
}

impl Desk<'_> {
    /// `/subscribe`.
    ///
    /// # Errors
    /// [`Unmade`] if the template fails.
    pub fn subscribe(&self) -> Result<String, Unmade> {
        let chrome = self.chrome("subscribe", Some(self.words.subscribe), &EditionId::All);
        let address = link::segment(&chrome.feed_address);
        let reader = |(name, base): &(&str, &str)| Chip {
            name: (*name).to_owned(),
            href: format!("{base}{address}"),
            count: None,
        };
        let readers = READERS.iter().map(reader).collect();
        let hub = websub::announced(&self.settings.publish.hub, &self.site().public_url).filter(|_| !self.fixed);
        let push = hub.map(|hub| (self.words.push)(&hub));
        Ok(Subscribe { chrome, readers, push, lists: self.lists(LISTED) }.render()?)
    }

    /// `/about`.
    ///
    /// # Errors
    /// [`Unmade`] if the template fails.
    pub fn about(&self) -> Result<String, Unmade> {
        let contact = self.site().contact.as_deref().and_then(contact);
        Ok(About { chrome: self.chrome("about", Some(self.words.about), &EditionId::All), contact }.render()?)
    }
}

/// A contact as a link: a page, or a mail address with or without `mailto:`.
fn contact(contact: &str) -> Option<String> {
    let mail = contact.strip_prefix("mailto:").unwrap_or(contact);
    link::outside(contact).or_else(|| (mail.contains('@') && !mail.contains(':')).then(|| format!("mailto:{mail}")))
}

#[cfg(test)]
mod tests {
    use super::contact;

    #[test]
    fn contacts() {
        assert_eq!(contact("mailto:desk@example.org").as_deref(), Some("mailto:desk@example.org"));
        assert_eq!(contact("desk@example.org").as_deref(), Some("mailto:desk@example.org"));
        assert_eq!(contact("https://example.org/about").as_deref(), Some("https://example.org/about"));
        assert_eq!(contact("javascript:alert('a@b')"), None);
    }
}
