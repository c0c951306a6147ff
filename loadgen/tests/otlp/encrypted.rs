//! Encrypted connections, and whom they trust.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use loadgen::otlp::OtlpProtocol;
use loadgen::otlp::{Exporter, OtlpConfig, Tls};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::receiver::serve_all;
use super::{PROTOCOLS, config, exported};

/// An authority, and a receiver on loopback whose certificate it signed.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    fn new() -> Authority {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Authority { issuer, folder }
    }

    fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Files of a certificate for `name` and of its key.
    fn identity(&self, name: &str) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let files = ["cert", "key"].map(|file| self.folder.path().join(format!("{file}.pem")));
        fs::write(&files[0], certificate.pem()).unwrap();
        fs::write(&files[1], key.serialize_pem()).unwrap();
        let [certificate, key] = files;
        (certificate, key)
    }

    /// The endpoint of a receiver that lets in whoever has a certificate, if `asks`.
    async fn receiver(&self, protocol: OtlpProtocol, asks: bool) -> String {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let builder = ServerConfig::builder();
        let builder = if asks {
            let mut roots = RootCertStore::empty();
            roots.add(self.issuer.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        } else {
            builder.with_no_client_auth()
        };
        let mut tls = builder.with_single_cert(vec![certificate.der().clone()], key).unwrap();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                if let Ok(stream) = acceptor.accept(stream).await {
                    tokio::spawn(serve_all(protocol, stream));
                }
            }
        });
        format!("https://localhost:{port}")
    }
}

#[tokio::test]
async fn a_receiver_that_the_authority_vouches_for_is_trusted() {
    let authority = Authority::new();
    for protocol in PROTOCOLS {
        let endpoint = authority.receiver(protocol, false).await;
        let tls = Tls { ca: Some(authority.ca()), identity: None };
        let (books, errors) = exported(&OtlpConfig { tls, ..config(endpoint, protocol) }).await;
        assert_eq!(books.exported, 40, "{errors:?}");
    }
}

#[tokio::test]
async fn a_receiver_that_asks_for_a_certificate_is_shown_one() {
    let authority = Authority::new();
    let identity = Some(authority.identity("loadgen"));
    for protocol in PROTOCOLS {
        let endpoint = authority.receiver(protocol, true).await;
        let tls = Tls { ca: Some(authority.ca()), identity: identity.clone() };
        let (books, errors) = exported(&OtlpConfig { tls, ..config(endpoint, protocol) }).await;
        assert_eq!(books.exported, 40, "{errors:?}");
    }
}

#[tokio::test]
async fn a_receiver_that_nobody_vouches_for_gets_nothing() {
    let (authority, other) = (Authority::new(), Authority::new());
    for protocol in PROTOCOLS {
        let endpoint = authority.receiver(protocol, false).await;
        let tls = Tls { ca: Some(other.ca()), identity: None };
        let retrying =
            loadgen::delivery::Retrying { whole: std::time::Duration::ZERO, ..super::QUICK };
        let config = OtlpConfig { tls, retrying, ..config(endpoint, protocol) };
        let (books, errors) = exported(&config).await;
        assert_eq!((books.exported, books.failed + books.dropped), (0, 40), "{errors:?}");
    }
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let authority = Authority::new();
    let (certificate, key) = authority.identity("loadgen");
    let missing = authority.folder.path().join("missing.pem");
    let empty = authority.folder.path().join("empty.pem");
    fs::write(&empty, "").unwrap();
    let ca = Some(authority.ca());
    for (tls, wanted) in [
        (Tls { ca: Some(missing.clone()), identity: None }, "missing.pem cannot be used"),
        (Tls { ca: Some(empty), identity: None }, "there is no certificate in"),
        (Tls { ca: ca.clone(), identity: Some((certificate.clone(), missing)) }, "missing.pem"),
        (Tls { ca, identity: Some((key, certificate)) }, "cert"),
    ] {
        let config = OtlpConfig { tls, ..OtlpConfig::new("https://localhost:4317") };
        let error = Exporter::start(&config).err().map(|error| error.to_string());
        let error = error.unwrap_or_default();
        assert!(error.contains(wanted), "{wanted}: {error}");
    }
}
