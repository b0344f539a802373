//! Which slots to look at in which tick, and what the looks add up to. Knows no kernel.
//!
//! Some types keep no count; their slots must be looked at one by one. A tick may look at
//! [`TICK_BUDGET`] slots over all maps and at one window of each, so maps take turns in the order
//! of their ids and large ones are seen in parts. The plan goes out as a [`Question`], the looks
//! come back in the records, and each map's last look at each of its parts is kept here.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use super::decode::{
    Question, Record, count_method, has, known, map_fact, question_magic, scan_limit,
};
use crate::model::map_type::{Kind, MapType};
use crate::model::snapshot::{Count, CountMethod};
use crate::model::units;

/// Slots and list nodes looked at in one tick, over all maps.
const TICK_BUDGET: u32 = 65_536;

/// Slots of one map looked at in one tick.
const WINDOW: u32 = scan_limit::SCAN_WINDOW.0;

/// Slots of each map looked at in the first read.
const FIRST_WINDOW: u32 = 64;

/// One look at the part `[first, end)` of a map's slots.
#[derive(Debug, Clone, Copy)]
struct Look {
    first: u32,
    end: u32,
    used: u32,
    /// There was more than could be followed: `used` is a lower bound.
    is_cut: bool,
    at: Duration,
}

impl Look {
    /// Whether a look at a smaller part could still tell more.
    fn can_be_split(&self) -> bool {
        self.is_cut && self.end - self.first > 1
    }
}

/// What is known of one map's slots.
#[derive(Debug, Default)]
struct Progress {
    slots: u32,
    /// Sorted by `first`, without overlaps.
    looks: Vec<Look>,
    is_walk: bool,
    /// Entries met in the last look: where slots are lists, what the next look will cost.
    met: Option<u32>,
    /// A look was asked for and none was taken: not understood, or not readable.
    is_unheard: bool,
    /// The pass that saw the map last.
    pass: u64,
}

impl Progress {
    fn new(record: &Record) -> Self {
        Self {
            slots: record.slots,
            is_walk: record.method == count_method::COUNT_WALK,
            ..Self::default()
        }
    }

    /// Keeps a look in place of those it overlaps.
    fn add(&mut self, look: Look) {
        self.looks
            .retain(|old| old.end <= look.first || old.first >= look.end);
        let at = self.looks.partition_point(|old| old.first < look.first);
        self.looks.insert(at, look);
    }

    fn looked_at(&self) -> u32 {
        self.looks.iter().map(|look| look.end - look.first).sum()
    }

    fn used(&self) -> u64 {
        self.looks.iter().map(|look| u64::from(look.used)).sum()
    }

    /// Whether more looks would tell more.
    fn is_open(&self) -> bool {
        let is_seen = self.looked_at() == self.slots && !self.looks.iter().any(Look::can_be_split);
        !is_seen && !self.is_unheard
    }

    /// What a look costs at the most, as slots.
    fn cost(&self) -> u32 {
        let met = match (self.is_walk, self.met) {
            (false, _) => 0,
            (true, met) => met.unwrap_or(WINDOW),
        };
        self.slots.min(WINDOW).saturating_add(met)
    }

    fn count(&self, method: CountMethod, now: Duration) -> (Option<u64>, Count) {
        let with = |note: String| Count {
            method,
            note: Some(note.into()),
        };
        let is_cut = self.looks.iter().any(|look| look.is_cut);
        let is_split = self.looks.iter().any(Look::can_be_split);
        if self.looked_at() == self.slots && !is_cut {
            let oldest = self.looks.iter().map(|look| look.at).min().unwrap_or(now);
            let count = match self.looks.len() {
                0 | 1 => Count { method, note: None },
                parts => with(format!(
                    "looked at in {parts} parts, the oldest {:.1} s ago",
                    now.saturating_sub(oldest).as_secs_f64()
                )),
            };
            return (Some(self.used()), count);
        }
        let note = if self.is_unheard {
            "its slots were not read; that takes Linux 5.15 or later, on x86-64 or arm64".to_owned()
        } else if is_cut && !is_split {
            format!(
                "at least {}: its lists are too long to follow",
                units::exact(self.used())
            )
        } else {
            format!(
                "not complete: {} of {} {} looked at, at least {} used",
                units::exact(self.looked_at().into()),
                units::exact(self.slots.into()),
                if self.is_walk { "lists" } else { "slots" },
                units::exact(self.used()),
            )
        };
        (None, with(note))
    }
}

/// The looks so far at the maps of one kernel, and the plan for the next.
#[derive(Debug)]
pub struct Scans {
    maps: BTreeMap<u32, Progress>,
    question: Question,
    /// A look in this pass was cut short that could be split.
    was_cut: bool,
    pass: u64,
}

impl Default for Scans {
    fn default() -> Self {
        Self {
            maps: BTreeMap::new(),
            // How much there is to look at is not known yet: of all maps so much that small ones are
            // seen whole, and no lists, which may be long.
            question: Question {
                magic: question_magic::QUESTION_MAGIC,
                first_id: 0,
                last_id: u32::MAX,
                round: 0,
                walk_parts: 0,
                window: scan_limit(FIRST_WINDOW),
            },
            was_cut: false,
            pass: 0,
        }
    }
}

impl Scans {
    /// Looks at the maps between these two ids and no others, each as far as one look goes.
    pub fn only(first_id: u32, last_id: u32) -> Self {
        let mut scans = Self::default();
        scans.question = Question {
            first_id,
            last_id,
            walk_parts: 1,
            window: scan_limit::SCAN_WINDOW,
            ..scans.question
        };
        scans
    }

    /// What to look at in the next read.
    pub fn question(&self) -> Question {
        self.question
    }

    /// Takes in what a record says about its map's slots, and tells what is in the map.
    pub fn count(&mut self, record: &Record, now: Duration) -> (Option<u64>, Count) {
        let method = match record.method {
            count_method::COUNT_COUNTER => CountMethod::Counter,
            count_method::COUNT_FIELD => CountMethod::Field,
            count_method::COUNT_SCAN => CountMethod::Scan,
            count_method::COUNT_WALK => CountMethod::Walk,
            _ => CountMethod::None,
        };
        if record.slots == 0 {
            return whole(record, method);
        }
        self.take(record, now).count(method, now)
    }

    fn take(&mut self, record: &Record, now: Duration) -> &Progress {
        let question = &self.question;
        let progress = self
            .maps
            .entry(record.id)
            .or_insert_with(|| Progress::new(record));
        if progress.slots != record.slots {
            // Another map under an old id.
            *progress = Progress::new(record);
        }
        progress.pass = self.pass;
        // What the first read did not see whole counts as not looked at.
        let is_first = question.window != scan_limit::SCAN_WINDOW;
        if is_first && record.scan_end.saturating_sub(record.scan_first) < record.slots {
            return progress;
        }
        if record.scan_end > record.scan_first {
            progress.is_unheard = false;
            progress.met = Some(record.scan_used);
            let look = Look {
                first: record.scan_first,
                end: record.scan_end,
                used: record.scan_used,
                is_cut: has(record, map_fact::FACT_WALK_CUT),
                at: now,
            };
            self.was_cut |= look.can_be_split();
            progress.add(look);
        } else if (question.first_id..=question.last_id).contains(&record.id) {
            progress.is_unheard = true;
        }
        progress
    }

    /// Ends a pass over all maps: forgets those that are gone and plans the next one.
    pub fn finish_pass(&mut self) {
        let pass = self.pass;
        self.maps.retain(|_, progress| progress.pass == pass);
        self.pass += 1;
        let question = &mut self.question;
        if question.window != scan_limit::SCAN_WINDOW {
            // The first read is over: from now on it goes in turns.
            question.window = scan_limit::SCAN_WINDOW;
            question.walk_parts = 1;
            question.last_id = 0;
        }
        // What one look can see whole.
        let is_small = |progress: &Progress| {
            !progress.is_open()
                && progress.slots <= scan_limit::MOST_LISTS.0
                && progress.used() < WINDOW.into()
        };
        if std::mem::take(&mut self.was_cut) {
            question.walk_parts = question.walk_parts.saturating_mul(2);
        } else if self.maps.values().filter(|p| p.is_walk).all(is_small) {
            question.walk_parts = 1;
        }
        let mut turn = self.maps.range(question.last_id.saturating_add(1)..);
        let first = turn.next().or_else(|| {
            question.round = question.round.wrapping_add(1);
            turn = self.maps.range(..);
            turn.next()
        });
        let Some((&id, progress)) = first else {
            (question.first_id, question.last_id) = (u32::MAX, 0);
            return;
        };
        (question.first_id, question.last_id) = (id, id);
        let mut budget = TICK_BUDGET.saturating_sub(progress.cost());
        for (&id, progress) in turn {
            let Some(rest) = budget.checked_sub(progress.cost()) else {
                break;
            };
            budget = rest;
            question.last_id = id;
        }
    }

    /// Whether a map has not been looked at at all although the kernel side would.
    pub fn has_unseen(&self) -> bool {
        self.maps
            .values()
            .any(|p| p.looks.is_empty() && p.is_open())
    }

    /// Whether more passes would tell more.
    pub fn is_incomplete(&self) -> bool {
        self.maps.values().any(Progress::is_open)
    }
}

/// What a record says that needs no looking at slots.
fn whole(record: &Record, method: CountMethod) -> (Option<u64>, Count) {
    let map_type = MapType(record.map_type);
    let note = |text: &'static str| Some(Cow::Borrowed(text));
    let used = known(record.used);
    let is_impossible = map_type.kind() == Kind::Stream && used > known(record.capacity);
    let note = match (method, used) {
        (_, Some(_)) if is_impossible => {
            note("its reader has set a position that cannot be: more bytes than it has room for")
        }
        (_, Some(_)) => None,
        (CountMethod::Counter, None) => note("in motion while it was read"),
        (CountMethod::Walk, None) => {
            note("its free pages are in too many pieces, or changed while they were read")
        }
        (_, None) => note(why_uncounted(map_type)),
    };
    (used.filter(|_| !is_impossible), Count { method, note })
}

/// Why a map of this type has no count although the kernel was asked.
fn why_uncounted(map_type: MapType) -> &'static str {
    match (map_type.kind(), map_type.name().unwrap_or_default()) {
        (Kind::Fixed, _) => "full from birth: there is nothing to count",
        (_, "bloom_filter") => "a bloom filter does not know its entries",
        (_, "arena") => {
            "this kernel keeps an arena's pages where they cannot be counted (Linux 6.13 and later can)"
        }
        (Kind::Bounded | Kind::Evicting, _) => {
            "this kernel keeps no count of it (Linux 6.6 and later do), or it is offloaded to a device"
        }
        _ if !map_type.is_known() => "a type newer than this mapstop",
        _ => "this kernel was built without what would count it",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(id: u32, map_type: u32, slots: u32) -> Record {
        Record {
            used: u64::MAX,
            capacity: slots.into(),
            id,
            map_type,
            method: count_method::COUNT_SCAN,
            slots,
            ..Record::default()
        }
    }

    /// Answers as the kernel side does, for a map whose every slot is used.
    fn answer(question: &Question, mut record: Record) -> Record {
        if (question.first_id..=question.last_id).contains(&record.id) {
            let windows = (record.slots - 1) / question.window.0 + 1;
            record.scan_first = question.round % windows * question.window.0;
            record.scan_end = (record.scan_first + question.window.0).min(record.slots);
            record.scan_used = record.scan_end - record.scan_first;
        }
        record
    }

    /// One pass over the maps; how many slots it looked at, and what is known of each map.
    fn pass(scans: &mut Scans, maps: &[Record], at: u64) -> (u32, Vec<(Option<u64>, Count)>) {
        let question = scans.question();
        let mut looked_at = 0;
        let counts = maps
            .iter()
            .map(|map| {
                let record = answer(&question, *map);
                looked_at += record.scan_end - record.scan_first;
                scans.count(&record, Duration::from_secs(at))
            })
            .collect();
        scans.finish_pass();
        (looked_at, counts)
    }

    #[test]
    fn the_first_pass_sees_the_smallest_maps_whole_and_counts_no_part_of_another() {
        let mut scans = Scans::default();
        let maps = [slots(3, 3, 31), slots(9, 4, FIRST_WINDOW)];
        let (_, counts) = pass(&mut scans, &maps, 1);
        assert_eq!((counts[0].0, counts[1].0), (Some(31), Some(64)));
        assert!(!scans.has_unseen() && !scans.is_incomplete());
        let mut scans = Scans::default();
        let (_, counts) = pass(&mut scans, &[slots(3, 3, FIRST_WINDOW + 1)], 1);
        assert_eq!(counts[0].0, None);
        let note = counts[0].1.note.as_deref();
        assert_eq!(
            note,
            Some("not complete: 0 of 65 slots looked at, at least 0 used")
        );
        assert!(scans.has_unseen());
    }

    #[test]
    fn a_look_that_ends_before_it_starts_is_none() {
        let mut scans = Scans::default();
        let backwards = Record {
            scan_first: 9,
            scan_end: 3,
            scan_used: 6,
            ..slots(3, 3, 31)
        };
        for at in 0..3 {
            let (used, _) = scans.count(&backwards, Duration::from_secs(at));
            scans.finish_pass();
            assert_eq!(used, None);
        }
    }

    #[test]
    fn small_maps_are_all_looked_at_in_every_pass_but_the_first() {
        let mut scans = Scans::default();
        let maps = [slots(3, 3, 31), slots(9, 4, 2), slots(12, 12, 500)];
        let (_, counts) = pass(&mut scans, &maps, 1);
        assert_eq!(counts[2].0, None);
        assert!(scans.has_unseen());
        for at in 2..5 {
            let (looked_at, counts) = pass(&mut scans, &maps, at);
            assert_eq!(looked_at, 533);
            let used: Vec<_> = counts.iter().map(|(used, _)| *used).collect();
            assert_eq!(used, [Some(31), Some(2), Some(500)]);
            assert!(counts.iter().all(|(_, count)| count.note.is_none()));
        }
        assert!(!scans.has_unseen());
    }

    #[test]
    fn a_large_map_is_seen_in_parts_and_unknown_until_all_are() {
        let mut scans = Scans::default();
        let maps = [slots(3, 7, 65_536)];
        pass(&mut scans, &maps, 0);
        for at in 1..4 {
            let (looked_at, counts) = pass(&mut scans, &maps, at);
            assert_eq!(looked_at, WINDOW);
            assert_eq!(counts[0].0, None);
        }
        assert!(scans.is_incomplete());
        let (_, counts) = pass(&mut scans, &maps, 4);
        assert_eq!(counts[0].0, Some(65_536));
        assert_eq!(
            counts[0].1.note.as_deref(),
            Some("looked at in 4 parts, the oldest 3.0 s ago")
        );
        assert!(!scans.is_incomplete());
    }

    #[test]
    fn what_was_seen_so_far_is_in_the_note_and_not_in_the_count() {
        let mut scans = Scans::default();
        let maps = [slots(3, 7, 20_000)];
        pass(&mut scans, &maps, 0);
        let (_, counts) = pass(&mut scans, &maps, 1);
        let (used, count) = &counts[0];
        assert_eq!(*used, None);
        let note = count.note.as_deref().unwrap_or_default();
        assert_eq!(
            note,
            "not complete: 16,384 of 20,000 slots looked at, at least 16,384 used"
        );
    }

    #[test]
    fn no_pass_exceeds_the_budget_and_no_map_is_starved() {
        let mut scans = Scans::default();
        let maps: Vec<_> = (1..=40)
            .map(|id| slots(id * 7, 3, 5000 + 997 * id))
            .collect();
        let total: u32 = maps.iter().map(|map| map.slots).sum();
        assert!(total > 10 * TICK_BUDGET);
        let mut passes = 0;
        loop {
            let (looked_at, counts) = pass(&mut scans, &maps, passes);
            assert!(looked_at <= TICK_BUDGET);
            if counts.iter().all(|(used, _)| used.is_some()) {
                break;
            }
            passes += 1;
            assert!(passes < 100, "starved");
        }
    }

    #[test]
    fn maps_that_come_and_go_are_forgotten_and_found() {
        let mut scans = Scans::default();
        let (old, new) = (slots(3, 3, 10), slots(8, 3, 20));
        pass(&mut scans, &[old], 0);
        pass(&mut scans, &[old, new], 1);
        let (_, counts) = pass(&mut scans, &[new], 2);
        assert_eq!(counts[0].0, Some(20));
        assert_eq!(scans.maps.len(), 1);
    }

    #[test]
    fn another_map_under_an_old_id_starts_anew() {
        let mut scans = Scans::default();
        pass(&mut scans, &[slots(3, 3, 10)], 0);
        pass(&mut scans, &[slots(3, 3, 10)], 1);
        let question = scans.question();
        let (used, _) = scans.count(&answer(&question, slots(3, 3, 20)), Duration::ZERO);
        assert_eq!(used, Some(20));
    }

    #[test]
    fn a_kernel_that_does_not_understand_the_question_is_not_asked_forever() {
        let mut scans = Scans::default();
        let map = slots(3, 3, 10);
        scans.count(&map, Duration::ZERO);
        scans.finish_pass();
        let (used, count) = scans.count(&map, Duration::ZERO);
        scans.finish_pass();
        assert_eq!(used, None);
        assert!(
            count
                .note
                .is_some_and(|note| note.contains("were not read"))
        );
        assert!(!scans.is_incomplete());
    }

    #[test]
    fn what_was_asked_in_vain_is_not_open_again_while_it_is_the_turn_of_others() {
        let mut scans = Scans::default();
        // More than one turn asks about.
        let maps: Vec<_> = (1..=9).map(|id| slots(id, 3, WINDOW)).collect();
        for _ in 0..20 {
            for map in &maps {
                scans.count(map, Duration::ZERO);
            }
            scans.finish_pass();
        }
        assert!(!scans.is_incomplete());
    }

    /// A map of two lists with so many entries each; a look follows 16,384 at the most.
    fn answer_with_lists(question: &Question, lists: [u32; 2]) -> Record {
        let mut record = slots(3, 24, 2);
        record.method = count_method::COUNT_WALK;
        let is_asked = (question.first_id..=question.last_id).contains(&record.id);
        if is_asked && question.walk_parts > 0 {
            let window = 1.max(2 / question.walk_parts);
            record.scan_first = question.round % (2 / window) * window;
            record.scan_end = record.scan_first + window;
            let all: u32 = (record.scan_first..record.scan_end)
                .map(|n| lists[n as usize])
                .sum();
            record.scan_used = all.min(WINDOW);
            if all > WINDOW {
                record.facts = map_fact::FACT_WALK_CUT;
            }
        }
        record
    }

    fn walk(lists: [u32; 2], passes: u64) -> (Scans, Option<u64>, Count) {
        let mut scans = Scans::default();
        let mut last = (
            None,
            Count {
                method: CountMethod::None,
                note: None,
            },
        );
        for at in 0..passes {
            let record = answer_with_lists(&scans.question(), lists);
            last = scans.count(&record, Duration::from_secs(at));
            scans.finish_pass();
        }
        (scans, last.0, last.1)
    }

    #[test]
    fn lists_too_long_for_one_look_are_asked_for_in_smaller_parts_and_counted_once() {
        let (_, used, count) = walk([9000, 9000], 2);
        assert_eq!(used, None);
        assert!(
            count
                .note
                .is_some_and(|note| note.ends_with("at least 16,384 used"))
        );
        let (scans, used, _) = walk([9000, 9000], 5);
        assert_eq!(used, Some(18_000));
        assert!(!scans.is_incomplete());
    }

    #[test]
    fn a_list_too_long_for_any_look_gives_a_lower_bound_and_is_not_split_forever() {
        let (scans, used, count) = walk([9000, 20_000], 50);
        assert_eq!(used, None);
        assert!(
            count
                .note
                .is_some_and(|note| note.starts_with("at least 25,384"))
        );
        assert!(!scans.is_incomplete());
        assert_eq!(scans.question().walk_parts, 2);
    }

    #[test]
    fn a_ring_buffer_position_that_cannot_be_is_no_number() {
        let record = Record {
            used: 5000,
            capacity: 4096,
            map_type: 27,
            method: count_method::COUNT_FIELD,
            ..Record::default()
        };
        let (used, count) = Scans::default().count(&record, Duration::ZERO);
        assert_eq!(used, None);
        assert!(count.note.is_some());
    }

    #[test]
    fn every_type_without_a_count_says_why() {
        for map_type in MapType::all().chain([MapType(99)]) {
            let record = Record {
                used: u64::MAX,
                map_type: map_type.0,
                ..Record::default()
            };
            let (used, count) = Scans::default().count(&record, Duration::ZERO);
            assert_eq!(used, None);
            assert_eq!(count.method, CountMethod::None);
            assert!(count.note.is_some_and(|note| !note.is_empty()));
        }
    }
}
