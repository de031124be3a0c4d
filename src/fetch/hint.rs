//! What the head of an answer says about time: its own date, how long it stays fresh, when to come back.

use chrono::{DateTime, NaiveDateTime, Utc};
use hyper::header::{self, HeaderMap, HeaderName};

use crate::model::time::Time;

/// Reads an HTTP date in any of the three forms of RFC 9110 section 5.6.7, and with a numeric zone.
#[must_use]
pub fn date(text: &str) -> Option<Time> {
    let text = text.trim();
    if let Ok(date) = DateTime::parse_from_rfc2822(text) {
        return Some(Time::from(date.with_timezone(&Utc)));
    }
    ["%A, %d-%b-%y %H:%M:%S GMT", "%a, %d-%b-%Y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .map(|date| Time::from(date.and_utc()))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// `Date` of the answer.
#[must_use]
pub fn stated(headers: &HeaderMap) -> Option<Time> {
    date(text(headers, header::DATE)?)
}

/// How long the answer stays fresh, in milliseconds (RFC 9111 section 4.2): `max-age`, else `Expires` less `Date`, less
/// the `Age` it already has. `None` if nothing is said, or if `no-cache` or `no-store` says that nothing can be.
#[must_use]
pub fn fresh(headers: &HeaderMap, now: Time) -> Option<i64> {
    let age = text(headers, header::AGE).and_then(|age| age.trim().parse().ok()).unwrap_or(0_i64).max(0);
    let mut max_age = None;
    for line in headers.get_all(header::CACHE_CONTROL) {
        for directive in line.to_str().unwrap_or_default().split(',') {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            match name.trim().to_ascii_lowercase().as_str() {
                "no-cache" | "no-store" => return None,
                "max-age" => max_age = value.trim().trim_matches('"').parse::<i64>().ok().or(max_age),
                _ => {}
            }
        }
    }
    let life = match max_age {
        Some(seconds) => seconds.saturating_mul(Time::SECOND),
        None => date(text(headers, header::EXPIRES)?)?.since(stated(headers).unwrap_or(now)),
    };
    let left = life.saturating_sub(age.saturating_mul(Time::SECOND));
    (left > 0).then_some(left)
}

/// `Retry-After` in milliseconds from now (RFC 9110 section 10.2.3): seconds, or a date seen from the answer's own date.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: Time) -> Option<i64> {
    let value = text(headers, header::RETRY_AFTER)?.trim();
    let wait = match value.parse::<i64>() {
        Ok(seconds) => seconds.saturating_mul(Time::SECOND),
        Err(_) => date(value)?.since(stated(headers).unwrap_or(now)),
    };
    Some(wait.max(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    type Row<'a> = (&'a [(&'static str, &'a str)], Option<i64>);

    const NOW: Time = Time(1_795_000_000_000);

    fn head(lines: &[(&'static str, &str)]) -> HeaderMap {
        lines.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_str(v).unwrap())).collect()
    }

    #[test]
    fn all_forms_of_an_http_date_are_one_moment() {
        for form in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 06-Nov-1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 16:49:37 +0800",
        ] {
            assert_eq!(date(form), Some(Time::from_seconds(784_111_777)), "{form}");
        }
        assert_eq!(date("0"), None);
        assert_eq!(date("-1"), None);
    }

    #[test]
    fn freshness() {
        let table: &[Row<'_>] = &[
            (&[("cache-control", "public, max-age=600")], Some(600_000)),
            (&[("cache-control", "max-age=600"), ("age", "100")], Some(500_000)),
            (&[("cache-control", "max-age=600"), ("age", "700")], None),
            (&[("cache-control", "max-age=0")], None),
            (&[("cache-control", "max-age=600, no-cache")], None),
            (&[("cache-control", "s-maxage=9, MAX-AGE=\"60\"")], Some(60_000)),
            (&[("cache-control", "private"), ("cache-control", "max-age=60")], Some(60_000)),
            (&[("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("expires", "Sun, 06 Nov 1994 08:59:37 GMT")], Some(600_000)),
            (&[("expires", "0")], None),
            (&[], None),
        ];
        for (lines, fresh_for) in table {
            assert_eq!(fresh(&head(lines), NOW), *fresh_for, "{lines:?}");
        }
    }

    #[test]
    fn coming_back() {
        let table: &[Row<'_>] = &[
            (&[("retry-after", "120")], Some(120_000)),
            (&[("retry-after", "-5")], Some(0)),
            (&[("retry-after", "soon")], None),
            (
                &[("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT")],
                Some(60_000),
            ),
            (&[], None),
        ];
        for (lines, wait) in table {
            assert_eq!(retry_after(&head(lines), NOW), *wait, "{lines:?}");
        }
    }
}
