//! Requests for addresses that a document named: articles, child sitemaps, next pages.
//!
//! Nobody wrote these addresses into feeds.toml, so they get less than the source's own: its headers only on its own host,
//! no port but the usual ones and the source's, and no secret in place of a `${NAME}`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::draft::Sheet;
use super::parsers::{Parsers, Unread};
use crate::fetch::seat::Seat;
use crate::fetch::{Answer, Ask, FetchError, Fetcher, Obedience};
use crate::model::item::Document;
use crate::model::source::Source;
use crate::model::time::Time;
use crate::parse::{self, Article, Fetched, ParseError};

/// Why an address that a document named brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum Missing {
    /// It is not asked.
    #[error("it is not asked: {0}")]
    Address(&'static str),
    /// No answer.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// An answer that is no document.
    #[error("the server answers {0}")]
    Status(u16, Option<i64>),
    /// Reading panicked or hung.
    #[error(transparent)]
    Unread(#[from] Unread),
    /// It cannot be read.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// An article that is something else than a page.
    #[error("it is no page but {0}")]
    Kind(String),
    /// An article that is gone, and the site shows its front page instead.
    #[error("it leads to the front page of the site")]
    Front,
}

impl Missing {
    /// Whether the site itself is the trouble, so that its other addresses would fail as well.
    #[must_use]
    pub const fn whole_site(&self) -> bool {
        match self {
            Self::Fetch(error) => !matches!(error, FetchError::Forbidden { .. }),
            other => matches!(other, Self::Status(403 | 429 | 500..=599, _)),
        }
    }

    /// Whether asking again cannot help.
    #[must_use]
    pub const fn final_answer(&self) -> bool {
        matches!(self, Self::Address(_) | Self::Kind(_)) || self.forbidden()
    }

    /// Whether robots.txt says that it is not to be asked.
    #[must_use]
    pub const fn forbidden(&self) -> bool {
        matches!(self, Self::Fetch(FetchError::Forbidden { .. }))
    }

    /// How long the server wants to be left alone, in milliseconds.
    #[must_use]
    pub const fn retry_after(&self) -> Option<i64> {
        match self {
            Self::Status(_, retry) => *retry,
            _ => None,
        }
    }
}

/// Asks on behalf of one source.
#[derive(Debug, Clone)]
pub struct Reach<'a> {
    /// Makes the requests.
    pub fetcher: Arc<Fetcher>,
    /// Reads the answers.
    pub parsers: &'a Parsers,
    /// For whom.
    pub source: Arc<Source>,
    /// How robots.txt counts for what a document names.
    pub robots: Obedience,
    /// The seat of the round, given up while an answer is awaited: a site whose articles hang holds up itself alone.
    pub seat: Option<&'a Seat>,
}

impl Reach<'_> {
    /// Asks for an address; any answer but a document is an error.
    ///
    /// # Errors
    /// [`Missing`].
    pub async fn get(&self, address: &str) -> Result<Answer, Missing> {
        let source = &self.source;
        let found = Found::new(address, source.kind.address())?;
        let ask = Ask {
            headers: if found.own { &source.how.headers } else { &[] },
            proxy: source.how.proxy.as_deref(),
            ca: source.how.ca.as_deref().filter(|_| found.home),
            robots: self.robots,
            ..Ask::new(&found.url, Duration::from_millis(source.timeout.max(1).unsigned_abs()))
        };
        let answer = self.asked(ask).await?;
        if !(200..300).contains(&answer.status) {
            return Err(Missing::Status(answer.status, answer.retry_after));
        }
        Ok(answer)
    }

    /// Asks, with the seat given up meanwhile. Whatever came of it, the round is at work again afterwards.
    async fn asked(&self, ask: Ask<'_>) -> Result<Answer, FetchError> {
        let answer = self.fetcher.get(Ask { seat: self.seat, ..ask }).await;
        if let Some(seat) = self.seat {
            seat.take().await;
        }
        answer
    }

    /// A further document of the source.
    ///
    /// # Errors
    /// [`Missing`].
    pub async fn document(&self, address: &str, at: Time) -> Result<(String, Document), Missing> {
        let answer = self.get(address).await?;
        self.read(answer, at).await
    }

    /// A further page of a list in JSON: the source's own request with another number in it.
    ///
    /// # Errors
    /// [`Missing`].
    pub async fn turned(
        &self,
        url: &str,
        post: &BTreeMap<String, String>,
        at: Time,
    ) -> Result<(String, Document), Missing> {
        let source = &self.source;
        let ask = Ask {
            headers: &source.how.headers,
            proxy: source.how.proxy.as_deref(),
            ca: source.how.ca.as_deref(),
            post: (!post.is_empty()).then_some(post),
            ..Ask::new(url, Duration::from_millis(source.timeout.max(1).unsigned_abs()))
        };
        let answer = self.asked(ask).await?;
        if !(200..300).contains(&answer.status) {
            return Err(Missing::Status(answer.status, answer.retry_after));
        }
        self.read(answer, at).await
    }

    async fn read(&self, answer: Answer, at: Time) -> Result<(String, Document), Missing> {
        let (source, url) = (Arc::clone(&self.source), answer.url.clone());
        let sheet = Sheet { url: answer.url, body: answer.body, content_type: answer.content_type };
        let document = self.parsers.run(move || parse::parse(&source, &sheet.fetched(at))).await??;
        Ok((url, document))
    }

    /// The article at an address; `how` is a selector or the name of a preset.
    ///
    /// # Errors
    /// [`Missing`].
    pub async fn article(&self, how: &str, address: &str, at: Time) -> Result<Article, Missing> {
        let answer = self.get(address).await?;
        let kind = answer.content_type.as_deref().unwrap_or_default().split(';').next().unwrap_or_default();
        let kind = kind.trim().to_ascii_lowercase();
        let page = kind.is_empty() || kind.starts_with("text/") || kind.contains("html") || kind.contains("xml");
        if !page && (kind != "application/octet-stream" || !answer.body.trim_ascii_start().starts_with(b"<")) {
            return Err(Missing::Kind(kind));
        }
        let front = |address: &str| Url::parse(address).is_ok_and(|url| url.path().len() <= 1 && url.query().is_none());
        if front(&answer.url) && !front(address) {
            return Err(Missing::Front);
        }
        let (source, how) = (Arc::clone(&self.source), how.to_owned());
        let read = move || {
            let content_type = answer.content_type.as_deref();
            parse::article(&how, &source, &Fetched { body: &answer.body, content_type, url: &answer.url, at })
        };
        Ok(self.parsers.run(read).await??)
    }
}

/// An address that a document named, made safe to ask.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    url: String,
    /// Whether it is on the source's own host, scheme and port included.
    own: bool,
    /// Whether it is on the source's own host at least.
    home: bool,
}

impl Found {
    fn new(address: &str, source: &str) -> Result<Self, Missing> {
        let url = Url::parse(address).map_err(|_| Missing::Address("it is no address"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Missing::Address("its scheme is neither http nor https"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Missing::Address("it brings a login of its own"));
        }
        let place =
            |url: &Url| (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port_or_known_default());
        let home = Url::parse(source).ok().map(|url| place(&url));
        let own = home.as_ref() == Some(&place(&url));
        let usual = matches!(url.port_or_known_default(), Some(80 | 443));
        let at_home = home.as_ref().is_some_and(|(_, host, _)| host.as_deref() == url.host_str());
        let same = home.as_ref().is_some_and(|(.., port)| *port == url.port_or_known_default());
        if !(usual || (at_home && same)) {
            return Err(Missing::Address("its port is neither 80 nor 443 nor that of the source"));
        }
        // `${NAME}` stands for a secret in feeds.toml, and nowhere else.
        Ok(Self { url: url.as_str().replace("${", "$%7B"), own, home: at_home })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_from_outside_gets_less_than_the_sources_own() {
        let source = "https://news.example/list?key=${KEY}";
        for (address, found) in [
            ("https://news.example/a/1.html", Some(("https://news.example/a/1.html", true))),
            ("http://news.example/a/1.html", Some(("http://news.example/a/1.html", false))),
            ("https://other.example/a", Some(("https://other.example/a", false))),
            ("https://other.example/?x=${KEY}", Some(("https://other.example/?x=$%7BKEY}", false))),
            ("https://news.example:8443/a", None),
            ("http://news.example:6379/", None),
            ("https://user:word@news.example/a", None),
            ("file:///etc/passwd", None),
            ("/a/1.html", None),
        ] {
            let made = Found::new(address, source).ok();
            assert_eq!(made.as_ref().map(|made| (made.url.as_str(), made.own)), found, "{address}");
        }
        let own = Found::new("http://news.example:8080/a", "http://news.example:8080/").unwrap();
        assert!(own.own);
    }
}
