//! Where a server is and how to access it.

use std::path::PathBuf;

use super::Address;

/// A server as given on the command line. Credentials are in files or in the environment, and
/// not read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The URL.
    pub address: Address,
    /// The label that distinguishes nodes.
    pub node_label: String,
    /// The largest number of maps to query.
    pub top: usize,
    /// The file with a bearer token.
    pub token_file: Option<PathBuf>,
    /// The user for basic authentication.
    pub user: Option<String>,
    /// The file with the user's password.
    pub password_file: Option<PathBuf>,
    /// A file with the certificates to trust.
    pub ca_file: Option<PathBuf>,
}
