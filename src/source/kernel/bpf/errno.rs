//! Extracts error numbers from the errors of libbpf-rs, whose text is all that has them.

use libbpf_rs::Error;

use crate::types::errno::Errno;

/// What the standard library writes between the text of a system error and its number.
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
    u16::try_from(number).map_or_else(
        |_| format!(" (error {number})"),
        |number| format!(" ({})", Errno(number)),
    )
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

    use rustix::io::Errno as System;

    use super::*;

    #[test]
    fn an_error_is_named() {
        let suffix = |errno| errno_suffix(&Error::from_raw_os_error(errno));
        assert_eq!(suffix(System::BUSY.raw_os_error()), " (EBUSY)");
        assert_eq!(suffix(524), " (ENOTSUPP)");
        assert_eq!(suffix(System::NOSYS.raw_os_error()), " (error 38)");
        let other = Error::from(io::Error::other("no such thing"));
        assert_eq!(
            (errno_suffix(&other).as_str(), raw_os_error(&other)),
            ("", None)
        );
    }

    #[test]
    fn the_cause_is_given_without_its_number() {
        let error = Error::from_raw_os_error(System::INVAL.raw_os_error());
        assert_eq!(root_cause(&error), "Invalid argument");
        assert_eq!(raw_os_error(&error), Some(System::INVAL.raw_os_error()));
    }
}
