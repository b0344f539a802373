//! What one map lost before, and what its next sample says in the light of that.

use std::sync::Arc;
use std::time::Duration;

use super::{Growth, Tick};
use crate::model::events::{Events, What};
use crate::model::loss::{Loss, LossKind};
use crate::model::row::Row;

/// What is remembered of one map's losses. Nearly all are watched by nobody, and cost next to
/// nothing.
#[derive(Debug, Clone, Default)]
pub(super) struct Losses {
    /// What the next rates are measured from.
    base: Option<Arc<Loss>>,
    /// When it last lost what it is said to lose, by kind.
    lately: Option<Box<[Option<Duration>; 3]>>,
}

/// How long nothing is lost until that is an event.
const CALM: Duration = Duration::from_mins(1);

impl Losses {
    /// Takes in the next sample, and says in its row what was lost since the last.
    pub fn take_in(&mut self, row: &mut Row, tick: &Tick<'_>, events: &mut Events) {
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
        self.tell(row, tick.now, events);
    }

    /// Says what it began to lose, and what it has not lost for a while.
    fn tell(&mut self, row: &Row, now: Duration, events: &mut Events) {
        let Some(rates) = &row.loss_rates else {
            return;
        };
        if self.lately.is_none() && rates.worst().is_none() {
            return;
        }
        let lately = self.lately.get_or_insert_default();
        for (kind, last) in LossKind::ALL.into_iter().zip(lately.iter_mut()) {
            match (rates.of(kind), *last) {
                (Some(per_s), last_lost) if per_s > 0.0 => {
                    if last_lost.is_none() {
                        events.push(row.key().clone(), now, What::Began(kind, per_s));
                    }
                    *last = Some(now);
                }
                (Some(_), Some(lost)) if now.saturating_sub(lost) >= CALM => {
                    events.push(row.key().clone(), now, What::Ended(kind));
                    *last = None;
                }
                _ => {}
            }
        }
    }

    /// What is reported now is what the next report is compared with.
    pub fn report(&mut self, row: &Row) {
        self.base.clone_from(&row.facts.loss);
    }
}
