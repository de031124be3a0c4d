//! Dates as feeds state them, in English and with a numeric zone.

use crate::model::time::Time;

/// RFC 2822 section 3.3, as RSS wants it: `Sun, 08 Nov 2026 12:00:00 +0800`; `offset` in minutes east of UTC.
#[must_use]
pub fn rfc2822(time: Time, offset: i16) -> String {
    time.at_offset(offset).format("%a, %d %b %Y %H:%M:%S %z").to_string()
}

/// RFC 3339: `2026-11-08T12:00:00+08:00`; `offset` in minutes east of UTC.
#[must_use]
pub fn rfc3339(time: Time, offset: i16) -> String {
    time.at_offset(offset).format("%Y-%m-%dT%H:%M:%S%:z").to_string()
}
