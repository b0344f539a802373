//! The losses of one map over time: rates, causes and events.

use std::sync::Arc;
use std::time::Duration;

use super::events::{EventKind, Events};
use super::sample_context::{GrowthBasis, SampleContext};
use crate::types::errno::{Errno, ErrnoCounts};
use crate::types::loss::{Loss, LossKind, LossRates};
use crate::types::loss_state::{LastLoss, NoLossReason};
use crate::types::row::Row;
use crate::types::snapshot::Origin;

/// The losses of one map so far. Boxed, since most maps have none.
#[derive(Debug, Clone, Default)]
pub(super) struct LossHistory(Option<Box<LossHistoryState>>);

#[derive(Debug, Clone, Default)]
struct LossHistoryState {
    /// The counters that the next rates are relative to.
    rate_base: Option<Arc<Loss>>,
    /// When `base` was scraped, for a map of an exporter.
    scraped_at: Option<Duration>,
    /// Rates at the last scrape.
    rates: Option<Box<LossRates>>,
    /// The counters at the previous sample.
    previous: Option<Arc<Loss>>,
    /// When it last lost something, by kind.
    last_loss_at: [Option<Duration>; 3],
    last_loss: LastLoss,
    /// The only program that used it in the sample before.
    only_program: Option<u32>,
    /// Whether tracers have counted its losses since tracing began.
    was_counted: bool,
    /// The time since which all refusals have been traced and there was none.
    no_refusal_since: Option<Duration>,
    evictions: Option<EvictionWindow>,
    /// Part of the stacks that collided in the last interval.
    collision_share: Option<f64>,
}

/// Evictions of the last minute or half of it, which is long enough to even out that an LRU map evicts entries in
/// batches.
#[derive(Debug, Clone, Copy)]
struct EvictionWindow {
    /// Time and counter at the beginning of this window, and of the next one.
    begins: [(Duration, u64); 2],
}

impl EvictionWindow {
    /// How often the window moves on.
    const STEP: Duration = Duration::from_secs(30);

    /// Adds a sample. A counter that went down starts the window again.
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
    /// Adds a sample, and sets the losses of its row.
    pub fn apply(&mut self, row: &mut Row, context: &SampleContext<'_>, events: &mut Events) {
        // One exporter with tracing on does not mean that all have it on.
        let is_awaited = context.is_tracing
            && !row.facts.is_exported()
            && row.facts.loss.is_none()
            && row.facts.map_type.is_loss_traceable();
        if is_awaited {
            row.no_loss_reason = NoLossReason::Attaching;
        }
        if row.facts.loss.is_none() && self.0.is_none() {
            return;
        }
        let state = self.0.get_or_insert_default();
        state.was_counted &= !context.is_tracing_restarted;
        if is_awaited && state.was_counted {
            row.no_loss_reason = NoLossReason::Unread;
        }
        state.apply(row, context);
        state.push_events(row, context.now, events);
    }

    /// How long all refusals have been traced without one.
    pub fn watched_without_refusal(&self, now: Duration) -> Duration {
        let since = self.0.as_ref().and_then(|state| state.no_refusal_since);
        since.map_or(Duration::ZERO, |since| now.saturating_sub(since))
    }

    /// The part of the stacks that collided in the last interval.
    pub fn collision_share(&self) -> Option<f64> {
        self.0.as_ref()?.collision_share
    }

    /// Makes this row the base of the next report's rates.
    pub fn set_report_base(&mut self, row: &Row) {
        if let Some(state) = &mut self.0 {
            state.rate_base.clone_from(&row.facts.loss);
            state.scraped_at = scraped_at(row);
        }
    }
}

impl LossHistoryState {
    fn apply(&mut self, row: &mut Row, context: &SampleContext<'_>) {
        let current = row.facts.loss.as_ref();
        // Counters that restarted cannot be compared, nor can those of the kernel with those of tracers.
        for before in [&mut self.rate_base, &mut self.previous] {
            before.take_if(|before| {
                (before.is_traced && context.is_tracing_restarted)
                    || current.is_none_or(|current| current.is_traced != before.is_traced)
            });
        }
        // When an exporter began to count is not known.
        if let Some(current) =
            current.filter(|current| current.is_traced && !row.facts.is_exported())
        {
            let since = context.tracing_since;
            let is_new = row
                .created_at
                .zip(since)
                .is_some_and(|(created_at, since)| created_at > since);
            // Created while its losses were traced: its counters began at 0.
            if is_new && !self.was_counted {
                let zero = Arc::new(zeroed(current));
                self.rate_base = Some(Arc::clone(&zero));
                self.previous = Some(zero);
            }
            self.was_counted = true;
        }
        let interval = match row.facts.origin {
            // Counters of an exporter change only with each scrape, however often the server is queried.
            Origin::Exporter(_) => scraped_at(row)
                .zip(self.scraped_at)
                .and_then(|(now, base)| now.checked_sub(base)),
            Origin::Kernel(_) => context.loss_interval,
        };
        let is_same_scrape = row.facts.is_exported() && interval == Some(Duration::ZERO);
        if current.is_none() || !is_same_scrape {
            let compared = current.zip(self.rate_base.as_ref());
            self.rates = compared
                .zip(interval)
                .map(|((current, base), interval)| Box::new(current.rates_since(base, interval)));
            let rate = |kind| self.rates.as_ref().and_then(|rates| rates.get(kind));
            self.last_loss.errors = match compared {
                Some((current, base)) if rate(LossKind::Failed) > Some(0.0) => {
                    errors_since(base, current)
                }
                _ => Vec::new(),
            };
            self.collision_share =
                compared.and_then(|(current, base)| collision_share(base, current));
            let at = scraped_at(row).unwrap_or(context.now);
            self.update_lifetime(row, at, context.min_span);
        }
        self.update_refusals(row, context.now);
        row.loss_rates.clone_from(&self.rates);
        self.update_cause(row);
        if self.last_loss != LastLoss::default() {
            row.last_loss = Some(Box::new(self.last_loss.clone()));
        }
        if context.growth == GrowthBasis::OverMinute && !is_same_scrape {
            self.rate_base.clone_from(&row.facts.loss);
            self.scraped_at = scraped_at(row);
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
        let before = self.previous.as_ref().and_then(total);
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
        let current = row.facts.loss.as_ref();
        if let Some((current, previous)) = current.zip(self.previous.as_ref())
            && !Arc::ptr_eq(current, previous)
        {
            let mut grown = LossKind::ALL.into_iter().filter(|kind| {
                previous.total(*kind).is_some() && current.total(*kind) > previous.total(*kind)
            });
            if let Some(kind) = grown.next() {
                self.last_loss.kind = grown.next().is_none().then_some(kind);
                self.last_loss.program =
                    only_program.filter(|only| self.only_program == Some(*only));
            }
        }
        if self.last_loss.program != only_program {
            self.last_loss.program = None;
        }
        self.only_program = only_program;
        self.previous.clone_from(&row.facts.loss);
    }

    /// Records the beginning and the end of losses as events.
    fn push_events(&mut self, row: &Row, now: Duration, events: &mut Events) {
        let Some(rates) = &row.loss_rates else {
            return;
        };
        for (kind, last_loss_at) in LossKind::ALL.into_iter().zip(self.last_loss_at.iter_mut()) {
            match (rates.get(kind), *last_loss_at) {
                (Some(per_s), before) if per_s > 0.0 => {
                    if before.is_none() {
                        events.push(row.key().clone(), now, EventKind::LossBegan(kind, per_s));
                    }
                    *last_loss_at = Some(now);
                }
                (Some(_), Some(lost)) if now.saturating_sub(lost) >= LOSS_END_AFTER => {
                    events.push(row.key().clone(), now, EventKind::LossEnded(kind));
                    *last_loss_at = None;
                }
                _ => {}
            }
        }
    }
}

/// When the exporter of the map was scraped.
fn scraped_at(row: &Row) -> Option<Duration> {
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
fn collision_share(before: &Loss, current: &Loss) -> Option<f64> {
    let attempts = current.attempts?.checked_sub(before.attempts?)?;
    let collisions = errors_since(before, current)
        .into_iter()
        .find(|(errno, _)| *errno == Errno::EEXIST)
        .map_or(0, |(_, count)| count);
    (attempts > 0).then(|| collisions as f64 / attempts as f64)
}

/// The errors that updates were refused with since `before`, the most frequent first.
fn errors_since(before: &Loss, current: &Loss) -> Vec<(Errno, u64)> {
    let grown = current
        .failed
        .iter()
        .flat_map(|counts| counts.since(before.failed.as_ref()));
    let mut grown: Vec<_> = grown.filter(|(_, count)| *count > 0).collect();
    grown.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    grown
}
