//! Names of places to their codes.

use std::sync::Arc;

use serde_json::json;

use super::key::{Kind, Value};
use super::kind;
use super::reading::Reading;
use crate::model::place::{Code, Level};
use crate::model::setting::Cities;
use crate::place::{Address, Found, Gazetteer, GazetteerError, Unit};

/// Where names are looked up.
pub(super) struct Names(Arc<Gazetteer>);

/// What a name is not: how to write each of several places, or names like it.
pub(super) enum Unknown {
    /// It means several places.
    Many(Vec<String>),
    /// It means none.
    None(Vec<String>),
}

impl Default for Names {
    fn default() -> Self {
        Self(Gazetteer::builtin())
    }
}

impl Names {
    /// The built-in places with what `[cities]` adds.
    pub fn with(cities: &Cities) -> Result<Self, Vec<GazetteerError>> {
        Gazetteer::build(cities).map(Self)
    }

    /// A unit of any level.
    pub fn unit(&self, name: &str) -> Result<Code, Unknown> {
        match self.0.find(name) {
            Found::One(unit) => Ok(unit.code),
            Found::Many(units) => Err(Unknown::Many(units.into_iter().map(|unit| self.told(unit)).collect())),
            Found::None(near) => Err(Unknown::None(near.into_iter().map(|unit| self.told(unit)).collect())),
        }
    }

    /// A city (of a county: its city); where there is none of that name, a province.
    pub fn city(&self, name: &str) -> Result<Code, Unknown> {
        match self.0.city_at(name) {
            Address::Found(code) => Ok(code),
            Address::Ambiguous(codes) => Err(Unknown::Many(self.all(&codes))),
            Address::Unknown(near) => self.unit(name).map_err(|unknown| match unknown {
                Unknown::None(_) if !near.is_empty() => Unknown::None(self.all(&near)),
                other => other,
            }),
        }
    }

    /// A city as the address of its feed names it.
    pub fn city_only(&self, name: &str) -> Result<Code, Unknown> {
        self.answered(self.0.city_at(name))
    }

    /// A province as the address of its feed names it.
    pub fn province(&self, name: &str) -> Result<Code, Unknown> {
        self.answered(self.0.province_at(name))
    }

    fn answered(&self, address: Address) -> Result<Code, Unknown> {
        match address {
            Address::Found(code) => Ok(code),
            Address::Ambiguous(codes) => Err(Unknown::Many(self.all(&codes))),
            Address::Unknown(codes) => Err(Unknown::None(self.all(&codes))),
        }
    }

    fn all(&self, codes: &[Code]) -> Vec<String> {
        codes.iter().filter_map(|code| self.0.unit(*code)).map(|unit| self.told(unit)).collect()
    }

    /// A unit as a hint names it: `许昌市 (411000)`, a county with its city.
    fn told(&self, unit: &Unit) -> String {
        let city = unit.city.filter(|city| *city != unit.code).and_then(|city| self.0.unit(city));
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
        let found = reading.names.unit(name);
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
    let found = reading.names.city(name);
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
