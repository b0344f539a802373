//! The limit of open files, under which some tests cannot run.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Lets this process open as many files as it may, and returns whether that is at least `count`.
pub fn may_open(count: u64) -> bool {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    setrlimit(Resource::Nofile, raised).expect("a process may raise its soft limit");
    let is_enough = limit.maximum.is_none_or(|maximum| maximum >= count);
    if !is_enough {
        println!("not tested: this takes a limit of {count} open files");
    }
    is_enough
}
