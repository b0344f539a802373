//! The errors that updates are refused with.

/// Why an update was refused: the kernel's error number, as a positive one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Errno(pub u16);

/// Every error that counts as a loss, with its name and what it means for a map. `EEXIST` counts for
/// stack traces only, where it is a collision; from other maps it is the caller's business, as
/// `ENOENT` and `EINVAL` are.
pub(crate) const ERRORS: [(Errno, &str, &str); 8] = [
    (Errno(7), "E2BIG", "the map is full"),
    (Errno(11), "EAGAIN", "the buffer is full"),
    (Errno(12), "ENOMEM", "no memory, or no free element"),
    (Errno(16), "EBUSY", "its lock was taken"),
    (Errno(17), "EEXIST", "another stack has its place"),
    (Errno(28), "ENOSPC", "the map is full"),
    (Errno(35), "EDEADLK", "its lock would never have come"),
    (Errno(110), "ETIMEDOUT", "its lock did not come in time"),
];

impl Errno {
    /// The kernel's name of it, as `E2BIG`; `None` if it is none of those that are counted.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Some(self.entry()?.1)
    }

    /// The error of this name, or of this number.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let known = ERRORS.iter().find(|(_, of, _)| *of == name);
        known
            .map(|(errno, _, _)| *errno)
            .or_else(|| name.parse().ok().map(Self))
    }

    /// What it means, in a few words; `None` if it is none of those that are counted.
    #[must_use]
    pub fn words(self) -> Option<&'static str> {
        Some(self.entry()?.2)
    }

    fn entry(self) -> Option<&'static (Self, &'static str, &'static str)> {
        ERRORS.iter().find(|(errno, _, _)| *errno == self)
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
        assert_eq!(Errno(2).name(), None);
    }
}
