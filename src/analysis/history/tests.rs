//! Readings of snapshots in order.

mod backfill;
mod budget;
mod events;
mod fleet;
mod growth;
mod losses;
mod marks;

use super::*;
use crate::analysis::series::Point;
use crate::analysis::series::RESOLUTIONS;
use crate::test_util::{MapBuilder, key, map, moment, snapshot, watched};
use crate::types::errno::Errno;
use crate::types::fleet::ExportedFields;
use crate::types::loss::{Loss, LossCause, LossKind};
use crate::types::loss_state::LossState;
use crate::types::mark::Mark;
use crate::types::ownership::{Ownership, Program};
use crate::types::time_to_full::TimeToFull;

fn read_at(
    history: &mut History,
    second: u32,
    maps: impl IntoIterator<Item = MapBuilder>,
) -> Reading {
    history.read(snapshot(second, maps))
}

/// The loss rates of the first map, in the order of [`LossKind::ALL`].
fn rates(reading: &Reading) -> [Option<f64>; 3] {
    let rates = reading.rows[0].loss_rates.as_deref();
    LossKind::ALL.map(|kind| rates?.get(kind))
}
