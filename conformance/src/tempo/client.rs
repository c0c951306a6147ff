//! A client for one server: HTTP/1.1 over one connection, one request after the other.

use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use http::uri::{Scheme, Uri};
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::TempoError;

pub(super) const JSON: &str = "application/json";
pub(super) const PROTOBUF: &str = "application/protobuf";

/// The header by which Tempo, like its siblings, tells tenants apart.
const TENANT: HeaderName = HeaderName::from_static("x-scope-orgid");

const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// A search over a day of blocks takes its time.
const ANSWER_WITHIN: Duration = Duration::from_mins(2);

/// The largest answer: traces may have 5 MB, unless Tempo is told otherwise.
const MAX_ANSWER_BYTES: usize = 256 << 20;

/// How much of a refusal is told.
const TOLD_CHARACTERS: usize = 300;

/// Where a Tempo is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// As the header `host` says it.
    authority: String,
    /// Host and port, to connect to.
    address: String,
    /// What stands before each path, without a slash at its end.
    prefix: String,
}

impl FromStr for Endpoint {
    type Err = TempoError;

    /// Reads `http://HOST[:PORT][/PREFIX]`.
    fn from_str(given: &str) -> Result<Self, TempoError> {
        let unfit =
            |why: &str| TempoError::Address { given: given.to_owned(), why: why.to_owned() };
        let uri: Uri =
            given.parse().map_err(|error: http::uri::InvalidUri| unfit(&error.to_string()))?;
        if uri.scheme() == Some(&Scheme::HTTPS) {
            return Err(unfit(
                "TLS is not spoken here; go through a local proxy, or `kubectl port-forward`",
            ));
        }
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(unfit("it has no scheme and host"));
        };
        if *scheme != Scheme::HTTP {
            return Err(unfit("only http is spoken"));
        }
        if authority.as_str().contains('@') {
            return Err(unfit("it names a user, which nothing is made of"));
        }
        if uri.query().is_some() {
            return Err(unfit("it has a query; that is for `--query`"));
        }
        let port = authority.port_u16().unwrap_or(80);
        Ok(Endpoint {
            authority: authority.to_string(),
            address: format!("{}:{port}", authority.host()),
            prefix: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

/// What a request came to.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

impl Answer {
    /// The error that nothing is at `path`, if that is the answer.
    pub(super) fn not_found(&self, path: &str) -> Option<TempoError> {
        (self.status == StatusCode::NOT_FOUND).then(|| refused(self.status, path, &self.body))
    }
}

/// A client of one Tempo.
pub(super) struct Client<'e> {
    endpoint: &'e Endpoint,
    tenant: Option<HeaderValue>,
    connection: Option<SendRequest<Empty<Bytes>>>,
}

impl<'e> Client<'e> {
    pub(super) fn new(endpoint: &'e Endpoint, tenant: Option<&str>) -> Result<Self, TempoError> {
        let tenant = tenant
            .map(|tenant| {
                HeaderValue::from_str(tenant).map_err(|_| TempoError::Tenant(tenant.to_owned()))
            })
            .transpose()?;
        Ok(Client { endpoint, tenant, connection: None })
    }

    /// Asks for `path`. Whatever is neither success nor "not found" is an error.
    pub(super) async fn get(&mut self, path: &str, accept: &str) -> Result<Answer, TempoError> {
        let answer = timeout(ANSWER_WITHIN, self.exchange(path, accept));
        let (status, body) = answer.await.map_err(|_| self.timed_out(path, ANSWER_WITHIN))??;
        if status.is_success() || status == StatusCode::NOT_FOUND {
            return Ok(Answer { status, body });
        }
        Err(refused(status, path, &body))
    }

    async fn exchange(
        &mut self,
        path: &str,
        accept: &str,
    ) -> Result<(StatusCode, Bytes), TempoError> {
        let address = self.endpoint.address.clone();
        let broken = |why: &dyn std::fmt::Display| TempoError::Broken {
            address: address.clone(),
            path: path.to_owned(),
            why: why.to_string(),
        };
        let mut request = Request::get(format!("{}{path}", self.endpoint.prefix))
            .header(HOST, &self.endpoint.authority)
            .header(ACCEPT, accept);
        if let Some(tenant) = &self.tenant {
            request = request.header(TENANT, tenant);
        }
        let request = request.body(Empty::new()).map_err(|error| broken(&error))?;
        // A server may close a connection after an answer; the next request then takes a new one.
        let kept = match self.connection.take() {
            Some(mut kept) => kept.ready().await.is_ok().then_some(kept),
            None => None,
        };
        let mut connection = match kept {
            Some(kept) => kept,
            None => self.connect(path).await?,
        };
        let response = connection.send_request(request).await.map_err(|error| broken(&error))?;
        let status = response.status();
        let given = response.headers().get(CONTENT_TYPE).cloned();
        let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect().await;
        let body = body.map_err(|error| broken(&error))?.to_bytes();
        let is_as_asked = given
            .as_ref()
            .and_then(|given| given.to_str().ok())
            .is_some_and(|given| given.starts_with(accept));
        if status.is_success() && !is_as_asked {
            return Err(TempoError::Undecodable {
                path: path.to_owned(),
                why: format!("it is of type {given:?} instead of {accept}"),
            });
        }
        self.connection = Some(connection);
        Ok((status, body))
    }

    async fn connect(&self, path: &str) -> Result<SendRequest<Empty<Bytes>>, TempoError> {
        let address = &self.endpoint.address;
        let stream = timeout(CONNECT_WITHIN, TcpStream::connect(address))
            .await
            .map_err(|_| self.timed_out(path, CONNECT_WITHIN))?
            .map_err(|source| TempoError::Unreachable { address: address.clone(), source })?;
        let (connection, driver) =
            handshake(TokioIo::new(stream)).await.map_err(|error| TempoError::Broken {
                address: address.clone(),
                path: path.to_owned(),
                why: error.to_string(),
            })?;
        // What goes wrong there comes out at the request.
        tokio::spawn(async move {
            let _ = driver.await;
        });
        Ok(connection)
    }

    fn timed_out(&self, path: &str, within: Duration) -> TempoError {
        TempoError::Timeout {
            address: self.endpoint.address.clone(),
            path: path.to_owned(),
            within,
        }
    }
}

fn refused(status: StatusCode, path: &str, body: &[u8]) -> TempoError {
    let said = String::from_utf8_lossy(body);
    let said: String = said.trim().chars().take(TOLD_CHARACTERS).collect();
    TempoError::Refused { status, path: path.to_owned(), said }
}
