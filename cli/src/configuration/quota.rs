//! Quotas, as `[[mock.quotas]]` and as `--quota` write them.

use std::str::FromStr;

use mock_bedrock::Quota;
use serde::Deserialize;

/// How much of a model may be used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(
    deny_unknown_fields,
    rename_all = "kebab-case",
    expecting = "a quota is a table of limits, such as { requests-per-minute = 60 }"
)]
pub(crate) struct QuotaTable {
    /// The base id, with `*` for any text.
    model: Option<String>,
    requests_per_minute: Option<u64>,
    tokens_per_minute: Option<u64>,
    tokens_per_day: Option<u64>,
    output_burndown: Option<u64>,
}

impl FromStr for QuotaTable {
    type Err = String;

    /// Reads `requests-per-minute=60,tokens-per-day=1000@anthropic.*`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (limits, model) = match text.split_once('@') {
            Some((limits, model)) => (limits, Some(model.to_owned())),
            None => (text, None),
        };
        let mut quota = QuotaTable { model, ..QuotaTable::default() };
        for limit in limits.split(',') {
            let (name, number) = limit.split_once('=').unwrap_or((limit, ""));
            let place = match name {
                "requests-per-minute" => &mut quota.requests_per_minute,
                "tokens-per-minute" => &mut quota.tokens_per_minute,
                "tokens-per-day" => &mut quota.tokens_per_day,
                "output-burndown" => &mut quota.output_burndown,
                other => {
                    return Err(format!(
                        "unknown limit `{other}`; there are requests-per-minute, \
                         tokens-per-minute, tokens-per-day and output-burndown"
                    ));
                }
            };
            let number = number.parse().map_err(|_| format!("`{limit}`: write {name}=1000"))?;
            *place = Some(number);
        }
        Ok(quota)
    }
}

impl From<&QuotaTable> for Quota {
    fn from(table: &QuotaTable) -> Quota {
        let default = Quota::default();
        Quota {
            model: table.model.clone().unwrap_or(default.model),
            requests_per_minute: table.requests_per_minute,
            tokens_per_minute: table.tokens_per_minute,
            tokens_per_day: table.tokens_per_day,
            output_burndown: table.output_burndown.unwrap_or(default.output_burndown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_and_the_file_say_the_same() {
        for (text, table) in [
            ("tokens-per-day=9", "tokens-per-day = 9"),
            (
                "requests-per-minute=60,tokens-per-minute=5,output-burndown=5@anthropic.*",
                "model = \"anthropic.*\"\nrequests-per-minute = 60\ntokens-per-minute = 5\noutput-burndown = 5",
            ),
        ] {
            assert_eq!(text.parse::<QuotaTable>(), Ok(toml::from_str(table).unwrap()));
        }
        for text in ["", "60", "requests-per-minute", "requests-per-minute=many", "rpm=1"] {
            assert!(text.parse::<QuotaTable>().is_err(), "{text}");
        }
    }
}
