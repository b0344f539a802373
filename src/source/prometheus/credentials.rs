//! Credentials for a server, from files or the environment.

use std::path::Path;
use std::{env, fs};

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};

use super::server::Server;
use crate::text::sanitize::sanitize;

/// The environment variable with the password of `--user`.
pub(crate) const PASSWORD_VARIABLE: &str = "MAPSTOP_PASSWORD";

/// The message for `--user` alone.
pub(crate) const NO_PASSWORD: &str =
    "--user needs a password: use --password-file or set MAPSTOP_PASSWORD";

/// Longest secret in bytes.
const MAX_LEN: usize = 16 << 10;

/// How requests are authorized. `SecretString` keeps secrets out of debug output, and overwrites
/// them when they are dropped.
#[derive(Debug, Clone)]
pub(crate) enum Credentials {
    BearerToken(SecretString),
    Basic {
        user: String,
        password: SecretString,
    },
}

impl Credentials {
    /// Reads the credentials for a server, if it has any.
    ///
    /// # Errors
    ///
    /// If they cannot be read, or are not one line of text.
    pub(crate) fn read(server: &Server) -> Result<Option<Self>> {
        if let Some(user) = &server.user {
            let file = server.password_file.as_deref();
            let password = read_secret("--password-file", file, PASSWORD_VARIABLE)?;
            let password = password.context(NO_PASSWORD)?;
            let user = user.clone();
            return Ok(Some(Self::Basic { user, password }));
        }
        let file = server.token_file.as_deref();
        let token = read_secret("--token-file", file, "MAPSTOP_TOKEN")?;
        Ok(token.map(Self::BearerToken))
    }

    /// The value of the `Authorization` header.
    pub(crate) fn authorization(&self) -> SecretString {
        let value = match self {
            Self::BearerToken(token) => format!("Bearer {}", token.expose_secret()),
            Self::Basic { user, password } => {
                let pair = SecretString::from(format!("{user}:{}", password.expose_secret()));
                format!("Basic {}", STANDARD.encode(pair.expose_secret()))
            }
        };
        value.into()
    }
}

/// Reads a secret from a file, or from a variable if there is no file.
fn read_secret(option: &str, file: Option<&Path>, variable: &str) -> Result<Option<SecretString>> {
    let (text, origin) = match file {
        Some(path) => {
            let shown = sanitize(path.as_os_str().as_encoded_bytes());
            let bytes = fs::read(path).with_context(|| format!("{option}: cannot read {shown}"))?;
            (String::from_utf8(bytes).ok(), format!("{option} {shown}"))
        }
        None => match env::var_os(variable) {
            Some(value) => (value.into_string().ok(), variable.to_owned()),
            None => return Ok(None),
        },
    };
    let text = text.map(SecretString::from);
    let line = text.as_ref().map(ExposeSecret::expose_secret);
    let line = line.map(str::trim_end).unwrap_or_default();
    let is_line = !line.is_empty() && line.len() <= MAX_LEN && !line.chars().any(char::is_control);
    if !is_line {
        bail!("{origin}: a token or password must be one line of printable text");
    }
    Ok(Some(line.into()))
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
        let basic = Credentials::Basic {
            user: "Aladdin".to_owned(),
            password: "open sesame".into(),
        };
        assert_eq!(
            basic.authorization().expose_secret(),
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
        );
    }

    #[test]
    fn a_secret_is_one_line_of_a_file() {
        let read =
            |text: &[u8]| read_secret("--token-file", Some(file(text).path()), "NO_SUCH_VARIABLE");
        let secret = read(b"hush\r\n").expect("a line").expect("a secret");
        assert_eq!(secret.expose_secret(), "hush");
        for wrong in [&b""[..], b"\n", b"hush\nhush", b"\xff", b"hu\x1bsh"] {
            let error = read(wrong).expect_err("no secret").to_string();
            assert!(
                error.ends_with("must be one line of printable text"),
                "{error}"
            );
            assert!(!error.contains("hu"), "{error}");
        }
    }
}
