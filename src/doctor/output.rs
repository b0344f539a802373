//! Prints the doctor's report as text or JSON.

use std::io::{self, Write};

use serde::Serialize;

use super::gaps::{Gap, find_gaps};
use super::text;
use crate::exit_code::Exit;
use crate::types::doctor_report::{
    Cost, DoctorReport, KernelSupport, LossCheck, Privileges, TypeCheck,
};
use crate::types::ownership_gap::OwnershipGap;

/// The version of the JSON shape.
const VERSION: u32 = 1;

/// Lines of text are no wider than this.
const WIDTH: usize = 80;

/// Writes text.
///
/// # Errors
///
/// When it cannot be written.
pub(crate) fn write_text(doctor_report: &DoctorReport, out: &mut impl Write) -> io::Result<()> {
    for line in text::lines(doctor_report, WIDTH) {
        writeln!(out, "{}", line.text)?;
    }
    Ok(())
}

#[derive(Serialize)]
struct DoctorReportJson<'a> {
    version: u32,
    time: String,
    host: &'a str,
    boot_id: &'a str,
    kernel: &'a str,
    /// `shown`, `not_permitted`, `unable` or `failed`.
    maps: &'static str,
    /// Why they are not shown.
    why: Option<&'a str>,
    /// The exit code of `mapstop` on this machine.
    exit_status: u8,
    process: &'a Privileges,
    system: &'a KernelSupport,
    types: &'a [TypeCheck],
    losses: Option<&'a LossCheck>,
    owners_unknown: Option<&'a [OwnershipGap]>,
    cost: Option<&'a Cost>,
    gaps: Vec<Gap>,
}

/// Writes JSON: one object on a line.
///
/// # Errors
///
/// When it cannot be written.
pub fn write_json(
    doctor_report: &DoctorReport,
    exit: Exit,
    out: &mut impl Write,
) -> io::Result<()> {
    let shape = DoctorReportJson {
        version: VERSION,
        time: format!("{:.3}", doctor_report.at),
        host: &doctor_report.host.name,
        boot_id: &doctor_report.host.boot_id,
        kernel: &doctor_report.host.kernel,
        maps: doctor_report.map_access.name(),
        why: doctor_report.map_access.reason(),
        exit_status: exit as u8,
        process: &doctor_report.privileges,
        system: &doctor_report.kernel_support,
        types: &doctor_report.types,
        losses: doctor_report.losses.as_ref(),
        owners_unknown: doctor_report.ownership_gaps.as_deref(),
        cost: doctor_report.cost.as_ref(),
        gaps: find_gaps(doctor_report),
    };
    serde_json::to_writer(&mut *out, &shape)?;
    out.write_all(b"\n")
}
