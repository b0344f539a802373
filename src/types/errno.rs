//! The errors that updates are refused with.

use std::fmt;

use compact_str::{CompactString, format_compact};

/// Why an update was refused: the kernel's error number, as a positive one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Errno(pub u16);

/// The name and the meaning of an error.
struct ErrnoInfo {
    errno: Errno,
    /// The kernel's name.
    name: &'static str,
    /// What it means when it refuses an update of a map; `None` for errors that are not counted as a
    /// loss.
    description: Option<&'static str>,
}

/// Makes a constant of [`Errno`] and a row of [`ERRNOS`] of each line.
macro_rules! errnos {
    ($($name:ident = $number:literal: $description:expr;)*) => {
        #[expect(missing_docs, reason = "the names are the kernel's")]
        impl Errno {
            $(pub const $name: Self = Self($number);)*
        }

        /// Sorted by number.
        const ERRNOS: &[ErrnoInfo] = &[$(ErrnoInfo {
            errno: Errno::$name,
            name: stringify!($name),
            description: $description,
        }),*];
    };
}

// `EEXIST` counts as a loss for stack traces only, where it is a collision. For other maps it is an
// answer that the caller asked for, like `ENOENT` and `EINVAL`, which are not counted.
errnos! {
    EPERM = 1: None;
    ENOENT = 2: None;
    E2BIG = 7: Some("the map is full");
    EAGAIN = 11: Some("the buffer is full");
    ENOMEM = 12: Some("out of memory, or no free element");
    EACCES = 13: None;
    EBUSY = 16: Some("the lock was held");
    EEXIST = 17: Some("another stack has the same hash");
    EINVAL = 22: None;
    ENOSPC = 28: Some("the map is full");
    EDEADLK = 35: Some("taking the lock would deadlock");
    EOPNOTSUPP = 95: None;
    ETIMEDOUT = 110: Some("timed out waiting for the lock");
    // Internal to the kernel: the C library has no name for it.
    ENOTSUPP = 524: None;
}

impl Errno {
    /// Every error that is counted as a loss, sorted by number.
    pub(crate) fn counted() -> impl Iterator<Item = Self> {
        let counted = ERRNOS.iter().filter(|info| info.description.is_some());
        counted.map(|info| info.errno)
    }

    /// The kernel's name, as `E2BIG`; `None` for an error that is not in the table.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Some(self.info()?.name)
    }

    /// The name, or `prefix` and the number of an error that is not in the table. The prefix is part
    /// of a format: `error ` on the screen, `errno_` in JSON and CSV, none in the label `errno` of a
    /// metric.
    fn name_or_number(self, prefix: &str) -> CompactString {
        match self.name() {
            Some(name) => name.into(),
            None => format_compact!("{prefix}{}", self.0),
        }
    }

    /// The key of its count in JSON and CSV: `E2BIG`, `errno_99`.
    pub(crate) fn json_key(self) -> CompactString {
        self.name_or_number("errno_")
    }

    /// The value of the label `errno` of a metric: `E2BIG`, `99`.
    pub(crate) fn metric_label(self) -> CompactString {
        self.name_or_number("")
    }

    /// The error of this [`Self::metric_label`].
    pub(crate) fn from_metric_label(label: &str) -> Option<Self> {
        let known = ERRNOS.iter().find(|info| info.name == label);
        known
            .map(|info| info.errno)
            .or_else(|| label.parse().ok().map(Self))
    }

    /// What it means for a map, in a few words; `None` for an error that is not counted as a loss.
    #[must_use]
    pub(crate) fn description(self) -> Option<&'static str> {
        self.info()?.description
    }

    fn info(self) -> Option<&'static ErrnoInfo> {
        ERRNOS.iter().find(|info| info.errno == self)
    }
}

/// As on the screen: `E2BIG`, `error 99`.
impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name_or_number("error "))
    }
}

/// How often each error happened, sorted by error, without duplicates.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ErrnoCounts(Vec<(Errno, u64)>);

impl ErrnoCounts {
    /// How often this error happened.
    #[must_use]
    pub fn get(&self, errno: Errno) -> u64 {
        let found = self.0.binary_search_by_key(&errno, |(errno, _)| *errno);
        found.map_or(0, |at| self.0[at].1)
    }

    /// Whether there is a count of this error, even if it is 0.
    pub(crate) fn contains(&self, errno: Errno) -> bool {
        self.iter().any(|(counted, _)| counted == errno)
    }

    /// Adds to the count of an error.
    pub(crate) fn add(&mut self, errno: Errno, more: u64) {
        let count = self.count_mut(errno);
        *count = count.saturating_add(more);
    }

    /// Replaces the count of an error.
    pub(crate) fn set(&mut self, errno: Errno, count: u64) {
        *self.count_mut(errno) = count;
    }

    fn count_mut(&mut self, errno: Errno) -> &mut u64 {
        let found = self.0.binary_search_by_key(&errno, |(errno, _)| *errno);
        let at = found.unwrap_or_else(|index| {
            self.0.insert(index, (errno, 0));
            index
        });
        &mut self.0[at].1
    }

    /// How many errors have a count.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The counts of all errors together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.iter().map(|(_, count)| count).sum()
    }

    /// Each error with its count, sorted by error.
    pub fn iter(&self) -> impl Iterator<Item = (Errno, u64)> {
        self.0.iter().copied()
    }

    /// The increase of each count since `before`.
    pub(crate) fn since(&self, before: Option<&Self>) -> impl Iterator<Item = (Errno, u64)> {
        self.iter().map(move |(errno, count)| {
            let then = before.map_or(0, |before| before.get(errno));
            (errno, count.saturating_sub(then))
        })
    }
}

/// Adds up counts of the same error.
impl FromIterator<(Errno, u64)> for ErrnoCounts {
    fn from_iter<I: IntoIterator<Item = (Errno, u64)>>(counts: I) -> Self {
        let mut all = Self::default();
        for (errno, count) in counts {
            all.add(errno, count);
        }
        all
    }
}

impl<const N: usize> From<[(Errno, u64); N]> for ErrnoCounts {
    fn from(counts: [(Errno, u64); N]) -> Self {
        counts.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_the_names_and_numbers_of_the_system() {
        use rustix::io::Errno as System;
        for (system, name) in [
            (System::TOOBIG, "E2BIG"),
            (System::AGAIN, "EAGAIN"),
            (System::NOMEM, "ENOMEM"),
            (System::BUSY, "EBUSY"),
            (System::EXIST, "EEXIST"),
            (System::NOSPC, "ENOSPC"),
            (System::DEADLK, "EDEADLK"),
            (System::TIMEDOUT, "ETIMEDOUT"),
        ] {
            let number = u16::try_from(system.raw_os_error()).expect("a small number");
            assert_eq!(Errno(number).name(), Some(name));
        }
        assert_eq!(Errno(99).name(), None);
    }

    #[test]
    fn counts_are_sorted_and_each_error_has_one() {
        let mut counts: ErrnoCounts = [(Errno::ENOMEM, 2), (Errno::E2BIG, 3)].into();
        let before = counts.clone();
        counts.add(Errno::ENOMEM, 5);
        counts.add(Errno::EBUSY, 0);
        let all: Vec<_> = counts.iter().collect();
        let expected = [(Errno::E2BIG, 3), (Errno::ENOMEM, 7), (Errno::EBUSY, 0)];
        assert_eq!(all, expected);
        assert_eq!((counts.total(), counts.get(Errno::ENOSPC)), (10, 0));
        let since: Vec<_> = counts
            .since(Some(&before))
            .map(|(_, count)| count)
            .collect();
        assert_eq!(since, [0, 5, 0]);
    }

    #[test]
    fn errors_without_a_name_have_a_number_in_each_format() {
        let spelled = |errno: Errno| {
            [
                errno.to_string().into(),
                errno.json_key(),
                errno.metric_label(),
            ]
        };
        assert_eq!(spelled(Errno::E2BIG), ["E2BIG", "E2BIG", "E2BIG"]);
        assert_eq!(spelled(Errno(99)), ["error 99", "errno_99", "99"]);
        for errno in [Errno::E2BIG, Errno(99)] {
            assert_eq!(Errno::from_metric_label(&errno.metric_label()), Some(errno));
        }
    }
}
