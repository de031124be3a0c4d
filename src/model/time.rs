//! Points in time and spans, as plain numbers that can be stored and compared.

use chrono::{DateTime, FixedOffset, TimeZone, Utc};
use minicbor::{Decode, Encode};

/// Milliseconds since 1970-01-01T00:00:00Z. The only form in which a time is kept.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Time(#[n(0)] pub i64);

impl Time {
    /// One second, in the unit of [`Time`].
    pub const SECOND: i64 = 1_000;
    /// One minute, in the unit of [`Time`].
    pub const MINUTE: i64 = 60 * Self::SECOND;
    /// One hour, in the unit of [`Time`].
    pub const HOUR: i64 = 60 * Self::MINUTE;
    /// One day, in the unit of [`Time`].
    pub const DAY: i64 = 24 * Self::HOUR;

    /// From whole seconds since 1970.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000))
    }

    /// Whole seconds since 1970, rounded towards the past.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// This time moved by so many milliseconds, never overflowing.
    #[must_use]
    pub const fn plus(self, milliseconds: i64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }

    /// Milliseconds from `earlier` to this; negative if this is the earlier one.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// As chrono's UTC time; a value outside chrono's range becomes 1970.
    #[must_use]
    pub fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// As a local time `offset` minutes east of UTC; an impossible offset counts as UTC.
    #[must_use]
    pub fn at_offset(self, offset: i16) -> DateTime<FixedOffset> {
        let zone = FixedOffset::east_opt(i32::from(offset) * 60)
            .or_else(|| FixedOffset::east_opt(0))
            .unwrap_or_else(|| unreachable!("zero is a valid offset"));
        zone.from_utc_datetime(&self.utc().naive_utc())
    }
}

impl From<DateTime<Utc>> for Time {
    fn from(time: DateTime<Utc>) -> Self {
        Self(time.timestamp_millis())
    }
}

/// How far a claimed publication date can be trusted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Trust {
    /// No date was claimed, or it was nonsense (in the future, before 1990): first seen stands in.
    #[default]
    #[n(0)]
    None,
    /// Claimed, but it looks like an import time (many items with one stamp) or only a day is known.
    #[n(1)]
    Low,
    /// Claimed with a time of day and believable.
    #[n(2)]
    Full,
}

/// A publication date as the publisher claims it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Claim {
    /// The moment claimed.
    #[n(0)]
    pub at: Time,
    /// Minutes east of UTC in which it was stated or understood; printed dates use it.
    #[n(1)]
    pub offset: i16,
    /// How far it is believed.
    #[n(2)]
    pub trust: Trust,
    /// How it was read, in words for `try` and `why` ("RFC 822", "no zone: Asia/Shanghai assumed", "from the address").
    #[n(3)]
    pub method: String,
}
