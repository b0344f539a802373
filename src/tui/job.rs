//! Job control: stopping as `^Z` does, where there is a shell to bring mapstop back.

use std::fs;

use rustix::process::{
    Pid, Signal, getpgid, getpgrp, getpid, getppid, getsid, kill_current_process_group,
    kill_process,
};
use rustix::stdio::stdin;
use rustix::termios::tcgetpgrp;

/// Whether stopping leads back to a shell: the parent of our process group is of our session and
/// not of the group (POSIX calls the group orphaned otherwise, as under `docker exec`).
pub fn is_controlled() -> bool {
    let group = getpgrp();
    let mut parent = getppid();
    while let Some(pid) = parent {
        if getpgid(Some(pid)).ok() != Some(group) {
            return getsid(Some(pid)).ok() == getsid(None).ok();
        }
        parent = parent_of(pid);
    }
    false
}

/// Whether the shell has taken the terminal back from a job whose leader is dead: what would be
/// drawn now would be drawn over the shell.
pub fn is_left_behind() -> bool {
    let foreground = tcgetpgrp(stdin());
    foreground.is_ok_and(|group| group != getpgrp()) && !is_controlled()
}

/// The parent of another process (`proc_pid_stat(5)`: the second field behind the name).
fn parent_of(pid: Pid) -> Option<Pid> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let behind_name = &stat[stat.rfind(')')? + 1..];
    let parent = behind_name.split_whitespace().nth(1)?;
    Pid::from_raw(parent.parse().ok()?)
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
