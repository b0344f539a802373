//! The losses of a map in words: fields of the detail and the preview, and the alarm below the table.

use super::TextContext;
use super::detail::DetailField;
use crate::analysis::thresholds::STREAM_WARN_PRESSURE;
use crate::text::plural::count_noun;
use crate::text::units;
use crate::types::errno::{Errno, ErrnoCounts};
use crate::types::loss::{Backlog, Loss, LossCause, LossKind};
use crate::types::loss_state::NoLossReason;
use crate::types::loss_tracing::LossTracing;
use crate::types::map_type::Kind;
use crate::types::mark::Mark;
use crate::types::row::Row;

/// Errnos named in one line.
const MAX_ERRNOS: usize = 3;

const ATTACHING: &str = "?  attaching tracers";

pub(crate) fn describe_tracing_failure(reason: &str) -> String {
    format!("losses cannot be watched: {reason}")
}

/// `! 2971 pol_ep_02366 refuses updates: 31/s (E2BIG), last by cilium-agent(1832)`.
/// `None` unless the map is losing something now.
pub(crate) fn describe_alarm(row: &Row) -> Option<String> {
    let sign = row.mark.map_or(' ', Mark::sign);
    let (id, name) = (row.key().id.0, &row.facts.name);
    Some(format!("{sign} {id} {name} {}", summarize_loss(row)?))
}

/// What the map loses now, and who caused the last loss.
pub(crate) fn summarize_loss(row: &Row) -> Option<String> {
    if !row.is_losing() {
        return None;
    }
    let loss = row.facts.loss.as_ref()?;
    let last_lost = row.last_loss.as_ref();
    let (kind, per_s) = row.loss_rates.as_ref()?.worst()?;
    let rate = units::loss_rate(per_s);
    let what = match kind {
        LossKind::Failed => "refuses updates",
        LossKind::Dropped if row.facts.map_type.is_redirect_map() => "drops packets",
        LossKind::Dropped => "drops records",
        LossKind::Evicted => "evicts entries",
    };
    let mut text = format!("{what}: {rate}");
    if kind == LossKind::Failed {
        let errors = last_lost.map_or(&[][..], |last| &last.errors);
        let names: Vec<_> = errors
            .iter()
            .take(MAX_ERRNOS)
            .map(|(errno, _)| errno.to_string())
            .collect();
        text.extend([" (", &names.join(", "), ")"]);
    }
    // The last loss may be of another kind.
    if row.last_lost_kind() == Some(kind)
        && let Some(cause) = describe_cause(row, loss)
    {
        text.extend([", last by ", &cause]);
    }
    Some(text)
}

/// `cilium-agent(1832)`, `the BPF program tc_ingress`, `a BPF program`.
fn describe_cause(row: &Row, loss: &Loss) -> Option<String> {
    Some(match loss.cause.as_ref()? {
        LossCause::Process { pid, comm } => format!("{comm}({pid})"),
        LossCause::Program => match row.causing_program() {
            Some(program) => format!("the BPF program {}", program.name),
            None => "a BPF program".to_owned(),
        },
    })
}

/// What the map has lost, or why that is not known.
pub(crate) fn loss_fields(context: &TextContext, row: &Row) -> Vec<DetailField> {
    let mut lines = match &row.facts.loss {
        Some(loss) => loss_lines(context, row, loss),
        None => Vec::new(),
    };
    if lines.is_empty() {
        lines.extend(match row.no_loss_reason {
            NoLossReason::Attaching => Some(ATTACHING.to_owned()),
            NoLossReason::Unread => Some("?  the loss counters could not be read".to_owned()),
            NoLossReason::Untraced if row.kind() == Kind::Fixed => None,
            NoLossReason::Untraced => explain_untraced(context),
        });
    }
    let mut fields: Vec<_> = DetailField::list("loss", lines).collect();
    if let Some(time) = row.stalled_for {
        fields.push(DetailField::new(
            "reader",
            format!(
                "stalled for {}: nothing was read, with the buffer at {} % or more",
                units::time(time),
                units::percent(STREAM_WARN_PRESSURE)
            ),
        ));
    }
    fields
}

fn loss_lines(context: &TextContext, row: &Row, loss: &Loss) -> Vec<String> {
    let since = describe_since(context, row, loss);
    let mut lines = Vec::new();
    for kind in LossKind::ALL {
        let Some(total) = loss.total(kind) else {
            continue;
        };
        let (noun, plural, what) = match kind {
            LossKind::Failed => ("update", "updates", "refused"),
            LossKind::Dropped if row.facts.map_type.is_redirect_map() => {
                ("packet", "packets", "dropped")
            }
            // The kernel's own counter of perf events.
            LossKind::Dropped if !loss.is_traced => ("record", "records", "lost to a full buffer"),
            LossKind::Dropped => ("record", "records", "dropped"),
            LossKind::Evicted => ("entry", "entries", "evicted"),
        };
        let rate = row.loss_rates.as_ref().and_then(|rates| rates.get(kind));
        let now = match rate {
            Some(per_s) if per_s > 0.0 => format!(", {} now", units::loss_rate(per_s)),
            _ => String::new(),
        };
        let total = count_noun(total, noun, plural);
        lines.push(format!("{total} {what}{since}{now}"));
        if kind == LossKind::Dropped
            && let Some(before) = loss.drops_before.filter(|before| *before > 0)
        {
            let before = units::with_thousands_separators(before);
            lines.push(format!("  {before} before mapstop started"));
        }
        if kind == LossKind::Evicted
            && let Some(lifetime) = row.entry_lifetime()
        {
            let lifetime = units::entry_lifetime(lifetime);
            lines.push(format!("  an entry stays {lifetime} before it is evicted"));
        }
        if kind == LossKind::Failed {
            lines.extend(
                loss.failed
                    .iter()
                    .flat_map(ErrnoCounts::iter)
                    .map(describe_errno),
            );
        }
    }
    if let Some(cause) = describe_cause(row, loss) {
        let what = match row.last_lost_kind() {
            Some(LossKind::Failed) => "last refused update by",
            Some(LossKind::Dropped) => "last drop caused by",
            Some(LossKind::Evicted) => "last eviction caused by",
            None => "last loss caused by",
        };
        lines.push(format!("{what} {cause}"));
    }
    if let Some(Backlog { bytes, room, .. }) = loss.backlog {
        let (bytes, room) = (units::bytes(bytes), units::bytes(room));
        lines.push(format!("{bytes} of {room} unread"));
    }
    if let Some(reason) = &loss.reason {
        let how_much = if lines.is_empty() {
            "not"
        } else {
            "only partly"
        };
        lines.push(format!("?  {how_much} observable here: {reason}"));
    }
    lines
}

/// `29 E2BIG: the map is full`.
fn describe_errno((errno, count): (Errno, u64)) -> String {
    let words = errno.description().map(|text| format!(": {text}"));
    format!(
        "  {} {}{}",
        units::with_thousands_separators(count),
        errno,
        words.unwrap_or_default()
    )
}

/// Since when losses are counted: ` since 14:02:00 (watched)`.
fn describe_since(context: &TextContext, row: &Row, loss: &Loss) -> String {
    let Some(reading) = context.reading else {
        return String::new();
    };
    let traced_since = context.tracing.since().filter(|_| loss.is_traced);
    let since = match (traced_since, row.created_at) {
        (Some(traced_since), created_at) => {
            reading.wall_time_at(traced_since.max(created_at.unwrap_or_default()))
        }
        (None, Some(created_at)) => reading.wall_time_at(created_at),
        (None, None) => reading.began.wall,
    };
    let how = if loss.is_traced {
        "watched"
    } else {
        "counted by the kernel"
    };
    format!(" since {} ({how})", context.clock(since))
}

/// Why no loss is known, if the tracing explains it.
fn explain_untraced(context: &TextContext) -> Option<String> {
    match context.tracing {
        LossTracing::Off if context.is_replay() => {
            Some("not watched during the recording".to_owned())
        }
        LossTracing::Off if context.is_fleet() => {
            Some("not exported; start the exporter with --losses".to_owned())
        }
        LossTracing::Off => Some("not watched; l starts watching".to_owned()),
        LossTracing::Starting => Some(ATTACHING.to_owned()),
        LossTracing::Refused(why) => Some(format!("?  {}", describe_tracing_failure(why))),
        LossTracing::On { .. } => None,
    }
}
