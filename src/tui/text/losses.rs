//! What a map loses, in words: lines of the detail and the preview, and the alarm under the table.

use super::detail::{DetailField, clock};
use crate::text::units;
use crate::tui::state::{App, cannot};
use crate::types::errno::{Errno, ErrnoCounts};
use crate::types::loss::{Backlog, Loss, LossCause, LossKind};
use crate::types::loss_state::LossPending;
use crate::types::loss_tracing::LossTracing;
use crate::types::map_type::Kind;
use crate::types::mark::Mark;
use crate::types::row::Row;

/// Errors that are named in one line at the most.
const MAX_ERRORS: usize = 3;

const ATTACHING: &str = "?  tracers are being attached";

/// `! 2971 pol_ep_02366 refuses inserts: 31 failed updates/s (E2BIG), last by cilium-agent(1832)`; `None`
/// if it does not.
pub fn alarm(row: &Row) -> Option<String> {
    let sign = row.mark.map_or(' ', Mark::sign);
    let (id, name) = (row.key().id.0, &row.facts.name);
    Some(format!("{sign} {id} {name} {}", loss_summary(row)?))
}

/// What it refuses now, and whom it refused last; `None` if it does not.
pub fn loss_summary(row: &Row) -> Option<String> {
    if !row.is_losing() {
        return None;
    }
    let loss = row.facts.loss.as_ref()?;
    let last_lost = row.last_lost.as_ref();
    let (kind, per_s) = row.loss_rates.as_ref()?.worst()?;
    let rate = units::loss_rate(per_s);
    let (number, per) = rate.split_once('/')?;
    let mut text = match kind {
        LossKind::Failed => format!("refuses inserts: {number} failed updates/{per}"),
        LossKind::Dropped => format!("drops records: {number} records/{per}"),
        LossKind::Evicted => format!("evicts: {number} entries/{per}"),
    };
    if kind == LossKind::Failed {
        let errors = last_lost.map_or(&[][..], |last| &last.errors);
        let names: Vec<_> = errors
            .iter()
            .take(MAX_ERRORS)
            .map(|(errno, _)| errno.to_string())
            .collect();
        text.extend([" (", &names.join(", "), ")"]);
    }
    // Others may have lost the rest.
    if row.last_lost_kind() == Some(kind)
        && let Some(culprit) = culprit(row, loss)
    {
        text.extend([", last by ", &culprit]);
    }
    Some(text)
}

/// `cilium-agent(1832)`, `the BPF program tc_ingress`, `a BPF program`.
fn culprit(row: &Row, loss: &Loss) -> Option<String> {
    Some(match loss.culprit.as_ref()? {
        LossCause::Process { pid, comm } => format!("{comm}({pid})"),
        LossCause::Program => match row.culprit_program() {
            Some(program) => format!("the BPF program {}", program.name),
            None => "a BPF program".to_owned(),
        },
    })
}

/// Everything that is known of what it lost, or why nothing is.
pub fn facts(app: &App, row: &Row) -> Vec<DetailField> {
    let mut lines = match &row.facts.loss {
        Some(loss) => lost(app, row, loss),
        None => Vec::new(),
    };
    if lines.is_empty() {
        lines.extend(match row.loss_pending {
            LossPending::Attaching => Some(ATTACHING.to_owned()),
            LossPending::Unread => Some("?  what was counted could not be read".to_owned()),
            LossPending::Unwatched if row.kind() == Kind::Fixed => None,
            LossPending::Unwatched => why_unwatched(app),
        });
    }
    let names = std::iter::once("loss").chain(std::iter::repeat(""));
    let mut facts: Vec<_> = names
        .zip(lines)
        .map(|(name, text)| DetailField { name, text })
        .collect();
    if let Some(time) = row.stalled_for {
        facts.push(DetailField {
            name: "reader",
            text: format!(
                "stalled for {}: it has not moved, with the buffer at 75 % or more",
                units::time(time)
            ),
        });
    }
    facts
}

fn lost(app: &App, row: &Row, loss: &Loss) -> Vec<String> {
    let since = since(app, row, loss);
    let mut lines = Vec::new();
    for kind in LossKind::ALL {
        let Some(total) = loss.total(kind) else {
            continue;
        };
        let what = match (kind, total) {
            (LossKind::Failed, 1) => "update refused",
            (LossKind::Failed, _) => "updates refused",
            (LossKind::Dropped, 1) if row.facts.map_type.is_redirect_map() => "packet dropped",
            (LossKind::Dropped, _) if row.facts.map_type.is_redirect_map() => "packets dropped",
            // The kernel counts those of perf events.
            (LossKind::Dropped, 1) if !loss.is_watched => "record found its buffer full",
            (LossKind::Dropped, _) if !loss.is_watched => "records found their buffer full",
            (LossKind::Dropped, 1) => "record dropped",
            (LossKind::Dropped, _) => "records dropped",
            (LossKind::Evicted, 1) => "entry evicted",
            (LossKind::Evicted, _) => "entries evicted",
        };
        let rate = row.loss_rates.as_ref().and_then(|rates| rates.get(kind));
        let now = match rate {
            Some(per_s) if per_s > 0.0 => format!(", {} now", units::loss_rate(per_s)),
            _ => String::new(),
        };
        lines.push(format!(
            "{} {what}{since}{now}",
            units::with_thousands_separators(total)
        ));
        if kind == LossKind::Failed {
            lines.extend(loss.failed.iter().flat_map(ErrnoCounts::iter).map(by_error));
        }
    }
    if let Some(culprit) = culprit(row, loss) {
        let what = match row.last_lost_kind() {
            Some(LossKind::Failed) => "the last refused by",
            Some(LossKind::Dropped) => "the last dropped by",
            Some(LossKind::Evicted) => "the last evicted by",
            None => "the last of these by",
        };
        lines.push(format!("{what} {culprit}"));
    }
    if let Some(Backlog { bytes, room }) = loss.backlog {
        let (bytes, room) = (units::bytes(bytes), units::bytes(room));
        lines.push(format!("{bytes} of {room} wait to be read"));
    }
    if let Some(reason) = &loss.reason {
        let how_much = if lines.is_empty() {
            "cannot"
        } else {
            "not all of it can"
        };
        lines.push(format!("?  {how_much} be observed here: {reason}"));
    }
    lines
}

/// `29 E2BIG: the map is full`.
fn by_error((errno, count): (Errno, u64)) -> String {
    let words = errno.description().map(|text| format!(": {text}"));
    format!(
        "  {} {}{}",
        units::with_thousands_separators(count),
        errno,
        words.unwrap_or_default()
    )
}

/// From when on it is counted: ` since 14:02:00 (watched)`.
fn since(app: &App, row: &Row, loss: &Loss) -> String {
    let Some(reading) = &app.reading else {
        return String::new();
    };
    let watched = app.watching.since().filter(|_| loss.is_watched);
    let since = match (watched, row.made) {
        (Some(watched), made) => reading.wall_time_at(watched.max(made.unwrap_or_default())),
        (None, Some(made)) => reading.wall_time_at(made),
        (None, None) => reading.began.wall,
    };
    let how = if loss.is_watched {
        "watched"
    } else {
        "the kernel counts it"
    };
    format!(" since {} ({how})", clock(app, since))
}

/// Why nothing is known; `None` if there is nothing that it could lose.
fn why_unwatched(app: &App) -> Option<String> {
    match &app.watching {
        LossTracing::Off if app.player.is_some() => Some("it was not watched".to_owned()),
        LossTracing::Off if app.fleet().is_some() => {
            Some("not told: its exporter counts them with --losses".to_owned())
        }
        LossTracing::Off => Some("not watched; l watches what is refused or evicted".to_owned()),
        LossTracing::Starting => Some(ATTACHING.to_owned()),
        LossTracing::Refused(why) => Some(format!("?  {}", cannot(why))),
        LossTracing::On { .. } => None,
    }
}
