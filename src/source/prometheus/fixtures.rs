//! Answers of a server, given from elsewhere: any bytes become a snapshot, or the reason why not; and
//! what a server would be asked. For tests.

use std::sync::Arc;

use anyhow::Result;

use super::poll::{held, server_time};
use super::promql::Scope;
use super::response::{runs, samples};
use super::series::{Collected, Gathered, INSTANCE, Names, key};
use super::targets::nodes;
use crate::analysis::backfill::Earlier;
use crate::source::request::Wish;
use crate::types::fleet::Fleet;
use crate::types::host::Moment;
use crate::types::loss_tracing::Watching;
use crate::types::snapshot::Snapshot;

/// The maps of a server that answers every instant query with this.
pub(crate) fn snapshot_of(status: u16, body: &[u8], moment: Moment) -> Result<Snapshot> {
    let samples = samples(status, body)?;
    let mut gathered = Gathered::default();
    let mut collected = Collected::default();
    for sample in &samples {
        gathered.add(sample, INSTANCE);
        collected.add(sample, INSTANCE);
    }
    let fleet = Fleet {
        nodes: Some(nodes(INSTANCE, [&samples; 4], moment.wall).0),
        ..Fleet::default()
    };
    Ok(Snapshot {
        moment,
        cpus: 0,
        maps: gathered.facts(&gathered, &collected),
        owners: None,
        watching: Watching::Off,
        fleet: Some(Arc::new(fleet)),
    })
}

/// What maps held by a server that answers every range query with this.
pub(crate) fn past_of(status: u16, body: &[u8], moment: Moment) -> Result<Vec<Earlier>> {
    let mut names = Names::default();
    let server = server_time(body).unwrap_or(moment.wall.as_duration().as_secs_f64());
    let runs = runs(status, body)?;
    let past = runs.iter().filter_map(|run| {
        Some(Earlier {
            key: key(&run.labels, INSTANCE, &mut names)?,
            points: run
                .points
                .iter()
                .filter_map(|point| held(point, server, moment.uptime))
                .collect(),
        })
    });
    Ok(past.collect())
}

/// What a server is asked for this.
pub(crate) fn query_for(wish: &Wish) -> String {
    Scope::of(&wish.tests, INSTANCE).first(wish, 5_000)
}
