//! Messages on stderr, one line each. If stderr is gone, there is nowhere left to say them.

use std::io::{self, Write};

/// Says why mapstop fails.
pub fn error(message: &str) {
    let _ = writeln!(io::stderr(), "mapstop: {message}");
}

/// Says what the user should know although mapstop goes on.
pub fn warn(message: &str) {
    error(message);
}
