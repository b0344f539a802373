//! Entry points for property tests and fuzzing: responses from any bytes, and the query that a
//! server would get.

use std::sync::Arc;

use anyhow::Result;

use super::poll::{point_of_map, server_time};
use super::promql::MapScope;
use super::response::{samples, series_points};
use super::series::{INSTANCE, MapSeries, NameInterner, ScrapeTimes, key};
use super::targets::nodes;
use crate::analysis::backfill::Backfill;
use crate::source::request::SourceQuery;
use crate::types::fleet::Fleet;
use crate::types::host::Moment;
use crate::types::loss_tracing::LossTracing;
use crate::types::snapshot::Snapshot;

/// The snapshot of a server that responds to every instant query with `body`.
pub(crate) fn snapshot_of(status: u16, body: &[u8], moment: Moment) -> Result<Snapshot> {
    let samples = samples(status, body)?;
    let mut series = MapSeries::default();
    let mut scrape_times = ScrapeTimes::default();
    for sample in &samples {
        series.add(sample, INSTANCE);
        scrape_times.add(sample, INSTANCE);
    }
    let fleet = Fleet {
        nodes: Some(nodes(INSTANCE, [&samples; 4], moment.wall).0),
        ..Fleet::default()
    };
    Ok(Snapshot {
        moment,
        cpus: 0,
        maps: series.facts(&series, &scrape_times),
        owners: None,
        loss_tracing: LossTracing::Off,
        fleet: Some(Arc::new(fleet)),
    })
}

/// The backfill from a server that responds to every range query with `body`.
pub(crate) fn backfill_of(status: u16, body: &[u8], moment: Moment) -> Result<Vec<Backfill>> {
    let mut names = NameInterner::default();
    let server = server_time(body).unwrap_or(moment.wall.as_duration().as_secs_f64());
    let runs = series_points(status, body)?;
    let backfills = runs.iter().filter_map(|run| {
        Some(Backfill {
            key: key(&run.labels, INSTANCE, &mut names)?,
            points: run
                .points
                .iter()
                .filter_map(|point| point_of_map(point, server, moment.uptime))
                .collect(),
        })
    });
    Ok(backfills.collect())
}

/// The query for the first maps of a request.
pub(crate) fn query_for(query: &SourceQuery) -> String {
    MapScope::new(&query.predicates, INSTANCE).top_n_query(query, 5_000)
}
