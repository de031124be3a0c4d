//! `[[alert]]`: a search that calls someone.

use serde_json::json;

use crate::config::duration::Duration;
use crate::config::key::{Entry, Fields, Key, Kind, Table, Value};
use crate::config::name::Id;
use crate::config::near;
use crate::config::reading::Reading;
use crate::config::search::Search;
use crate::config::secret::Hidden;
use crate::model::id::SourceId;
use crate::model::setting::Alert;
use crate::model::source::Secret;
use crate::model::time::Time;

/// Whom an alert can reach.
const CHANNELS: [&str; 6] = ["webhook", "slack", "feishu", "dingtalk", "wecom", "email"];
/// Longest time to gather before sending.
const DIGEST: Duration = Duration { least: 0, most: 7 * Time::DAY };

const ID: Key<SourceId> = Key { name: "id", doc: "Name of the alert.", default: "", kind: &Id };
const WHEN: Key<String> =
    Key { name: "when", doc: "Query: what it is about.", default: "", kind: &Search { relative: true, places: true } };
const TO: Key<To> = Key {
    name: "to",
    doc: "Whom it reaches: webhook, slack, feishu, dingtalk, wecom or email; digest = how long to gather.",
    default: "",
    kind: &Channels,
};

/// The register of its keys.
pub(in crate::config) const TABLE: Table =
    Table { name: "alert", many: true, doc: "A search that calls someone.", keys: &[&ID as &dyn Entry, &WHEN, &TO] };

/// Whom an alert reaches, and how long it gathers.
#[derive(Default)]
struct To {
    channels: Vec<(String, Secret)>,
    digest: i64,
}

struct Channels;

impl Kind<To> for Channels {
    fn read(&self, value: Value<'_>, reading: &mut Reading) -> Option<To> {
        const HINT: &str = "{ feishu = { env = \"FEISHU_ROBOT\" }, digest = \"10m\" }";
        let Some(pairs) = value.pairs() else {
            reading.expected(value, "a table", HINT);
            return None;
        };
        let (mut to, mut named) = (To::default(), false);
        for (span, value) in pairs {
            named |= value.key != "digest";
            if value.key == "digest" {
                to.digest = DIGEST.read(value, reading).unwrap_or_default();
            } else if CHANNELS.contains(&value.key) {
                to.channels.extend(Hidden.read(value, reading).map(|secret| (value.key.to_owned(), secret)));
            } else {
                let hint = match near::to(value.key, CHANNELS.into_iter()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known: {} digest", CHANNELS.join(" ")),
                };
                reading.error(value.sheet, span, format!("unknown key `{}` in `to`", value.key), hint);
            }
        }
        if !named {
            reading.missing(value.sheet, value.span, "this alert reaches nobody", format!("name a channel: {HINT}"));
        }
        Some(to)
    }

    fn schema(&self) -> serde_json::Value {
        let mut keys: serde_json::Map<_, _> =
            CHANNELS.into_iter().map(|channel| (channel.to_owned(), Hidden.schema())).collect();
        keys.insert("digest".to_owned(), DIGEST.schema());
        json!({ "type": "object", "properties": keys, "additionalProperties": false })
    }
}

/// Reads one.
pub(in crate::config) fn read(fields: &Fields<'_>, reading: &mut Reading) -> Alert {
    let id = fields.required(&ID, reading).unwrap_or_default().to_string();
    let when = fields.required(&WHEN, reading).unwrap_or_default();
    let to = fields.required(&TO, reading).unwrap_or_default();
    Alert { id, when, to: to.channels, digest: to.digest }
}
