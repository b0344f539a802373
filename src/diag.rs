//! Messages on stderr, one line each. Errors of writing them are ignored: there is nowhere left
//! to report them.

use std::io::{self, Write};

/// Prints why mapstop fails.
pub fn error(message: &str) {
    let _ = writeln!(io::stderr(), "mapstop: {message}");
}

/// Prints a warning; mapstop goes on.
pub fn warn(message: &str) {
    error(message);
}
