//! Very many maps of one name and type, and their memory in total.

use std::collections::BTreeMap;

use super::{Find, Finding, Measurement, Rule, format_memory};
use crate::text::plural::count_noun;
use crate::types::memory::Memory;
use crate::types::row::Row;

/// Minimum number of maps of one name that are reported together.
const MIN_MAPS_OF_ONE_NAME: usize = 16;

pub(super) const RULE: Rule = Rule {
    topic: "many",
    find: Find::AllMaps(find),
};

fn find(measurement: &Measurement<'_>) -> Vec<Finding> {
    let mut names: BTreeMap<(&str, u32), Vec<&Row>> = BTreeMap::new();
    for row in measurement
        .rows
        .iter()
        .filter(|row| !row.facts.name.is_empty())
    {
        let name = (row.facts.name.as_str(), row.facts.map_type.0);
        names.entry(name).or_default().push(row);
    }
    let crowds = names
        .into_values()
        .filter(|rows| rows.len() >= MIN_MAPS_OF_ONE_NAME);
    crowds
        .map(|rows| {
            let known: Vec<_> = rows.iter().filter_map(|row| row.memory).collect();
            let sum = Memory {
                bytes: known.iter().map(|memory| memory.bytes).sum(),
                is_exact: known.iter().all(|memory| memory.is_exact),
            };
            let unknown = rows.len() - known.len();
            let together = match (known.len(), unknown) {
                (0, _) => "take an unknown amount of memory".to_owned(),
                (_, 0) => format!("take {} together", format_memory(sum)),
                _ => format!(
                    "take {} together, without {unknown} of unknown size",
                    format_memory(sum)
                ),
            };
            let each = sum
                .bytes
                .checked_div(known.len() as u64)
                .filter(|each| *each > 0);
            let owner = rows[0].owner();
            Finding {
                maps: rows.iter().map(|row| row.key().id).collect(),
                name: rows[0].facts.name.clone(),
                owner: owner
                    .filter(|owner| rows.iter().all(|row| row.owner().as_ref() == Some(owner))),
                map_type: rows[0].facts.map_type,
                measured: format!("{} maps of this name and type {together}", rows.len()),
                change: match each {
                    Some(each) => format!(
                        "delete those that are not needed: each frees about {}",
                        count_noun(each, "byte", "bytes")
                    ),
                    None => "delete those that are not needed".to_owned(),
                },
                frees: None,
                urgency: 0.0,
            }
        })
        .collect()
}
