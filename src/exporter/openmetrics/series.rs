//! The values exported for one map, or for all maps of one name and type together.

use std::collections::BTreeMap;
use std::sync::Arc;

use compact_str::{CompactString, ToCompactString, format_compact};

use crate::analysis::thresholds::MIN_PRESSURE_FOR_WARN;
use crate::types::loss::Loss;
use crate::types::map_flags::MapFlags;
use crate::types::map_id::{MapId, MapKey};
use crate::types::map_type::MapType;
use crate::types::mark::Mark;
use crate::types::ownership::{Owner, Owners};
use crate::types::row::Row;

pub type NameAndType = (CompactString, u32);

/// The losses of maps by name and type, deleted maps included.
pub type Totals = BTreeMap<NameAndType, Loss>;

/// The values of `bpf_map_info`; `None` if unknown, or if maps of the name differ.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MapInfoLabels {
    /// Bytes of a key.
    pub key_bytes: Option<u32>,
    /// Bytes of a value.
    pub value_bytes: Option<u32>,
    pub flags: Option<MapFlags>,
    /// The owner, by a name that survives a restart of it.
    pub owner: Option<CompactString>,
    /// The path it is pinned at.
    pub pin: Option<CompactString>,
}

/// The exported values of one map, or of all maps of one name and type. `None` is unknown.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// `None` for all maps of a name.
    pub id: Option<MapId>,
    pub name: CompactString,
    pub map_type: MapType,
    /// The labels of `bpf_map_info`.
    pub info: MapInfoLabels,
    /// Entries or bytes in use.
    pub used: Option<u64>,
    /// The error bound of `used` if it is an estimate; summed for maps of a name.
    pub used_error: Option<u64>,
    /// What would fit.
    pub capacity: Option<u64>,
    /// The size it was created with.
    pub max_entries: u64,
    /// used / capacity; the highest among maps of a name.
    pub pressure: Option<f64>,
    /// Kernel memory in bytes.
    pub memory: Option<u64>,
    /// Growth per second.
    pub growth: Option<f64>,
    /// Seconds until it is full; the shortest among maps of a name that are at least half full.
    pub full_in: Option<f64>,
    /// Seconds that an entry stays in an LRU map; the shortest among maps of a name.
    pub entry_lifetime: Option<f64>,
    /// Programs that use it; `None` for a name.
    pub programs: Option<u64>,
    /// Processes that hold it; `None` for a name.
    pub holders: Option<u64>,
    /// Its losses; for a name, those of all its maps since mapstop started.
    pub loss: Option<Arc<Loss>>,
    /// The most severe mark.
    pub mark: Option<Mark>,
}

impl Series {
    /// The values of one map.
    #[must_use]
    pub(crate) fn from_row(row: &Row, owners: Option<&Owners>) -> Self {
        let facts = &row.facts;
        let count = |number: Option<usize>| number.and_then(|number| number.try_into().ok());
        Self {
            id: Some(facts.key.id),
            name: facts.name.clone(),
            map_type: facts.map_type,
            info: MapInfoLabels {
                key_bytes: facts.key_size,
                value_bytes: facts.value_size,
                flags: facts.flags,
                owner: stable_owner(row, owners),
                pin: row.pins(),
            },
            used: facts.used,
            used_error: (facts.used.is_some() && facts.is_estimated()).then_some(facts.count.error),
            capacity: facts.capacity,
            max_entries: facts.max_entries.into(),
            pressure: row.pressure,
            memory: row.memory.map(|memory| memory.bytes),
            growth: row.growth_per_s,
            full_in: row.full_in.seconds(),
            entry_lifetime: row.entry_lifetime().map(|time| time.as_secs_f64()),
            programs: count(row.programs()),
            holders: count(row.holders()),
            loss: facts.loss.clone(),
            mark: row.mark,
        }
    }

    /// The values of all maps of each name and type, ordered by name. A sum is unknown if a
    /// part of it is. Of pressures the highest counts, and of times to full the shortest
    /// among maps that are at least half full: the time of an empty map beside the pressure
    /// of another would be a false alarm. Programs and holders are left out, since one may
    /// use several maps.
    #[must_use]
    pub(crate) fn sum_by_name(series: Vec<Self>, totals: &Totals) -> Vec<Self> {
        let mut names: BTreeMap<NameAndType, Self> = BTreeMap::new();
        for one in series {
            match names.entry((one.name.clone(), one.map_type.0)) {
                std::collections::btree_map::Entry::Vacant(entry) => {
                    let total = totals.get(entry.key());
                    entry.insert(Self {
                        id: None,
                        loss: total.cloned().map(Arc::new),
                        full_in: one.full_in_if_half_full(),
                        programs: None,
                        holders: None,
                        ..one
                    });
                }
                std::collections::btree_map::Entry::Occupied(mut entry) => {
                    entry.get_mut().add(&one);
                }
            }
        }
        names.into_values().collect()
    }

    /// The sort key of series.
    #[must_use]
    pub(crate) fn sort_key(&self) -> (Option<MapId>, &str, u32) {
        (self.id, &self.name, self.map_type.0)
    }

    fn add(&mut self, other: &Self) {
        self.info.keep_common(&other.info);
        self.used = sum(self.used, other.used);
        self.used_error =
            either(self.used_error, other.used_error, |a, b| a + b).filter(|_| self.used.is_some());
        self.capacity = sum(self.capacity, other.capacity);
        self.max_entries += other.max_entries;
        self.pressure = either(self.pressure, other.pressure, f64::max);
        self.memory = sum(self.memory, other.memory);
        self.growth = Option::zip(self.growth, other.growth).map(|(a, b)| a + b);
        self.full_in = either(self.full_in, other.full_in_if_half_full(), f64::min);
        self.entry_lifetime = either(self.entry_lifetime, other.entry_lifetime, f64::min);
        self.mark = self.mark.max(other.mark);
    }

    /// Seconds until the map is full, if it is at least half full.
    fn full_in_if_half_full(&self) -> Option<f64> {
        let is_half_full = self
            .pressure
            .is_some_and(|pressure| pressure >= MIN_PRESSURE_FOR_WARN);
        self.full_in.filter(|_| is_half_full)
    }
}

impl MapInfoLabels {
    fn keep_common(&mut self, other: &Self) {
        fn common<T: PartialEq>(ours: &mut Option<T>, theirs: Option<&T>) {
            if ours.as_ref() != theirs {
                *ours = None;
            }
        }
        common(&mut self.key_bytes, other.key_bytes.as_ref());
        common(&mut self.value_bytes, other.value_bytes.as_ref());
        common(&mut self.flags, other.flags.as_ref());
        common(&mut self.owner, other.owner.as_ref());
        common(&mut self.pin, other.pin.as_ref());
    }
}

fn sum(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    Some(a?.saturating_add(b?))
}

fn either<T>(a: Option<T>, b: Option<T>, choose: fn(T, T) -> T) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(choose(a, b)),
        (known, None) | (None, known) => known,
    }
}

/// The owner without ids that change at a restart, which would begin new series.
fn stable_owner(row: &Row, owners: Option<&Owners>) -> Option<CompactString> {
    match row.ownership.as_ref()?.owner()? {
        // An owner through an outer map has that map's id in its name.
        Owner::Outer(id, Some(_)) => {
            let outer = owners?.get(&MapKey {
                node: row.key().node.clone(),
                id,
            })?;
            Some(without_numbers(outer.owner()?))
        }
        owner => Some(without_numbers(owner)),
    }
}

fn without_numbers(owner: Owner<'_>) -> CompactString {
    match owner {
        Owner::Process(process) => process.comm.clone(),
        Owner::Program(program) if program.name.is_empty() => "prog".into(),
        Owner::Program(program) => format_compact!("prog:{}", program.name),
        Owner::Outer(..) => "map".into(),
        Owner::Pin(_) | Owner::Orphan(_) => owner.to_compact_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_util::{map, owners_of_all_kinds, reading};
    use crate::types::errno::Errno;
    use crate::types::reading::Reading;

    fn series(reading: &Reading) -> Vec<Series> {
        let owners = reading.owners.as_deref();
        let rows = reading.rows.iter();
        rows.map(|row| Series::from_row(row, owners)).collect()
    }

    #[test]
    fn owner_label_survives_a_restart() {
        let owners = owners_of_all_kinds();
        let owned = |id| {
            let ownership = owners.get(&crate::test_util::key(id)).expect("a map");
            map("conns").id(id).owned(ownership.as_ref().clone())
        };
        let reading = reading([owned(3), owned(4), owned(5)]);
        let named: Vec<_> = series(&reading)
            .into_iter()
            .map(|one| one.info.owner)
            .collect();
        let named: Vec<_> = named.iter().map(Option::as_deref).collect();
        assert_eq!(named, [Some("flowd"), Some("orphan"), None]);
    }

    #[test]
    fn inner_map_has_the_owner_of_its_outer_map() {
        let owners = owners_of_all_kinds();
        let ownership = owners.get(&crate::test_util::key(3)).expect("a map");
        let mut inner = owners
            .get(&crate::test_util::key(4))
            .expect("a map")
            .as_ref()
            .clone();
        inner.outer = Some(vec![MapId(9)]);
        let reading = reading([
            map("inner").id(8).owned(inner),
            map("outer").id(9).owned(ownership.as_ref().clone()),
        ]);
        assert_eq!(
            reading.rows[0].owner().as_deref(),
            Some("flowd(2214)"),
            "as on the screen"
        );
        assert_eq!(series(&reading)[0].info.owner.as_deref(), Some("flowd"));
    }

    #[test]
    fn maps_of_one_name_are_summed_with_the_highest_pressure() {
        let reading = reading([
            map("conns").id(1).used(10, 100),
            map("conns").id(2).used(95, 100),
            map("conns").id(3).named_type("lru_hash").used(3, 5),
            map("other").id(4).used(1, 2),
        ]);
        let totals = Totals::from([(
            ("conns".into(), 1),
            Loss {
                failed: Some([(Errno::E2BIG, 31)].into()),
                ..Loss::default()
            },
        )]);
        let names = Series::sum_by_name(series(&reading), &totals);
        let values: Vec<_> = names
            .iter()
            .map(|one| {
                (
                    &*one.name,
                    one.map_type.0,
                    one.used,
                    one.capacity,
                    one.pressure,
                )
            })
            .collect();
        assert_eq!(
            values,
            [
                ("conns", 1, Some(105), Some(200), Some(0.95)),
                ("conns", 9, Some(3), Some(5), Some(0.6)),
                ("other", 1, Some(1), Some(2), Some(0.5)),
            ]
        );
        assert!(names.iter().all(|one| one.id.is_none()));
        let failed = names[0]
            .loss
            .as_ref()
            .and_then(|loss| loss.failed_updates());
        assert_eq!(failed, Some(31));
        assert_eq!(names[2].loss, None);
    }

    #[test]
    fn sum_with_an_unknown_part_is_unknown_but_pressure_is_kept() {
        let reading = reading([
            map("conns").id(1).used(100, 100),
            map("conns").id(2).used(7, 100).uncounted(),
        ]);
        let totals = Totals::new();
        let names = Series::sum_by_name(series(&reading), &totals);
        assert_eq!(names[0].used, None);
        assert_eq!(names[0].capacity, Some(200));
        assert_eq!(names[0].pressure, Some(1.0));
        assert_eq!(names[0].full_in, Some(0.0));
    }

    #[test]
    fn time_to_full_ignores_maps_that_are_less_than_half_full() {
        let reading = reading([
            map("conns").id(1).used(10, 100),
            map("conns").id(2).used(80, 100),
            map("conns").id(3).used(70, 100),
        ]);
        let timed = |times: [f64; 3]| {
            let mut series = series(&reading);
            for (one, seconds) in series.iter_mut().zip(times) {
                one.full_in = Some(seconds);
                (one.programs, one.holders) = (Some(1), Some(1));
            }
            let totals = Totals::new();
            let names = Series::sum_by_name(series, &totals);
            assert_eq!((names[0].programs, names[0].holders), (None, None));
            names[0].full_in
        };
        assert_eq!(timed([60.0, 900.0, 800.0]), Some(800.0));
        assert_eq!(timed([60.0, 700.0, 800.0]), Some(700.0));
    }

    #[test]
    fn info_labels_that_differ_are_left_out() {
        let reading = reading([
            map("conns").id(1).sizes(4, 8).flags(1),
            map("conns").id(2).sizes(4, 16).flags(1),
        ]);
        let totals = Totals::new();
        let names = Series::sum_by_name(series(&reading), &totals);
        let about = &names[0].info;
        assert_eq!((about.key_bytes, about.value_bytes), (Some(4), None));
        assert_eq!(about.flags, Some(MapFlags(1)));
    }
}
