//! What a reader of the ledger asks for.

use http::Uri;
use percent_encoding::percent_decode_str;
use spanproof_schemas::glob;
use spanproof_schemas::ledger::{Exchange, Operation};

use super::reply::Refused;

/// The most records in one page.
const MOST: usize = 10_000;
/// How many records a page has if nobody says otherwise.
const LIMIT: usize = 1_000;

/// Which records, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) filter: Filter,
    /// The position to begin at.
    pub(super) after: u64,
    /// The most records; without end if a follower sets none.
    pub(super) limit: Option<usize>,
    /// Begin with the newest ones, so many.
    pub(super) last: Option<usize>,
    pub(super) follow: bool,
}

/// Which records; those that meet every condition set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) test: Option<String>,
    /// The id as it was sent, or the base id behind it, with `*` for any text.
    pub(super) model: Option<String>,
    pub(super) operation: Option<Operation>,
    pub(super) status: Option<u16>,
    /// The least sequence.
    pub(super) since: u64,
}

impl Filter {
    pub(super) fn matches(&self, exchange: &Exchange) -> bool {
        exchange.sequence >= self.since
            && self.operation.is_none_or(|operation| operation == exchange.operation)
            && self.status.is_none_or(|status| status == exchange.status)
            && self.test.as_ref().is_none_or(|test| Some(test) == exchange.test_id.as_ref())
            && self.model.as_ref().is_none_or(|pattern| fits_model(pattern, exchange))
    }
}

impl Query {
    /// Reads the query of `uri`, for the test that its path names.
    pub(super) fn read(uri: &Uri, test: Option<String>) -> Result<Query, Refused> {
        let mut query = Query {
            filter: Filter { test, ..Filter::default() },
            after: 0,
            limit: None,
            last: None,
            follow: false,
        };
        let pairs = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        for pair in pairs {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = value.replace('+', " ");
            query.set(name, &percent_decode_str(&value).decode_utf8_lossy())?;
        }
        if query.last.is_some() && query.limit.is_some() {
            return Err(Refused::bad(
                "`last` and `limit`: the newest records and the oldest; ask for one of them",
            ));
        }
        if !query.follow {
            query.limit = Some(query.limit.or(query.last).unwrap_or(LIMIT));
        }
        Ok(query)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Refused> {
        let number = |such_as: u16| {
            value.parse::<u64>().map_err(|_| {
                Refused::bad(format!(
                    "`{name}={value}`: {name} is a whole number, such as {name}={such_as}"
                ))
            })
        };
        let count = || {
            let count = usize::try_from(number(10)?).unwrap_or(usize::MAX);
            if (1..=MOST).contains(&count) {
                Ok(Some(count))
            } else {
                Err(Refused::bad(format!("`{name}={value}`: {name} is 1 to {MOST}")))
            }
        };
        match name {
            "test" => self.filter.test = Some(value.to_owned()),
            "model" => self.filter.model = Some(value.to_owned()),
            "operation" => {
                let known = Operation::ALL.iter().find(|it| it.name() == value);
                let Some(operation) = known else {
                    let names: Vec<_> = Operation::ALL.iter().map(|it| it.name()).collect();
                    let names = names.join(", ");
                    return Err(Refused::bad(format!(
                        "`operation={value}`: there is no such operation; there are {names}"
                    )));
                };
                self.filter.operation = Some(*operation);
            }
            "status" => {
                let status = number(200)?;
                self.filter.status = Some(u16::try_from(status).map_err(|_| {
                    Refused::bad(format!("`status={value}`: no HTTP status, and not 0 for none"))
                })?);
            }
            "since" => self.filter.since = number(0)?,
            "after" => self.after = number(0)?,
            "limit" => self.limit = count()?,
            "last" => self.last = count()?,
            "follow" => {
                self.follow = match value {
                    "true" | "" => true,
                    "false" => false,
                    other => {
                        return Err(Refused::bad(format!(
                            "`follow={other}`: follow is true or false"
                        )));
                    }
                }
            }
            other => {
                return Err(Refused::bad(format!(
                    "unknown parameter `{other}`; the ledger takes test, model, operation, status, since, after, last, limit and follow"
                )));
            }
        }
        Ok(())
    }
}

fn fits_model(pattern: &str, exchange: &Exchange) -> bool {
    glob::fits(pattern, &exchange.model_id)
        || exchange.served_model.as_ref().is_some_and(|model| glob::fits(pattern, model))
}
