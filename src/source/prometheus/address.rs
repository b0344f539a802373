//! Parses and validates the URL of a server.

use ureq::http::Uri;

use crate::text::sanitize::sanitize;

/// An http or https URL without credentials, to which paths are appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    base: String,
    host: String,
    is_tls: bool,
}

impl Address {
    /// Parses a URL.
    ///
    /// # Errors
    ///
    /// In one line that leaves out any password in the URL.
    pub fn parse(url: &str) -> Result<Self, String> {
        let shown = sanitize(url.as_bytes());
        let is_none =
            || format!("'{shown}' is not a URL; expected one such as http://prometheus:9090");
        let base = url.trim_end_matches('/');
        let before_path = base.split_once("://").map_or(base, |(_, rest)| rest);
        let before_path = before_path.split('/').next().unwrap_or_default();
        if before_path.contains('@') {
            return Err("do not put credentials in the URL, where other users can see them; use --user and --password-file".to_owned());
        }
        let uri: Uri = base.parse().map_err(|_| is_none())?;
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            Some(scheme) => {
                return Err(format!(
                    "unsupported scheme {scheme}://; use http:// or https://"
                ));
            }
            None => return Err(is_none()),
        };
        let authority = uri.authority().ok_or_else(is_none)?;
        // The parser drops an invalid port.
        let is_whole = !authority.host().is_empty()
            && (authority.port().is_some() || authority.host() == authority.as_str());
        // No path can be appended to a query or a fragment.
        if !is_whole || base.contains(['?', '#']) {
            return Err(is_none());
        }
        Ok(Self {
            host: authority.as_str().to_owned(),
            base: base.to_owned(),
            is_tls,
        })
    }

    /// The URL without a slash at its end.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The host, with its port where one was given.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether the scheme is https.
    #[must_use]
    pub(crate) fn is_tls(&self) -> bool {
        self.is_tls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_whole_one_without_secrets() {
        for (url, what) in [
            ("", "is not a URL"),
            ("prometheus", "is not a URL"),
            ("prometheus:9090", "is not a URL"),
            ("/api/v1", "is not a URL"),
            ("ftp://prometheus", "unsupported scheme ftp://"),
            ("http://", "is not a URL"),
            ("http://:9090", "is not a URL"),
            ("http://prometheus:port", "is not a URL"),
            ("http://prometheus:99999", "is not a URL"),
            ("http://prome theus", "is not a URL"),
            ("http://prometheus/?a=b", "is not a URL"),
            ("http://prometheus/#graph", "is not a URL"),
            ("\u{1b}[2J", "'?[2J' is not a URL"),
            ("http://user:hush@prometheus", "--password-file"),
            ("http://user:hu sh@prometheus", "--password-file"),
            ("user:hush@prometheus:9090", "--password-file"),
        ] {
            let why = Address::parse(url).expect_err(url);
            assert!(why.contains(what) && !why.contains("hu"), "{url}: {why}");
            assert!(!why.chars().any(char::is_control), "{why:?}");
        }
    }

    #[test]
    fn paths_and_ports_stay_and_slashes_at_the_end_go() {
        let parts = |url: &str| {
            let address = Address::parse(url).expect(url);
            let (base, host) = (address.base().to_owned(), address.host().to_owned());
            (base, host, address.is_tls())
        };
        let parts_of = |base: &str, host: &str, is_tls| (base.to_owned(), host.to_owned(), is_tls);
        assert_eq!(
            parts("https://prometheus.example/prefix/"),
            parts_of(
                "https://prometheus.example/prefix",
                "prometheus.example",
                true
            )
        );
        assert_eq!(
            parts("http://[::1]:9090"),
            parts_of("http://[::1]:9090", "[::1]:9090", false)
        );
        assert_eq!(
            parts("http://127.0.0.1"),
            parts_of("http://127.0.0.1", "127.0.0.1", false)
        );
        // An @ in a path does not end a user name.
        assert!(Address::parse("http://prometheus/@team").is_ok());
    }
}
