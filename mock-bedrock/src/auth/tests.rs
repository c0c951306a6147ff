use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use http::{HeaderName, HeaderValue, Request};
use proptest::prelude::*;

use super::*;

const ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "a secret/of+letters";

/// 2026-11-22T20:31:45Z.
fn signed_at() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_795_379_505)
}

fn keys() -> Keys {
    Keys { access: vec![AccessKey::new(ID, SECRET)], bearer: Vec::new() }
}

/// How the signer is set, and what it signs.
#[derive(Clone, Debug)]
struct Plan {
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    token: Option<String>,
    in_query: bool,
    states_hash: bool,
    /// What is signed in place of the body's hash.
    payload: Option<&'static str>,
    service: &'static str,
}

impl Plan {
    fn simple() -> Plan {
        Plan {
            path: "/model/us.anthropic.claude-3-haiku-20240307-v1%3A0/converse".to_owned(),
            query: String::new(),
            headers: Vec::new(),
            body: b"{}".to_vec(),
            token: None,
            in_query: false,
            states_hash: false,
            payload: None,
            service: "bedrock",
        }
    }

    /// The request as the signer of the SDK for Rust signs it.
    fn signed(&self) -> Request<Vec<u8>> {
        let mut settings = SigningSettings::default();
        if self.in_query {
            settings.signature_location = SignatureLocation::QueryParams;
            settings.expires_in = Some(Duration::from_mins(15));
        }
        if self.states_hash {
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        let identity = Credentials::new(ID, SECRET, self.token.clone(), None, "test").into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region("eu-central-1")
            .name(self.service)
            .time(signed_at())
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let question = if self.query.is_empty() { "" } else { "?" };
        let uri = format!("http://127.0.0.1:4321{}{question}{}", self.path, self.query);
        let mut request = Request::post(&uri).header("host", "127.0.0.1:4321");
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let mut request = request.body(self.body.clone()).unwrap();
        let headers =
            request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
        let body = match self.payload {
            Some(stated) => SignableBody::Precomputed(stated.to_owned()),
            None => SignableBody::Bytes(&self.body),
        };
        let signable = SignableRequest::new("POST", &uri, headers, body).unwrap();
        let (instructions, _) = sign(signable, &parameters).unwrap().into_parts();
        instructions.apply_to_request_http1x(&mut request);
        request
    }
}

fn check(auth: &Auth, request: &Request<Vec<u8>>, now: SystemTime) -> Result<(), Refusal> {
    let sent = Sent {
        method: request.method(),
        uri: request.uri(),
        headers: request.headers(),
        body: request.body(),
    };
    auth.check(sent, now)
}

fn verify(request: &Request<Vec<u8>>) -> Result<(), Refusal> {
    check(&Auth::Verify(keys()), request, signed_at())
}

fn with(name: &'static str, value: &str) -> Request<Vec<u8>> {
    let mut request = Plan::simple().signed();
    let value = HeaderValue::from_str(value).unwrap();
    request.headers_mut().insert(HeaderName::from_static(name), value);
    request
}

fn plans() -> impl Strategy<Value = Plan> {
    let segment = "([a-zA-Z0-9._~:@!$'()*,;=-]|%3A|%2F|%C3%A9|%20){0,12}";
    let path = prop::collection::vec(segment, 1..5).prop_map(|it| format!("/{}", it.join("/")));
    let pair = "[a-z]{1,4}=([a-zA-Z0-9._~:/*-]|%3A|%2B|%20|\\+){0,8}";
    let query = prop::collection::vec(pair, 0..4).prop_map(|pairs| pairs.join("&"));
    let header = ("x-test-[a-z]{1,3}", "[!-~]{0,4} {0,3}[!-~]{0,4}");
    let headers = prop::collection::vec(header, 0..4);
    let body = prop::collection::vec(any::<u8>(), 0..64);
    let token = prop::option::of("[a-zA-Z0-9/+=]{1,40}");
    (path, query, headers, body, token, any::<bool>(), any::<bool>()).prop_map(
        |(path, query, headers, body, token, in_query, states_hash)| Plan {
            path,
            query,
            headers,
            body,
            token,
            in_query,
            states_hash: states_hash && !in_query,
            payload: None,
            service: "bedrock",
        },
    )
}

proptest! {
    #[test]
    fn what_the_sdk_signs_verifies_and_nothing_else_does(plan in plans(), other in 0..6) {
        let mut keys = keys();
        keys.access[0].session_token.clone_from(&plan.token);
        let auth = Auth::Verify(keys);
        let mut request = plan.signed();
        prop_assert_eq!(check(&auth, &request, signed_at()), Ok(()), "{:?}", request);
        prop_assert_eq!(check(&Auth::Format, &request, SystemTime::UNIX_EPOCH), Ok(()));
        match other {
            0 => request.body_mut().push(b' '),
            1 => *request.method_mut() = Method::PUT,
            2 => {
                let uri = request.uri().to_string().replacen("4321/", "4321/x", 1);
                *request.uri_mut() = uri.parse().unwrap();
            }
            3 => {
                let mark = if request.uri().query().is_some() { '&' } else { '?' };
                *request.uri_mut() = format!("{}{mark}zz=1", request.uri()).parse().unwrap();
            }
            4 => {
                request.headers_mut().insert("host", HeaderValue::from_static("elsewhere"));
            }
            _ => {
                let auth = Auth::Verify(Keys { access: vec![AccessKey {
                    secret: "another".to_owned(),
                    session_token: plan.token.clone(),
                    ..AccessKey::new(ID, "")
                }], bearer: Vec::new() });
                prop_assert_eq!(check(&auth, &request, signed_at()), Err(Refusal::mismatch()));
                return Ok(());
            }
        }
        prop_assert_eq!(check(&auth, &request, signed_at()), Err(Refusal::mismatch()));
    }

    #[test]
    fn no_header_and_no_query_panics(
        header in "(AWS4-HMAC-SHA256 |Bearer )?(Credential=|SignedHeaders=|Signature=|[ -~]){0,9}",
        query in "(X-Amz-Algorithm|X-Amz-Signature|X-Amz-Credential|[a-zA-Z0-9=&%/;-]){0,20}",
        date in "[0-9TZ]{0,17}",
    ) {
        let mut request = Request::post(format!("/?{query}")).body(Vec::new()).unwrap();
        for auth in [Auth::Format, Auth::Verify(keys())] {
            prop_assert!(check(&auth, &request, signed_at()).is_err());
        }
        request.headers_mut().insert("x-amz-date", HeaderValue::from_str(&date).unwrap());
        request.headers_mut().insert(AUTHORIZATION, HeaderValue::from_str(&header).unwrap());
        for auth in [Auth::Format, Auth::Verify(keys())] {
            prop_assert!(check(&auth, &request, signed_at()).is_err());
        }
    }
}

#[test]
fn anthropics_raw_colon_is_encoded_once() {
    let plan = Plan { path: "/model/anthropic.claude-v1:0/invoke".to_owned(), ..Plan::simple() };
    assert_eq!(verify(&plan.signed()), Ok(()));
}

#[test]
fn http2_signs_the_authority() {
    let mut request = Plan::simple().signed();
    request.headers_mut().remove("host");
    assert_eq!(verify(&request), Ok(()));
}

#[test]
fn unsigned_and_streaming_payloads_are_taken_at_their_word() {
    for stated in ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-EVENTS"] {
        let plan = Plan { payload: Some(stated), states_hash: true, ..Plan::simple() };
        let mut request = plan.signed();
        assert_eq!(verify(&request), Ok(()), "{stated}");
        request.headers_mut().remove("x-amz-content-sha256");
        assert_eq!(verify(&request), Err(Refusal::mismatch()), "{stated}");
    }
}

#[test]
fn a_stated_hash_does_not_stand_for_another_body() {
    let mut request = Plan { states_hash: true, ..Plan::simple() }.signed();
    assert_eq!(verify(&request), Ok(()));
    request.body_mut().push(b' ');
    assert_eq!(verify(&request), Err(Refusal::mismatch()));
}

#[test]
fn clocks_may_be_five_minutes_apart() {
    let auth = Auth::Verify(keys());
    let request = Plan::simple().signed();
    let five = Duration::from_mins(5);
    for now in [signed_at() - five, signed_at() + five] {
        assert_eq!(check(&auth, &request, now), Ok(()));
    }
    let late = check(&auth, &request, signed_at() + five + Duration::from_secs(1)).unwrap_err();
    assert_eq!(late.exception, "InvalidSignatureException");
    assert_eq!(
        late.message,
        "Signature expired: 20261122T203145Z is now earlier than 20261122T203146Z (20261122T203646Z - 5 min.)"
    );
    let early = check(&auth, &request, signed_at() - five - Duration::from_secs(1)).unwrap_err();
    assert_eq!(
        early.message,
        "Signature not yet current: 20261122T203145Z is still later than 20261122T203144Z (20261122T202644Z + 5 min.)"
    );
    let presigned = Plan { in_query: true, ..Plan::simple() }.signed();
    assert_eq!(check(&auth, &presigned, signed_at() + Duration::from_mins(15)), Ok(()));
    let late =
        check(&auth, &presigned, signed_at() + Duration::from_mins(15) + Duration::from_secs(1))
            .unwrap_err();
    assert!(late.message.ends_with("- 15 min.)"), "{}", late.message);
}

#[test]
fn keys_are_known_current_and_with_their_token() {
    let plain = Plan::simple().signed();
    let temporary = Plan { token: Some("token".to_owned()), ..Plan::simple() }.signed();
    let key = |session_token: Option<&str>, expires| {
        let session_token = session_token.map(str::to_owned);
        let key = AccessKey { session_token, expires, ..AccessKey::new(ID, SECRET) };
        Auth::Verify(Keys { access: vec![key], bearer: Vec::new() })
    };
    let unknown = Err(Refusal::unknown_key());
    assert_eq!(check(&Auth::Verify(Keys::default()), &plain, signed_at()), unknown);
    assert_eq!(check(&key(None, None), &temporary, signed_at()), unknown);
    assert_eq!(check(&key(Some("token"), None), &plain, signed_at()), unknown);
    assert_eq!(check(&key(Some("other"), None), &temporary, signed_at()), unknown);
    assert_eq!(check(&key(Some("token"), None), &temporary, signed_at()), Ok(()));
    let soon = signed_at() + Duration::from_secs(1);
    assert_eq!(check(&key(Some("token"), Some(soon)), &temporary, signed_at()), Ok(()));
    assert_eq!(check(&key(Some("token"), Some(soon)), &temporary, soon), Err(Refusal::expired()));
}

#[test]
fn what_is_missing_or_malformed_is_named() {
    let request = Request::post("/").body(Vec::new()).unwrap();
    assert_eq!(verify(&request), Err(Refusal::missing_token()));
    let told = |request| {
        let refusal = verify(&request).unwrap_err();
        format!("{}: {}", refusal.exception, refusal.message)
    };
    let mut all = Vec::new();
    for header in [
        "Basic dXNlcjpwYXNz",
        "AWS4-ECDSA-P256-SHA256 Credential=x",
        "AWS4-HMAC-SHA256 Credential= AKID/20261122/r/bedrock/aws4_request",
        "AWS4-HMAC-SHA256 Credential=AKID/20261122/r/bedrock, SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA256 Credential=AKID/20261121/r/bedrock/aws4_request, SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA256 Credential=AKID/20261122/r/bedrock/aws5, SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA256 Credential=AKID/20261122/r/bedrock/aws4_request, SignedHeaders=date, Signature=0",
        "AWS4-HMAC-SHA256 Credential=AKID/20261122/r/bedrock/aws4_request, SignedHeaders=host, Signature=0",
        "Bearer secret",
        "Bearer ABSKsecret",
        "Bearer",
    ] {
        all.push(format!("{header}\n  {}", told(with("authorization", header))));
    }
    all.push(told(with("x-amz-date", "Sun, 22 Nov 2026 20:31:45 GMT")));
    let mut dateless = Plan::simple().signed();
    dateless.headers_mut().remove("x-amz-date");
    dateless
        .headers_mut()
        .insert(AUTHORIZATION, HeaderValue::from_static("AWS4-HMAC-SHA256 SignedHeaders=host"));
    all.push(told(dateless));
    all.push(told(Plan { service: "bedrock-runtime", ..Plan::simple() }.signed()));
    all.push(told(Request::post("/?X-Amz-Signature=0").body(Vec::new()).unwrap()));
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn api_keys_are_known_and_current() {
    let bearer = |key: &str| {
        Request::post("/")
            .header("authorization", format!("Bearer {key}"))
            .body(Vec::new())
            .unwrap()
    };
    let known = BearerKey { expires: Some(signed_at()), ..BearerKey::new("ABSKgood") };
    let keys = Keys { access: Vec::new(), bearer: vec![known, BearerKey::new("mine")] };
    let auth = Auth::Verify(keys);
    let before = signed_at() - Duration::from_secs(1);
    assert_eq!(check(&auth, &bearer("ABSKgood"), before), Ok(()));
    assert_eq!(check(&auth, &bearer("ABSKgood"), signed_at()), Err(Refusal::bad_api_key()));
    assert_eq!(check(&auth, &bearer("mine"), before), Ok(()));
    let unknown = check(&auth, &bearer("ABSKbad"), before).unwrap_err();
    assert_eq!((unknown.exception, unknown.member), ("AccessDeniedException", "Message"));
    assert_eq!(check(&auth, &bearer("bad"), before), Err(Refusal::bad_api_key_format()));
    for (key, taken) in [
        ("bedrock-api-key-YmVk", Ok(())),
        ("ABSKQmVk=", Ok(())),
        ("sk-ant-x", Err(Refusal::bad_api_key_format())),
        ("ABSK", Err(Refusal::bad_api_key())),
        ("ABSK two words", Err(Refusal::bad_api_key())),
    ] {
        assert_eq!(check(&Auth::Format, &bearer(key), before), taken, "{key}");
    }
    let header = Request::post("/").header("x-api-key", "mine").body(Vec::new()).unwrap();
    assert_eq!(check(&auth, &header, before), Ok(()));
}

#[test]
fn secrets_are_not_printed() {
    let mut keys = keys();
    keys.access[0].session_token = Some("token-itself".to_owned());
    keys.bearer.push(BearerKey::new("ABSKitself"));
    let printed = format!("{:?}", Auth::Verify(keys));
    assert!(printed.contains(ID), "{printed}");
    for secret in [SECRET, "token-itself", "ABSKitself"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
