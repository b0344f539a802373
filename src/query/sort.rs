//! The order of rows: by a column, with ties always broken by the map, so that equal rows never swap.

use std::cmp::Ordering;
use std::fmt;

use super::fields::{ATTENTION, ColumnId, DefaultOrder, LOSS, Value, unknown_column_message};
use crate::types::loss::LossKind;
use crate::types::loss_state::LossState;
use crate::types::map_type::Kind;
use crate::types::mark::Mark;
use crate::types::row::Row;

/// The order of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    pub column: ColumnId,
    /// Whether the column's default direction is reversed.
    pub is_reversed: bool,
}

impl Default for Sort {
    fn default() -> Self {
        Self::by(ATTENTION)
    }
}

impl Sort {
    /// By a column, in its default direction.
    #[must_use]
    pub fn by(column: ColumnId) -> Self {
        Self {
            column,
            is_reversed: false,
        }
    }

    /// Parses `pressure`, `-pressure` (reversed) or `name:desc`.
    ///
    /// # Errors
    ///
    /// When the text is not valid, with the reason in one line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (text, is_reversed) = match text.strip_prefix('-') {
            Some(text) => (text, true),
            None => (text, false),
        };
        let (name, direction) = match text.split_once(':') {
            Some((name, direction)) => (name, Some(direction)),
            None => (text, None),
        };
        let column = ColumnId::find(name).ok_or_else(|| unknown_column_message(name))?;
        let wanted = match direction {
            None => {
                return Ok(Self {
                    column,
                    is_reversed,
                });
            }
            Some(_) if is_reversed => {
                return Err(format!(
                    "'-{name}' and ':' both set the direction; use one of them"
                ));
            }
            Some("asc") => DefaultOrder::Smallest,
            Some("desc") => DefaultOrder::Largest,
            Some(other) => return Err(format!("'{other}' is not a direction; use asc or desc")),
        };
        Ok(Self {
            column,
            is_reversed: wanted != column.field().default_order,
        })
    }

    /// Whether the largest values come first.
    #[must_use]
    pub(crate) fn is_descending(self) -> bool {
        (self.column.field().default_order == DefaultOrder::Largest) != self.is_reversed
    }

    /// Sorts indices into `rows`. Rows are in the order of keys, so that ties are broken by index.
    ///
    /// Fast if they are almost sorted already: keep the order from one sample to the next.
    pub fn apply(self, rows: &[Row], indices: &mut [usize]) {
        if self.column == ATTENTION {
            sort_by_key(
                indices,
                |index| AttentionKey::new(&rows[index]),
                |a, b| {
                    let order = a.compare(b);
                    if self.is_reversed {
                        order.reverse()
                    } else {
                        order
                    }
                },
            );
            return;
        }
        let is_descending = self.is_descending();
        if self.column == LOSS {
            let values = |index: usize| loss_values(&rows[index]);
            sort_by_key(indices, values, |[kind_a, rate_a], [kind_b, rate_b]| {
                compare(kind_a, kind_b, is_descending)
                    .then_with(|| compare(rate_a, rate_b, is_descending))
            });
            return;
        }
        let value = self.column.field().value;
        sort_by_key(
            indices,
            |index| value(&rows[index]),
            |a, b| compare(a, b, is_descending),
        );
    }
}

/// Sorts indices by a key that is computed once for each: every access to a row may miss the cache.
fn sort_by_key<K>(
    indices: &mut [usize],
    key: impl Fn(usize) -> K,
    compare: impl Fn(&K, &K) -> Ordering,
) {
    let mut keyed: Vec<_> = indices.iter().map(|index| (key(*index), *index)).collect();
    keyed.sort_by(|(a, at), (b, bt)| compare(a, b).then_with(|| at.cmp(bt)));
    for (index, (_, sorted)) in indices.iter_mut().zip(keyed) {
        *index = sorted;
    }
}

/// The sort key of rows by attention.
struct AttentionKey {
    mark: u8,
    /// Seconds until it is full; negative if it already refuses updates.
    left: f64,
    /// Losses per second, where those need attention.
    loss: f64,
    level: f64,
    memory: u64,
}

impl AttentionKey {
    fn new(row: &Row) -> Self {
        let marked = || row.full_in.seconds().unwrap_or(f64::INFINITY);
        let refuses = row.is_losing();
        let rate = |kind| row.loss_rates.as_ref().and_then(|rates| rates.get(kind));
        let loss = match row.kind() {
            _ if refuses => row.loss_per_s(),
            Kind::Evicting => rate(LossKind::Evicted),
            _ => None,
        };
        let (mark, left) = match row.mark {
            Some(Mark::Crit) if refuses => (Mark::Crit as u8 + 1, -1.0),
            Some(Mark::None) => (0, f64::INFINITY),
            // It may be urgent.
            None => (1, f64::INFINITY),
            Some(mark) => (mark as u8 + 1, marked()),
        };
        Self {
            mark,
            left,
            loss: loss.unwrap_or(0.0),
            level: row.pressure.unwrap_or(-1.0),
            memory: row.memory.map_or(0, |memory| memory.bytes),
        }
    }

    /// The more urgent mark first. Among marked maps, those that refuse updates, then those that are full
    /// sooner. Then higher losses, then higher pressure, then more memory.
    fn compare(&self, other: &Self) -> Ordering {
        other
            .mark
            .cmp(&self.mark)
            .then_with(|| self.left.total_cmp(&other.left))
            .then_with(|| other.loss.total_cmp(&self.loss))
            .then_with(|| other.level.total_cmp(&self.level))
            .then_with(|| other.memory.cmp(&self.memory))
    }
}

/// The rank of the most urgent kind of loss, and its rate per second: refused updates are worse than
/// any number of evictions.
fn loss_values(row: &Row) -> [Value; 2] {
    let rank = |kind: u8, per_s| [Value::Number(kind.into()), Value::Number(per_s)];
    match row.loss_state() {
        LossState::Losing(LossKind::Failed, per_s) => rank(3, per_s),
        LossState::Losing(LossKind::Dropped, per_s) => rank(2, per_s),
        LossState::Losing(LossKind::Evicted, per_s) => rank(1, per_s),
        LossState::NoLoss => rank(0, 0.0),
        LossState::Untraced | LossState::Unknown | LossState::Measuring => {
            [Value::Nothing, Value::Nothing]
        }
    }
}

/// Unknown values come last in either direction.
fn compare(a: &Value, b: &Value, is_descending: bool) -> Ordering {
    let order = match (a, b) {
        (Value::Nothing, Value::Nothing) => return Ordering::Equal,
        (Value::Nothing, _) => return Ordering::Greater,
        (_, Value::Nothing) => return Ordering::Less,
        (Value::Number(a), Value::Number(b)) => a.total_cmp(b),
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Number(_), Value::Text(_)) => Ordering::Less,
        (Value::Text(_), Value::Number(_)) => Ordering::Greater,
    };
    if is_descending {
        order.reverse()
    } else {
        order
    }
}

/// In the form that [`Sort::parse`] reads.
impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.column.field().name;
        if self.is_reversed {
            write!(f, "-{name}")
        } else {
            f.write_str(name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::history::History;
    use crate::test_util::{MapBuilder, map, reading, watched};

    fn ids(maps: impl IntoIterator<Item = MapBuilder>, sort: &str) -> Vec<u32> {
        let rows = reading(maps).rows;
        let mut indices: Vec<_> = (0..rows.len()).collect();
        Sort::parse(sort)
            .expect("a sort")
            .apply(&rows, &mut indices);
        indices
            .iter()
            .map(|index| rows[*index].key().id.0)
            .collect()
    }

    #[test]
    fn attention_is_mark_then_pressure_then_id() {
        let maps = [
            map("calm").id(1).used(10, 100),
            map("lru").id(2).named_type("lru_hash").used(100, 100),
            map("watch").id(3).used(85, 100),
            map("full").id(4).used(100, 100),
            map("unknown").id(5).uncounted(),
            map("array").id(6).named_type("array").uncounted(),
            map("calm too").id(7).used(10, 100),
            map("more to watch").id(8).used(95, 100),
        ];
        assert_eq!(ids(maps.clone(), "attention"), [4, 8, 3, 5, 2, 1, 7, 6]);
        // Ties stay in the order of ids in either direction.
        assert_eq!(ids(maps, "-attention"), [6, 1, 7, 2, 5, 3, 8, 4]);
    }

    #[test]
    fn refusing_maps_come_before_full_ones_and_evicting_before_calm() {
        let maps = |second: u64| {
            let full = |id| map("full").id(id).used(10, 10);
            let lru = |id| map("lru").id(id).named_type("lru_hash").used(10, 100);
            [
                full(1).refused(0),
                map("refuses a little").id(2).refused(second),
                map("refuses more").id(3).refused(5 * second),
                map("drops most")
                    .id(4)
                    .named_type("ringbuf")
                    .dropped(9 * second),
                map("calm").id(5).used(79, 100),
                lru(6).evicted(second),
                lru(7).evicted(7 * second),
                lru(8).evicted(0),
            ]
        };
        let mut history = History::default();
        history.read(watched(0, 0, maps(0)));
        let rows = history.read(watched(1, 0, maps(1))).rows;
        let ids = |sort| -> Vec<_> {
            let mut indices: Vec<_> = (0..rows.len()).collect();
            Sort::parse(sort)
                .expect("a sort")
                .apply(&rows, &mut indices);
            indices
                .iter()
                .map(|index| rows[*index].key().id.0)
                .collect()
        };
        assert_eq!(ids("attention"), [4, 3, 2, 1, 7, 6, 5, 8]);
        assert_eq!(ids("loss"), [3, 2, 4, 7, 6, 1, 8, 5], "unwatched last");
    }

    #[test]
    fn unknown_values_come_last_in_both_directions() {
        let maps = [
            map("a").id(1).used(5, 10),
            map("b").id(2).uncounted(),
            map("c").id(3).used(7, 10),
        ];
        assert_eq!(ids(maps.clone(), "used"), [3, 1, 2]);
        assert_eq!(ids(maps, "-used"), [1, 3, 2]);
    }

    #[test]
    fn equal_rows_stay_in_the_order_of_their_ids() {
        let maps = [map("m").id(9), map("m").id(3), map("m").id(5)];
        assert_eq!(ids(maps.clone(), "name"), [3, 5, 9]);
        assert_eq!(ids(maps, "-name"), [3, 5, 9]);
    }

    #[test]
    fn sorts_round_trip() {
        let parse = |text| Sort::parse(text).map(|sort| sort.to_string());
        assert_eq!(parse("pressure"), Ok("pressure".to_owned()));
        assert_eq!(parse("-pressure"), Ok("-pressure".to_owned()));
        assert_eq!(parse("pressure:asc"), Ok("-pressure".to_owned()));
        assert_eq!(parse("name:asc"), Ok("name".to_owned()));
        assert_eq!(parse("NAME:desc"), Ok("-name".to_owned()));
        for wrong in ["", "nmae", "name:up", "-name:asc"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
