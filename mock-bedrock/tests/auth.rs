//! Who may call, asked by the official SDK for Rust and by hand.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod client;

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sdk_bedrockruntime::Client;
use aws_sdk_bedrockruntime::config::{BehaviorVersion, Region, Token};
use aws_sdk_bedrockruntime::error::ProvideErrorMetadata as _;
use aws_sdk_bedrockruntime::primitives::Blob;
use aws_sdk_bedrockruntime::types::{ContentBlock, ConversationRole, Message};
use client::{HAIKU, Mock, hello};
use mock_bedrock::{AccessKey, Auth, BearerKey, Config, Keys};
use spanproof_schemas::speed::Speed;

/// An application inference profile: its slashes and colons are encoded in the path.
const ARN: &str =
    "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0";
const ID: &str = "anthropic.claude-3-haiku-20240307-v1:0";

fn start(auth: Auth) -> Mock {
    Mock::with(Config { speed: Speed::Max, auth, ..Config::default() })
}

fn keys() -> Keys {
    let temporary = AccessKey {
        session_token: Some("a/session+token==".to_owned()),
        ..AccessKey::new("ASIATEMPORARY", "its secret")
    };
    let expired = AccessKey {
        expires: Some(SystemTime::now() - Duration::from_secs(1)),
        ..AccessKey::new("ASIAEXPIRED", "its secret")
    };
    Keys {
        access: vec![AccessKey::new("AKIAGOOD", "se/cr+et"), temporary, expired],
        bearer: vec![BearerKey::new("ABSKgood")],
    }
}

fn sdk(endpoint: &str) -> aws_sdk_bedrockruntime::config::Builder {
    aws_sdk_bedrockruntime::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-west-2"))
        .endpoint_url(endpoint)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
}

fn signer(endpoint: &str, id: &str, secret: &str, token: Option<&str>) -> Client {
    let credentials = Credentials::new(id, secret, token.map(str::to_owned), None, "test");
    Client::from_conf(sdk(endpoint).credentials_provider(credentials).build())
}

fn message() -> Message {
    Message::builder()
        .role(ConversationRole::User)
        .content(ContentBlock::Text("How deep is the harbour?".to_owned()))
        .build()
        .unwrap()
}

/// What the SDK makes of the answer: nothing wrong, or the exception's name.
async fn converse(client: &Client, model: &str) -> Result<(), String> {
    match client.converse().model_id(model).messages(message()).send().await {
        Ok(_) => Ok(()),
        Err(error) => Err(error.into_service_error().code().unwrap().to_owned()),
    }
}

#[tokio::test]
async fn what_the_sdk_signs_is_let_in() {
    let mock = start(Auth::Verify(keys()));
    for endpoint in
        [mock.server.endpoint(), format!("{}/_spanproof/tests/a%20test", mock.server.endpoint())]
    {
        for client in [
            signer(&endpoint, "AKIAGOOD", "se/cr+et", None),
            signer(&endpoint, "ASIATEMPORARY", "its secret", Some("a/session+token==")),
        ] {
            assert_eq!(converse(&client, ID).await, Ok(()));
            assert_eq!(converse(&client, ARN).await, Ok(()));
            let stream = client.converse_stream().model_id(ARN).messages(message()).send().await;
            let mut stream = stream.unwrap().stream;
            while stream.recv().await.unwrap().is_some() {}
            let body = r#"{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,
                "messages":[{"role":"user","content":"How deep?"}]}"#;
            client.invoke_model().model_id(ID).body(Blob::new(body)).send().await.unwrap();
        }
    }
    let exchanges = mock.exchanges().await;
    assert_eq!(exchanges.len(), 16);
    assert!(exchanges.iter().all(|exchange| exchange.status == 200));
}

#[tokio::test]
async fn bearer_keys_of_the_sdk_are_let_in_and_others_are_not() {
    let mock = start(Auth::Verify(keys()));
    for (key, result) in [
        ("ABSKgood", Ok(())),
        ("ABSKbad", Err("AccessDeniedException".to_owned())),
        ("other", Err("AccessDeniedException".to_owned())),
    ] {
        let config = sdk(&mock.server.endpoint()).bearer_token(Token::new(key, None));
        assert_eq!(converse(&Client::from_conf(config.build()), ID).await, result);
    }
    let exchanges = mock.exchanges().await;
    let statuses: Vec<u16> = exchanges.iter().map(|exchange| exchange.status).collect();
    assert_eq!(statuses, [200, 403, 403]);
}

#[tokio::test]
async fn others_are_turned_away_in_the_services_words() {
    let mock = start(Auth::Verify(keys()));
    let endpoint = mock.server.endpoint();
    for (id, secret, exception) in [
        ("AKIAUNKNOWN", "se/cr+et", "UnrecognizedClientException"),
        ("AKIAGOOD", "another", "InvalidSignatureException"),
        ("ASIATEMPORARY", "its secret", "UnrecognizedClientException"),
        ("ASIAEXPIRED", "its secret", "ExpiredTokenException"),
    ] {
        // Before the model is looked up.
        let result = converse(&signer(&endpoint, id, secret, None), "no.such-model").await;
        assert_eq!(result, Err(exception.to_owned()), "{id}");
    }
    let exchanges = mock.exchanges().await;
    assert_eq!(exchanges.len(), 4, "a request that is turned away is one exchange");
    for exchange in exchanges {
        assert_eq!(exchange.status, 403);
        assert_eq!(exchange.usage.total_tokens(), 0);
        assert!(exchange.delivered);
    }
}

#[tokio::test]
async fn the_bytes_of_a_refusal() {
    let mock = start(Auth::Verify(keys()));
    let path = format!("/model/{HAIKU}/converse");
    let mut told = Vec::new();
    for headers in
        [&[][..], &[("authorization", "Bearer ABSKbad")], &[("authorization", "Basic x")]]
    {
        let answered = mock.post(&path, headers, &hello()).await;
        told.push(format!(
            "{} {}\n{}",
            answered.status.as_u16(),
            answered.header("x-amzn-errortype").unwrap(),
            std::str::from_utf8(&answered.body).unwrap(),
        ));
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn by_form_alone_any_key_is_let_in() {
    let mock = start(Auth::Format);
    let any = signer(&mock.server.endpoint(), "anyone", "anything", None);
    assert_eq!(converse(&any, ID).await, Ok(()));
    let path = format!("/model/{HAIKU}/converse");
    let bare = mock.post(&path, &[], &hello()).await;
    assert_eq!(bare.status, 403);
    assert_eq!(bare.json()["message"], "Missing Authentication Token");
}
