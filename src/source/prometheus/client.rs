//! An HTTP client for the API: TLS, credentials, timeouts and size limits.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use secrecy::ExposeSecret;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use super::address::Address;
use super::credentials::Credentials;
use crate::text::sanitize::sanitize;

/// Timeout of a request, from the connection to the last byte.
const MAX_TIME: Duration = Duration::from_secs(30);
const MAX_CONNECT_TIME: Duration = Duration::from_secs(5);

/// Largest response body in bytes.
const MAX_BYTES: u64 = 64 << 20;

/// A response, not parsed yet.
#[derive(Debug)]
pub struct HttpResponse {
    /// The HTTP status code.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// A client of one server. Clones share connections.
#[derive(Debug, Clone)]
pub struct Client {
    agent: ureq::Agent,
    address: Address,
    credentials: Option<Credentials>,
}

impl Client {
    /// Creates a client that trusts the certificates in `ca_file`, or else the public ones.
    /// Sends nothing yet.
    ///
    /// # Errors
    ///
    /// When the certificates cannot be read.
    pub fn new(
        address: Address,
        credentials: Option<Credentials>,
        ca_file: Option<&Path>,
    ) -> Result<Self> {
        let mut tls = TlsConfig::builder();
        if let Some(path) = ca_file {
            tls = tls.root_certs(root_certs(path)?);
        }
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(MAX_TIME))
            .timeout_connect(Some(MAX_CONNECT_TIME))
            // Credentials must not follow a redirect to another server.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .user_agent(concat!("mapstop/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls.build())
            .build();
        Ok(Self {
            agent: config.new_agent(),
            address,
            credentials,
        })
    }

    /// Sends a request with the parameters in a form, since a query may be longer than a
    /// URL may be.
    ///
    /// # Errors
    ///
    /// When there is no response, or one that is too large.
    pub(crate) fn post(&self, path: &str, form: &[(&str, &str)]) -> Result<HttpResponse> {
        let mut request = self
            .agent
            .post(format!("{}/api/v1/{path}", self.address.base()));
        if let Some(credentials) = &self.credentials {
            let value = credentials.authorization();
            request = request.header("Authorization", value.expose_secret());
        }
        let mut response = request
            .send_form(form.iter().copied())
            .map_err(|error| self.explain(&error))?;
        let status = response.status().as_u16();
        let body = response
            .body_mut()
            .with_config()
            .limit(MAX_BYTES)
            .read_to_vec();
        let body = body.map_err(|error| self.explain(&error))?;
        Ok(HttpResponse { status, body })
    }

    fn explain(&self, error: &ureq::Error) -> anyhow::Error {
        let host = self.address.host();
        match error {
            ureq::Error::BodyExceedsLimit(_) => anyhow!(
                "the response of {host} is larger than {} MiB: lower --top",
                MAX_BYTES >> 20
            ),
            ureq::Error::Timeout(_) => anyhow!("{host} does not answer in time"),
            error if self.address.is_tls() && is_no_tls(error) => {
                anyhow!("{host} does not speak TLS: try http://")
            }
            error => {
                let text = error.to_string();
                let text = text.strip_prefix("io: ").unwrap_or(&text);
                let verb = if is_no_connection(error) {
                    "connect to"
                } else {
                    "query"
                };
                anyhow!(
                    "cannot {verb} the Prometheus server at {host}: {}",
                    sanitize(text.as_bytes())
                )
            }
        }
    }
}

/// Whether the server did not respond in TLS, which rustls reports when the stream is read.
fn is_no_tls(error: &ureq::Error) -> bool {
    error.to_string().contains("InvalidContentType")
}

/// Whether no connection was made.
fn is_no_connection(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => true,
        ureq::Error::Io(error) => matches!(
            error.kind(),
            ErrorKind::ConnectionRefused
                | ErrorKind::HostUnreachable
                | ErrorKind::NetworkUnreachable
                | ErrorKind::NotFound
        ),
        _ => false,
    }
}

fn root_certs(path: &Path) -> Result<RootCerts> {
    let shown = sanitize(path.as_os_str().as_encoded_bytes());
    let pem = std::fs::read(path).with_context(|| format!("--ca-file: cannot read {shown}"))?;
    let mut certificates: Vec<Certificate<'static>> = Vec::new();
    for item in parse_pem(&pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
            Ok(_) => {}
            Err(_) => bail!("--ca-file: {shown} is not a valid PEM file"),
        }
    }
    if certificates.is_empty() {
        bail!("--ca-file: no PEM certificate in {shown}");
    }
    Ok(RootCerts::new_with_certs(&certificates))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_in_what_is_printed() {
        let address = Address::parse("http://localhost:1").expect("an address");
        let secret = Credentials::BearerToken("hush".into());
        let client = Client::new(address, Some(secret), None).expect("a client");
        assert!(!format!("{client:?}").contains("hush"));
        let error = client
            .post("query", &[("query", "up")])
            .expect_err("nobody is there");
        let text = format!("{error:#}");
        assert!(
            text.starts_with("cannot connect to the Prometheus server at localhost:1: "),
            "{text}"
        );
        assert!(!text.contains("hush"), "{text}");
    }
}
