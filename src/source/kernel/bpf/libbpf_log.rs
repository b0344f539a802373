//! Captures the messages of libbpf: they would appear on the screen, and explain errors.

use std::sync::{Mutex, PoisonError};

use libbpf_rs::PrintLevel;

/// Messages since they were last taken: the callback of libbpf has no argument to pass them on.
static LIBBPF_LOG: Mutex<String> = Mutex::new(String::new());

#[expect(
    clippy::needless_pass_by_value,
    reason = "libbpf-rs asks for this type"
)]
fn listen(_level: PrintLevel, line: String) {
    LIBBPF_LOG
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push_str(&line);
}

/// Captures the messages from now on.
pub(crate) fn capture_log() {
    libbpf_rs::set_print(Some((PrintLevel::Warn, listen)));
}

/// The messages since the last call.
pub(crate) fn take_log() -> String {
    std::mem::take(&mut *LIBBPF_LOG.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The error, then the complaint of libbpf or the verifier, in one line.
pub(crate) fn with_verifier_reason(error: &libbpf_rs::Error, log: &str) -> String {
    let lines = || {
        log.lines()
            .map(|line| line.trim().trim_start_matches("libbpf: "))
            .filter(|line| !line.is_empty() && !line.starts_with("--"))
    };
    // The verifier's reason comes before its statistics; the messages of libbpf itself only say that
    // loading failed.
    let complaint = lines()
        .take_while(|line| !line.starts_with("processed "))
        .filter(|line| !line.starts_with("failed to load"))
        .last();
    match complaint.or_else(|| lines().next_back()) {
        Some(complaint) => format!("{error:#} ({complaint})"),
        None => format!("{error:#}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_verifiers_reason_in_the_log() {
        let log = "libbpf: prog 'mapstop_maps': BPF program load failed: Invalid argument\n\
                    libbpf: prog 'mapstop_maps': -- BEGIN PROG LOAD LOG --\n\
                    0: R1=ctx() R10=fp0\n\
                    invalid func unknown#195896080\n\
                    processed 265 insns (limit 1000000)\n\
                    -- END PROG LOAD LOG --\n\
                    libbpf: prog 'mapstop_maps': failed to load: -22\n\
                    libbpf: failed to load object 'maps_bpf'\n";
        let error = libbpf_rs::Error::from_raw_os_error(22);
        let line = with_verifier_reason(&error, log);
        assert!(line.ends_with("(invalid func unknown#195896080)"), "{line}");
        assert!(
            with_verifier_reason(&error, "libbpf: failed to load object\n")
                .contains("failed to load")
        );
    }
}
