//! The forms by which personal data is found: a pattern whose first group is the finding, and a
//! check of it.
//!
//! Forms are this mock's own. They are narrow rather than wide: what has no form of its own is only
//! taken for personal data after a word that says so, as in `PIN: 1234`.

use std::sync::LazyLock;

use regex::Regex;

use super::{Found, PiiType, checks};

/// How sure a finding is: its check digits are right, or nothing else looks like it.
const CERTAIN: f64 = 0.99;
/// How sure a finding is that has the form.
const FORMED: f64 = 0.9;
/// How sure a finding is that stands after a word which says what it is.
const TOLD: f64 = 0.8;

/// One form.
pub(super) struct Form {
    r#type: PiiType,
    regex: Regex,
    check: fn(&str) -> bool,
    confidence: f64,
    /// Bytes of which one is in every finding, so that most texts need no search.
    sign: &'static [u8],
}

const DIGITS: &[u8] = b"0123456789";

/// What a form is made of.
type Row = (PiiType, &'static str, fn(&str) -> bool, f64, &'static [u8]);

const ROWS: &[Row] = &[
    (
        PiiType::Address,
        r"\b([0-9]{1,5} (?:[A-Z][a-z]+\.? ){1,4}(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Square|Sq|Way|Place|Pl)\b\.?)",
        checks::any,
        FORMED,
        DIGITS,
    ),
    (PiiType::Age, r"(?i)\b([0-9]{1,3} years? old)\b", checks::any, FORMED, DIGITS),
    (PiiType::Age, r"(?i)\b(?:aged?|age is|age:) ?([0-9]{1,3})\b", checks::any, TOLD, DIGITS),
    (
        PiiType::AwsAccessKey,
        r"\b((?:AKIA|ASIA|ABIA|ACCA|AGPA|AIDA|AIPA|ANPA|ANVA|AROA)[A-Z0-9]{16})\b",
        checks::any,
        CERTAIN,
        b"A",
    ),
    (
        PiiType::AwsSecretKey,
        r"(?:^|[^A-Za-z0-9/+=])([A-Za-z0-9/+]{40})(?:$|[^A-Za-z0-9/+=])",
        checks::secret_key,
        FORMED,
        DIGITS,
    ),
    (
        PiiType::CaHealthNumber,
        r"(?i)\bhealth (?:card|number|insurance)[^0-9]{0,16}([0-9]{4}[ -]?[0-9]{3}[ -]?[0-9]{3})\b",
        checks::any,
        TOLD,
        DIGITS,
    ),
    (
        PiiType::CaSocialInsuranceNumber,
        r"\b([0-9]{3}[ -][0-9]{3}[ -][0-9]{3})\b",
        checks::social_insurance,
        CERTAIN,
        DIGITS,
    ),
    (
        PiiType::CreditDebitCardCvv,
        r"(?i)\b(?:cvv2?|cvc2?|card verification (?:value|code|number)|security code)\b[^0-9]{0,12}([0-9]{3,4})\b",
        checks::any,
        TOLD,
        DIGITS,
    ),
    (
        PiiType::CreditDebitCardExpiry,
        r"(?i)\bexp(?:iry|ires|iration)?(?: date)?\b[^0-9]{0,8}((?:0[1-9]|1[0-2]) ?[/-] ?(?:20)?[0-9]{2})\b",
        checks::any,
        TOLD,
        DIGITS,
    ),
    (
        PiiType::CreditDebitCardNumber,
        r"\b([0-9](?:[ -]?[0-9]){12,18})\b",
        checks::card,
        CERTAIN,
        DIGITS,
    ),
    (
        PiiType::DriverId,
        r"(?i)\bdriver'?s? (?:id|licen[sc]e)(?: number)?\b[ :#]*(?:is )?([A-Z0-9]*[0-9][A-Z0-9]{4,14})\b",
        checks::any,
        TOLD,
        DIGITS,
    ),
    (
        PiiType::Email,
        r"\b([A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,})\b",
        checks::any,
        CERTAIN,
        b"@",
    ),
    (
        PiiType::InternationalBankAccountNumber,
        r"\b([A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?)\b",
        checks::iban,
        CERTAIN,
        DIGITS,
    ),
    (
        PiiType::IpAddress,
        r"\b([0-9]{1,3}(?:\.[0-9]{1,3}){3})\b",
        checks::ip_address,
        FORMED,
        DIGITS,
    ),
    (
        PiiType::IpAddress,
        r"(?:^|[^\w:])((?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4})(?:$|[^\w:])",
        checks::ip_address,
        FORMED,
        b":",
    ),
    (
        PiiType::LicensePlate,
        r"(?i)\blicen[sc]e plate(?: number)?\b[ :#]*(?:is )?([A-Z0-9]{1,4}[ -]?[A-Z]?[0-9][A-Z0-9]{1,4})\b",
        checks::any,
        TOLD,
        DIGITS,
    ),
    (
        PiiType::MacAddress,
        r"\b((?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2})\b",
        checks::any,
        CERTAIN,
        b":-",
    ),
    (
        PiiType::Password,
        r"(?i)\bpass(?:word|phrase|code)\b(?: is|[:=])+ ?([^\s,;]{4,})",
        checks::any,
        TOLD,
        b"sS",
    ),
    (
        PiiType::Phone,
        r"(?:^|[^\w.+-])(\+[0-9]{8,15}|(?:\+?[0-9]{1,3}[ .-])?(?:\([0-9]{3}\) ?|[0-9]{3}[ .-])[0-9]{3}[ .-][0-9]{4})\b",
        checks::any,
        FORMED,
        DIGITS,
    ),
    (
        PiiType::Pin,
        r"(?i)\bpin\b(?: code| number)?(?: is|[ :=#])*([0-9]{4,6})\b",
        checks::any,
        TOLD,
        DIGITS,
    ),
    (
        PiiType::SwiftCode,
        r"\b(?i:swift|bic)\b(?i: code)?(?: is|[ :])*([A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?)\b",
        checks::any,
        TOLD,
        b"wWbB",
    ),
    (
        PiiType::UkNationalHealthServiceNumber,
        r"\b([0-9]{3} ?[0-9]{3} ?[0-9]{4})\b",
        checks::health_service,
        CERTAIN,
        DIGITS,
    ),
    (
        PiiType::UkNationalInsuranceNumber,
        r"\b([A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D])\b",
        checks::any,
        FORMED,
        DIGITS,
    ),
    (
        PiiType::UkUniqueTaxpayerReferenceNumber,
        r"(?i)\b(?:utr|unique taxpayer reference)\b[^0-9]{0,12}([0-9]{10})\b",
        checks::any,
        TOLD,
        DIGITS,
    ),
    (
        PiiType::Url,
        r#"\b((?:https?|ftp)://[^\s<>"'{}|\\^`]*[A-Za-z0-9/#=_-])"#,
        checks::any,
        CERTAIN,
        b":",
    ),
    (PiiType::Url, r"\b(www\.[\w-]+(?:\.[\w-]+)+)", checks::any, FORMED, b"w"),
    (
        PiiType::Username,
        r"(?i)\b(?:username|user name|login)\b(?: is|[:=])+ ?([\w.@-]{2,})",
        checks::any,
        TOLD,
        b"uUlL",
    ),
    (
        PiiType::UsBankAccountNumber,
        r"(?i)\baccount(?: number| no\.?)?\b[^0-9]{0,12}([0-9]{6,17})\b",
        checks::any,
        TOLD,
        DIGITS,
    ),
    (
        PiiType::UsBankRoutingNumber,
        r"(?i)\brouting\b[^0-9]{0,20}([0-9]{9})\b",
        checks::routing,
        CERTAIN,
        DIGITS,
    ),
    (
        PiiType::UsIndividualTaxIdentificationNumber,
        r"\b(9[0-9]{2}-[5-9][0-9]-[0-9]{4})\b",
        checks::any,
        FORMED,
        DIGITS,
    ),
    (
        PiiType::UsPassportNumber,
        r"(?i)\bpassport(?: number| no\.?)?\b[ :#]*(?:is )?([A-Z]?[0-9]{8,9})\b",
        checks::any,
        TOLD,
        DIGITS,
    ),
    (
        PiiType::UsSocialSecurityNumber,
        r"\b([0-9]{3}[ -][0-9]{2}[ -][0-9]{4})\b",
        checks::social_security,
        CERTAIN,
        DIGITS,
    ),
    (
        PiiType::VehicleIdentificationNumber,
        r"\b([A-HJ-NPR-Z0-9]{17})\b",
        checks::vehicle,
        CERTAIN,
        DIGITS,
    ),
];

static FORMS: LazyLock<Vec<Form>> = LazyLock::new(|| {
    let form = |&(r#type, pattern, check, confidence, sign): &Row| {
        // The edges of words as in ASCII: those of Unicode are far slower to find.
        let regex = Regex::new(&pattern.replace(r"\b", r"(?-u:\b)"))
            .unwrap_or_else(|error| panic!("{pattern}, which tests compile: {error}"));
        Form { r#type, regex, check, confidence, sign }
    };
    ROWS.iter().map(form).collect()
});

/// The forms of `type`.
pub(super) fn of(r#type: PiiType) -> impl Iterator<Item = &'static Form> {
    FORMS.iter().filter(move |form| form.r#type == r#type)
}

impl Form {
    pub(super) fn find(&self, text: &str, found: &mut Vec<Found<PiiType>>) {
        if !text.bytes().any(|byte| self.sign.contains(&byte)) {
            return;
        }
        for captures in self.regex.captures_iter(text) {
            let Some(entity) = captures.get(1) else { continue };
            if (self.check)(entity.as_str()) {
                let (kind, range) = (self.r#type, entity.range());
                found.push(Found { kind, range, confidence: self.confidence });
            }
        }
    }
}
