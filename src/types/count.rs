//! How the entries of a map were counted.

use std::time::Duration;

use serde::Serialize;

/// How a map's entries were counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CountMethod {
    /// The kernel's own element counter.
    Counter,
    /// A number read from the map's structure.
    Field,
    /// All slots were scanned.
    Scan,
    /// Estimated from a part of the map; [`Count::error`] says how far it may be off.
    Estimate,
    /// Every entry was visited.
    Walk,
    /// Not counted: there is nothing to count, or no way to.
    None,
}

impl CountMethod {
    /// The value of `count_method` in JSON and CSV.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Field => "field",
            Self::Scan => "scan",
            Self::Estimate => "estimate",
            Self::Walk => "walk",
            Self::None => "none",
        }
    }
}

/// How a number of entries was found, and how exact it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// How it was counted.
    pub method: CountMethod,
    /// Why there is no number, or why it may be off; `None` if it is simply right.
    pub note: Option<CountNote>,
    /// How far the number may be off, in its unit: three standard deviations of an estimate, else 0.
    pub error: u64,
}

impl Count {
    /// A number that is right, or none.
    #[must_use]
    pub fn exact(method: CountMethod) -> Self {
        Self {
            method,
            note: None,
            error: 0,
        }
    }

    /// A number, or none, with a note.
    #[must_use]
    pub(crate) fn with_note(method: CountMethod, note: CountNote) -> Self {
        Self {
            note: Some(note),
            ..Self::exact(method)
        }
    }
}

/// Why there is no number, or why it may be off. The sentences are in [`crate::text::count_note`].
///
/// Every row of every sample that is kept has one: what would make it larger is boxed, as few maps have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CountNote {
    /// The number is put together from scans of different age.
    Aged(Box<ScanAge>),
    /// Estimated from how many buckets are empty.
    EmptyBuckets {
        /// Buckets that were tested.
        tested: u32,
        /// Buckets of the map.
        buckets: u32,
        /// `None` if all were tested in this read.
        age: Option<Box<ScanAge>>,
    },
    /// Each CPU may have yet to add this many entries to the kernel's count.
    PercpuPending(u32),
    /// The scan has not come round yet.
    Incomplete {
        /// What is scanned.
        unit: ScanUnit,
        /// Units scanned so far.
        scanned: u32,
        /// Units of the map.
        total: u32,
        /// Entries found so far.
        used: u64,
    },
    /// Lists are too long to follow to their ends.
    ListsTooLong {
        /// Entries found.
        used: u64,
    },
    /// Some buckets changed while they were walked, or are too long.
    ChainsCut {
        /// Entries found.
        used: u64,
    },
    /// There is no number.
    Uncounted(UncountedReason),
    /// A note as a recording has it, which may be of another version.
    Text(Box<str>),
}

/// How old the scans are that a number is put together from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanAge {
    /// Number of scans.
    pub parts: usize,
    /// Age of the oldest.
    pub oldest: Duration,
}

/// What is scanned of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanUnit {
    /// Elements of an array.
    Slots,
    /// Lists of elements.
    Lists,
    /// Buckets of a hash that are walked.
    Buckets,
    /// Buckets of a hash that are only tested for emptiness.
    TestedBuckets,
}

/// Why a map has no number of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UncountedReason {
    /// All entries exist from the creation of the map on.
    Preallocated,
    /// A bloom filter does not know its entries.
    BloomFilter,
    /// Before Linux 6.13 the pages of an arena cannot be counted.
    ArenaPages,
    /// The kernel's type information lacks the map's structure, or a device holds the entries.
    OutOfReach,
    /// The kernel was built without this type, or without the symbols to count it.
    NotBuiltIn,
    /// The map's type is not in the table of this version.
    UnknownType,
    /// The slots could not be read on this architecture.
    Unreadable,
    /// The reader of a ring buffer has set a position that cannot be.
    ImpossiblePosition,
    /// The counter changed while it was read.
    InMotion,
    /// The free pages are in too many pieces, or changed while they were read.
    FragmentedPages,
    /// CPUs have parts of the count, and how many CPUs there are is unknown.
    UnknownCpus,
    /// The exporter has no series for it.
    NotExported,
}
