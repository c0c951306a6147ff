use proptest::prelude::*;

use super::*;

const NONE: &[&str] = &[];

fn all(r#type: PiiType, text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    r#type.find(text, &mut found);
    without_overlaps(found).into_iter().map(|one| &text[one.range]).collect()
}

#[test]
fn each_kind_is_found_by_its_form_and_not_in_what_only_resembles_it() {
    use PiiType::*;
    for (r#type, text, expected) in [
        (Address, "Send it to 221 Baker Street, please.", &["221 Baker Street"][..]),
        (Age, "She is 42 years old.", &["42 years old"]),
        (AwsAccessKey, "AKIAIOSFODNN7EXAMPLE and AKIAIOSFODNN7", &["AKIAIOSFODNN7EXAMPLE"]),
        (
            AwsSecretKey,
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            &["wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"],
        ),
        (AwsSecretKey, "da39a3ee5e6b4b0d3255bfef95601890afd80709", NONE),
        (CaSocialInsuranceNumber, "046 454 286 or 046 454 287", &["046 454 286"]),
        (CreditDebitCardCvv, "CVV 123", &["123"]),
        (CreditDebitCardExpiry, "expires 09/27", &["09/27"]),
        (
            CreditDebitCardNumber,
            "4111 1111 1111 1111, not 4111 1111 1111 1112",
            &["4111 1111 1111 1111"],
        ),
        (Email, "mail a.b+c@example.co.uk, or @b", &["a.b+c@example.co.uk"]),
        (
            InternationalBankAccountNumber,
            "GB82 WEST 1234 5698 7654 32",
            &["GB82 WEST 1234 5698 7654 32"],
        ),
        (InternationalBankAccountNumber, "GB83 WEST 1234 5698 7654 32", NONE),
        (
            IpAddress,
            "192.0.2.7 and 2001:db8::7 but not 300.1.1.1 or std::io",
            &["192.0.2.7", "2001:db8::7"],
        ),
        (LicensePlate, "license plate: ABC 1234", &["ABC 1234"]),
        (MacAddress, "00:1B:44:11:3A:B7", &["00:1B:44:11:3A:B7"]),
        (Name, "John Smith", NONE),
        (Password, "the password is hunter22.", &["hunter22."]),
        (
            Phone,
            "call (555) 123-4567 or +442079460958, not 1234",
            &["(555) 123-4567", "+442079460958"],
        ),
        (Pin, "PIN: 1234", &["1234"]),
        (SwiftCode, "SWIFT code DEUTDEFF500", &["DEUTDEFF500"]),
        (UkNationalHealthServiceNumber, "943 476 5919 or 943 476 5918", &["943 476 5919"]),
        (UkNationalInsuranceNumber, "AB 12 34 56 C", &["AB 12 34 56 C"]),
        (UkUniqueTaxpayerReferenceNumber, "UTR 1234567890", &["1234567890"]),
        (
            Url,
            "See https://example.com/a?b=c. Or www.example.org",
            &["https://example.com/a?b=c", "www.example.org"],
        ),
        (Username, "username: jdoe", &["jdoe"]),
        (UsBankAccountNumber, "account number 12345678", &["12345678"]),
        (UsBankRoutingNumber, "routing number 021000021, not routing 021000022", &["021000021"]),
        (UsIndividualTaxIdentificationNumber, "912-78-1234", &["912-78-1234"]),
        (UsPassportNumber, "passport number A12345678", &["A12345678"]),
        (UsSocialSecurityNumber, "078-05-1120, not 000-12-3456 or 078051120", &["078-05-1120"]),
        (
            VehicleIdentificationNumber,
            "1M8GDM9AXKP042788 1M8GDM9A1KP042788",
            &["1M8GDM9AXKP042788"],
        ),
    ] {
        assert_eq!(all(r#type, text), expected, "{type:?}");
    }
}

#[test]
fn kinds_without_a_form_are_found_when_listed() {
    let text = "Ask ΛÍDA or John Smith; johnsmith is a login.";
    let mut found = Vec::new();
    find_listed(PiiType::Name, &["john smith".to_owned(), "Λída".to_owned()], text, &mut found);
    let found: Vec<&str> =
        without_overlaps(found).into_iter().map(|one| &text[one.range]).collect();
    assert_eq!(found, ["ΛÍDA", "John Smith"]);
}

#[test]
fn masks_are_named_as_the_service_names_the_kind() {
    assert_eq!(PiiType::UsSocialSecurityNumber.name(), "US_SOCIAL_SECURITY_NUMBER");
    assert_eq!(PiiType::IpAddress.name(), "IP_ADDRESS");
}

proptest! {
    #[test]
    fn findings_are_in_order_apart_and_within_the_text(text in "(?s)([0-9 @.:+()-]|a@b\\.cd|\\PC){0,120}") {
        let mut found = Vec::new();
        for r#type in [PiiType::Email, PiiType::Phone, PiiType::Url, PiiType::IpAddress, PiiType::CreditDebitCardNumber] {
            r#type.find(&text, &mut found);
        }
        let mut end = 0;
        for one in without_overlaps(found) {
            prop_assert!(one.range.start >= end);
            prop_assert!(text.get(one.range.clone()).is_some_and(|entity| !entity.is_empty()));
            end = one.range.end;
        }
    }
}
