//! Questions to a server become answers in bytes: HTTP, TLS, secrets and limits.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use ureq::http::Uri;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use super::secret::Secret;
use crate::model::text::harmless;

/// The time that a question may take, from the connection to the last byte.
const MOST_TIME: Duration = Duration::from_secs(30);
const MOST_CONNECTING: Duration = Duration::from_secs(5);

/// Bytes of an answer at the most.
const MOST_BYTES: u64 = 64 << 20;

/// An answer as it came.
#[derive(Debug)]
pub struct Answered {
    /// HTTP's number for how it went.
    pub status: u16,
    /// What was said.
    pub body: Vec<u8>,
}

/// A server to be asked. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub struct Client {
    agent: ureq::Agent,
    base: String,
    secret: Option<Secret>,
}

impl Client {
    /// A client of the server at this address, which is trusted by the certificates in `ca_file`, or by
    /// those that everybody trusts. Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// When the address is none, or the certificates cannot be read.
    pub fn new(url: &str, secret: Option<Secret>, ca_file: Option<&Path>) -> Result<Self> {
        let base = url.trim_end_matches('/').to_owned();
        let shown = harmless(url.as_bytes());
        let uri: Uri = base.parse().map_err(|_| anyhow!("'{shown}' is no URL"))?;
        match (uri.scheme_str(), uri.authority()) {
            (Some("http" | "https"), Some(authority)) if authority.as_str().contains('@') => bail!(
                "a URL with a user or a password in it would be seen by everybody: use --user and --password-file"
            ),
            (Some("http" | "https"), Some(_)) if uri.query().is_none() => {}
            _ => bail!("'{shown}' is no URL as in http://prometheus:9090"),
        }
        let mut tls = TlsConfig::builder();
        if let Some(path) = ca_file {
            tls = tls.root_certs(root_certs(path)?);
        }
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(MOST_TIME))
            .timeout_connect(Some(MOST_CONNECTING))
            // A secret is for whoever was named, and nobody else.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .user_agent(concat!("mapstop/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls.build())
            .build();
        Ok(Self {
            agent: config.new_agent(),
            base,
            secret,
        })
    }

    /// Asks, with the parameters in a form, since a query may be longer than a URL.
    ///
    /// # Errors
    ///
    /// When there is no answer, or one that is too large.
    pub fn ask(&self, path: &str, form: &[(&str, &str)]) -> Result<Answered> {
        let mut request = self.agent.post(format!("{}/api/v1/{path}", self.base));
        if let Some(secret) = &self.secret {
            request = request.header("Authorization", secret.header());
        }
        let mut response = request
            .send_form(form.iter().copied())
            .map_err(|error| self.explain(&error))?;
        let status = response.status().as_u16();
        let body = response
            .body_mut()
            .with_config()
            .limit(MOST_BYTES)
            .read_to_vec();
        let body = body.map_err(|error| self.explain(&error))?;
        Ok(Answered { status, body })
    }

    fn explain(&self, error: &ureq::Error) -> anyhow::Error {
        let host = self.base.split('/').nth(2).unwrap_or_default();
        let host = harmless(host.as_bytes());
        match error {
            ureq::Error::BodyExceedsLimit(_) => anyhow!(
                "the answer of {host} is larger than {} MiB: lower --top",
                MOST_BYTES >> 20
            ),
            ureq::Error::Timeout(_) => anyhow!("{host} does not answer in time"),
            error => {
                let text = error.to_string();
                let text = text.strip_prefix("io: ").unwrap_or(&text);
                anyhow!("cannot ask {host}: {}", harmless(text.as_bytes()))
            }
        }
    }
}

fn root_certs(path: &Path) -> Result<RootCerts> {
    let shown = harmless(path.as_os_str().as_encoded_bytes());
    let pem = std::fs::read(path).with_context(|| format!("cannot read '{shown}'"))?;
    let mut certificates: Vec<Certificate<'static>> = Vec::new();
    for item in parse_pem(&pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
            Ok(_) => {}
            Err(_) => bail!("'{shown}' is no file of certificates (PEM)"),
        }
    }
    if certificates.is_empty() {
        bail!("there is no certificate in '{shown}'");
    }
    Ok(RootCerts::new_with_certs(&certificates))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_in_what_is_printed() {
        let client = Client::new(
            "http://localhost:1",
            Some(Secret::Token("hush".to_owned())),
            None,
        );
        let client = client.expect("a client");
        assert!(!format!("{client:?}").contains("hush"));
        let error = client
            .ask("query", &[("query", "up")])
            .expect_err("nobody is there");
        let text = format!("{error:#}");
        assert!(text.starts_with("cannot ask localhost:1: "), "{text}");
        assert!(!text.contains("hush"), "{text}");
    }

    #[test]
    fn an_address_is_a_whole_one_without_secrets() {
        for (url, what) in [
            ("prometheus:9090", "is no URL"),
            ("ftp://prometheus", "is no URL"),
            ("http://", "is no URL"),
            ("http://prometheus/?a=b", "is no URL"),
            ("http://user:hush@prometheus", "--password-file"),
        ] {
            let error = Client::new(url, None, None).expect_err(url).to_string();
            assert!(error.contains(what) && !error.contains("hush"), "{error}");
        }
        assert!(Client::new("https://prometheus.example/prefix/", None, None).is_ok());
    }
}
