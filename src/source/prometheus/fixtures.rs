//! Answers of a server, given from elsewhere: any bytes become a snapshot, or the reason why not; and
//! what a server would be asked. For tests.

use std::sync::Arc;

use anyhow::Result;

use super::poll::{held, server_time};
use super::promql::MapScope;
use super::response::{runs, samples};
use super::series::{INSTANCE, MapSeries, NameInterner, ScrapeTimes, key};
use super::targets::nodes;
use crate::analysis::backfill::Backfill;
use crate::source::request::SourceQuery;
use crate::types::fleet::Fleet;
use crate::types::host::Moment;
use crate::types::loss_tracing::LossTracing;
use crate::types::snapshot::Snapshot;

/// The maps of a server that answers every instant query with this.
pub(crate) fn snapshot_of(status: u16, body: &[u8], moment: Moment) -> Result<Snapshot> {
    let samples = samples(status, body)?;
    let mut gathered = MapSeries::default();
    let mut collected = ScrapeTimes::default();
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
        watching: LossTracing::Off,
        fleet: Some(Arc::new(fleet)),
    })
}

/// What maps held by a server that answers every range query with this.
pub(crate) fn past_of(status: u16, body: &[u8], moment: Moment) -> Result<Vec<Backfill>> {
    let mut names = NameInterner::default();
    let server = server_time(body).unwrap_or(moment.wall.as_duration().as_secs_f64());
    let runs = runs(status, body)?;
    let past = runs.iter().filter_map(|run| {
        Some(Backfill {
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
pub(crate) fn query_for(wish: &SourceQuery) -> String {
    MapScope::new(&wish.tests, INSTANCE).top_n_query(wish, 5_000)
}
