//! What happened to a map, one line for each event.

use super::TextContext;
use crate::analysis::events::EventKind;
use crate::text::units;
use crate::types::loss::LossKind;
use crate::types::row::Row;

pub(crate) fn event_lines(context: &TextContext, row: &Row) -> Vec<String> {
    let Some(reading) = context.reading else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    let now = reading.moment.uptime;
    // The reading may be an earlier one.
    let events = context.history.events(row.key());
    for event in events.filter(|event| event.at <= now) {
        let text = match event.kind {
            EventKind::Created => "created".to_owned(),
            EventKind::Deleted => "deleted".to_owned(),
            EventKind::RoseAbove(at) => format!("rose above {} %", units::percent(at)),
            EventKind::Full => "full".to_owned(),
            EventKind::NoLongerFull => "no longer full".to_owned(),
            EventKind::LossBegan(kind, per_s) => {
                let what = match kind {
                    LossKind::Failed => "refuse updates",
                    LossKind::Dropped => "drop records",
                    LossKind::Evicted => "evict entries",
                };
                format!("started to {what}, {}", units::loss_rate(per_s))
            }
            EventKind::LossEnded(kind) => {
                let what = match kind {
                    LossKind::Failed => "refused updates",
                    LossKind::Dropped => "dropped records",
                    LossKind::Evicted => "evictions",
                };
                format!("no {what} for a minute")
            }
            EventKind::FellBelow(at) => format!("fell below {} %", units::percent(at)),
        };
        let at = context.clock(reading.wall_time_at(event.at));
        lines.push(format!("{at}  {text}"));
    }
    if lines.is_empty() {
        let began = context.clock(reading.began.wall);
        lines.push(format!("no events since {began}"));
    }
    lines
}
