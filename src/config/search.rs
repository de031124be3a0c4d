//! Queries that stand in the file: a mistake in one is shown at its own column.

use serde_json::json;

use super::city::Sought;
use super::key::{Kind, Value};
use super::kind;
use super::reading::Reading;
use crate::query::{PlaceKind, Query, QueryError};

/// A query.
pub(super) struct Search {
    /// Whether dates such as `after:3d` are good here.
    pub relative: bool,
    /// Whether places are known where it is asked: of an item that is not filed yet they are not.
    pub places: bool,
}

impl Kind<String> for Search {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<String> {
        let text = kind::text(value, reading)?;
        let mut query = match Query::parse(text) {
            Ok(query) => query,
            Err(error) => {
                complain(&error, value, reading);
                return None;
            }
        };
        if let Some((kind, column)) = query.asks().place.filter(|_| !self.places) {
            let error = QueryError {
                column,
                message: format!("`{}:` matches nothing here: places are found once an item is filed", kind.word()),
                hint: "look for the name itself, such as \"许昌\", or use it in `when` of a [[tag]] or [[feed]]"
                    .to_owned(),
            };
            complain(&error, value, reading);
            return None;
        }
        let mut words = std::collections::BTreeMap::new();
        let mut unresolved = query.resolve(&mut |place| {
            let sought = match place.kind {
                PlaceKind::City => Sought::CityFeed,
                PlaceKind::Province => Sought::ProvinceFeed,
            };
            let found = reading.names.code(sought, place.name);
            found.map_err(|unknown| words.insert(place.column, unknown.words(place.name))).ok()
        });
        for error in &mut unresolved {
            if let Some((message, hint)) = words.remove(&error.column) {
                (error.message, error.hint) = (message, hint);
            }
            complain(error, value, reading);
        }
        if let Some(column) = query.relative().filter(|_| !self.relative) {
            let error = QueryError {
                column,
                message: "a relative date would change the result from day to day".to_owned(),
                hint: "write a day, such as after:2026-11-01; relative dates are for searches".to_owned(),
            };
            complain(&error, value, reading);
            return None;
        }
        unresolved.is_empty().then(|| text.to_owned())
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "type": "string", "minLength": 1 })
    }
}

/// Shows a mistake where it stands in the file.
fn complain(error: &QueryError, value: Value<'_>, reading: &mut Reading) {
    let span = value.sheet.inside(value.span, error.column.saturating_sub(1));
    reading.error(value.sheet, span, format!("`{}`: {}", value.key, error.message), error.hint.clone());
}
