//! Maps that nobody holds.

use super::{Find, Finding, Measurement, Rule, format_memory};
use crate::text::plural::count_noun;
use crate::types::row::Row;

pub(super) const RULE: Rule = Rule {
    topic: "orphan",
    find: Find::EachMap(judge),
};

fn judge(row: &Row, _: &Measurement<'_>) -> Option<Finding> {
    row.ownership.as_ref()?.is_orphan().filter(|is| *is)?;
    let known = row.memory.filter(|memory| memory.bytes > 0);
    let memory = match known {
        Some(memory) => format!("takes {}", format_memory(memory)),
        None => "takes an unknown amount of memory".to_owned(),
    };
    let refs = match row.facts.kernel() {
        Some(kernel) => {
            format!(
                "has {} and ",
                count_noun(kernel.refs, "reference", "references")
            )
        }
        None => String::new(),
    };
    Some(Finding {
        frees: known.map(|memory| memory.bytes),
        ..Finding::new(
            row,
            format!("no visible process, pin, program or outer map holds it; it {refs}{memory}"),
            "find out what refers to it: a descriptor in flight through a socket, or a pin in another \
             mount namespace",
        )
    })
}
