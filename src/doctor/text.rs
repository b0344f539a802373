//! The doctor's report as text, for `mapstop doctor` and for the page that `i` opens. No I/O.

#[cfg(test)]
mod tests;

use super::gaps::gaps;
use crate::text::units;
use crate::types::count::CountMethod;
use crate::types::doctor_report::{
    DoctorReport, KernelSupport, LossCheck, MapAccess, Privileges, TracerProbe, TypeCheck,
};
use crate::types::map_type::{Kind, MapType};

/// What a kernel without BTF lacks.
pub(super) const BTF_NEEDS_CONFIG: &str = "it needs CONFIG_DEBUG_INFO_BTF=y";
/// Why it may be unknown whether a kernel has BTF.
pub(super) const BTF_UNKNOWN: &str = "not known: /sys is not mounted here";

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
const ROOMY: usize = 50;
/// Widest readable text.
const WIDEST: usize = 100;

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
            width: width.clamp(1, WIDEST),
            lines: Vec::new(),
        }
    }

    /// The lines of the page.
    #[must_use]
    pub fn lines(self) -> Vec<TextLine> {
        self.lines
    }

    fn put(&mut self, text: impl Into<String>, is_title: bool) {
        let text = text.into();
        self.lines.push(TextLine { text, is_title });
    }

    /// A title, after a blank line unless it is the first.
    pub fn title(&mut self, text: &str) {
        if !self.lines.is_empty() {
            self.put("", false);
        }
        for line in textwrap::wrap(text, self.width) {
            self.put(line, true);
        }
    }

    /// A name and a text, wrapped.
    pub fn fact(&mut self, name: &str, text: &str) {
        let (indent, first) = if self.width < ROOMY {
            if !name.is_empty() {
                self.put(format!("  {name}"), false);
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
            self.put(line, false);
        }
    }

    /// A command, which is not wrapped, so that it can be copied.
    pub fn command(&mut self, command: &str) {
        let indent = if self.width < ROOMY { 4 } else { NAME_WIDTH };
        self.put(format!("{}$ {command}", " ".repeat(indent)), false);
    }
}

/// The whole report in lines of this width.
#[must_use]
pub fn lines(doctor_report: &DoctorReport, width: usize) -> Vec<TextLine> {
    let mut page = TextPage::new(width);
    let verdict = match &doctor_report.outcome {
        MapAccess::Shown => "its maps can be shown",
        MapAccess::NotPermitted(_) => "this process may not see its maps",
        MapAccess::Unable(_) => "this kernel cannot show its maps",
        MapAccess::Hidden(_) => "its maps cannot be shown here",
        MapAccess::Failed(_) => "its maps could not be read",
    };
    page.title(&format!(
        "{}, Linux {}: {verdict}",
        doctor_report.host.name, doctor_report.host.kernel
    ));
    what_is_missing(&mut page, doctor_report);
    page.title("This process");
    push_privileges(&mut page, &doctor_report.privileges);
    page.title("This kernel");
    system(&mut page, &doctor_report.system);
    if !doctor_report.types.is_empty() {
        page.title("How maps are counted: one of each type was made and read back");
        types(&mut page, &doctor_report.types);
    }
    if let Some(losses) = &doctor_report.losses {
        page.title(match losses.tracers {
            TracerProbe::Untried => "What they lose: no tracer could be tried",
            _ => "What they lose: each tracer was tried for a moment",
        });
        self::losses(&mut page, losses);
    }
    cost(&mut page, doctor_report);
    page.lines()
}

fn what_is_missing(page: &mut TextPage, doctor_report: &DoctorReport) {
    let gaps = gaps(doctor_report);
    if gaps.is_empty() {
        page.fact("", "nothing is missing");
        return;
    }
    page.title("What is missing");
    for gap in gaps {
        page.fact(&gap.name, &gap.why);
        for command in gap.commands {
            page.command(command);
        }
    }
}

fn push_privileges(page: &mut TextPage, privileges: &Privileges) {
    let user = if privileges.uid == 0 {
        "root"
    } else {
        "no root"
    };
    page.fact("user", &format!("{user} (uid {})", privileges.uid));
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
                    format!("{} ({})", check.name, check.gives)
                }
            })
            .collect::<Vec<_>>()
            .join(", ")
    };
    let (held, missing) = (names(true), names(false));
    page.fact(
        "holds",
        if held.is_empty() {
            "none of what is asked for"
        } else {
            &held
        },
    );
    if !missing.is_empty() {
        page.fact("lacks", &missing);
    }
    let place = |name: &str, is_first: Option<bool>, own: &str| match is_first {
        Some(true) => format!("{name}: the first"),
        Some(false) => format!("{name}: {own}"),
        None => format!("{name}: not known"),
    };
    let places = [
        place(
            "pid",
            privileges.first_pid_namespace,
            "its own, so holders are not known",
        ),
        place(
            "user",
            privileges.first_user_namespace,
            "its own, so no capability counts",
        ),
        place(
            "mounts",
            privileges.first_mount_namespace,
            "its own, so pins may be missed",
        ),
    ];
    page.fact("namespaces", &places.join("; "));
    let seccomp = match privileges.seccomp {
        Some(true) => "a filter may refuse system calls",
        Some(false) => "no filter",
        None => "not known",
    };
    page.fact("seccomp", seccomp);
    if let Some(bytes) = privileges.memory_to_lock {
        let text = format!("{}, too little for programs and maps", units::bytes(bytes));
        page.fact("may lock", &text);
    }
}

fn system(page: &mut TextPage, kernel_support: &KernelSupport) {
    let no_btf = format!("none: {BTF_NEEDS_CONFIG}");
    page.fact(
        "BTF",
        match kernel_support.btf {
            Some(true) => "it describes its structures",
            Some(false) => &no_btf,
            None => BTF_UNKNOWN,
        },
    );
    let lockdown = kernel_support.lockdown.as_deref();
    page.fact(
        "lockdown",
        lockdown.unwrap_or("none, or /sys/kernel/security does not tell"),
    );
    let cgroups = kernel_support.memory_cgroup.as_deref();
    let no_mounts = "not known: /proc/self/mountinfo cannot be read";
    page.fact(
        "cgroups",
        match cgroups {
            Some(path) => path,
            None if kernel_support.tells_mounts() => "none mounted here that pays for memory",
            None => no_mounts,
        },
    );
    let bpffs = match kernel_support.bpffs.as_deref() {
        None => no_mounts.to_owned(),
        Some([]) => "none mounted here: no pin can be seen".to_owned(),
        Some(mounts) => mounts.join(", "),
    };
    page.fact("bpffs", &bpffs);
}

/// The methods of counting, and their names.
const METHODS: [(CountMethod, &str); 5] = [
    (CountMethod::Counter, "by the kernel's own counter"),
    (CountMethod::Field, "by a number that the kernel keeps"),
    (CountMethod::Scan, "by looking at slots"),
    (CountMethod::Walk, "by visiting every entry"),
    (CountMethod::Estimate, "estimated"),
];

fn joined(types: impl Iterator<Item = MapType>) -> String {
    types
        .map(|check| check.to_string())
        .collect::<Vec<_>>()
        .join(", ")
}

fn types(page: &mut TextPage, types: &[TypeCheck]) {
    for (method, name) in METHODS {
        let those = types
            .iter()
            .filter(|check| check.counted == Some(true) && check.count_method == Some(method));
        let those = joined(those.map(|check| check.map_type));
        if !those.is_empty() {
            page.fact(method.name(), &format!("{name}: {those}"));
        }
    }
    let is_noted = |check: &&TypeCheck| check.counted == Some(true) && check.note.is_some();
    push_by_reason(page, "but", types.iter().filter(is_noted).map(reason));
    let is_fixed = |check: &&TypeCheck| check.map_type.kind() == Kind::Fixed;
    let fixed = types
        .iter()
        .filter(|check| check.counted.is_some())
        .filter(is_fixed);
    let fixed = joined(fixed.map(|check| check.map_type));
    if !fixed.is_empty() {
        page.fact("fixed", &format!("full from birth: {fixed}"));
    }
    let uncounted = |check: &&TypeCheck| check.counted == Some(false) && !is_fixed(check);
    push_by_reason(
        page,
        "uncounted",
        types.iter().filter(uncounted).map(reason),
    );
    let untried = |check: &&TypeCheck| check.counted.is_none();
    push_by_reason(page, "not tried", types.iter().filter(untried).map(reason));
}

fn reason(type_check: &TypeCheck) -> (MapType, &str) {
    (
        type_check.map_type,
        type_check.note.as_deref().unwrap_or("no reason is known"),
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
        page.fact(name, &format!("{}: {why}", joined(types.into_iter())));
    }
}

fn losses(page: &mut TextPage, loss_check: &LossCheck) {
    if let Some(why) = &loss_check.refused {
        page.fact("refused", why);
    }
    let whole = loss_check
        .types
        .iter()
        .filter(|check| check.sees() && check.note.is_none());
    let whole = joined(whole.map(|check| check.map_type));
    if !whole.is_empty() {
        page.fact("seen", &whole);
    }
    let with_note = |sees: bool| {
        let those = loss_check
            .types
            .iter()
            .filter(move |check| check.sees() == sees);
        those.filter_map(|check| Some((check.map_type, check.note.as_deref()?)))
    };
    push_by_reason(page, "in part", with_note(true));
    push_by_reason(page, "not seen", with_note(false));
}

fn cost(page: &mut TextPage, doctor_report: &DoctorReport) {
    let Some(cost) = &doctor_report.cost else {
        return;
    };
    page.title("What it costs, measured just now");
    let [read, tick] = [cost.read, cost.tick].map(units::short_time);
    page.fact(
        "a sample",
        &format!(
            "{} maps: read in {read}, with all that follows in {tick}",
            cost.maps
        ),
    );
    let owners = cost.owners.map_or_else(
        || "not looked up".to_owned(),
        |time| format!("looked up in {}, beside that", units::short_time(time)),
    );
    page.fact("owners", &owners);
    if let Some(losses) = &doctor_report.losses
        && losses.tracers == TracerProbe::Attached
    {
        page.fact(
            "losses",
            &format!(
                "attached in {}; some tens of ns an update then",
                units::short_time(losses.took)
            ),
        );
    }
}
