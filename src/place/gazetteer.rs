//! The units of the division tree by code, by name and by address.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use super::table::{self, GazetteerError, Row};
use crate::model::fold::fold;
use crate::model::place::{Code, Level, Point};
use crate::model::setting::Cities;

/// The divisions of China; its head names the sources and their licences.
const CHINA: &str = include_str!("gazetteer/china.tsv");

static BUILTIN: LazyLock<Arc<Gazetteer>> = LazyLock::new(|| {
    let mut gazetteer = Gazetteer::default();
    gazetteer.add(CHINA, 0);
    gazetteer.cover(&[]);
    Arc::new(gazetteer)
});

/// How many near names are offered where one is unknown.
const NEAR: usize = 4;

/// One unit of the division tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Its code.
    pub code: Code,
    /// Its level; a municipality is a province that is its own city.
    pub level: Level,
    /// In full: 许昌市.
    pub name: String,
    /// Without its kind: 许昌.
    pub short: String,
    /// Its address; empty for a county that lies in a city.
    pub slug: String,
    /// Further addresses that answer, former ones included.
    pub slugs: Vec<String>,
    /// Where it is (for a city: its seat).
    pub point: Option<Point>,
    /// The city it is or lies in; none for a province.
    pub city: Option<Code>,
    /// The province it is or lies in.
    pub province: Code,
    /// Former and other usual names, configured ones included.
    pub former: Vec<String>,
    /// Those of its names that are common words too, or borne by places elsewhere: they need support.
    pub weak: Vec<String>,
}

impl Unit {
    /// Whether it is a city of its own: a prefecture, a municipality, a county run directly by its province.
    #[must_use]
    pub fn is_city(&self) -> bool {
        self.city == Some(self.code)
    }
}

/// What a name leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<'a> {
    /// One unit.
    One(&'a Unit),
    /// Several of the same right, in order of code.
    Many(Vec<&'a Unit>),
    /// None, but these are near; at most four.
    None(Vec<&'a Unit>),
}

/// What an address leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// One unit.
    Found(Code),
    /// Several, in order of code.
    Ambiguous(Vec<Code>),
    /// None, but these are near; at most four.
    Unknown(Vec<Code>),
}

/// How a unit bears a name; the order is the order of preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    /// In full: 许昌市.
    Full,
    /// By `[cities] alias`.
    Alias,
    /// Without its kind: 许昌.
    Short,
    /// A former or other usual name.
    Former,
    /// The name of a place that lies in it.
    Landmark,
}

/// The division tree, and which of its cities this desk covers.
#[derive(Debug, Default, Clone)]
pub struct Gazetteer {
    units: BTreeMap<Code, Unit>,
    /// Folded name to who bears it, how.
    names: BTreeMap<String, Vec<(Form, Code)>>,
    /// Address to city, and to province: two spaces, since they stand under different paths.
    cities: BTreeMap<String, Code>,
    provinces: BTreeMap<String, Code>,
    /// Covered cities and provinces.
    covered: BTreeSet<Code>,
    /// Phrases in which a name is no place, from further files.
    phrases: Vec<String>,
}

impl Gazetteer {
    /// The built-in table, everything covered. Read once.
    #[must_use]
    pub fn builtin() -> Arc<Self> {
        Arc::clone(&BUILTIN)
    }

    /// The built-in table with what `[cities]` adds: further files, other names, other addresses, and what is covered.
    ///
    /// # Errors
    /// Every mistake found, in the order of the files; see [`GazetteerError`].
    pub fn build(cities: &Cities) -> Result<Arc<Self>, Vec<GazetteerError>> {
        if *cities == Cities::default() {
            return Ok(Self::builtin());
        }
        let mut all = Self::clone(&BUILTIN);
        let mut errors = Vec::new();
        for (file, text) in cities.gazetteer.iter().enumerate() {
            errors.extend(all.add(text, file));
        }
        let mut wrong = |message: String, hint: &str| {
            errors.push(GazetteerError { file: cities.gazetteer.len(), line: 0, message, hint: hint.to_owned() });
        };
        for (name, code) in &cities.alias {
            if fold(name).is_empty() {
                wrong(format!("`{name}` is no name"), "a name has at least one letter");
            } else if let Some(unit) = all.units.get_mut(code) {
                unit.former.push(name.clone());
                all.names.entry(fold(name)).or_default().push((Form::Alias, *code));
            } else {
                wrong(format!("alias `{name}` leads to {code}, which is in no gazetteer"), "a name or code of a unit");
            }
        }
        for (code, slug) in &cities.slug {
            match all.readdress(*code, slug) {
                Ok(()) => {}
                Err((message, hint)) => wrong(message, hint),
            }
        }
        for code in cities.cover.iter().filter(|code| !all.units.contains_key(code)) {
            wrong(format!("cover names {code}, which is in no gazetteer"), "a name or code of a unit");
        }
        for bearers in all.names.values_mut() {
            bearers.sort_unstable();
            bearers.dedup();
        }
        all.cover(&cities.cover);
        if errors.is_empty() { Ok(Arc::new(all)) } else { Err(errors) }
    }

    /// The unit of this code.
    #[must_use]
    pub fn unit(&self, code: Code) -> Option<&Unit> {
        self.units.get(&code)
    }

    /// Every unit, in order of code.
    pub fn units(&self) -> impl Iterator<Item = &Unit> {
        self.units.values()
    }

    /// Every city (municipalities and counties run directly by a province included), covered or not, in order of code.
    pub fn cities(&self) -> impl Iterator<Item = &Unit> {
        self.units.values().filter(|unit| unit.is_city())
    }

    /// Every province (municipalities included), covered or not, in order of code.
    pub fn provinces(&self) -> impl Iterator<Item = &Unit> {
        self.units.values().filter(|unit| unit.level == Level::Province)
    }

    /// Whether `[cities] cover` includes this city, or a city of this province, or the city of this county.
    #[must_use]
    pub fn covered(&self, code: Code) -> bool {
        self.units.get(&code).is_some_and(|unit| self.covered.contains(&unit.city.unwrap_or(code)))
    }

    /// The unit that a query names: the only one of this name, or of several the first that is a province, or none, as asked.
    #[must_use]
    pub fn named(&self, name: &str, province: bool) -> Option<Code> {
        match self.find(name) {
            Found::One(unit) => Some(unit.code),
            Found::Many(units) => {
                units.iter().find(|unit| (unit.level == Level::Province) == province).map(|unit| unit.code)
            }
            Found::None(_) => None,
        }
    }

    /// The unit of this name: code, full name, alias, short name, former name, slug, in this order. Among units that
    /// bear a name in the same way, a city goes before counties; a province and a city of one name are both given.
    #[must_use]
    pub fn find(&self, name: &str) -> Found<'_> {
        let name = name.trim();
        if let Some(unit) = self.by_digits(name) {
            return Found::One(unit);
        }
        let mut best = self.bearers(name, |_| true);
        if best.iter().any(|unit| unit.level != Level::County) {
            best.retain(|unit| unit.level != Level::County);
        }
        if best.is_empty() {
            let slug = name.to_ascii_lowercase();
            let codes: BTreeSet<Code> =
                [self.cities.get(&slug), self.provinces.get(&slug)].into_iter().flatten().copied().collect();
            best = codes.iter().filter_map(|code| self.units.get(code)).collect();
        }
        if best.is_empty() {
            best = self.same_stem(&self.cities, name).iter().filter_map(|code| self.units.get(code)).collect();
        }
        match best.as_slice() {
            [] => Found::None(self.near(name, |_| true)),
            [one] => Found::One(one),
            _ => Found::Many(best),
        }
    }

    /// The city at this address: slug, further slug, code, full or short or other name. A county answers with its city.
    #[must_use]
    pub fn city_at(&self, address: &str) -> Address {
        self.at(address, &self.cities, |unit| unit.city)
    }

    /// The province at this address; a city or county does not answer here, but for a municipality.
    #[must_use]
    pub fn province_at(&self, address: &str) -> Address {
        self.at(address, &self.provinces, |unit| (unit.level == Level::Province).then_some(unit.code))
    }

    /// The city whose slug this is, exactly.
    pub(super) fn city_of_slug(&self, slug: &str) -> Option<&Unit> {
        self.cities.get(slug).and_then(|code| self.units.get(code))
    }

    fn at(&self, address: &str, slugs: &BTreeMap<String, Code>, of: impl Fn(&Unit) -> Option<Code>) -> Address {
        let address = address.trim();
        if let Some(code) = slugs.get(&address.to_ascii_lowercase()) {
            return Address::Found(*code);
        }
        let mut codes: BTreeSet<Code> = BTreeSet::new();
        if let Some(unit) = self.by_digits(address) {
            codes.extend(of(unit));
        } else {
            // A city by any of its names goes before a county by a better form of its own.
            let own = self.bearers(address, |unit| of(unit) == Some(unit.code));
            let all = if own.is_empty() { self.bearers(address, |unit| of(unit).is_some()) } else { own };
            codes.extend(all.into_iter().filter_map(&of));
            if codes.is_empty() {
                codes.extend(self.same_stem(slugs, address));
            }
        }
        let codes: Vec<Code> = codes.into_iter().collect();
        match codes.as_slice() {
            [] => {
                let near: BTreeSet<Code> =
                    self.near(address, |unit| of(unit).is_some()).into_iter().filter_map(&of).collect();
                Address::Unknown(near.into_iter().collect())
            }
            [one] => Address::Found(*one),
            _ => Address::Ambiguous(codes),
        }
    }

    /// Units that bear this name in the best form in which any of the accepted ones does.
    fn bearers(&self, name: &str, accept: impl Fn(&Unit) -> bool) -> Vec<&Unit> {
        let all = self.names.get(&fold(name)).map_or(&[][..], Vec::as_slice);
        let accepted = || {
            all.iter().filter_map(|(form, code)| Some((*form, self.units.get(code)?))).filter(|(_, unit)| accept(unit))
        };
        let best = accepted().map(|(form, _)| form).min();
        accepted().filter(|(form, _)| Some(*form) == best).map(|(_, unit)| unit).collect()
    }

    fn by_digits(&self, text: &str) -> Option<&Unit> {
        (text.len() >= 6 && text.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| text.parse().ok())
            .flatten()
            .and_then(|number| self.units.get(&Code(number)))
    }

    /// Addresses that are this one with a province behind it: `suzhou` leads to both.
    fn same_stem(&self, slugs: &BTreeMap<String, Code>, stem: &str) -> Vec<Code> {
        let stem = format!("{}-", stem.to_ascii_lowercase());
        let found =
            slugs.range(stem.clone()..).take_while(|(slug, _)| slug.starts_with(&stem)).filter(|(slug, code)| {
                let province = self.units.get(code).and_then(|unit| self.units.get(&unit.province));
                province.is_some_and(|province| slug[stem.len()..] == province.slug)
            });
        let mut codes: Vec<Code> = found.map(|(_, code)| *code).collect();
        codes.sort_unstable();
        codes
    }

    /// Units whose name or address is like this one, most alike first.
    fn near(&self, name: &str, accept: impl Fn(&Unit) -> bool) -> Vec<&Unit> {
        let folded = fold(name);
        let mut scored: Vec<(u32, &Unit)> = Vec::new();
        if !folded.is_empty() && folded.len() <= 100 {
            for unit in self.units.values().filter(|unit| accept(unit)) {
                let like = |other: &str| {
                    let (ours, theirs) = (folded.chars().count(), other.chars().count());
                    let distance = strsim::levenshtein(&folded, other);
                    // At least half of the longer one has to agree.
                    let longer = ours.max(theirs);
                    (distance * 2 <= longer).then(|| (distance * 1_000 / longer.max(1)) as u32)
                };
                let names = [like(&fold(&unit.name)), like(&fold(&unit.short)), like(&fold(&unit.slug))];
                if let Some(best) = names.into_iter().flatten().min() {
                    // Among equals, the higher level.
                    scored.push((best * 4 + unit.level as u32, unit));
                }
            }
        }
        scored.sort_by_key(|(distance, unit)| (*distance, unit.code));
        scored.into_iter().take(NEAR).map(|(_, unit)| unit).collect()
    }

    /// Every name that a unit bears, as written, in order of code.
    pub(super) fn names(&self) -> impl Iterator<Item = (Form, &str, &Unit)> {
        self.units.values().flat_map(move |unit| {
            let former = unit.former.iter().map(move |name| {
                let alias = self.names.get(&fold(name)).is_some_and(|all| all.contains(&(Form::Alias, unit.code)));
                (if alias { Form::Alias } else { Form::Former }, name.as_str(), unit)
            });
            [(Form::Full, unit.name.as_str(), unit), (Form::Short, unit.short.as_str(), unit)].into_iter().chain(former)
        })
    }

    /// Phrases in which a name is no place.
    pub(super) fn phrases(&self) -> &[String] {
        &self.phrases
    }

    /// Adds the rows of a file. Rows with mistakes are left out and told.
    fn add(&mut self, text: &str, file: usize) -> Vec<GazetteerError> {
        let table::Table { mut rows, phrases, mut errors } = table::read(text, file);
        self.phrases.extend(phrases);
        // Provinces before cities before counties, whatever the order in the file.
        rows.sort_by_key(|row| (row.level, row.code));
        for row in rows {
            let line = row.line;
            if let Err((message, hint)) = self.add_row(row) {
                errors.push(GazetteerError { file, line, message, hint: hint.to_owned() });
            }
        }
        for bearers in self.names.values_mut() {
            bearers.sort_unstable();
            bearers.dedup();
        }
        errors.sort_by_key(|error| error.line);
        errors
    }

    fn add_row(&mut self, row: Row) -> Result<(), (String, &'static str)> {
        if let Some(known) = self.units.get(&row.code) {
            return Err((
                format!("code {} is {} already", row.code, known.name),
                "a later file adds units, it changes none",
            ));
        }
        let province = row.code.province();
        let city = match row.level {
            Level::Province => row.municipality.then_some(row.code),
            Level::City => Some(row.code),
            Level::County => {
                let city = [row.code.prefecture(), province]
                    .into_iter()
                    .find(|code| self.units.get(code).is_some_and(Unit::is_city));
                if city.is_none() {
                    return Err((
                        format!("{} lies in no city", row.name),
                        "name its city or municipality in the same file",
                    ));
                }
                city
            }
        };
        if row.level != Level::Province && !self.units.contains_key(&province) {
            return Err((format!("{} lies in no province", row.name), "name its province in the same file"));
        }
        let mut slugs = Vec::new();
        if row.level != Level::County {
            let behind = self.units.get(&province).map_or_else(String::new, |unit| unit.slug.clone());
            for wanted in row.slugs {
                let taken = |slug: &str| {
                    (city.is_some() && self.cities.contains_key(slug))
                        || (row.level == Level::Province && self.provinces.contains_key(slug))
                };
                let free = [wanted.clone(), format!("{wanted}-{behind}"), format!("{wanted}-{}", row.code)];
                let Some(slug) = free.into_iter().find(|slug| !taken(slug)) else {
                    return Err((format!("slug {wanted} is in use"), "another slug"));
                };
                if city.is_some() {
                    self.cities.insert(slug.clone(), row.code);
                }
                if row.level == Level::Province {
                    self.provinces.insert(slug.clone(), row.code);
                }
                slugs.push(slug);
            }
        }
        let mut name = |form: Form, name: &str| self.names.entry(fold(name)).or_default().push((form, row.code));
        name(Form::Full, &row.name);
        name(Form::Short, &row.short);
        row.others.iter().for_each(|other| name(Form::Former, other));
        let slug = if slugs.is_empty() { String::new() } else { slugs.remove(0) };
        let unit = Unit {
            code: row.code,
            level: row.level,
            name: row.name,
            short: row.short,
            slug,
            slugs,
            point: row.point,
            city,
            province,
            former: row.others,
            weak: row.weak,
        };
        self.units.insert(row.code, unit);
        Ok(())
    }

    /// Gives a unit another address; the old one goes on answering.
    fn readdress(&mut self, code: Code, slug: &str) -> Result<(), (String, &'static str)> {
        if !table::is_slug(slug) {
            return Err((format!("`{slug}` is no slug"), "lower-case ASCII letters, digits and -, a letter first"));
        }
        let Some(unit) = self.units.get_mut(&code) else {
            return Err((format!("slug `{slug}` is for {code}, which is in no gazetteer"), "a name or code of a unit"));
        };
        let (is_city, is_province) = (unit.is_city(), unit.level == Level::Province);
        if !is_city && !is_province {
            return Err((format!("{} is a county: it answers at its city's address", unit.name), "a city or province"));
        }
        let other = |held: Option<&Code>| held.is_some_and(|holder| *holder != code);
        if (is_city && other(self.cities.get(slug))) || (is_province && other(self.provinces.get(slug))) {
            return Err((format!("slug `{slug}` is in use"), "another slug; addresses are for ever"));
        }
        if unit.slug != slug {
            unit.slugs.retain(|old| old != slug);
            unit.slugs.push(std::mem::replace(&mut unit.slug, slug.to_owned()));
        }
        if is_city {
            self.cities.insert(slug.to_owned(), code);
        }
        if is_province {
            self.provinces.insert(slug.to_owned(), code);
        }
        Ok(())
    }

    fn cover(&mut self, cover: &[Code]) {
        let chosen: BTreeSet<Code> = cover.iter().copied().collect();
        let included =
            |unit: &Unit| chosen.is_empty() || chosen.contains(&unit.code) || chosen.contains(&unit.province);
        let mut covered = BTreeSet::new();
        for unit in self.units.values() {
            match unit.level {
                Level::Province if included(unit) => {
                    covered.insert(unit.code);
                }
                Level::City | Level::County if included(unit) => {
                    covered.extend([unit.province].into_iter().chain(unit.city));
                }
                _ => {}
            }
        }
        self.covered = covered;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::hash64;

    fn at(address: &str) -> Vec<u32> {
        match Gazetteer::builtin().city_at(address) {
            Address::Found(code) => vec![code.0],
            Address::Ambiguous(codes) => codes.iter().map(|code| code.0).collect(),
            Address::Unknown(_) => Vec::new(),
        }
    }

    #[test]
    fn the_table_is_the_one_that_the_generator_made() {
        let gazetteer = Gazetteer::builtin();
        assert!(table::read(CHINA, 0).errors.is_empty());
        assert!(CHINA.len() < 200_000);
        assert_eq!(hash64(&[CHINA.as_bytes()]), CHECKSUM, "run generate.py, look at what changed, then set this");
        let count = |level| gazetteer.units().filter(|unit| unit.level == level).count();
        assert_eq!(count(Level::Province), 34);
        // 333 prefectures and 32 counties run directly by a province.
        assert_eq!(count(Level::City), 365);
        assert_eq!(count(Level::County), 2_813);
        for unit in gazetteer
            .units()
            .filter(|unit| unit.level == Level::City && !(90..=99).contains(&(unit.code.0 / 100 % 100)))
        {
            assert!(unit.point.is_some(), "{} has no point", unit.name);
        }
    }

    const CHECKSUM: u64 = 8_562_227_998_473_605_776;

    #[test]
    fn every_city_and_province_has_an_address_of_its_own() {
        let gazetteer = Gazetteer::builtin();
        let mut seen = BTreeSet::new();
        for unit in gazetteer.cities() {
            assert!(table::is_slug(&unit.slug), "{}", unit.name);
            assert!(seen.insert(unit.slug.clone()), "{}", unit.slug);
            for address in [&unit.slug, &unit.name, &unit.code.to_string()] {
                assert_eq!(gazetteer.city_at(address), Address::Found(unit.code), "{address}");
            }
        }
        for unit in gazetteer.provinces() {
            for address in [&unit.slug, &unit.name, &unit.short, &unit.code.to_string()] {
                assert_eq!(gazetteer.province_at(address), Address::Found(unit.code), "{address}");
            }
        }
    }

    #[test]
    fn slugs_are_the_agreed_ones() {
        let table = "许昌 xuchang;吕梁 lvliang;恩施州 enshi;哈尔滨 haerbin;重庆 chongqing;长春 changchun;六安 luan;亳州 bozhou;蚌埠 bengbu;\
            丽水 lishui;乐山 leshan;洛阳 luoyang;漯河 luohe;长治 changzhi;昌都 changdu;台州 taizhou-zhejiang;泰州 taizhou-jiangsu;\
            苏州 suzhou-jiangsu;宿州 suzhou-anhui;榆林 yulin-shaanxi;玉林 yulin-guangxi;福州 fuzhou-fujian;抚州 fuzhou-jiangxi;\
            宜春 yichun-jiangxi;伊春 yichun-heilongjiang;济源 jiyuan;香港 xianggang;澳门 aomen;锡林郭勒盟 xilinguole;朝阳 chaoyang;\
            厦门 xiamen;阿勒泰 aletai;济南 jinan;济宁 jining;儋州 danzhou;莆田 putian;衢州 quzhou;吐鲁番 tulufan;和田 hetian;西安 xian;吉林市 jilin";
        for pair in table.split(';') {
            let (name, slug) = pair.trim().split_once(' ').unwrap();
            let Address::Found(code) = Gazetteer::builtin().city_at(name) else { panic!("{name}") };
            assert_eq!(Gazetteer::builtin().unit(code).unwrap().slug, slug, "{name}");
        }
        assert_eq!(Gazetteer::builtin().province_at("shaanxi"), Address::Found(Code(610_000)));
        assert_eq!(Gazetteer::builtin().province_at("shanxi"), Address::Found(Code(140_000)));
    }

    #[test]
    fn addresses_lead_where_they_should() {
        let table: &[(&str, &[u32])] = &[
            ("xuchang", &[411_000]),
            ("XuChang", &[411_000]),
            ("许昌", &[411_000]),
            ("許昌市", &[411_000]),
            ("411000", &[411_000]),
            ("411002", &[411_000]),
            ("禹州市", &[411_000]),
            ("suzhou", &[320_500, 341_300]),
            ("suzhou-anhui", &[341_300]),
            ("hongkong", &[810_000]),
            ("macau", &[820_000]),
            ("beijing", &[110_000]),
            ("海淀区", &[110_000]),
            ("419001", &[419_001]),
            ("襄樊", &[420_600]),
            ("朝阳", &[211_300]),
            ("吉林", &[220_200]),
            ("海南", &[632_500]),
            ("通州区", &[110_000, 320_600]),
            ("henan", &[]),
            ("", &[]),
            ("火星", &[]),
        ];
        for (address, codes) in table {
            assert_eq!(at(address), *codes, "{address}");
        }
        let Address::Unknown(near) = Gazetteer::builtin().city_at("xuchan") else { panic!() };
        assert!(near.contains(&Code(411_000)), "{near:?}");
    }

    #[test]
    fn names_are_found_by_form_and_level() {
        let gazetteer = Gazetteer::builtin();
        let names = |name: &str| match gazetteer.find(name) {
            Found::One(unit) => unit.name.clone(),
            Found::Many(units) => units.iter().map(|unit| unit.name.as_str()).collect::<Vec<_>>().join("|"),
            Found::None(near) => format!("near {}", near.first().map_or("nothing", |unit| unit.name.as_str())),
        };
        for (name, expected) in [
            ("河南省", "河南省"),
            ("河南", "河南省"),
            ("吉林", "吉林省|吉林市"),
            ("朝阳", "朝阳市"),
            ("710000", "台湾省"),
            ("建安区", "建安区"),
            ("许昌县", "建安区"),
            ("市中区", "市中区|市中区|市中区|市中区"),
            ("陕县", "陕州区"),
            ("suzhou", "苏州市|宿州市"),
            ("许昌是", "near 许昌市"),
        ] {
            assert_eq!(names(name), expected, "{name}");
        }
    }

    #[test]
    fn what_cities_says_is_added() {
        let cities = Cities {
            cover: vec![Code(410_000), Code(340_200), Code(320_583)],
            alias: vec![("莲城".to_owned(), Code(411_000))],
            slug: vec![(Code(411_000), "xc".to_owned())],
            gazetteer: vec![
                "392410000\tprovince\t神奈川県\t神奈川\tkanagawa\n392410100\tcity\t横浜市\t横浜\tbeijing\n".to_owned(),
            ],
        };
        let gazetteer = Gazetteer::build(&cities).unwrap();
        assert_eq!(gazetteer.city_at("莲城"), Address::Found(Code(411_000)));
        assert_eq!(gazetteer.city_at("xc"), Address::Found(Code(411_000)));
        assert_eq!(gazetteer.city_at("xuchang"), Address::Found(Code(411_000)));
        assert_eq!(gazetteer.unit(Code(411_000)).unwrap().slug, "xc");
        assert_eq!(gazetteer.city_at("beijing"), Address::Found(Code(110_000)));
        assert_eq!(gazetteer.city_at("beijing-kanagawa"), Address::Found(Code(392_410_100)));
        for (code, expected) in [
            (410_000, true),
            (411_000, true),
            (411_002, true),
            (340_200, true),
            (340_000, true),
            (340_100, false),
            (320_500, true),
        ] {
            assert_eq!(gazetteer.covered(Code(code)), expected, "{code}");
        }
    }

    #[test]
    fn mistakes_of_cities_are_told_all_at_once() {
        let cities = Cities {
            cover: vec![Code(999_999)],
            alias: vec![("某城".to_owned(), Code(1)), ("！".to_owned(), Code(411_000))],
            slug: vec![
                (Code(411_000), "zhengzhou".to_owned()),
                (Code(411_002), "weidu".to_owned()),
                (Code(411_000), "X".to_owned()),
            ],
            gazetteer: vec!["411000\tcity\t许昌市\t\tx\n392410101\tcounty\t鶴見区\n".to_owned()],
        };
        let errors = Gazetteer::build(&cities).unwrap_err();
        assert_eq!(errors.len(), 8, "{errors:#?}");
        assert_eq!((errors[0].file, errors[0].line), (0, 1));
        assert!(errors.iter().skip(2).all(|error| error.file == 1));
    }
}
