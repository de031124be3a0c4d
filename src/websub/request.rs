//! A request to our hub: the form that a subscriber posts (section 5.1).

use url::{Host, Url, form_urlencoded};

use crate::model::time::Time;
use crate::model::websub::Secret;

/// Largest form, in bytes: two addresses and a secret, percent-encoded.
pub const FORM_BYTES: usize = 16 * 1024;
/// Longest address, in bytes.
pub const ADDRESS_BYTES: usize = 2_048;
/// A secret has fewer bytes than this (section 5.1).
pub const SECRET_BYTES: usize = 200;
/// Lease where none is asked for, in milliseconds.
pub const LEASE: i64 = 10 * Time::DAY;
/// Shortest lease given, in milliseconds: renewing costs both sides a verification.
pub const LEASE_LEAST: i64 = 5 * Time::MINUTE;
/// Longest lease given, in milliseconds: nobody looks after a callback for longer.
pub const LEASE_MOST: i64 = 30 * Time::DAY;

/// What a subscriber wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// To have a feed delivered, or delivered for longer.
    Subscribe,
    /// To have it delivered no more.
    Unsubscribe,
}

impl Mode {
    /// Its value of `hub.mode`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Subscribe => "subscribe",
            Self::Unsubscribe => "unsubscribe",
        }
    }
}

/// A well-formed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What is wanted.
    pub mode: Mode,
    /// Where it is to be delivered, as written.
    pub callback: String,
    /// Host of the callback, and its port if it is not the usual one: what bounds are counted by.
    pub host: String,
    /// The feed, as written: verification repeats it letter by letter.
    pub topic: String,
    /// Lease that is given, in milliseconds.
    pub lease: i64,
    /// Signs what is delivered.
    pub secret: Option<Secret>,
}

/// Why a request is refused, in a sentence for whoever wrote the subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// No mode, or another.
    #[error("hub.mode must be subscribe or unsubscribe")]
    Mode,
    /// A publisher's ping.
    #[error(
        "this hub serves the feeds of this site alone and knows by itself when they change: hub.mode must be subscribe or unsubscribe"
    )]
    Publish,
    /// No callback, or one that cannot be asked.
    #[error(
        "hub.callback must be an http or https address of at most {ADDRESS_BYTES} bytes, without user name and fragment, on port 80, 443 or above 1023"
    )]
    Callback,
    /// No topic.
    #[error("hub.topic must be the address of a feed of this site, of at most {ADDRESS_BYTES} bytes")]
    Topic,
    /// A lease that is no number.
    #[error("hub.lease_seconds must be a number of seconds")]
    Lease,
    /// A secret that is too long.
    #[error("hub.secret must be shorter than {SECRET_BYTES} bytes")]
    Secret,
}

/// Reads a form. Fields that are not the recommendation's are passed over.
///
/// # Errors
/// [`Malformed`] says which field is wrong.
pub fn read(form: &[u8]) -> Result<Asked, Malformed> {
    let field = |name: &str| {
        let mut fields = form_urlencoded::parse(form);
        fields.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).filter(|value| !value.is_empty())
    };
    let mode = match field("hub.mode").as_deref() {
        Some("subscribe") => Mode::Subscribe,
        Some("unsubscribe") => Mode::Unsubscribe,
        Some("publish") => return Err(Malformed::Publish),
        _ => return Err(Malformed::Mode),
    };
    let callback = field("hub.callback").ok_or(Malformed::Callback)?;
    let host = host(&callback).ok_or(Malformed::Callback)?;
    let topic = field("hub.topic").filter(|topic| topic.len() <= ADDRESS_BYTES).ok_or(Malformed::Topic)?;
    let lease = match field("hub.lease_seconds") {
        None => LEASE,
        Some(text) => {
            let seconds: i64 = text.trim().parse().map_err(|_| Malformed::Lease)?;
            seconds.saturating_mul(Time::SECOND).clamp(LEASE_LEAST, LEASE_MOST)
        }
    };
    let secret = field("hub.secret");
    if secret.as_ref().is_some_and(|secret| secret.len() >= SECRET_BYTES) {
        return Err(Malformed::Secret);
    }
    Ok(Asked { mode, callback, host, topic, lease, secret: secret.map(Secret) })
}

/// Host and unusual port of a callback that may be asked. Ports of mail, shells and the like are not: what is posted there
/// is ours, and where it is posted a stranger chooses.
fn host(callback: &str) -> Option<String> {
    if callback.len() > ADDRESS_BYTES || callback.contains('#') || callback.chars().any(char::is_control) {
        return None;
    }
    let url = Url::parse(callback).ok()?;
    let plain = matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
    let port = url.port_or_known_default().filter(|port| matches!(port, 80 | 443 | 1_024..))?;
    let host = match url.host().filter(|_| plain)? {
        Host::Domain(name) => name.trim_end_matches('.').to_owned(),
        other => other.to_string(),
    };
    Some(if matches!(port, 80 | 443) { host } else { format!("{host}:{port}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "hub.mode=subscribe&hub.callback=https%3A%2F%2Freader.example%2Fcb%3Fid%3D1&hub.topic=https%3A%2F%2Fd.example%2Ff";

    #[test]
    fn forms_that_are_understood() {
        let asked = read(GOOD.as_bytes()).unwrap();
        assert_eq!((asked.mode, asked.lease, asked.secret), (Mode::Subscribe, LEASE, None));
        assert_eq!(
            (asked.callback.as_str(), asked.host.as_str()),
            ("https://reader.example/cb?id=1", "reader.example")
        );
        for (more, lease, secret) in [
            ("&hub.lease_seconds=86400&hub.secret=s", Time::DAY, Some("s")),
            ("&hub.lease_seconds=1&hub.secret=", LEASE_LEAST, None),
            ("&hub.lease_seconds=999999999999999&foo=bar&hub.verify=async", LEASE_MOST, None),
            ("&hub.lease_seconds=-5", LEASE_LEAST, None),
        ] {
            let asked = read(format!("{GOOD}{more}").as_bytes()).unwrap();
            assert_eq!((asked.lease, asked.secret), (lease, secret.map(|it| Secret(it.to_owned()))), "{more}");
        }
        let asked = read(b"hub.mode=unsubscribe&hub.callback=http://[::1]:8080/&hub.topic=x").unwrap();
        assert_eq!((asked.mode, asked.host.as_str(), asked.topic.as_str()), (Mode::Unsubscribe, "[::1]:8080", "x"));
    }

    #[test]
    fn forms_that_are_refused() {
        let callback = |it: &str| format!("hub.mode=subscribe&hub.topic=x&hub.callback={it}");
        for (form, wrong) in [
            (String::new(), Malformed::Mode),
            ("hub.mode=publish&hub.url=x".to_owned(), Malformed::Publish),
            ("hub.mode=Subscribe&hub.callback=http://a.example&hub.topic=x".to_owned(), Malformed::Mode),
            ("hub.mode=subscribe&hub.topic=x".to_owned(), Malformed::Callback),
            (callback("ftp://a.example/"), Malformed::Callback),
            (callback("a.example"), Malformed::Callback),
            (callback("http://u:p@a.example/"), Malformed::Callback),
            (callback("http://a.example:25/"), Malformed::Callback),
            (callback("http://a.example/%23x"), Malformed::Callback),
            (callback(&format!("http://a.example/{}", "x".repeat(2_100))), Malformed::Callback),
            ("hub.mode=subscribe&hub.callback=http://a.example".to_owned(), Malformed::Topic),
            (format!("{GOOD}&hub.lease_seconds=soon"), Malformed::Lease),
            (format!("{GOOD}&hub.secret={}", "s".repeat(200)), Malformed::Secret),
        ] {
            assert_eq!(read(form.as_bytes()), Err(wrong), "{form}");
        }
        assert!(read(format!("{GOOD}&hub.secret={}", "s".repeat(199)).as_bytes()).is_ok());
    }
}
