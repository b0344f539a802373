//! The options about a Prometheus server.

use std::path::PathBuf;

use clap::Args;

use super::CliError;
use super::values::invalid;
use crate::source::prometheus::credentials::{NO_PASSWORD, PASSWORD_VARIABLE};
use crate::source::prometheus::server::Server;
use crate::source::prometheus::{Address, INSTANCE};

/// Default of `--top`.
const TOP: usize = 5000;

/// The options about a server.
#[derive(Debug, Args)]
#[command(next_help_heading = "Fleet options")]
pub(super) struct ServerArgs {
    /// Show the maps of every machine whose `mapstop export` this Prometheus server scrapes; needs
    /// no privileges
    #[arg(long, value_name = "URL", conflicts_with_all = ["replay", "losses"])]
    prometheus: Option<String>,

    /// Label that identifies a machine [default: instance]
    #[arg(long, value_name = "LABEL", requires = "prometheus", value_parser = parse_label)]
    node_label: Option<String>,

    /// Show at most N maps, most urgent first [default: 5000]
    #[arg(long, value_name = "N", requires = "prometheus", value_parser = parse_top)]
    top: Option<u32>,

    /// Read the bearer token from FILE instead of `MAPSTOP_TOKEN`
    #[arg(
        long,
        value_name = "FILE",
        requires = "prometheus",
        conflicts_with = "user"
    )]
    token_file: Option<PathBuf>,

    /// Log in as this user, with the password from --password-file or `MAPSTOP_PASSWORD`
    #[arg(long, value_name = "NAME", requires = "prometheus")]
    user: Option<String>,

    /// Read the password from FILE instead of `MAPSTOP_PASSWORD`
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,

    /// Trust only the certificates in FILE (PEM)
    #[arg(long, value_name = "FILE", requires = "prometheus")]
    ca_file: Option<PathBuf>,
}

/// Largest value of `--top`.
const MAX_TOP: u32 = 1_000_000;

fn parse_top(text: &str) -> Result<u32, String> {
    let top = text.parse().ok();
    top.filter(|top| (1..=MAX_TOP).contains(top))
        .ok_or_else(|| format!("expected a whole number from 1 to {MAX_TOP}"))
}

/// Checks that a text is a label name of Prometheus.
pub(crate) fn parse_label(text: &str) -> Result<String, String> {
    let mut bytes = text.bytes();
    let is_first = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let is_label = bytes.next().is_some_and(is_first)
        && bytes.all(|byte| is_first(byte) || byte.is_ascii_digit());
    if is_label {
        Ok(text.to_owned())
    } else {
        Err("a label consists of letters, digits and _, such as instance".to_owned())
    }
}

impl ServerArgs {
    /// Whether there is a server.
    pub(crate) fn is_set(&self) -> bool {
        self.prometheus.is_some()
    }

    /// The server, if there is one.
    ///
    /// # Errors
    ///
    /// What is wrong with its URL, without a secret that may be in it; or that `--user` has no password.
    pub(crate) fn into_server(self) -> Result<Option<Server>, CliError> {
        let Some(url) = self.prometheus else {
            return Ok(None);
        };
        let has_password =
            self.password_file.is_some() || std::env::var_os(PASSWORD_VARIABLE).is_some();
        if self.user.is_some() && !has_password {
            return Err(CliError::Invalid(NO_PASSWORD.to_owned()));
        }
        Ok(Some(Server {
            address: Address::parse(&url).map_err(|why| invalid("--prometheus", &why))?,
            node_label: self.node_label.unwrap_or_else(|| INSTANCE.to_owned()),
            top: self.top.map_or(TOP, |top| top.try_into().unwrap_or(TOP)),
            token_file: self.token_file,
            user: self.user,
            password_file: self.password_file,
            ca_file: self.ca_file,
        }))
    }
}
