//! What a checkup found, for people and for programs.

use std::io::{self, Write};

use serde::Serialize;

use super::gaps::{Gap, gaps};
use super::text;
use crate::exit_code::Exit;
use crate::types::doctor_report::{Checkup, Cost, LossCheck, Rights, System, TypeCheck};
use crate::types::ownership_gap::Unknown;

/// The version of the JSON shape.
const VERSION: u32 = 1;

/// Lines of text are no wider than this.
const WIDTH: usize = 80;

/// Writes it for people.
///
/// # Errors
///
/// When it cannot be written.
pub fn write_text(of: &Checkup, out: &mut impl Write) -> io::Result<()> {
    for line in text::lines(of, WIDTH) {
        writeln!(out, "{}", line.text)?;
    }
    Ok(())
}

#[derive(Serialize)]
struct CheckupShape<'a> {
    version: u32,
    time: String,
    host: &'a str,
    boot_id: &'a str,
    kernel: &'a str,
    /// `shown`, `not_permitted`, `unable` or `failed`.
    maps: &'static str,
    /// Why they are not shown.
    why: Option<&'a str>,
    /// What mapstop would end with for that.
    exit_status: u8,
    process: &'a Rights,
    system: &'a System,
    types: &'a [TypeCheck],
    losses: Option<&'a LossCheck>,
    owners_unknown: Option<&'a [Unknown]>,
    cost: Option<&'a Cost>,
    gaps: Vec<Gap>,
}

/// Writes it for programs: one object on a line.
///
/// # Errors
///
/// When it cannot be written.
pub fn write_json(of: &Checkup, exit: Exit, out: &mut impl Write) -> io::Result<()> {
    let shape = CheckupShape {
        version: VERSION,
        time: format!("{:.3}", of.at),
        host: &of.host.name,
        boot_id: &of.host.boot_id,
        kernel: &of.host.kernel,
        maps: of.outcome.name(),
        why: of.outcome.why(),
        exit_status: exit as u8,
        process: &of.rights,
        system: &of.system,
        types: &of.types,
        losses: of.losses.as_ref(),
        owners_unknown: of.owners_unknown.as_deref(),
        cost: of.cost.as_ref(),
        gaps: gaps(of),
    };
    serde_json::to_writer(&mut *out, &shape)?;
    out.write_all(b"\n")
}
