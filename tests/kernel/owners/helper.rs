//! Runs this test binary again as another process with a task.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use super::tasks::{FOLDER, TASK};

/// A process that holds maps; it is killed when this is dropped.
pub struct Helper {
    child: Child,
    /// Kept open, so that the helper can write.
    _stdout: BufReader<ChildStdout>,
    pub ids: Vec<u32>,
}

impl Helper {
    pub fn start(task: &str, folder: &Path) -> Self {
        let this = std::env::current_exe().expect("this program");
        Self::run(&mut Command::new(this), task, folder)
    }

    pub fn run(command: &mut Command, task: &str, folder: &Path) -> Self {
        let child = command
            .args([
                "--exact",
                "owners::tasks::runs_its_task",
                "--test-threads=1",
                "--nocapture",
            ])
            .env(TASK, task)
            .env(FOLDER, folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut child = child.expect("it runs");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut lines = stdout.by_ref().lines().map_while(Result::ok);
        let ids = lines.find_map(|line| {
            let ids = line.strip_prefix("made: [")?.strip_suffix(']')?;
            ids.split(", ").map(|id| id.parse().ok()).collect()
        });
        let ids = ids.unwrap_or_else(|| panic!("{task}: it failed"));
        Self {
            child,
            _stdout: stdout,
            ids,
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn end(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().expect("its end");
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
