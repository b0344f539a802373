//! `mapstop doctor`: what mapstop can show with this kernel and the privileges of this process.

use std::io::{self, BufWriter, ErrorKind, Write};

use anyhow::{Context, Result};

use super::output;
use crate::exit_code::Exit;
use crate::types::doctor_report::{DoctorReport, MapAccess};

/// Examines this machine and prints the report; the exit code is that of `mapstop`.
///
/// # Errors
///
/// When it cannot be written.
pub fn run(is_json: bool, examine: fn() -> DoctorReport) -> Result<Exit> {
    let report = examine();
    let exit = exit_code(&report.map_access);
    let mut out = BufWriter::new(io::stdout().lock());
    let written = if is_json {
        output::write_json(&report, exit, &mut out)
    } else {
        output::write_text(&report, &mut out)
    };
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("cannot write the report")
        }
        _ => Ok(exit),
    }
}

/// The exit code of `mapstop` on a machine with this access.
fn exit_code(outcome: &MapAccess) -> Exit {
    match outcome {
        MapAccess::Shown => Exit::Fine,
        MapAccess::NotPermitted(_) => Exit::NotPermitted,
        MapAccess::Unable(_) | MapAccess::Hidden(_) => Exit::Unable,
        MapAccess::Failed(_) => Exit::Failed,
    }
}
