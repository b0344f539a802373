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
            let tested = if tested < buckets {
                format!(
                    "{} of {}",
                    with_thousands_separators((*tested).into()),
                    with_thousands_separators((*buckets).into())
                )
            } else {
                format!("all {}", with_thousands_separators((*buckets).into()))
            };
            let age = age
                .as_deref()
                .map_or(String::new(), |age| format!(", {}", scan_age(age)));
            format!(
                "estimated to within {} (three standard deviations) by counting the empty ones among {tested} buckets{age}",
                with_thousands_separators(count.error),
            )
            .into()
        }
        CountNote::PercpuPending(entries) => format!(
            "right to within {}: each CPU may hold back {entries} from the kernel's count",
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
                "{INCOMPLETE}: {} of {} {units} scanned, at least {} {state}",
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

const INCOMPLETE: &str = "count not complete";
const LISTS_TOO_LONG: &str = "its lists are too long to follow";
const CHAINS_CUT: &str = "some of its buckets changed during the count, or are too long";

fn at_least(used: u64, reason: &str) -> Cow<'static, str> {
    format!("at least {}: {reason}", with_thousands_separators(used)).into()
}

fn scan_age(age: &ScanAge) -> String {
    let seconds = age.oldest.as_secs_f64();
    match age.parts {
        1 => format!("scanned {seconds:.1} s ago"),
        parts => format!("scanned in {parts} parts, the oldest {seconds:.1} s ago"),
    }
}

pub(crate) fn uncounted_reason(reason: UncountedReason) -> &'static str {
    match reason {
        UncountedReason::Preallocated => "always full: every entry exists from creation on",
        UncountedReason::BloomFilter => "a bloom filter does not store its entries",
        UncountedReason::ArenaPages => "the pages of an arena cannot be counted before Linux 6.13",
        UncountedReason::OutOfReach => {
            "this kernel does not describe where its entries are, or they are on a device"
        }
        UncountedReason::NotBuiltIn => "this kernel was built without support for counting it",
        UncountedReason::UnknownType => "this version of mapstop does not know the type",
        UncountedReason::Unreadable => "its slots could not be read; that needs x86-64 or arm64",
        UncountedReason::ImpossiblePosition => {
            "its reader has set an impossible position: more bytes unread than fit"
        }
        UncountedReason::InMotion => "it changed while it was read",
        UncountedReason::FragmentedPages => {
            "its free pages are too fragmented, or changed while they were read"
        }
        UncountedReason::UnknownCpus => {
            "each CPU has a part of the count, and the number of CPUs is unknown"
        }
        UncountedReason::NotExported => "the exporter has no count",
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
        None => "unknown".into(),
    }
}
