//! Personal data in texts.

mod checks;
mod forms;

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::words::{Folded, Phrase};

/// The kinds of personal data that the service knows. Most have a form by which the mock finds
/// them; a `NAME` has none, and is found when the configuration lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the service's own names")]
pub enum PiiType {
    Address,
    Age,
    AwsAccessKey,
    AwsSecretKey,
    CaHealthNumber,
    CaSocialInsuranceNumber,
    CreditDebitCardCvv,
    CreditDebitCardExpiry,
    CreditDebitCardNumber,
    DriverId,
    Email,
    InternationalBankAccountNumber,
    IpAddress,
    LicensePlate,
    MacAddress,
    Name,
    Password,
    Phone,
    Pin,
    SwiftCode,
    UkNationalHealthServiceNumber,
    UkNationalInsuranceNumber,
    UkUniqueTaxpayerReferenceNumber,
    Url,
    Username,
    UsBankAccountNumber,
    UsBankRoutingNumber,
    UsIndividualTaxIdentificationNumber,
    UsPassportNumber,
    UsSocialSecurityNumber,
    VehicleIdentificationNumber,
}

/// Something found: of which kind, where in bytes, and how surely.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Found<K> {
    pub(crate) kind: K,
    pub(crate) range: Range<usize>,
    /// From 0 to 1: a number whose check digits are right is surer than one that only looks so.
    pub(crate) confidence: f64,
}

impl PiiType {
    /// What it is called in masks: `EMAIL`.
    pub(crate) fn name(self) -> String {
        serde_json::to_value(self)
            .ok()
            .and_then(|name| name.as_str().map(ToOwned::to_owned))
            .unwrap_or_default()
    }

    /// Where `text` has it, by its form.
    pub(crate) fn find(self, text: &str, found: &mut Vec<Found<PiiType>>) {
        for form in forms::of(self) {
            form.find(text, found);
        }
    }
}

/// Everything in `text` that has the form of one of `kinds`, in its order and apart.
pub(crate) fn find_all(kinds: &[PiiType], text: &str) -> Vec<Found<PiiType>> {
    let mut found = Vec::new();
    for kind in kinds {
        kind.find(text, &mut found);
    }
    without_overlaps(found)
}

/// Where `text` says one of `values`, whatever its capitals.
pub(crate) fn find_listed<K: Copy>(
    kind: K,
    values: &[String],
    text: &str,
    found: &mut Vec<Found<K>>,
) {
    let folded = Folded::of(text);
    // The folded text has the same characters, but not always the same bytes.
    let bytes: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    for value in values {
        let phrase = Phrase::of(value);
        for (start, end) in folded.all(&phrase) {
            let range = bytes[start]..bytes[end];
            found.push(Found { kind, range, confidence: 1.0 });
        }
    }
}

/// `found` in the order of the text, without what overlaps: the earlier wins, and of two that begin
/// together the longer.
pub(crate) fn without_overlaps<K>(mut found: Vec<Found<K>>) -> Vec<Found<K>> {
    found.sort_by(|one, other| {
        (one.range.start, other.range.end).cmp(&(other.range.start, one.range.end))
    });
    let mut end = 0;
    found.retain(|one| {
        let stands = one.range.start >= end;
        if stands {
            end = one.range.end;
        }
        stands
    });
    found
}

#[cfg(test)]
mod tests;
