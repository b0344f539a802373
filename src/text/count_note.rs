//! The sentences about how a map was counted, as the screen, JSON, CSV and recordings have them.

use std::borrow::Cow;

use super::units::with_thousands_separators;
use crate::types::count::{Count, CountNote, ScanAge, ScanUnit, UncountedReason};

/// The note of a count as a sentence.
#[must_use]
pub fn count_note(count: &Count) -> Option<Cow<'_, str>> {
    Some(match count.note.as_ref()? {
        CountNote::Aged(age) => scan_age(age).into(),
        CountNote::EmptyBuckets {
            tested,
            buckets,
            age,
        } => {
            let tested_of = if tested < buckets {
                format!("{} of ", with_thousands_separators((*tested).into()))
            } else {
                String::new()
            };
            format!(
                "within {} (three standard deviations), by how many of {tested_of}its {} buckets are empty, {}",
                with_thousands_separators(count.error),
                with_thousands_separators((*buckets).into()),
                age.as_deref().map(scan_age).unwrap_or_default(),
            )
            .into()
        }
        CountNote::PercpuPending(entries) => format!(
            "within {}: each CPU may have yet to add {entries} to the kernel's count",
            with_thousands_separators(count.error),
        )
        .into(),
        CountNote::Incomplete {
            unit,
            scanned,
            total,
            used,
        } => {
            let (units, state) = match unit {
                ScanUnit::Slots => ("slots", "used"),
                ScanUnit::Lists => ("lists", "used"),
                ScanUnit::Buckets => ("buckets", "used"),
                ScanUnit::TestedBuckets => ("buckets", "not empty"),
            };
            format!(
                "{INCOMPLETE}: {} of {} {units} looked at, at least {} {state}",
                with_thousands_separators((*scanned).into()),
                with_thousands_separators((*total).into()),
                with_thousands_separators(*used),
            )
            .into()
        }
        CountNote::ListsTooLong { used } => at_least(*used, LISTS_TOO_LONG),
        CountNote::ChainsCut { used } => at_least(*used, CHAINS_CUT),
        CountNote::Uncounted(reason) => uncounted_reason(*reason).into(),
        CountNote::Text(text) => Cow::Borrowed(text),
    })
}

const INCOMPLETE: &str = "not complete";
const LISTS_TOO_LONG: &str = "its lists are too long to follow";
const CHAINS_CUT: &str = "some of its chains changed while they were followed, or are too long";

fn at_least(used: u64, reason: &str) -> Cow<'static, str> {
    format!("at least {}: {reason}", with_thousands_separators(used)).into()
}

fn scan_age(age: &ScanAge) -> String {
    let seconds = age.oldest.as_secs_f64();
    match age.parts {
        1 => format!("looked at in its turn, {seconds:.1} s ago"),
        parts => format!("looked at in {parts} parts, the oldest {seconds:.1} s ago"),
    }
}

/// Why there is no number, in a few words.
pub(crate) fn uncounted_reason(reason: UncountedReason) -> &'static str {
    match reason {
        UncountedReason::Preallocated => "full from birth: there is nothing to count",
        UncountedReason::BloomFilter => "a bloom filter does not know its entries",
        UncountedReason::ArenaPages => {
            "this kernel keeps an arena's pages where they cannot be counted (Linux 6.13 and later can)"
        }
        UncountedReason::OutOfReach => {
            "this kernel does not tell where its entries are, or it is offloaded to a device"
        }
        UncountedReason::NotBuiltIn => "this kernel was built without what would count it",
        UncountedReason::UnknownType => "a type newer than this mapstop",
        UncountedReason::Unreadable => "its slots could not be read; that takes x86-64 or arm64",
        UncountedReason::ImpossiblePosition => {
            "its reader has set a position that cannot be: more bytes than it has room for"
        }
        UncountedReason::InMotion => "in motion while it was read",
        UncountedReason::FragmentedPages => {
            "its free pages are in too many pieces, or changed while they were read"
        }
        UncountedReason::UnknownCpus => {
            "each CPU has a part of the count, and how many there are is not known"
        }
        UncountedReason::NotExported => "its exporter tells no number",
    }
}

/// The label `reason` of `mapstop_maps_unmeasured`: a note without its numbers, since each value of a
/// label is a series of its own.
pub(crate) fn unmeasured_reason(count: &Count) -> Cow<'_, str> {
    match &count.note {
        Some(CountNote::Incomplete { .. }) => INCOMPLETE.into(),
        Some(CountNote::ListsTooLong { .. }) => LISTS_TOO_LONG.into(),
        Some(CountNote::ChainsCut { .. }) => CHAINS_CUT.into(),
        Some(_) => count_note(count).unwrap_or_default(),
        None => "not known".into(),
    }
}
