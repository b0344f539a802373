//! The binary in a terminal: keys in, screens out, and the terminal given back. Needs root.

use std::io::{Read, Write};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use support::terminal::{PATIENCE, Terminal, size};

mod ends;
mod keys;
mod long;
mod looks;
mod replay;
mod sizes;
#[path = "../support/mod.rs"]
mod support;
mod suspend;
