//! The losses of one map over time: rates, causes and events.

use std::sync::Arc;
use std::time::Duration;

use super::events::{EventKind, Events};
use super::sample_context::{GrowthBasis, SampleContext};
use crate::types::errno::{Errno, ErrnoCounts};
use crate::types::loss::{Loss, LossKind, LossRates};
use crate::types::loss_state::{LastLoss, LossPending};
use crate::types::row::Row;
use crate::types::snapshot::Origin;

/// The losses of one map so far. Boxed, since most maps have none.
#[derive(Debug, Clone, Default)]
pub(super) struct LossHistory(Option<Box<LossHistoryState>>);

#[derive(Debug, Clone, Default)]
struct LossHistoryState {
    /// The counters that the next rates are relative to.
    base: Option<Arc<Loss>>,
    /// When `base` was scraped, for a map of an exporter.
    scraped_at: Option<Duration>,
    /// Rates at the last scrape.
    rates: Option<Box<LossRates>>,
    /// The counters at the previous sample.
    last: Option<Arc<Loss>>,
    /// When it last lost something, by kind.
    last_lost_at: [Option<Duration>; 3],
    last_lost: LastLoss,
    /// The only program that used it in the sample before.
    only_program: Option<u32>,
    /// Whether tracers have counted its losses since tracing began.
    was_counted: bool,
    /// Since when refusals have been watched, all of them, and there was none.
    no_refusal_since: Option<Duration>,
    evictions: Option<EvictionWindow>,
    /// Part of the stacks that collided in the last interval.
    collision_share: Option<f64>,
}

/// Evictions of the last minute or half of it, which is long enough to even out that an LRU map evicts entries in
/// batches.
#[derive(Debug, Clone, Copy)]
struct EvictionWindow {
    /// Time and counter at the begin of this window, and of the next one.
    begins: [(Duration, u64); 2],
}

impl EvictionWindow {
    /// How often the window moves on.
    const STEP: Duration = Duration::from_secs(30);

    /// Adds a sample. A counter that went down begins the window anew.
    fn push(before: Option<Self>, now: Duration, evictions: u64) -> Self {
        let sample = (now, evictions);
        match before {
            Some(Self { begins: [_, next] }) if evictions < next.1 => Self {
                begins: [sample; 2],
            },
            Some(Self { begins: [_, next] }) if now.saturating_sub(next.0) >= Self::STEP => Self {
                begins: [next, sample],
            },
            Some(window) => window,
            None => Self {
                begins: [sample; 2],
            },
        }
    }

    /// How long an entry stays in a map with `used` of them, if the window is at least `min_span` long.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    fn lifetime(self, now: (Duration, u64), used: u64, min_span: Duration) -> Option<Duration> {
        let span = now.0.saturating_sub(self.begins[0].0);
        let evicted = now.1 - self.begins[0].1;
        if span < min_span || evicted == 0 {
            return None;
        }
        let seconds = used as f64 * span.as_secs_f64() / evicted as f64;
        Duration::try_from_secs_f64(seconds).ok()
    }
}

/// Time without losses after which a "no more losses" event is recorded.
const LOSS_END_AFTER: Duration = Duration::from_secs(60);

impl LossHistory {
    /// Sets the losses of a row.
    pub fn apply(&mut self, row: &mut Row, context: &SampleContext<'_>, events: &mut Events) {
        // One exporter with tracing on does not mean that all have it on.
        let is_awaited = context.is_tracing
            && !row.facts.is_exported()
            && row.facts.loss.is_none()
            && row.facts.map_type.is_loss_traceable();
        if is_awaited {
            row.loss_pending = LossPending::Attaching;
        }
        if row.facts.loss.is_none() && self.0.is_none() {
            return;
        }
        let state = self.0.get_or_insert_default();
        state.was_counted &= !context.is_tracing_restarted;
        if is_awaited && state.was_counted {
            row.loss_pending = LossPending::Unread;
        }
        state.apply(row, context);
        state.push_events(row, context.now, events);
    }

    /// How long refusals have been watched, all of them, without one.
    pub fn watched_without_refusal(&self, now: Duration) -> Duration {
        let since = self.0.as_ref().and_then(|state| state.no_refusal_since);
        since.map_or(Duration::ZERO, |since| now.saturating_sub(since))
    }

    /// The part of the stacks that collided in the last interval.
    pub fn collision_share(&self) -> Option<f64> {
        self.0.as_ref()?.collision_share
    }

    /// Makes this row the base of the next report's rates.
    pub fn report(&mut self, row: &Row) {
        if let Some(state) = &mut self.0 {
            state.base.clone_from(&row.facts.loss);
            state.scraped_at = collected(row);
        }
    }
}

impl LossHistoryState {
    fn apply(&mut self, row: &mut Row, context: &SampleContext<'_>) {
        let now = row.facts.loss.as_ref();
        // Counters that restarted cannot be compared, nor can those of the kernel with those of tracers.
        for before in [&mut self.base, &mut self.last] {
            before.take_if(|before| {
                (before.is_traced && context.is_tracing_restarted)
                    || now.is_none_or(|now| now.is_traced != before.is_traced)
            });
        }
        // When an exporter began to count is not known.
        if let Some(now) = now.filter(|now| now.is_traced && !row.facts.is_exported()) {
            let since = context.tracing_since;
            let is_new = row
                .created_at
                .zip(since)
                .is_some_and(|(made, since)| made > since);
            // Created while its losses were traced: its counters began at 0.
            if is_new && !self.was_counted {
                let nothing = Arc::new(zeroed(now));
                self.base = Some(Arc::clone(&nothing));
                self.last = Some(nothing);
            }
            self.was_counted = true;
        }
        let interval = match row.facts.origin {
            // Counters of an exporter change only with each scrape, however often the server is queried.
            Origin::Exporter(_) => collected(row)
                .zip(self.scraped_at)
                .and_then(|(now, base)| now.checked_sub(base)),
            Origin::Kernel(_) => context.loss_interval,
        };
        let is_same_scrape = row.facts.is_exported() && interval == Some(Duration::ZERO);
        if now.is_none() || !is_same_scrape {
            let compared = now.zip(self.base.as_ref());
            self.rates = compared
                .zip(interval)
                .map(|((now, base), interval)| Box::new(now.rates_since(base, interval)));
            let lost = |kind| self.rates.as_ref().and_then(|rates| rates.get(kind));
            self.last_lost.errors = match compared {
                Some((now, base)) if lost(LossKind::Failed) > Some(0.0) => errors_since(base, now),
                _ => Vec::new(),
            };
            self.collision_share = compared.and_then(|(now, base)| collision_share(base, now));
            let at = collected(row).unwrap_or(context.now);
            self.update_lifetime(row, at, context.min_span);
        }
        self.update_refusals(row, context.now);
        row.loss_rates.clone_from(&self.rates);
        self.update_cause(row);
        if self.last_lost != LastLoss::default() {
            row.last_lost = Some(Box::new(self.last_lost.clone()));
        }
        if context.growth == GrowthBasis::OverMinute && !is_same_scrape {
            self.base.clone_from(&row.facts.loss);
            self.scraped_at = collected(row);
        }
    }

    fn update_lifetime(&mut self, row: &Row, at: Duration, min_span: Duration) {
        let evictions = row.facts.loss.as_ref().and_then(|loss| loss.evictions);
        self.evictions =
            evictions.map(|evictions| EvictionWindow::push(self.evictions, at, evictions));
        let lifetime = self.evictions.zip(evictions.zip(row.facts.used)).and_then(
            |(window, (evictions, used))| window.lifetime((at, evictions), used, min_span),
        );
        if let Some(rates) = &mut self.rates {
            rates.entry_lifetime = lifetime;
        }
    }

    fn update_refusals(&mut self, row: &Row, now: Duration) {
        let total = |loss: &Arc<Loss>| loss.failed_updates();
        let is_seen = |loss: &&Arc<Loss>| loss.reason.is_none();
        let refused = row.facts.loss.as_ref().filter(is_seen).and_then(total);
        let before = self.last.as_ref().and_then(total);
        self.no_refusal_since = match (refused, before) {
            (None, _) => None,
            (Some(refused), Some(before)) if refused > before => Some(now),
            (Some(_), _) => self.no_refusal_since.or(Some(now)),
        };
    }

    /// Updates the kind of the last loss, and the program, if it is the only one that used the map before and
    /// after it.
    fn update_cause(&mut self, row: &Row) {
        let only_program = row.only_program().map(|program| program.id);
        let now = row.facts.loss.as_ref();
        if let Some((now, last)) = now.zip(self.last.as_ref())
            && !Arc::ptr_eq(now, last)
        {
            let mut grown = LossKind::ALL
                .into_iter()
                .filter(|kind| last.total(*kind).is_some() && now.total(*kind) > last.total(*kind));
            if let Some(kind) = grown.next() {
                self.last_lost.kind = grown.next().is_none().then_some(kind);
                self.last_lost.program =
                    only_program.filter(|only| self.only_program == Some(*only));
            }
        }
        if self.last_lost.program != only_program {
            self.last_lost.program = None;
        }
        self.only_program = only_program;
        self.last.clone_from(&row.facts.loss);
    }

    /// Records the beginning and the end of losses as events.
    fn push_events(&mut self, row: &Row, now: Duration, events: &mut Events) {
        let Some(rates) = &row.loss_rates else {
            return;
        };
        for (kind, last) in LossKind::ALL.into_iter().zip(self.last_lost_at.iter_mut()) {
            match (rates.get(kind), *last) {
                (Some(per_s), last_lost) if per_s > 0.0 => {
                    if last_lost.is_none() {
                        events.push(row.key().clone(), now, EventKind::LossBegan(kind, per_s));
                    }
                    *last = Some(now);
                }
                (Some(_), Some(lost)) if now.saturating_sub(lost) >= LOSS_END_AFTER => {
                    events.push(row.key().clone(), now, EventKind::LossEnded(kind));
                    *last = None;
                }
                _ => {}
            }
        }
    }
}

/// When its exporter was scraped.
fn collected(row: &Row) -> Option<Duration> {
    row.facts.exported()?.scraped_at
}

/// The counters of a new map, of the same kinds.
fn zeroed(loss: &Loss) -> Loss {
    Loss {
        is_traced: loss.is_traced,
        failed: loss.failed.as_ref().map(|_| ErrnoCounts::default()),
        evictions: loss.evictions.map(|_| 0),
        drops: loss.drops.map(|_| 0),
        attempts: loss.attempts.map(|_| 0),
        ..Loss::default()
    }
}

/// The part of the stacks since `before` that collided; `None` if there were none, or they are not counted.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn collision_share(before: &Loss, now: &Loss) -> Option<f64> {
    let attempts = now.attempts?.checked_sub(before.attempts?)?;
    let collisions = errors_since(before, now)
        .into_iter()
        .find(|(errno, _)| *errno == Errno::EEXIST)
        .map_or(0, |(_, count)| count);
    (attempts > 0).then(|| collisions as f64 / attempts as f64)
}

/// The errors that updates were refused with since `before`, the most frequent first.
fn errors_since(before: &Loss, now: &Loss) -> Vec<(Errno, u64)> {
    let grown = now
        .failed
        .iter()
        .flat_map(|now| now.since(before.failed.as_ref()));
    let mut grown: Vec<_> = grown.filter(|(_, count)| *count > 0).collect();
    grown.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    grown
}
