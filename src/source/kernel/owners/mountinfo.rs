//! Parses `/proc/self/mountinfo`: where every bpffs and the cgroups are mounted.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// One mount that this process can see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The device of its file system.
    pub device: (u32, u32),
    /// The folder of the file system that is mounted.
    pub root: PathBuf,
    /// Where it is mounted.
    pub path: PathBuf,
    /// The kind of its file system: `bpf`, `cgroup2`.
    pub kind: String,
    /// The options of its file system, with commas.
    pub options: String,
}

impl Mount {
    /// Whether its file system has this option.
    pub fn has(&self, option: &str) -> bool {
        self.options.split(',').any(|there| there == option)
    }
}

/// The mounts that this process can see; `None` if that cannot be read.
pub fn read_mounts() -> Option<Vec<Mount>> {
    Some(in_text(&std::fs::read("/proc/self/mountinfo").ok()?))
}

pub(super) fn in_text(text: &[u8]) -> Vec<Mount> {
    text.split(|byte| *byte == b'\n')
        .filter_map(parse)
        .collect()
}

/// Parses a line: `36 35 98:0 /root /path rw,noatime master:1 - ext3 /dev/x rw,errors=continue`,
/// with any number of words before the dash.
fn parse(line: &[u8]) -> Option<Mount> {
    let mut words = line.split(|byte| *byte == b' ');
    let mut device = str::from_utf8(words.nth(2)?).ok()?.split(':');
    let device = (device.next()?.parse().ok()?, device.next()?.parse().ok()?);
    let root = unescape(words.next()?);
    let path = unescape(words.next()?);
    let mut words = words.skip_while(|word| *word != b"-").skip(1);
    let text = |word: &[u8]| String::from_utf8_lossy(word).into_owned();
    Some(Mount {
        device,
        root,
        path,
        kind: text(words.next()?),
        options: text(words.nth(1)?),
    })
}

/// Decodes a path in which blanks and other separators are three octal digits: `\040`.
fn unescape(word: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((first, others)) = rest.split_first() {
        let octal = others
            .get(..3)
            .filter(|digits| *first == b'\\' && digits.iter().all(|d| (b'0'..b'8').contains(d)));
        if let Some(digits) = octal {
            bytes.push(
                digits
                    .iter()
                    .fold(0_u8, |byte, digit| byte << 3 | (digit - b'0')),
            );
            rest = &others[3..];
        } else {
            bytes.push(*first);
            rest = others;
        }
    }
    OsString::from_vec(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_a_line() {
        let line = b"35 31 0:32 /docker/ab /sys/fs/cgroup/memory rw,relatime shared:7 master:1 - \
                     cgroup cgroup rw,memory";
        let mount = parse(line).expect("a mount");
        assert_eq!(mount.device, (0, 32));
        assert_eq!(mount.root, PathBuf::from("/docker/ab"));
        assert_eq!(mount.path, PathBuf::from("/sys/fs/cgroup/memory"));
        assert_eq!(mount.kind, "cgroup");
        assert!(mount.has("memory") && !mount.has("mem"));
    }

    #[test]
    fn blanks_in_a_path_are_octal() {
        let line = br"42 22 0:39 / /mnt/my\040bpf\134x rw - bpf bpf rw";
        let mount = parse(line).expect("a mount");
        assert_eq!(mount.path, PathBuf::from(r"/mnt/my bpf\x"));
        assert_eq!(unescape(br"\04"), PathBuf::from(r"\04"));
        assert_eq!(unescape(br"\999"), PathBuf::from(r"\999"));
    }

    #[test]
    fn skips_malformed_lines() {
        for line in [
            &b""[..],
            b"1 2 3",
            b"1 2 x:y / / rw - bpf bpf rw",
            b"1 2 0:1 / / rw bpf",
        ] {
            assert_eq!(parse(line), None);
        }
    }
}
