//! Groups rows by owner, service, container or node, with sums for each group.

use std::collections::BTreeMap;

use compact_str::CompactString;

use crate::cgroup::workload::Workload;
use crate::types::mark::Mark;
use crate::types::row::Row;

/// The property that rows are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupBy {
    Owner,
    /// The systemd unit they belong to.
    Service,
    /// The container or pod they belong to.
    Container,
    Node,
}

impl GroupBy {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Service, Self::Container, Self::Node];

    /// The field with this name in filters.
    #[must_use]
    pub fn field(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Service => "service",
            Self::Container => "container",
            Self::Node => "node",
        }
    }

    /// The group that a row belongs to, empty if it belongs to none; `None` if that is not known.
    #[must_use]
    pub(crate) fn group_name(self, row: &Row) -> Option<CompactString> {
        let place = |word: fn(&Workload) -> Option<String>| {
            Some(word(&row.workload()?).unwrap_or_default().into())
        };
        match self {
            Self::Owner => row.owner(),
            Self::Service => place(Workload::service),
            Self::Container => place(Workload::container),
            // A single machine needs no name.
            Self::Node => Some(row.key().node.as_deref().unwrap_or_default().into()),
        }
    }
}

/// A group of maps. Each map is in one group only, so that sums can be added up.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The common property, empty if they belong to none; `None` if it is unknown.
    pub name: Option<CompactString>,
    /// The number of maps.
    pub maps: usize,
    /// Their memory in bytes, as far as it is known.
    pub memory: u64,
    /// Whether the kernel reported the memory of every map.
    pub is_exact: bool,
    /// The number of maps with unknown memory.
    pub unknown: usize,
    /// The most urgent of their marks.
    pub worst: Mark,
}

impl Group {
    /// A group without maps.
    #[must_use]
    pub fn empty(name: &str) -> Self {
        Self {
            name: Some(name.into()),
            maps: 0,
            memory: 0,
            is_exact: true,
            unknown: 0,
            worst: Mark::None,
        }
    }
}

/// Groups of rows: the most urgent first, then those with more memory.
#[must_use]
pub(crate) fn group_rows<'a>(rows: impl Iterator<Item = &'a Row>, by: GroupBy) -> Vec<Group> {
    let mut groups: BTreeMap<Option<CompactString>, Group> = BTreeMap::new();
    for row in rows.filter(|row| row.deleted_at.is_none()) {
        let name = by.group_name(row);
        let group = groups.entry(name.clone()).or_insert(Group {
            name,
            maps: 0,
            memory: 0,
            is_exact: true,
            unknown: 0,
            worst: Mark::None,
        });
        group.maps += 1;
        group.worst = group.worst.max(row.mark.unwrap_or(Mark::None));
        match row.memory {
            Some(memory) => {
                group.memory = group.memory.saturating_add(memory.bytes);
                group.is_exact &= memory.is_exact;
            }
            None => group.unknown += 1,
        }
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by(|a, b| {
        let order = b.worst.cmp(&a.worst);
        order.then_with(|| b.memory.cmp(&a.memory))
    });
    groups
}

/// The test that only the maps of a group pass; `None` if the group has no name to test for.
#[must_use]
pub(crate) fn filter_text(by: GroupBy, group: &Group) -> Option<String> {
    let (field, name) = (by.field(), group.name.as_deref()?);
    Some(match (name.contains('\''), name.contains('"')) {
        (false, _) => format!("{field}='{name}'"),
        (true, false) => format!("{field}=\"{name}\""),
        // No quotes can enclose a text with both kinds of quotes.
        (true, true) => format!("{field}~'^{}$'", regex::escape(name).replace('\'', ".")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::filter::Filter;
    use crate::test_util::{map, owners_of_all_kinds, reading};

    fn rows() -> Vec<Row> {
        let owners = owners_of_all_kinds();
        let of = |id| owners.iter().find(|(key, _)| key.id.0 == id);
        let owned = |id| (**of(id).expect("a map").1).clone();
        reading([
            map("a").id(3).used(999, 1000).owned(owned(3)),
            map("b").id(4).owned(owned(4)),
            map("c").id(5).owned(owned(5)),
            map("d").id(6).owned(owned(3)),
        ])
        .rows
    }

    #[test]
    fn each_map_is_in_one_group_and_the_most_urgent_comes_first() {
        let rows = rows();
        let groups = group_rows(rows.iter(), GroupBy::Owner);
        let seen: Vec<_> = groups
            .iter()
            .map(|group| (group.name.as_deref(), group.maps, group.worst))
            .collect();
        assert_eq!(seen[0], (Some("flowd(2214)"), 2, Mark::Warn));
        assert_eq!(groups.iter().map(|group| group.maps).sum::<usize>(), 4);
        assert!(seen.contains(&(None, 1, Mark::None)), "not known");
        assert!(seen.contains(&(Some("orphan"), 1, Mark::None)));
    }

    #[test]
    fn filter_of_a_group_matches_its_maps_for_any_name() {
        let mut rows = rows();
        for comm in ["flowd", "it's", "a \"b\"", "'\"(.*"] {
            let of = std::sync::Arc::make_mut(rows[0].ownership.as_mut().expect("owned"));
            let holder = &mut of.holders.as_mut().expect("known")[0];
            std::sync::Arc::make_mut(&mut holder.process).comm = comm.into();
            let groups = group_rows(rows.iter(), GroupBy::Owner);
            let name = GroupBy::Owner.group_name(&rows[0]);
            let group = groups.iter().find(|group| group.name == name);
            let test = filter_text(GroupBy::Owner, group.expect("a group")).expect("a test");
            let filter: Filter = Filter::parse(&test).expect("a filter");
            assert!(filter.matches(&rows[0]), "{test}");
            assert!(!filter.matches(&rows[1]), "{test}");
        }
    }
}
