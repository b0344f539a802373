//! mapstop: top for BPF maps.

use std::process::ExitCode;

fn main() -> ExitCode {
    match mapstop::cli::parse() {
        Err(error) => mapstop::run::report_usage(&error),
        Ok(options) => mapstop::run::run(&options),
    }
    .into()
}
