//! Extracts error numbers from the errors of libbpf-rs, which has them only in words.

use libbpf_rs::Error;

/// Errno names seen when loading or attaching fails. ENOTSUPP (524) is kernel-internal and unknown to
/// libc.
const NAMES: [(i32, &str); 9] = [
    (1, "EPERM"),
    (2, "ENOENT"),
    (7, "E2BIG"),
    (12, "ENOMEM"),
    (13, "EACCES"),
    (16, "EBUSY"),
    (22, "EINVAL"),
    (95, "EOPNOTSUPP"),
    (524, "ENOTSUPP"),
];

/// What the standard library puts behind the text of a system error, before its number.
const MARKER: &str = " (os error ";

/// The error number; `None` if it is no error of the kernel.
pub(crate) fn raw_os_error(error: &Error) -> Option<i32> {
    let text = format!("{error:#}");
    let (_, rest) = text.rsplit_once(MARKER)?;
    rest.split(')').next()?.parse().ok()
}

/// The name or else the number of the error, as ` (EBUSY)`, to be put behind a text; empty if it is no
/// error of the kernel.
pub(crate) fn errno_suffix(error: &Error) -> String {
    let Some(number) = raw_os_error(error) else {
        return String::new();
    };
    match NAMES.iter().find(|(errno, _)| *errno == number) {
        Some((_, name)) => format!(" ({name})"),
        None => format!(" (error {number})"),
    }
}

/// The last cause of the error in words, without its number.
pub(crate) fn root_cause(error: &Error) -> String {
    let text = format!("{error:#}");
    let last = text.rsplit(": ").next().unwrap_or(&text);
    last.split(MARKER).next().unwrap_or(last).to_owned()
}

#[cfg(test)]
mod tests {
    use std::io;

    use rustix::io::Errno;

    use super::*;

    #[test]
    fn an_error_is_named() {
        let suffix = |errno| errno_suffix(&Error::from_raw_os_error(errno));
        assert_eq!(suffix(Errno::BUSY.raw_os_error()), " (EBUSY)");
        assert_eq!(suffix(524), " (ENOTSUPP)");
        assert_eq!(suffix(Errno::NOSYS.raw_os_error()), " (error 38)");
        let other = Error::from(io::Error::other("no such thing"));
        assert_eq!(
            (errno_suffix(&other).as_str(), raw_os_error(&other)),
            ("", None)
        );
    }

    #[test]
    fn the_cause_is_given_without_its_number() {
        let error = Error::from_raw_os_error(Errno::INVAL.raw_os_error());
        assert_eq!(root_cause(&error), "Invalid argument");
        assert_eq!(raw_os_error(&error), Some(Errno::INVAL.raw_os_error()));
    }
}
