//! A server to ask, before its secrets are read.

use std::path::PathBuf;

use super::Address;

/// A server to ask, as typed: secrets are in files or in the environment, and are not read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Where it is.
    pub address: Address,
    /// The label that tells machines apart.
    pub node_label: String,
    /// Maps at the most.
    pub top: usize,
    /// Where a bearer token is.
    pub token_file: Option<PathBuf>,
    /// The user of a password.
    pub user: Option<String>,
    /// Where the password is.
    pub password_file: Option<PathBuf>,
    /// The certificates to trust.
    pub ca_file: Option<PathBuf>,
}
