//! The doctor's report as text, for `mapstop doctor` and for the page that `i` opens. No I/O.

#[cfg(test)]
mod tests;

use super::gaps::find_gaps;
use crate::text::plural::count_noun;
use crate::text::units;
use crate::types::count::CountMethod;
use crate::types::doctor_report::{
    DoctorReport, KernelSupport, LossCheck, MapAccess, Privileges, TracerProbe, TypeCheck,
};
use crate::types::map_type::{Kind, MapType};

/// What a kernel without BTF lacks.
pub(super) const BTF_NEEDS_CONFIG: &str = "needs a kernel built with CONFIG_DEBUG_INFO_BTF=y";
/// Why it may be unknown whether a kernel has BTF.
pub(super) const BTF_UNKNOWN: &str = "unknown: /sys is not mounted";

/// A line of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextLine {
    /// The content, without a newline.
    pub text: String,
    /// Whether it is a title.
    pub is_title: bool,
}

/// Width of the name at the left of a line, with its indentation.
const NAME_WIDTH: usize = 13;
/// Below this width, names have separate lines.
const MIN_WIDTH_FOR_NAMES: usize = 50;
/// Widest readable text.
const MAX_WIDTH: usize = 100;

/// Lines of some width.
#[derive(Debug)]
pub struct TextPage {
    width: usize,
    lines: Vec<TextLine>,
}

impl TextPage {
    /// An empty page, at most `width` cells wide.
    #[must_use]
    pub fn new(width: usize) -> Self {
        Self {
            width: width.clamp(1, MAX_WIDTH),
            lines: Vec::new(),
        }
    }

    /// The lines of the page.
    #[must_use]
    pub fn lines(self) -> Vec<TextLine> {
        self.lines
    }

    fn push_line(&mut self, text: impl Into<String>, is_title: bool) {
        let text = text.into();
        self.lines.push(TextLine { text, is_title });
    }

    /// A title, after a blank line unless it is the first.
    pub(crate) fn push_title(&mut self, text: &str) {
        if !self.lines.is_empty() {
            self.push_line("", false);
        }
        for line in textwrap::wrap(text, self.width) {
            self.push_line(line, true);
        }
    }

    /// A name and a text, wrapped.
    pub(crate) fn push_fact(&mut self, name: &str, text: &str) {
        let (indent, first) = if self.width < MIN_WIDTH_FOR_NAMES {
            if !name.is_empty() {
                self.push_line(format!("  {name}"), false);
            }
            (4, " ".repeat(4))
        } else {
            let first = format!("  {name:<0$}", NAME_WIDTH - 2);
            (NAME_WIDTH, first)
        };
        let options = textwrap::Options::new(self.width)
            .initial_indent(&first)
            .break_words(true);
        let rest = " ".repeat(indent);
        for line in textwrap::wrap(text, options.subsequent_indent(&rest)) {
            self.push_line(line, false);
        }
    }

    /// A command, which is not wrapped, so that it can be copied.
    pub(crate) fn push_command(&mut self, command: &str) {
        let indent = if self.width < MIN_WIDTH_FOR_NAMES {
            4
        } else {
            NAME_WIDTH
        };
        self.push_line(format!("{}$ {command}", " ".repeat(indent)), false);
    }
}

/// The whole report in lines of this width.
#[must_use]
pub fn lines(doctor_report: &DoctorReport, width: usize) -> Vec<TextLine> {
    let mut page = TextPage::new(width);
    let verdict = match &doctor_report.map_access {
        MapAccess::Shown => "maps can be shown",
        MapAccess::NotPermitted(_) => "no permission to read maps",
        MapAccess::Unable(_) => "maps cannot be shown with this kernel",
        MapAccess::Hidden(_) => "maps cannot be shown here",
        MapAccess::Failed(_) => "maps could not be read",
    };
    page.push_title(&format!(
        "{}, Linux {}: {verdict}",
        doctor_report.host.name, doctor_report.host.kernel
    ));
    push_gaps(&mut page, doctor_report);
    page.push_title("This process");
    push_privileges(&mut page, &doctor_report.privileges);
    page.push_title("This kernel");
    push_kernel_support(&mut page, &doctor_report.kernel_support);
    if !doctor_report.types.is_empty() {
        page.push_title("How maps are counted (tested with a small map of each type)");
        push_map_types(&mut page, &doctor_report.types);
    }
    if let Some(losses) = &doctor_report.losses {
        page.push_title(match losses.tracers {
            TracerProbe::Untried => "Which losses are seen (no tracer could be tested)",
            _ => "Which losses are seen (each tracer was attached for a moment)",
        });
        push_losses(&mut page, losses);
    }
    push_cost(&mut page, doctor_report);
    page.lines()
}

fn push_gaps(page: &mut TextPage, doctor_report: &DoctorReport) {
    let gaps = find_gaps(doctor_report);
    if gaps.is_empty() {
        page.push_fact("", "nothing is missing");
        return;
    }
    page.push_title("What is missing");
    for gap in gaps {
        page.push_fact(&gap.name, &gap.why);
        for command in gap.commands {
            page.push_command(command);
        }
    }
}

fn push_privileges(page: &mut TextPage, privileges: &Privileges) {
    let user = if privileges.uid == 0 {
        "root"
    } else {
        "not root"
    };
    page.push_fact("user", &format!("{user} (uid {})", privileges.uid));
    let names = |is_held: bool| {
        let those = privileges
            .capabilities
            .iter()
            .filter(|check| check.is_effective == is_held);
        those
            .map(|check| {
                if is_held {
                    check.name.to_owned()
                } else {
                    format!("{} ({})", check.name, check.purpose)
                }
            })
            .collect::<Vec<_>>()
            .join(", ")
    };
    let (held, missing) = (names(true), names(false));
    page.push_fact(
        "has",
        if held.is_empty() {
            "none of the capabilities that mapstop uses"
        } else {
            &held
        },
    );
    if !missing.is_empty() {
        page.push_fact("lacks", &missing);
    }
    let describe_namespace = |name: &str, is_first: Option<bool>, own: &str| match is_first {
        Some(true) => format!("{name}: initial"),
        Some(false) => format!("{name}: {own}"),
        None => format!("{name}: unknown"),
    };
    let namespaces = [
        describe_namespace(
            "pid",
            privileges.first_pid_namespace,
            "own, so holders are unknown",
        ),
        describe_namespace(
            "user",
            privileges.first_user_namespace,
            "own, so capabilities do not apply to the host",
        ),
        describe_namespace(
            "mount",
            privileges.first_mount_namespace,
            "own, so pins may be missed",
        ),
    ];
    page.push_fact("namespaces", &namespaces.join("; "));
    let seccomp = match privileges.seccomp {
        Some(true) => "a filter is active and may refuse system calls",
        Some(false) => "no filter",
        None => "unknown",
    };
    page.push_fact("seccomp", seccomp);
    if let Some(bytes) = privileges.insufficient_memlock_limit {
        let text = format!(
            "{}, too little for BPF programs and maps",
            units::bytes(bytes)
        );
        page.push_fact("memlock", &text);
    }
}

fn push_kernel_support(page: &mut TextPage, kernel_support: &KernelSupport) {
    let no_btf = format!("missing; {BTF_NEEDS_CONFIG}");
    page.push_fact(
        "BTF",
        match kernel_support.btf {
            Some(true) => "available",
            Some(false) => &no_btf,
            None => BTF_UNKNOWN,
        },
    );
    let lockdown = kernel_support.lockdown.as_deref();
    page.push_fact(
        "lockdown",
        lockdown.unwrap_or("none, or not shown in /sys/kernel/security"),
    );
    let cgroups = kernel_support.memory_cgroup.as_deref();
    let no_mounts = "unknown: cannot read /proc/self/mountinfo";
    page.push_fact(
        "cgroups",
        match cgroups {
            Some(path) => path,
            None if kernel_support.has_mount_info() => {
                "no hierarchy with the memory controller is mounted"
            }
            None => no_mounts,
        },
    );
    let bpffs = match kernel_support.bpffs.as_deref() {
        None => no_mounts.to_owned(),
        Some([]) => "not mounted here, so no pins are seen".to_owned(),
        Some(mounts) => mounts.join(", "),
    };
    page.push_fact("bpffs", &bpffs);
}

/// The methods of counting, and their names.
const METHODS: [(CountMethod, &str); 5] = [
    (CountMethod::Counter, "the kernel's counter"),
    (
        CountMethod::Field,
        "a number in the kernel's structure of the map",
    ),
    (CountMethod::Scan, "scanning the slots"),
    (CountMethod::Walk, "visiting every entry"),
    (CountMethod::Estimate, "estimated"),
];

fn join_types(types: impl Iterator<Item = MapType>) -> String {
    types
        .map(|check| check.to_string())
        .collect::<Vec<_>>()
        .join(", ")
}

fn push_map_types(page: &mut TextPage, types: &[TypeCheck]) {
    for (method, name) in METHODS {
        let those = types
            .iter()
            .filter(|check| check.counted == Some(true) && check.count_method == Some(method));
        let those = join_types(those.map(|check| check.map_type));
        if !those.is_empty() {
            page.push_fact(method.name(), &format!("{name}: {those}"));
        }
    }
    let is_noted = |check: &&TypeCheck| check.counted == Some(true) && check.note.is_some();
    push_by_reason(
        page,
        "note",
        types.iter().filter(is_noted).map(type_and_note),
    );
    let is_fixed = |check: &&TypeCheck| check.map_type.kind() == Kind::Fixed;
    let fixed = types
        .iter()
        .filter(|check| check.counted.is_some())
        .filter(is_fixed);
    let fixed = join_types(fixed.map(|check| check.map_type));
    if !fixed.is_empty() {
        page.push_fact("fixed", &format!("always full: {fixed}"));
    }
    let uncounted = |check: &&TypeCheck| check.counted == Some(false) && !is_fixed(check);
    push_by_reason(
        page,
        "uncounted",
        types.iter().filter(uncounted).map(type_and_note),
    );
    let untried = |check: &&TypeCheck| check.counted.is_none();
    push_by_reason(
        page,
        "untested",
        types.iter().filter(untried).map(type_and_note),
    );
}

fn type_and_note(type_check: &TypeCheck) -> (MapType, &str) {
    (
        type_check.map_type,
        type_check.note.as_deref().unwrap_or("reason unknown"),
    )
}

/// Writes types grouped by their notes.
fn push_by_reason<'a>(
    page: &mut TextPage,
    name: &str,
    notes: impl Iterator<Item = (MapType, &'a str)>,
) {
    let mut groups: Vec<(&str, Vec<MapType>)> = Vec::new();
    for (map_type, why) in notes {
        match groups.iter_mut().find(|(reason, _)| *reason == why) {
            Some((_, types)) => types.push(map_type),
            None => groups.push((why, vec![map_type])),
        }
    }
    for (at, (why, types)) in groups.into_iter().enumerate() {
        let name = if at == 0 { name } else { "" };
        page.push_fact(name, &format!("{}: {why}", join_types(types.into_iter())));
    }
}

fn push_losses(page: &mut TextPage, loss_check: &LossCheck) {
    if let Some(why) = &loss_check.refused {
        page.push_fact("updates", &format!("not watched: {why}"));
    }
    let whole = loss_check
        .types
        .iter()
        .filter(|check| check.can_trace_any() && check.note.is_none());
    let whole = join_types(whole.map(|check| check.map_type));
    if !whole.is_empty() {
        page.push_fact("seen", &whole);
    }
    let with_note = |sees: bool| {
        let those = loss_check
            .types
            .iter()
            .filter(move |check| check.can_trace_any() == sees);
        those.filter_map(|check| Some((check.map_type, check.note.as_deref()?)))
    };
    // The reason why updates are not watched stands above.
    let is_said = |note: &str| loss_check.refused.as_deref() == Some(note);
    let partly = with_note(true).map(|(map_type, note)| {
        let note = if is_said(note) { "only drops" } else { note };
        (map_type, note)
    });
    push_by_reason(page, "partly", partly);
    let (said, other): (Vec<_>, Vec<_>) = with_note(false).partition(|(_, note)| is_said(note));
    if !said.is_empty() {
        let types = join_types(said.into_iter().map(|(map_type, _)| map_type));
        page.push_fact("not seen", &types);
    }
    push_by_reason(page, "not seen", other.into_iter());
}

fn push_cost(page: &mut TextPage, doctor_report: &DoctorReport) {
    let Some(cost) = &doctor_report.cost else {
        return;
    };
    page.push_title("Cost, measured just now");
    let [read, sample] = [cost.read, cost.sample].map(units::short_time);
    page.push_fact(
        "a sample",
        &format!(
            "{read} to read {}, {sample} in total",
            count_noun(cost.maps as u64, "map", "maps")
        ),
    );
    let owners = cost.owners.map_or_else(
        || "unknown".to_owned(),
        |time| format!("{}, on a thread of its own", units::short_time(time)),
    );
    page.push_fact("owners", &owners);
    if let Some(losses) = &doctor_report.losses
        && losses.tracers == TracerProbe::Attached
    {
        page.push_fact(
            "losses",
            &format!(
                "{} to attach the tracers, then some tens of ns for each update",
                units::short_time(losses.took)
            ),
        );
    }
}
