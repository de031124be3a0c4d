//! Names of places to their codes.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::key::{Kind, Value};
use super::kind;
use super::reading::Reading;
use crate::model::place::{Code, Level};
use crate::model::setting::Cities;
use crate::place::{Address, Found, Gazetteer, GazetteerError, Unit};

/// Where names are looked up.
pub(super) struct Names {
    gazetteer: Arc<Gazetteer>,
    /// Names asked for that mean no one place: looking for near ones takes a walk over the whole gazetteer.
    unknown: BTreeMap<(Sought, String), Unknown>,
}

/// As what a name is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sought {
    /// A unit of any level.
    Any,
    /// A city (of a county: its city); where no city has that name, a province.
    City,
    /// A city as the address of its feed names it.
    CityFeed,
    /// A province as the address of its feed names it.
    ProvinceFeed,
}

/// What a name is not: how to write each of several places, or names like it.
#[derive(Debug, Clone)]
pub(super) enum Unknown {
    /// It means several places.
    Many(Vec<String>),
    /// It means none.
    None(Vec<String>),
}

impl Default for Names {
    fn default() -> Self {
        Self { gazetteer: Gazetteer::builtin(), unknown: BTreeMap::new() }
    }
}

impl Names {
    /// The built-in places with what `[cities]` adds.
    pub fn with(cities: &Cities) -> Result<Self, Vec<GazetteerError>> {
        Gazetteer::build(cities).map(|gazetteer| Self { gazetteer, unknown: BTreeMap::new() })
    }

    /// The code of a name.
    pub fn code(&mut self, sought: Sought, name: &str) -> Result<Code, Unknown> {
        let asked = (sought, name.to_owned());
        if let Some(unknown) = self.unknown.get(&asked) {
            return Err(unknown.clone());
        }
        let found = match sought {
            Sought::Any => self.unit(name),
            Sought::City => self.city(name),
            Sought::CityFeed => self.answered(self.gazetteer.city_at(name)),
            Sought::ProvinceFeed => self.answered(self.gazetteer.province_at(name)),
        };
        if let Err(unknown) = &found {
            self.unknown.insert(asked, unknown.clone());
        }
        found
    }

    fn unit(&self, name: &str) -> Result<Code, Unknown> {
        match self.gazetteer.find(name) {
            Found::One(unit) => Ok(unit.code),
            Found::Many(units) => Err(Unknown::Many(units.into_iter().map(|unit| self.told(unit)).collect())),
            Found::None(near) => Err(Unknown::None(near.into_iter().map(|unit| self.told(unit)).collect())),
        }
    }

    fn city(&self, name: &str) -> Result<Code, Unknown> {
        match self.gazetteer.city_at(name) {
            Address::Unknown(near) => self.unit(name).map_err(|unknown| match unknown {
                Unknown::None(_) if !near.is_empty() => Unknown::None(self.all(&near)),
                other => other,
            }),
            other => self.answered(other),
        }
    }

    fn answered(&self, address: Address) -> Result<Code, Unknown> {
        match address {
            Address::Found(code) => Ok(code),
            Address::Ambiguous(codes) => Err(Unknown::Many(self.all(&codes))),
            Address::Unknown(codes) => Err(Unknown::None(self.all(&codes))),
        }
    }

    fn all(&self, codes: &[Code]) -> Vec<String> {
        codes.iter().filter_map(|code| self.gazetteer.unit(*code)).map(|unit| self.told(unit)).collect()
    }

    /// A unit as a hint names it: `许昌市 (411000)`, a county with its city.
    fn told(&self, unit: &Unit) -> String {
        let city = unit.city.filter(|city| *city != unit.code).and_then(|city| self.gazetteer.unit(city));
        let within = match city {
            Some(city) if unit.level == Level::County => format!(", {}", city.name),
            _ => String::new(),
        };
        format!("{} ({}{within})", unit.name, unit.code)
    }
}

impl Unknown {
    /// Message and hint about a name.
    pub fn words(&self, name: &str) -> (String, String) {
        match self {
            Self::Many(all) => (
                format!("\"{name}\" is the name of several places"),
                format!("write the full name or code of one: {}", all.join(", ")),
            ),
            Self::None(near) if near.is_empty() => (
                format!("no place is called \"{name}\""),
                "a full name such as \"许昌市\", or its code such as \"411000\"".to_owned(),
            ),
            Self::None(near) if near.len() == 1 => {
                (format!("no place is called \"{name}\""), format!("did you mean {}?", near.join("")))
            }
            Self::None(near) => {
                (format!("no place is called \"{name}\""), format!("did you mean one of: {}?", near.join(", ")))
            }
        }
    }
}

/// A unit of any level, by name or code.
pub(super) struct Anywhere;

/// A city, by name or code; a province where no city has that name.
pub(super) struct City;

impl Kind<Code> for Anywhere {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<Code> {
        let name = kind::text(value, reading)?;
        let found = reading.names.code(Sought::Any, name);
        known(found, name, value, reading)
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "type": "string", "minLength": 1 })
    }
}

impl Kind<Code> for City {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<Code> {
        let name = kind::text(value, reading)?;
        code(name, value, reading)
    }

    fn schema(&self) -> serde_json::Value {
        Anywhere.schema()
    }
}

/// The code of a city whose name stands at `value`, or a complaint.
pub(super) fn code(name: &str, value: Value<'_>, reading: &mut Reading) -> Option<Code> {
    let found = reading.names.code(Sought::City, name);
    known(found, name, value, reading)
}

fn known(found: Result<Code, Unknown>, name: &str, value: Value<'_>, reading: &mut Reading) -> Option<Code> {
    match found {
        Ok(code) => Some(code),
        Err(unknown) => {
            let (message, hint) = unknown.words(name);
            reading.error(value.sheet, value.span, message, hint);
            None
        }
    }
}
