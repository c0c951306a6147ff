//! Encrypted connections, with clients that trust the mock's authority and clients that do not.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::net::Ipv4Addr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use mock_bedrock::{Config, InMemory, SelfSigned, Server, Tls};
use rcgen::{CertificateParams, KeyPair};
use spanproof_schemas::speed::Speed;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

const PATH: &str = "/model/amazon.nova-lite-v1%3A0/converse";
const BODY: &str = r#"{"messages":[{"role":"user","content":[{"text":"How deep?"}]}]}"#;

fn start(tls: Tls) -> (Server, InMemory) {
    let ledger = InMemory::default();
    let config = Config { speed: Speed::Max, tls: Some(tls), ..Config::default() };
    (Server::start(config, ledger.clone()).unwrap(), ledger)
}

/// Connects as a client that trusts `authority_pem` and speaks `protocols`.
async fn connect(
    server: &Server,
    name: &str,
    authority_pem: &str,
    protocols: &[&str],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority_pem.as_bytes()).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(server.address()).await?;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

fn request(server: &Server) -> Request<Full<Bytes>> {
    let uri: Uri = format!("{}{PATH}", server.endpoint()).parse().unwrap();
    Request::post(uri).header("host", "mock").body(Full::from(BODY)).unwrap()
}

fn self_signed() -> SelfSigned {
    Tls::self_signed(Ipv4Addr::LOCALHOST.into()).unwrap()
}

#[tokio::test]
async fn clients_that_trust_it_speak_either_protocol() {
    let SelfSigned { tls, authority_pem } = self_signed();
    let (server, ledger) = start(tls);
    assert!(server.endpoint().starts_with("https://127.0.0.1:"), "{}", server.endpoint());

    let stream = connect(&server, "127.0.0.1", &authority_pem, &["h2", "http/1.1"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let response = sender.send_request(request(&server)).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let over_h2 = response.into_body().collect().await.unwrap().to_bytes();
    drop(sender);

    for protocols in [&["http/1.1"][..], &[]] {
        let stream = connect(&server, "localhost", &authority_pem, protocols).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let response = sender.send_request(request(&server)).await.unwrap();
        let over_h1 = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(over_h1, over_h2);
    }
    server.shutdown().await.unwrap();
    assert_eq!(ledger.exchanges().len(), 3);
}

#[tokio::test]
async fn clients_that_do_not_trust_it_or_do_not_encrypt_get_nowhere_and_harm_nobody() {
    let SelfSigned { tls, authority_pem } = self_signed();
    let (server, ledger) = start(tls);
    let stranger = self_signed().authority_pem;
    assert!(connect(&server, "127.0.0.1", &stranger, &["h2"]).await.is_err());
    assert!(connect(&server, "bedrock.example", &authority_pem, &["h2"]).await.is_err());
    let plain = TcpStream::connect(server.address()).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(plain)).await.unwrap();
    tokio::spawn(connection);
    assert!(sender.send_request(request(&server)).await.is_err());
    assert!(connect(&server, "127.0.0.1", &authority_pem, &["h2"]).await.is_ok());
    server.shutdown().await.unwrap();
    assert!(ledger.exchanges().is_empty());
}

#[tokio::test]
async fn a_certificate_of_ones_own_is_served() {
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["mock.test".to_owned()]).unwrap().self_signed(&key).unwrap();
    let pem = certificate.pem();
    let (server, _) = start(Tls::from_pem(pem.as_bytes(), key.serialize_pem().as_bytes()).unwrap());
    assert!(connect(&server, "mock.test", &pem, &["h2"]).await.is_ok());
    server.shutdown().await.unwrap();
}

#[test]
fn what_cannot_be_served_is_named() {
    let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let certificate = CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap().pem();
    let (key, other) = (key.serialize_pem(), other.serialize_pem());
    let told = |certificate: &str, key: &str| {
        Tls::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap_err().to_string()
    };
    for (told, says) in [
        (told("", &key), "no certificate"),
        (told(&key, &key), "no certificate"),
        (told("-----BEGIN CERTIFICATE-----\nAA", &key), "the certificate is not PEM"),
        (told(&certificate, ""), "the key is not PEM"),
        (told(&certificate, &certificate), "the key is not PEM"),
        (told(&certificate, &other), "cannot be used together"),
    ] {
        assert!(told.contains(says), "{told}");
    }
}
