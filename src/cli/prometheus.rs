//! The options about a Prometheus server.

use std::path::PathBuf;

use clap::Args;

use crate::source::prometheus::server::Server;
use crate::source::prometheus::{Address, INSTANCE};

/// Default of `--top`.
const TOP: usize = 5000;

/// The options about a server.
#[derive(Debug, Args)]
#[command(next_help_heading = "A fleet")]
pub(super) struct ServerArgs {
    /// Show the maps of a fleet: of all machines that this server scrapes `mapstop export` of; needs
    /// no privileges
    #[arg(long, value_name = "URL", conflicts_with_all = ["replay", "losses"])]
    prometheus: Option<String>,

    /// The label that tells machines apart
    #[arg(long, value_name = "LABEL", requires = "prometheus", value_parser = parse_label)]
    node_label: Option<String>,

    /// Maps at the most, those that need a person first; 5000 by default
    #[arg(long, value_name = "N", requires = "prometheus", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    top: Option<u32>,

    /// A file with the server's bearer token; or it is in `MAPSTOP_TOKEN`
    #[arg(
        long,
        value_name = "FILE",
        requires = "prometheus",
        conflicts_with = "user"
    )]
    token_file: Option<PathBuf>,

    /// The user of a password, which is in --password-file or in `MAPSTOP_PASSWORD`
    #[arg(long, value_name = "NAME", requires = "prometheus")]
    user: Option<String>,

    /// A file with the user's password
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,

    /// Trust a server by the certificates in this file (PEM) alone
    #[arg(long, value_name = "FILE", requires = "prometheus")]
    ca_file: Option<PathBuf>,
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
        Err("a label is made of letters, digits and _, as in instance".to_owned())
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
    /// What is wrong with its URL, without a secret that may be in it.
    pub(crate) fn into_server(self) -> Result<Option<Server>, String> {
        let Some(url) = self.prometheus else {
            return Ok(None);
        };
        Ok(Some(Server {
            address: Address::parse(&url)?,
            node_label: self.node_label.unwrap_or_else(|| INSTANCE.to_owned()),
            top: self.top.map_or(TOP, |top| top.try_into().unwrap_or(TOP)),
            token_file: self.token_file,
            user: self.user,
            password_file: self.password_file,
            ca_file: self.ca_file,
        }))
    }
}
