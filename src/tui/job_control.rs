//! Job control: stopping as `^Z` does, if there is a shell to continue mapstop.

use std::fs;

use rustix::process::{Signal, getpid, kill_current_process_group, kill_process};
use rustix::stdio::stdin;
use rustix::termios::tcgetpgrp;

/// Fields 4 to 6 of `/proc/PID/stat` (`proc_pid_stat(5)`). A number is 0 if it is of another PID
/// namespace, as with `docker exec`.
struct ProcStat {
    parent: i32,
    group: i32,
    session: i32,
}

/// Reads the stat of a process, `self` or its id.
fn read_stat(process: &str) -> Option<ProcStat> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name may contain blanks and brackets.
    let behind_name = &stat[stat.rfind(')')? + 1..];
    let mut numbers = behind_name.split_whitespace().skip(1).map(str::parse);
    let mut next = || numbers.next()?.ok();
    Some(ProcStat {
        parent: next()?,
        group: next()?,
        session: next()?,
    })
}

/// Whether a shell can continue the process: the parent of the process group is in the same session
/// and in another group. POSIX calls the group orphaned otherwise, as under `docker exec`.
pub(crate) fn has_job_control() -> bool {
    let Some(ours) = read_stat("self") else {
        return false;
    };
    let mut parent = ours.parent;
    while parent != 0 {
        let Some(its) = read_stat(&parent.to_string()) else {
            return false;
        };
        if its.group != ours.group {
            return its.session == ours.session;
        }
        parent = its.parent;
    }
    false
}

/// Whether the shell has taken the terminal back from a job whose leader is dead. Drawing would
/// overwrite the shell.
pub(crate) fn lost_foreground() -> bool {
    let Some(ours) = read_stat("self") else {
        return false;
    };
    let foreground = tcgetpgrp(stdin());
    foreground.is_ok_and(|group| group.as_raw_nonzero().get() != ours.group) && !has_job_control()
}

/// Stops, and returns when the shell continues the process. `^Z` stops the whole job, since sudo or
/// make may wait for mapstop; a signal sent to mapstop stops only that.
pub(crate) fn stop(is_signalled: bool) {
    if !is_signalled {
        let _ = kill_current_process_group(Signal::TSTP);
    }
    // SIGTSTP has a handler here, so the process is stopped by SIGSTOP.
    let _ = kill_process(getpid(), Signal::STOP);
}
