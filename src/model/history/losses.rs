//! What one map lost before, and what its next sample says in the light of that.

use std::sync::Arc;

use super::{Growth, Tick};
use crate::model::loss::Loss;
use crate::model::row::Row;

/// What is remembered of one map's losses. Nearly all are watched by nobody, and cost next to
/// nothing.
#[derive(Debug, Clone, Default)]
pub(super) struct Losses {
    /// What the next rates are measured from.
    base: Option<Arc<Loss>>,
}

impl Losses {
    /// Takes in the next sample, and says in its row what was lost since the last.
    pub fn take_in(&mut self, row: &mut Row, tick: &Tick<'_>) {
        if row.facts.loss.is_none() && self.base.is_none() {
            return;
        }
        let now = row.facts.loss.as_ref();
        // What is counted anew cannot be compared, and neither can what was not counted then.
        self.base.take_if(|base| {
            (base.is_watched && tick.is_watched_anew)
                || now.is_none_or(|now| now.is_watched != base.is_watched)
        });
        row.loss_rates = now
            .zip(self.base.as_ref())
            .zip(tick.loss_interval)
            .map(|((now, base), interval)| Box::new(now.rates_since(base, interval)));
        if tick.growth == Growth::OverMinute {
            self.base.clone_from(&row.facts.loss);
        }
    }

    /// What is reported now is what the next report is compared with.
    pub fn report(&mut self, row: &Row) {
        self.base.clone_from(&row.facts.loss);
    }
}
