//! Certificates and keys of an encrypted connection.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::start_error;
use crate::client::ClientError;

/// What a receiver is trusted by, and what it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// A file of certificates, in PEM, of who may have signed the receiver's; those that the system
    /// trusts unless it is given.
    pub ca: Option<PathBuf>,
    /// A file with the client's own certificate and those between it and its authority, in PEM, and
    /// one with its key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

impl Tls {
    /// The configuration of connections that speak `protocol`.
    pub(super) fn config(&self, protocol: &[u8]) -> Result<Arc<ClientConfig>, ClientError> {
        let mut roots = RootCertStore::empty();
        if let Some(path) = &self.ca {
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|error| unusable(path, &error))?;
            }
        } else {
            // What the system has besides is no reason to trust nobody.
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
            if roots.is_empty() {
                return Err(start_error(
                    "the system has no certificates to trust the receiver by: name a file of them"
                        .to_owned(),
                ));
            }
        }
        let builder = ClientConfig::builder().with_root_certificates(roots);
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = certificates(certificate)?;
                let secret =
                    PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, &error))?;
                builder
                    .with_client_auth_cert(chain, secret)
                    .map_err(|error| unusable(key, &error))?
            }
        };
        config.alpn_protocols = vec![protocol.to_vec()];
        Ok(Arc::new(config))
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ClientError> {
    let all = CertificateDer::pem_file_iter(path).map_err(|error| unusable(path, &error))?;
    let all: Result<Vec<_>, _> = all.collect();
    let all = all.map_err(|error| unusable(path, &error))?;
    if all.is_empty() {
        return Err(start_error(format!("there is no certificate in {}", path.display())));
    }
    Ok(all)
}

fn unusable(path: &Path, error: &dyn std::error::Error) -> ClientError {
    start_error(format!("{} cannot be used: {error}", path.display()))
}
