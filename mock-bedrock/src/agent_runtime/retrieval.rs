//! How a request wants a knowledge base searched.

use serde::Deserialize;
use serde_json::Value;

use super::filter::Filter;
use crate::constraint;
use crate::draw::Fold;
use crate::error::ServiceError;
use crate::model;

/// Passages of a search that does not say how many it wants.
const DEFAULT_RESULTS: i64 = 5;

/// `retrievalConfiguration`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RetrievalConfiguration {
    vector_search_configuration: Option<Search>,
    managed_search_configuration: Option<Search>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Search {
    number_of_results: Option<i64>,
    override_search_type: Option<String>,
    filter: Option<Value>,
    reranking_configuration: Option<Reranking>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reranking {
    r#type: Option<String>,
    bedrock_reranking_configuration: Option<BedrockReranking>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BedrockReranking {
    model_configuration: Option<RerankingModel>,
    number_of_reranked_results: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RerankingModel {
    model_arn: Option<String>,
}

/// What comes of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wanted {
    /// Passages, or those of a page.
    pub(crate) results: usize,
    /// The hash of the kind of search: another kind finds other passages.
    pub(crate) kind: u64,
    /// Which documents may be found.
    pub(crate) filter: Option<Filter>,
}

impl RetrievalConfiguration {
    /// Checks the configuration that stands at `at`.
    ///
    /// # Errors
    ///
    /// A `ValidationException` for numbers out of bounds, filters that are none, and rerankers that
    /// do not exist.
    pub(crate) fn wanted(&self, at: &str) -> Result<Wanted, ServiceError> {
        let (search, at) =
            match (&self.vector_search_configuration, &self.managed_search_configuration) {
                (Some(search), _) => (Some(search), format!("{at}.vectorSearchConfiguration")),
                (None, managed) => (managed.as_ref(), format!("{at}.managedSearchConfiguration")),
            };
        let mut kind = Fold::new(0);
        let Some(search) = search else {
            return Ok(Wanted {
                results: size(DEFAULT_RESULTS),
                kind: kind.finish(),
                filter: None,
            });
        };
        let mut results = constraint::number(
            &format!("{at}.numberOfResults"),
            search.number_of_results.unwrap_or(DEFAULT_RESULTS),
            &(1..=100),
        )?;
        if let Some(word) = &search.override_search_type {
            let words = ["HYBRID", "SEMANTIC"];
            constraint::one_of(&format!("{at}.overrideSearchType"), word, &words)?;
            kind.bytes(word.as_bytes());
        }
        let filter = search.filter.as_ref();
        let filter =
            filter.map(|filter| Filter::checked(&format!("{at}.filter"), filter)).transpose()?;
        if let Some(reranking) = &search.reranking_configuration {
            let at = format!("{at}.rerankingConfiguration");
            if let Some(most) = reranking.check(&at)? {
                results = results.min(most);
            }
            kind.word(1);
        }
        Ok(Wanted { results: size(results), kind: kind.finish(), filter })
    }
}

impl Reranking {
    /// The most results that are left.
    fn check(&self, at: &str) -> Result<Option<i64>, ServiceError> {
        let kind = constraint::required(&format!("{at}.type"), self.r#type.as_deref())?;
        constraint::one_of(&format!("{at}.type"), kind, &["BEDROCK_RERANKING_MODEL"])?;
        let Some(bedrock) = &self.bedrock_reranking_configuration else { return Ok(None) };
        let at = format!("{at}.bedrockRerankingConfiguration");
        let model = bedrock.model_configuration.as_ref();
        let arn = model.and_then(|model| model.model_arn.as_deref());
        let arn = constraint::required(&format!("{at}.modelConfiguration.modelArn"), arn)?;
        model::resolve(arn)?;
        bedrock
            .number_of_reranked_results
            .map(|most| {
                constraint::number(&format!("{at}.numberOfRerankedResults"), most, &(1..=100))
            })
            .transpose()
    }
}

fn size(count: i64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wanted(configuration: Value) -> Result<Wanted, ServiceError> {
        let read: RetrievalConfiguration = serde_json::from_value(configuration).unwrap();
        read.wanted("retrievalConfiguration")
    }

    #[test]
    fn a_search_wants_five_results_or_what_it_says() {
        let plain = wanted(json!({})).unwrap();
        assert_eq!(plain.results, 5);
        let asked = wanted(json!({"vectorSearchConfiguration": {"numberOfResults": 9}})).unwrap();
        assert_eq!(asked, Wanted { results: 9, ..plain });
        let reranked = json!({"vectorSearchConfiguration": {"numberOfResults": 9, "rerankingConfiguration": {
            "type": "BEDROCK_RERANKING_MODEL",
            "bedrockRerankingConfiguration": {
                "modelConfiguration": {"modelArn": "arn:aws:bedrock:us-east-1::foundation-model/amazon.rerank-v1:0"},
                "numberOfRerankedResults": 3,
            },
        }}});
        assert_eq!(wanted(reranked).unwrap().results, 3);
    }

    #[test]
    fn bad_filters_are_refused() {
        let filtered =
            |filter: Value| wanted(json!({"vectorSearchConfiguration": {"filter": filter}}));
        let one = json!({"equals": {"key": "year", "value": 2024}});
        let other = json!({"equals": {"key": "year", "value": 2025}});
        assert!(filtered(json!({"andAll": [one, other]})).is_ok());
        for bad in [
            json!({}),
            json!([]),
            json!({"equals": {"key": "a", "value": 1}, "notEquals": {"key": "a", "value": 1}}),
            json!({"equals": {"key": ""  , "value": 1}}),
            json!({"equals": {"key": "a"}}),
            json!({"resembles": {"key": "a", "value": 1}}),
            json!({"orAll": [{"equals": {"key": "a", "value": 1}}]}),
        ] {
            assert!(filtered(bad.clone()).is_err(), "{bad}");
        }
    }
}
