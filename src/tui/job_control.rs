//! Job control: stopping as `^Z` does, where there is a shell to bring mapstop back.

use std::fs;

use rustix::process::{Signal, getpid, kill_current_process_group, kill_process};
use rustix::stdio::stdin;
use rustix::termios::tcgetpgrp;

/// Where a process stands in job control (`proc_pid_stat(5)`: the 4th to 6th field). A number is 0
/// where its process is of another pid namespace, as that of `docker exec` is.
struct ProcStat {
    parent: i32,
    group: i32,
    session: i32,
}

/// The standing of a process, `self` or its id. `None` if it cannot be known.
fn standing(process: &str) -> Option<ProcStat> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // A name may have blanks and brackets in it.
    let behind_name = &stat[stat.rfind(')')? + 1..];
    let mut numbers = behind_name.split_whitespace().skip(1).map(str::parse);
    let mut next = || numbers.next()?.ok();
    Some(ProcStat {
        parent: next()?,
        group: next()?,
        session: next()?,
    })
}

/// Whether stopping leads back to a shell: the parent of our process group is of our session and
/// not of the group (POSIX calls the group orphaned otherwise, as under `docker exec`).
pub fn has_job_control() -> bool {
    let Some(ours) = standing("self") else {
        return false;
    };
    let mut parent = ours.parent;
    while parent != 0 {
        let Some(its) = standing(&parent.to_string()) else {
            return false;
        };
        if its.group != ours.group {
            return its.session == ours.session;
        }
        parent = its.parent;
    }
    false
}

/// Whether the shell has taken the terminal back from a job whose leader is dead: what would be
/// drawn now would be drawn over the shell.
pub fn lost_foreground() -> bool {
    let Some(ours) = standing("self") else {
        return false;
    };
    let foreground = tcgetpgrp(stdin());
    foreground.is_ok_and(|group| group.as_raw_nonzero().get() != ours.group) && !has_job_control()
}

/// Stops, and returns when the shell says to go on. `^Z` is for the whole job (sudo or make may
/// wait for mapstop); a signal that only mapstop was sent is only for it.
pub fn stop(is_told: bool) {
    if !is_told {
        let _ = kill_current_process_group(Signal::TSTP);
    }
    // Our own handler took that signal, so it takes the one that none can.
    let _ = kill_process(getpid(), Signal::STOP);
}
