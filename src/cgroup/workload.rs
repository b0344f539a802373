//! Derives the workload of a process or map from its cgroup path: a systemd unit, container or pod.
//!
//! Paths are made by conventions of systemd, Docker, containerd, CRI-O, Podman, LXC and the kubelet;
//! other paths give no workload.

use crate::types::row::Row;

/// Digits of a container's id that are shown, as Docker does.
const SHORT_ID: usize = 12;
/// Minimum number of digits of an id, so that words do not count as ids.
const MIN_ID_LEN: usize = 32;

/// Prefixes of containers in unit names: `docker-<id>.scope`. Conmon, which monitors a container,
/// runs outside of it.
const SCOPE_PREFIXES: [(&str, &str); 6] = [
    ("docker-", "docker"),
    ("cri-containerd-", "containerd"),
    ("crio-conmon-", ""),
    ("crio-", "crio"),
    ("libpod-conmon-", ""),
    ("libpod-", "podman"),
];

/// Names before a container's id in a path: `/docker/<id>`.
const FOLDER_NAMES: [(&str, &str); 4] = [
    ("docker", "docker"),
    ("containerd", "containerd"),
    ("libpod_parent", "podman"),
    ("buildkit", "buildkit"),
];

/// The service, the container and the pod of a cgroup path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Workload {
    unit: Option<String>,
    container: Option<Container>,
    pod: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Container {
    runtime: &'static str,
    name: String,
}

impl Workload {
    /// Parses a cgroup path.
    #[must_use]
    pub(crate) fn from_path(path: &str) -> Self {
        let mut workload = Self::default();
        let parts: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
        for (n, part) in parts.iter().enumerate() {
            let parent = n.checked_sub(1).map(|before| parts[before]);
            if let Some(pod) = parse_pod(part) {
                workload.pod = Some(pod);
            } else if let Some(container) = parse_container(parent, part, workload.pod.is_some()) {
                workload.container = Some(container);
            } else if let Some(unit) = parse_unit(part) {
                workload.unit = Some(prefer_unit(workload.unit.take(), unit));
            }
        }
        workload
    }

    /// The systemd unit: a service, else a scope, else a slice. The slice of a container is not
    /// informative.
    #[must_use]
    pub fn service(&self) -> Option<String> {
        let is_contained = self.container.is_some() || self.pod.is_some();
        let unit = self.unit.as_ref();
        unit.filter(|unit| !is_contained || unit.strip_suffix(".slice").is_none())
            .cloned()
    }

    /// The container, or the pod if only that is known: `docker:0123456789ab`.
    #[must_use]
    pub fn container(&self) -> Option<String> {
        match (&self.container, &self.pod) {
            (Some(Container { runtime, name }), _) => Some(format!("{runtime}:{name}")),
            (None, Some(pod)) => Some(format!("pod:{pod}")),
            (None, None) => None,
        }
    }

    /// The uid of the Kubernetes pod.
    #[must_use]
    pub fn pod(&self) -> Option<&str> {
        self.pod.as_deref()
    }
}

/// An id in hexadecimal digits, short.
fn shorten_id(text: &str) -> Option<String> {
    let is_id = text.len() >= MIN_ID_LEN && text.bytes().all(|b| b.is_ascii_hexdigit());
    is_id.then(|| text[..SHORT_ID].to_owned())
}

/// `pod<uid>` of cgroupfs, `kubepods-burstable-pod<uid with _>.slice` of systemd.
fn parse_pod(part: &str) -> Option<String> {
    let name = part.strip_suffix(".slice").unwrap_or(part);
    let uid = match name.rfind("-pod") {
        Some(at) if name.starts_with("kubepods") => &name[at + "-pod".len()..],
        _ => name.strip_prefix("pod")?,
    };
    let uid = uid.replace('_', "-");
    let digits = uid.bytes().filter(u8::is_ascii_hexdigit).count();
    let is_uid = digits == 32 && uid.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    is_uid.then_some(uid)
}

fn parse_container(parent: Option<&str>, part: &str, is_in_pod: bool) -> Option<Container> {
    let new_container = |runtime, name| Some(Container { runtime, name });
    let scope = part.strip_suffix(".scope");
    for (prefix, runtime) in SCOPE_PREFIXES {
        let rest = scope.unwrap_or(part).strip_prefix(prefix);
        if let Some(id) = rest.and_then(shorten_id) {
            return if runtime.is_empty() {
                None
            } else {
                new_container(runtime, id)
            };
        }
    }
    // `<slice>:cri-containerd:<id>`, of a runtime configured for systemd on a machine without it.
    if let Some((front, id)) = part.rsplit_once(':')
        && let Some(id) = shorten_id(id)
    {
        let runtime = front.rsplit(':').next().unwrap_or_default();
        let known = SCOPE_PREFIXES
            .iter()
            .find(|(prefix, _)| prefix.trim_end_matches('-') == runtime);
        return new_container(known.map_or("container", |(_, runtime)| *runtime), id);
    }
    // `lxc.payload.NAME` and `lxc/NAME`, `machine-NAME.scope`.
    if let Some(name) = part.strip_prefix("lxc.payload.") {
        return new_container("lxc", name.to_owned());
    }
    if parent == Some("lxc") {
        return new_container("lxc", part.to_owned());
    }
    if let Some(name) = scope.and_then(|scope| scope.strip_prefix("machine-")) {
        return new_container("machine", unescape(name));
    }
    let id = shorten_id(part)?;
    let folder = FOLDER_NAMES
        .iter()
        .find(|(folder, _)| Some(*folder) == parent);
    match folder {
        Some((_, runtime)) => new_container(runtime, id),
        None if is_in_pod => new_container("cri", id),
        None => None,
    }
}

/// The unescaped name of a systemd unit.
fn parse_unit(part: &str) -> Option<String> {
    let ends = [".service", ".scope", ".slice", ".mount", ".socket", ".swap"];
    ends.iter()
        .any(|end| part.len() > end.len() && part.ends_with(end))
        .then(|| unescape(part))
}

/// The more informative of two units, the second of which is inside the first.
fn prefer_unit(outer: Option<String>, inner: String) -> String {
    let rank = |unit: &str| match unit.rsplit('.').next() {
        Some("slice") => 0,
        Some("scope") => 1,
        // Each user has one; a unit inside it is more informative.
        _ if unit.starts_with("user@") => 1,
        _ => 2,
    };
    match outer {
        Some(outer) if rank(&outer) > rank(&inner) => outer,
        _ => inner,
    }
}

/// `\x2d` becomes `-`, as far as that is harmless.
fn unescape(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(at) = rest.find("\\x") {
        let digits = rest.get(at + 2..at + 4);
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        text.push_str(&rest[..at]);
        if let Some(byte) = byte.filter(u8::is_ascii_graphic) {
            text.push(char::from(byte));
            rest = &rest[at + 4..];
        } else {
            text.push_str("\\x");
            rest = &rest[at + 2..];
        }
    }
    text.push_str(rest);
    text
}

impl Row {
    /// The workload of the owner, by its cgroup; `None` if that is unknown.
    #[must_use]
    pub(crate) fn workload(&self) -> Option<Workload> {
        Some(Workload::from_path(self.ownership.as_ref()?.cgroup_path()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "3f2c9d0a7b6e5f4c3b2a19087f6e5d4c3b2a19087f6e5d4c3b2a190812345678";
    const UID: &str = "5d0e9f1c-6d0b-4a63-a7b2-0f6c1f9a3d11";
    const UID_: &str = "5d0e9f1c_6d0b_4a63_a7b2_0f6c1f9a3d11";

    /// Path, service, container; `ID`, `UID` and `UID_` stand for theirs. `-` is none.
    const PATHS: [(&str, &str, &str); 39] = [
        ("/", "-", "-"),
        ("/init.scope", "init.scope", "-"),
        ("/system.slice", "system.slice", "-"),
        ("/system.slice/flowd.service", "flowd.service", "-"),
        (
            "/system.slice/system-getty.slice/getty@tty1.service",
            "getty@tty1.service",
            "-",
        ),
        ("/system.slice/ssh.service/sub", "ssh.service", "-"),
        (
            "/system.slice/dev-hugepages.mount",
            "dev-hugepages.mount",
            "-",
        ),
        (
            "/system.slice/snap.lxd.daemon.service",
            "snap.lxd.daemon.service",
            "-",
        ),
        (r"/system.slice/my\x2dapp.service", "my-app.service", "-"),
        (r"/system.slice/odd\xzz.service", r"odd\xzz.service", "-"),
        (
            "/user.slice/user-1000.slice/session-4.scope",
            "session-4.scope",
            "-",
        ),
        (
            "/user.slice/user-1000.slice/user@1000.service",
            "user@1000.service",
            "-",
        ),
        (
            "/user.slice/user-1000.slice/user@1000.service/init.scope",
            "init.scope",
            "-",
        ),
        (
            "/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service",
            "foo.service",
            "-",
        ),
        (
            "/user.slice/user-1000.slice/user@1000.service/app.slice/vte-spawn-1.scope",
            "vte-spawn-1.scope",
            "-",
        ),
        ("/docker/ID", "-", "docker:3f2c9d0a7b6e"),
        ("/docker/buildkit/ID", "-", "buildkit:3f2c9d0a7b6e"),
        ("/system.slice/docker-ID.scope", "-", "docker:3f2c9d0a7b6e"),
        (
            "/system.slice/docker-ID.scope/system.slice/nginx.service",
            "nginx.service",
            "docker:3f2c9d0a7b6e",
        ),
        ("/system.slice/docker.service", "docker.service", "-"),
        (
            "/system.slice/containerd.service",
            "containerd.service",
            "-",
        ),
        (
            "/system.slice/containerd.service/kubepods-burstable-podUID_.slice:cri-containerd:ID",
            "containerd.service",
            "containerd:3f2c9d0a7b6e",
        ),
        ("/default/ID", "-", "-"),
        ("/kubepods/podUID/ID", "-", "cri:3f2c9d0a7b6e"),
        ("/kubepods/burstable/podUID/ID", "-", "cri:3f2c9d0a7b6e"),
        (
            "/kubepods/besteffort/podUID",
            "-",
            "pod:5d0e9f1c-6d0b-4a63-a7b2-0f6c1f9a3d11",
        ),
        ("/kubepods.slice", "kubepods.slice", "-"),
        (
            "/kubepods.slice/kubepods-podUID_.slice/cri-containerd-ID.scope",
            "-",
            "containerd:3f2c9d0a7b6e",
        ),
        (
            "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podUID_.slice/cri-containerd-ID.scope",
            "-",
            "containerd:3f2c9d0a7b6e",
        ),
        (
            "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podUID_.slice/crio-ID.scope",
            "-",
            "crio:3f2c9d0a7b6e",
        ),
        (
            "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podUID_.slice/crio-conmon-ID.scope",
            "crio-conmon-ID.scope",
            "pod:5d0e9f1c-6d0b-4a63-a7b2-0f6c1f9a3d11",
        ),
        (
            "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-podUID_.slice",
            "kubelet-kubepods-podUID_.slice",
            "-",
        ),
        ("/machine.slice/libpod-ID.scope", "-", "podman:3f2c9d0a7b6e"),
        (
            "/machine.slice/libpod-ID.scope/container",
            "-",
            "podman:3f2c9d0a7b6e",
        ),
        (
            "/machine.slice/libpod-conmon-ID.scope",
            "libpod-conmon-ID.scope",
            "-",
        ),
        (
            "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-ID.scope",
            "user@1000.service",
            "podman:3f2c9d0a7b6e",
        ),
        (
            r"/machine.slice/machine-deb\x2dbox.scope",
            "-",
            "machine:deb-box",
        ),
        (
            "/lxc.payload.web/system.slice/nginx.service",
            "nginx.service",
            "lxc:web",
        ),
        ("/lxc/web", "-", "lxc:web"),
    ];

    #[test]
    fn paths_from_real_machines() {
        let filled = |text: &str| {
            text.replace("UID_", UID_)
                .replace("UID", UID)
                .replace("ID", ID)
        };
        for (path, service, container) in PATHS {
            let workload = Workload::from_path(&filled(path));
            let or_none = |text: Option<String>| text.unwrap_or("-".to_owned());
            let seen = (or_none(workload.service()), or_none(workload.container()));
            assert_eq!(seen, (filled(service), filled(container)), "{path}");
        }
    }

    #[test]
    fn a_container_in_a_pod_knows_its_pod() {
        let workload = Workload::from_path(&format!("/kubepods/burstable/pod{UID}/{ID}"));
        assert_eq!(workload.pod(), Some(UID));
    }

    proptest! {
        #[test]
        fn any_path_is_read(path in "(/|[a-z0-9\\\\x:@._-]|\\PC){0,200}") {
            let workload = Workload::from_path(&path);
            let _ = (workload.service(), workload.container(), workload.pod());
        }
    }
}
