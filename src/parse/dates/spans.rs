//! Spans counted back in some sixty languages: πριν από 3 ώρες, 3 órája, час назад, 3 godziny temu.
//!
//! The customs of the language decide nothing here but where the number stands: `generate.py` says where the words are from.

use super::ago;
use crate::model::time::{Claim, Time};
use chrono_tz::Tz;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A line a span: the letter of its unit, what stands before the number, what stands behind it.
const SPANS: &str = include_str!("spans.txt");

/// Units by what stands before and behind the number.
static UNITS: LazyLock<BTreeMap<(&str, &str), i64>> = LazyLock::new(|| {
    let line = |line: &'static str| {
        let mut parts = line.split('\t');
        let unit = match parts.next()? {
            "s" => Time::SECOND,
            "m" => Time::MINUTE,
            "h" => Time::HOUR,
            "D" => Time::DAY,
            "W" => 7 * Time::DAY,
            "M" => 30 * Time::DAY,
            "Y" => 365 * Time::DAY,
            _ => return None,
        };
        Some(((parts.next()?, parts.next()?), unit))
    };
    SPANS.lines().filter_map(line).collect()
});

/// Reads it; `None` if no language tells a span so.
pub(super) fn read(text: &str, tz: Tz, at: Time) -> Option<Claim> {
    let text = text.to_lowercase().replace('.', "").replace('’', "'");
    let begin = text.find(|c: char| c.is_ascii_digit());
    let (count, unit) = if let Some(begin) = begin {
        let end = text[begin..].find(|c: char| !c.is_ascii_digit()).map_or(text.len(), |end| begin + end);
        let count = text[begin..end].parse::<i64>().ok()?;
        (count, *UNITS.get(&(text[..begin].trim(), text[end..].trim()))?)
    } else {
        // Without a number it is one of them: час назад.
        let gaps = text.char_indices().filter(|(_, c)| *c == ' ').map(|(at, _)| at);
        let splits = std::iter::once(("", text.as_str())).chain(gaps.map(|at| (&text[..at], text[at..].trim())));
        (
            1,
            splits
                .filter(|(_, behind)| behind.contains(' ') || behind.len() < text.len())
                .find_map(|split| UNITS.get(&split).copied())?,
        )
    };
    ago::span(count.checked_mul(unit)?, unit, None, tz, at)
}

#[cfg(test)]
mod tests {
    #[test]
    fn spans_of_many_languages() {
        super::super::tests::check(
            "πριν από 3 ώρες                      => ~2026-11-23T09:00:00+08:00
             πριν από 5 λεπτά                     => 2026-11-23T11:55:00+08:00
             3 órával ezelőtt                     => ~2026-11-23T09:00:00+08:00
             5 perccel ezelőtt                    => 2026-11-23T11:55:00+08:00
             2 nappal ezelőtt                     => ~2026-11-21T00:00:00+08:00
             3 ore fa                             => ~2026-11-23T09:00:00+08:00
             3 uur geleden                        => ~2026-11-23T09:00:00+08:00
             3 saat önce                          => ~2026-11-23T09:00:00+08:00
             3 godziny temu                       => ~2026-11-23T09:00:00+08:00
             před 3 hodinami                      => ~2026-11-23T09:00:00+08:00
             för 3 timmar sedan                   => ~2026-11-23T09:00:00+08:00
             for 3 timer siden                    => ~2026-11-23T09:00:00+08:00
             3 години тому                        => ~2026-11-23T09:00:00+08:00
             3 giờ trước                          => ~2026-11-23T09:00:00+08:00
             3 jam yang lalu                      => ~2026-11-23T09:00:00+08:00
             منذ ٣ ساعات                          => ~2026-11-23T09:00:00+08:00
             قبل ٣ ساعات                          => ~2026-11-23T09:00:00+08:00
             час назад                            => ~2026-11-23T11:00:00+08:00
             3 heures                             => -
             3 órás műszak                        => -",
            chrono_tz::Asia::Shanghai,
        );
    }
}
