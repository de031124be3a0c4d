//! Places: codes, levels, and how sure we are that a story is about one.

use minicbor::{Decode, Encode};

use super::evidence::{Dropped, Sign};

/// A place's code. China: GB/T 2260, six digits (410000 Henan, 411000 Xuchang, 411002 Weidu). Other gazetteers keep the
/// same shape: two digits of region, two of city, two of district, with a country prefix above six digits.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Code(#[n(0)] pub u32);

impl Code {
    /// The code of the province this place lies in (its own for a province).
    #[must_use]
    pub const fn province(self) -> Self {
        Self(self.0 / 10_000 * 10_000)
    }

    /// The code of the prefecture this place lies in (its own for a prefecture), by the digits alone. Counties run
    /// directly by a province are cities of their own: ask the gazetteer, not the digits, about xx90xx codes.
    #[must_use]
    pub const fn prefecture(self) -> Self {
        Self(self.0 / 100 * 100)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:06}", self.0)
    }
}

/// A unit's level in the division tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Level {
    /// Province, autonomous region, municipality, special administrative region.
    #[n(0)]
    Province,
    /// Prefecture, or a county run directly by its province: what we call a city.
    #[n(1)]
    City,
    /// County, district, banner, county-level city.
    #[n(2)]
    County,
}

/// A place that a story is about, with the reasons.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Placed {
    /// City (or province, in a story's list of provinces).
    #[n(0)]
    pub code: Code,
    /// Name for people, in full: 许昌市.
    #[n(1)]
    pub name: String,
    /// 0 to 1000 (printed as 0 to 1 in exports).
    #[n(2)]
    pub score: u16,
    /// Why, one hit each.
    #[n(3)]
    pub evidence: Vec<Sign>,
    /// Counties named inside it, kept as detail.
    #[n(4)]
    pub counties: Vec<Code>,
    /// Longitude and latitude in millionths of a degree, where the gazetteer has a point.
    #[n(5)]
    pub point: Option<Point>,
}

/// A point in WGS 84, in millionths of a degree: integers, because a sum of floats may differ between machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Point {
    /// Degrees north times one million.
    #[n(0)]
    pub latitude: i32,
    /// Degrees east times one million.
    #[n(1)]
    pub longitude: i32,
}

impl Point {
    /// As `latitude longitude` in degrees with at most six decimals: the text of `georss:point`.
    #[must_use]
    pub fn georss(self) -> String {
        format!("{} {}", degrees(self.latitude), degrees(self.longitude))
    }
}

fn degrees(millionths: i32) -> String {
    let sign = if millionths < 0 { "-" } else { "" };
    let (whole, part) = (millionths.unsigned_abs() / 1_000_000, millionths.unsigned_abs() % 1_000_000);
    let text = format!("{sign}{whole}.{part:06}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What the placer found for one item: the cities it is about, and the provinces.
#[derive(Debug, Default, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Places {
    /// Cities, best first.
    #[n(0)]
    pub cities: Vec<Placed>,
    /// Provinces of those cities and provinces named alone, best first.
    #[n(1)]
    pub provinces: Vec<Placed>,
    /// What was seen and not counted.
    #[n(2)]
    pub dropped: Vec<Dropped>,
}
