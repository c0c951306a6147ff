//! Encrypted connections: HTTP/2 and HTTP/1.1, whichever the client prefers.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

/// A certificate with its key, to serve with.
#[derive(Clone)]
pub struct Tls(Arc<ServerConfig>);

/// A certificate that was made on the spot, and who vouches for it.
#[derive(Clone, Debug)]
pub struct SelfSigned {
    /// To serve with.
    pub tls: Tls,
    /// The certificate of the authority, in PEM, for clients to trust: `AWS_CA_BUNDLE`,
    /// `NODE_EXTRA_CA_CERTS`, a trust store of Java. Its key is gone already.
    pub authority_pem: String,
}

/// Why a certificate cannot be served with.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificates are no PEM.
    #[error("the certificate is not PEM with `BEGIN CERTIFICATE` in it: {0}")]
    Certificate(pem::Error),
    /// There is none.
    #[error("there is no certificate in it: PEM has `BEGIN CERTIFICATE`")]
    NoCertificate,
    /// The key is no PEM.
    #[error("the key is not PEM with an unencrypted `BEGIN PRIVATE KEY` in it: {0}")]
    Key(pem::Error),
    /// They do not fit one another, or are of a kind that is not supported.
    #[error("certificate and key cannot be used together: {0}")]
    Unfit(#[from] rustls::Error),
    /// A certificate could not be made.
    #[error("cannot make a certificate: {0}")]
    Made(#[from] rcgen::Error),
}

impl Tls {
    /// Serves with `certificates`, the server's first and then those that vouch for it, and the
    /// `key` of the first; both in PEM.
    ///
    /// # Errors
    ///
    /// A [`TlsError`] that says which of the two is wrong.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Tls, TlsError> {
        let certificates = CertificateDer::pem_slice_iter(certificates)
            .collect::<Result<Vec<_>, _>>()
            .map_err(TlsError::Certificate)?;
        if certificates.is_empty() {
            return Err(TlsError::NoCertificate);
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(TlsError::Key)?;
        Tls::new(certificates, key)
    }

    /// Makes an authority, and by it a certificate for `localhost`, the loopback addresses and
    /// `address`.
    ///
    /// # Errors
    ///
    /// When the system gives no randomness.
    pub fn self_signed(address: IpAddr) -> Result<SelfSigned, TlsError> {
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.distinguished_name.push(DnType::CommonName, "spanproof mock authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;

        let mut names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
        if !names.contains(&address.to_string()) && !address.is_unspecified() {
            names.push(address.to_string());
        }
        let mut server = CertificateParams::new(names)?;
        server.distinguished_name.push(DnType::CommonName, "spanproof mock");
        server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        // Python asks for it.
        server.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = server.signed_by(&key, &authority)?;
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let tls = Tls::new(vec![certificate.der().clone()], key)?;
        Ok(SelfSigned { tls, authority_pem: authority.pem() })
    }

    fn new(
        certificates: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Tls, TlsError> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(certificates, key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Tls(Arc::new(config)))
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.0))
    }
}

/// Without the key.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

/// The same certificate, not an equal one.
impl PartialEq for Tls {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
