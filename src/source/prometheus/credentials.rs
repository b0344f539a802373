//! A file or the environment becomes what a server wants to hear from those who ask.

use std::path::Path;
use std::{env, fmt, fs};

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::server::Server;
use crate::text::sanitize::sanitize;

/// Bytes of a secret at the most.
const MAX_LEN: usize = 16 << 10;

/// What is said to prove who one is. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// A bearer token.
    Token(String),
    /// A user and a password.
    Basic(String, String),
}

/// A secret is nothing to look at.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// The secret for this server, if it has one.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or cannot be one.
    pub fn of(server: &Server) -> Result<Option<Self>> {
        if let Some(user) = &server.user {
            let password = one(server.password_file.as_deref(), "MAPSTOP_PASSWORD")?;
            let password = password
                .context("--user has no password: --password-file or MAPSTOP_PASSWORD gives it")?;
            return Ok(Some(Self::Basic(user.clone(), password)));
        }
        let token = one(server.token_file.as_deref(), "MAPSTOP_TOKEN")?;
        Ok(token.map(Self::Token))
    }

    /// As HTTP has it.
    #[must_use]
    pub fn header(&self) -> String {
        match self {
            Self::Token(token) => format!("Bearer {token}"),
            Self::Basic(user, password) => {
                format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
            }
        }
    }
}

/// What is in a file, else in a variable, without the end of its line.
fn one(file: Option<&Path>, variable: &str) -> Result<Option<String>> {
    let (text, place) = match file {
        Some(path) => {
            let shown = sanitize(path.as_os_str().as_encoded_bytes());
            let bytes = fs::read(path).with_context(|| format!("cannot read '{shown}'"))?;
            let text = String::from_utf8(bytes).ok();
            (text, format!("what is in '{shown}'"))
        }
        None => match env::var_os(variable) {
            Some(value) => (value.into_string().ok(), format!("what is in {variable}")),
            None => return Ok(None),
        },
    };
    let text = text.as_deref().map(str::trim_end).unwrap_or_default();
    let is_line = !text.is_empty() && text.len() <= MAX_LEN && !text.chars().any(char::is_control);
    if !is_line {
        bail!("{place} is no token or password: it has to be one line");
    }
    Ok(Some(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file(text: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(text).expect("it is written");
        file
    }

    #[test]
    fn passwords_are_written_as_http_has_it() {
        // RFC 7617, section 2.
        let basic = Secret::Basic("Aladdin".to_owned(), "open sesame".to_owned());
        assert_eq!(basic.header(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    }

    #[test]
    fn a_secret_is_one_line_of_a_file() {
        let read = |text: &[u8]| one(Some(file(text).path()), "NO_SUCH_VARIABLE");
        assert_eq!(read(b"hush\r\n").expect("a line").as_deref(), Some("hush"));
        for wrong in [&b""[..], b"\n", b"hush\nhush", b"\xff", b"hu\x1bsh"] {
            let error = read(wrong).expect_err("no secret").to_string();
            assert!(error.ends_with("it has to be one line"), "{error}");
            assert!(!error.contains("hu"), "{error}");
        }
    }
}
