//! When an item was published: the claimed date, judged by the poll, by its siblings and by its address.

use crate::model::item::{Document, Raw};
use crate::model::source::Source;
use crate::model::time::{Claim, Time, Trust};
use chrono::{NaiveDate, Offset, TimeZone};
use chrono_tz::Tz;
use std::collections::{BTreeMap, BTreeSet};

/// A date may lie so far ahead of the poll: clocks differ.
const AHEAD: i64 = 10 * Time::MINUTE;

/// So many items of one document with one stamp to the second were imported, not published, then.
const IMPORTED: u32 = 4;

/// A date and the day in the address may differ by so much before one of them is wrong.
const APART: i64 = 3 * Time::DAY;

/// 1990-01-01: no news feed is older than the web.
const FIRST: Time = Time::from_seconds(631_152_000);

/// What the items of one document tell about each other.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Siblings {
    /// How many items claim each second, with a time of day.
    stamps: BTreeMap<i64, u32>,
    language: Option<String>,
    rights: Option<String>,
    /// Links, as sent without their fragment, that stand under more than one headline: they identify none of them.
    shared: BTreeSet<String>,
}

/// A link as far as it is compared within one document.
fn bare(link: &str) -> &str {
    link.trim().split('#').next().unwrap_or_default()
}

impl Siblings {
    /// Of a document.
    #[must_use]
    pub fn of(document: &Document) -> Self {
        let mut stamps = BTreeMap::new();
        for claim in document.items.iter().filter_map(|raw| raw.published.as_ref()?.claim.as_ref()) {
            if claim.trust == Trust::Full {
                *stamps.entry(claim.at.seconds()).or_insert(0) += 1;
            }
        }
        let mut headlines: BTreeMap<&str, &str> = BTreeMap::new();
        let mut shared = BTreeSet::new();
        for raw in &document.items {
            let (Some(link), title) = (raw.link.as_deref().map(bare), raw.title.as_deref().unwrap_or_default().trim())
            else {
                continue;
            };
            if *headlines.entry(link).or_insert(title) != title {
                shared.insert(link.to_owned());
            }
        }
        Self { stamps, language: document.language.clone(), rights: document.rights.clone(), shared }
    }

    /// Whether the item's link stands under other headlines of the document too.
    pub(super) fn share(&self, raw: &Raw) -> bool {
        raw.link.as_deref().is_some_and(|link| self.shared.contains(bare(link)))
    }

    /// What the document says of the rights in its items.
    pub(super) fn rights(&self) -> Option<&str> {
        self.rights.as_deref()
    }

    /// Language of the document.
    pub(super) fn language(&self) -> Option<&str> {
        self.language.as_deref()
    }
}

/// The date of an item, with its trust.
pub(super) fn judge(
    raw: &Raw,
    source: &Source,
    link: &str,
    at: Time,
    siblings: &Siblings,
    complaints: &mut Vec<String>,
) -> Option<Claim> {
    let zone: Tz = source.rules.zone.parse().unwrap_or(chrono_tz::UTC);
    let stated = raw.published.as_ref().and_then(|stamp| stamp.claim.clone());
    let changed = || {
        let mut claim = raw.updated.as_ref()?.claim.clone()?;
        claim.method.push_str(", date of the last change");
        Some(claim)
    };
    let address = day_in(link).and_then(|day| midnight(day, zone)).filter(|claim| claim.at.since(at) <= AHEAD);
    let Some(mut claim) = stated.or_else(changed) else {
        if let Some(stamp) = raw.published.as_ref().filter(|stamp| !stamp.raw.trim().is_empty()) {
            complaints.push(format!("no date: {}", stamp.raw.trim().chars().take(60).collect::<String>()));
        }
        return address;
    };
    if claim.at.since(at) > AHEAD {
        claim = ahead(claim, zone, at, complaints);
    } else if claim.at > at {
        // Never later than first seen.
        claim.at = at;
        claim.method.push_str(", a little ahead of our clock");
    } else if claim.at < FIRST {
        complaints.push("dated before 1990: not believed".to_owned());
        claim.trust = Trust::None;
    }
    if claim.trust == Trust::None && address.is_some() {
        return address;
    }
    if claim.trust == Trust::Full {
        let shared = siblings.stamps.get(&claim.at.seconds()).copied().unwrap_or_default();
        if shared >= IMPORTED {
            claim.trust = Trust::Low;
            claim.method.push_str(&format!(", shared by {shared} items: an import time"));
        }
    }
    if let Some(address) = address
        && claim.trust != Trust::None
    {
        let apart = claim.at.since(address.at);
        if !(-APART..=APART + Time::DAY).contains(&apart) {
            complaints.push(format!("dated {} days from the day in its address", apart / Time::DAY));
            claim.trust = Trust::Low;
        }
    }
    Some(claim)
}

/// A date in the future. Sites east of Greenwich state their own clock as GMT: if that explains it, it is read so.
fn ahead(mut claim: Claim, zone: Tz, at: Time, complaints: &mut Vec<String>) -> Claim {
    let offset = zone.offset_from_utc_datetime(&claim.at.utc().naive_utc()).fix().local_minus_utc() / 60;
    let local = claim.at.plus(-i64::from(offset) * Time::MINUTE);
    if claim.offset == 0 && offset > 0 && local.since(at) <= AHEAD {
        complaints.push("dated in the future if its GMT is believed: read as the source's own time".to_owned());
        claim.at = local;
        claim.offset = i16::try_from(offset).unwrap_or_default();
        claim.trust = Trust::Low;
        claim.method.push_str(", its zone not believed");
    } else {
        complaints.push("dated in the future: not believed".to_owned());
        claim.trust = Trust::None;
    }
    claim
}

fn midnight(day: NaiveDate, zone: Tz) -> Option<Claim> {
    let local = zone.from_local_datetime(&day.and_hms_opt(0, 0, 0)?).earliest()?;
    let offset = i16::try_from(local.offset().fix().local_minus_utc() / 60).ok()?;
    let at = Time(local.timestamp_millis());
    Some(Claim { at, offset, trust: Trust::Low, method: "from the address, day only".to_owned() })
}

/// The day in an address: `/2026/1123/`, `/202611/23/`, `/2026-11/23/`, `/20261123/`, `/2026/11/23/`, `t20261123_1.html`.
fn day_in(link: &str) -> Option<NaiveDate> {
    let path = link.splitn(4, '/').nth(3)?.split(['?', '#']).next()?;
    // Runs of digits, and whether a single separator stands between each and the one before.
    let mut runs: Vec<(&str, bool)> = Vec::new();
    let bytes = path.as_bytes();
    let mut at = 0;
    let mut end = usize::MAX;
    while at < bytes.len() {
        if bytes[at].is_ascii_digit() {
            let length = bytes[at..].iter().take_while(|b| b.is_ascii_digit()).count();
            let joined = end != usize::MAX && at == end + 1 && matches!(bytes[end], b'/' | b'-' | b'_' | b'.');
            // Digits inside a hexadecimal word (a UUID) are no date.
            let word = (at > 0 && bytes[at - 1].is_ascii_alphabetic() && bytes[at - 1] != b't')
                || bytes.get(at + length).is_some_and(u8::is_ascii_alphabetic);
            runs.push((if word { "" } else { &path[at..at + length] }, joined));
            at += length;
            end = at;
        } else {
            at += 1;
        }
    }
    let digits = |text: &str| text.parse::<u32>().ok();
    let date = |year: &str, month: &str, day: &str| {
        let year = digits(year).filter(|year| (1995..=2100).contains(year))?;
        NaiveDate::from_ymd_opt(year as i32, digits(month)?, digits(day)?)
    };
    for (i, (run, _)) in runs.iter().enumerate() {
        let next = runs.get(i + 1).filter(|(_, joined)| *joined).map_or("", |(run, _)| run);
        let third = runs.get(i + 2).filter(|(_, joined)| *joined).map_or("", |(run, _)| run);
        let found = match (run.len(), next.len(), third.len()) {
            (8, ..) => date(&run[..4], &run[4..6], &run[6..]),
            (6, 1 | 2, _) => date(&run[..4], &run[4..], next),
            (4, 4, _) => date(run, &next[..2], &next[2..]),
            (4, 1 | 2, 1 | 2) => date(run, next, third),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::id::SourceId;
    use crate::model::item::Stamp;
    use crate::model::source::{Kind, SourceRules};

    pub(in super::super) fn source() -> Source {
        Source::new(
            SourceRules { id: SourceId::new("test").unwrap(), zone: "Asia/Shanghai".into(), ..SourceRules::default() },
            Kind::Feed(String::new()),
        )
    }

    /// 2026-11-23 12:00 in Shanghai.
    const AT: Time = Time::from_seconds(1_795_406_400);

    fn judged(offset: i64, zone: i16, link: &str, siblings: u32) -> (Trust, i64, usize) {
        let at = AT.plus(offset);
        let claim = Claim { at, offset: zone, trust: Trust::Full, method: String::new() };
        let raw = Raw { published: Some(Stamp { raw: "x".into(), claim: Some(claim) }), ..Raw::default() };
        let siblings = Siblings { stamps: [(at.seconds(), siblings)].into(), ..Siblings::default() };
        let mut complaints = Vec::new();
        let claim = judge(&raw, &source(), link, AT, &siblings, &mut complaints).unwrap();
        (claim.trust, claim.at.since(AT), complaints.len())
    }

    #[test]
    fn dates_are_judged() {
        let hour = Time::HOUR;
        assert_eq!(judged(-hour, 480, "", 1), (Trust::Full, -hour, 0));
        assert_eq!(judged(hour, 480, "", 1), (Trust::None, hour, 1), "in the future");
        assert_eq!(judged(7 * hour, 0, "", 1), (Trust::Low, -hour, 1), "its own clock stated as GMT");
        assert_eq!(judged(-hour, 480, "", 4), (Trust::Low, -hour, 0), "an import time");
        assert_eq!(judged(-hour, 480, "https://x.example/2026/1123/1.html", 1), (Trust::Full, -hour, 0));
        assert_eq!(judged(-hour, 480, "https://x.example/2020/1123/1.html", 1), (Trust::Low, -hour, 1), "address");
        assert_eq!(
            judged(-40 * 365 * 24 * hour, 480, "https://x.example/2026/1123/1.html", 1),
            (Trust::Low, -12 * hour, 1),
            "before 1990: the address is better"
        );
    }

    #[test]
    fn the_day_in_an_address() {
        for (link, expected) in [
            ("https://x.example/news/2026/1123/62956.shtml", Some("2026-11-23")),
            ("https://x.example/202611/23/345.html", Some("2026-11-23")),
            ("https://x.example/2026-11/23/content_1.htm", Some("2026-11-23")),
            ("https://x.example/2026/11-23/1.html", Some("2026-11-23")),
            ("https://x.example/037003/20261123/8a7b6c5d.html", Some("2026-11-23")),
            ("https://x.example/xx/2026/11/23/77.html", Some("2026-11-23")),
            ("https://x.example/zwgk/t20261123_1.html", Some("2026-11-23")),
            ("https://x.example/a/20261323.html", None),
            ("https://x.example/e/a20261123b", None),
            ("https://x.example/a?day=20261123", None),
            ("https://20261123.example/a", None),
            ("https://x.example/4042/616951008/2.html", None),
        ] {
            assert_eq!(day_in(link).map(|day| day.to_string()).as_deref(), expected, "{link}");
        }
    }
}
