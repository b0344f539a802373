//! What libbpf says is kept off the screen, and given to whoever tells of an error.

use std::sync::{Mutex, PoisonError};

use libbpf_rs::PrintLevel;

/// libbpf prints through a callback without an argument; what it says waits here for the error.
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

/// Keeps off the screen what libbpf says.
pub fn capture_log() {
    libbpf_rs::set_print(Some((PrintLevel::Warn, listen)));
}

/// What libbpf said since it was last asked.
pub fn take_log() -> String {
    std::mem::take(&mut *LIBBPF_LOG.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The error, then what libbpf or the verifier complained about, in one line.
pub fn with_verifier_reason(error: &libbpf_rs::Error, said: &str) -> String {
    let lines = || {
        said.lines()
            .map(|line| line.trim().trim_start_matches("libbpf: "))
            .filter(|line| !line.is_empty() && !line.starts_with("--"))
    };
    // The verifier's last words come before its statistics; libbpf's own say only that it failed.
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
    fn the_verifiers_reason_is_found_among_libbpfs_lines() {
        let said = "libbpf: prog 'mapstop_maps': BPF program load failed: Invalid argument\n\
                    libbpf: prog 'mapstop_maps': -- BEGIN PROG LOAD LOG --\n\
                    0: R1=ctx() R10=fp0\n\
                    invalid func unknown#195896080\n\
                    processed 265 insns (limit 1000000)\n\
                    -- END PROG LOAD LOG --\n\
                    libbpf: prog 'mapstop_maps': failed to load: -22\n\
                    libbpf: failed to load object 'maps_bpf'\n";
        let error = libbpf_rs::Error::from_raw_os_error(22);
        let line = with_verifier_reason(&error, said);
        assert!(line.ends_with("(invalid func unknown#195896080)"), "{line}");
        assert!(
            with_verifier_reason(&error, "libbpf: failed to load object\n")
                .contains("failed to load")
        );
    }
}
