//! What is known of one map, in words: for the line under the table, the preview and the detail.

use std::time::Duration;

use jiff::Timestamp;

use super::{chart, losses, ownership};
use crate::analysis::events::EventKind;
use crate::analysis::series::{Point, in_ms};
use crate::analysis::thresholds::{STREAM_WARN_PRESSURE, Thresholds};
use crate::text::count_note::count_note;
use crate::text::units;
use crate::tui::state::{App, Detail, DetailPage};
use crate::types::count::CountMethod;
use crate::types::loss::LossKind;
use crate::types::map_flags::MapFlags;
use crate::types::map_id::MapKey;
use crate::types::map_type::Kind;
use crate::types::mark::Mark;
use crate::types::reading::Reading;
use crate::types::row::Row;
use crate::types::time_to_full::TimeToFull;

/// One thing that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetailField {
    /// What about.
    pub name: &'static str,
    /// What.
    pub text: String,
}

/// A line of the detail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Nothing.
    Blank,
    /// The level in words.
    Level(String),
    /// A line of the chart, or of a list.
    Text(String),
    /// The level as a bar over the whole width.
    Bar,
    /// Where marks begin, under the bar.
    Ticks,
    /// A fact.
    Fact(DetailField),
}

/// The time of day where the user is.
#[must_use]
pub fn clock(app: &App, wall: Timestamp) -> String {
    let time = wall.to_zoned(app.zone.clone());
    time.strftime("%H:%M:%S").to_string()
}

/// Further off, a time of day says nothing.
const DAY: Duration = Duration::from_secs(20 * 3600);

/// The level, exact: `62,300 of 65,536 entries`; why it is not known, if it is not.
#[must_use]
pub fn level(row: &Row) -> Option<String> {
    let facts = &row.facts;
    let unit = row.unit().name();
    let about = estimate_prefix(row);
    match (facts.used, facts.capacity) {
        (Some(used), Some(capacity)) => Some(format!(
            "{about}{} of {} {unit}",
            units::with_thousands_separators(used),
            units::with_thousands_separators(capacity)
        )),
        (Some(used), None) => Some(format!(
            "{about}{} {unit}",
            units::with_thousands_separators(used)
        )),
        (None, Some(capacity)) if row.is_count_missing() => Some(format!(
            "? of {} {unit}",
            units::with_thousands_separators(capacity)
        )),
        (None, Some(capacity)) if row.kind() == Kind::Fixed => Some(format!(
            "{} {unit}",
            units::with_thousands_separators(capacity)
        )),
        (None, _) => None,
    }
}

/// What stands before a number that follows from an estimate.
fn estimate_prefix(row: &Row) -> &'static str {
    if row.facts.is_estimated() { "~" } else { "" }
}

/// The level with its percentage and its growth.
#[must_use]
pub fn level_and_growth(app: &App, row: &Row) -> String {
    let mut parts: Vec<String> = level(row).into_iter().collect();
    if let Some(pressure) = row.pressure {
        let tenths = units::percent(pressure * 10.0);
        let about = estimate_prefix(row);
        parts.push(format!("{about}{}.{} %", tenths / 10, tenths % 10));
    }
    if row.deleted_at.is_some() {
        // Where it led to is over.
        return parts.join("   ");
    }
    let interval = app.reading.as_ref().and_then(|reading| reading.interval);
    let lines = app.reading.as_ref().map_or([None; 2], |reading| {
        app.history().lines(row.key(), reading.moment.uptime)
    });
    match (row.growth_per_s, lines, interval) {
        (Some(_), [Some(minute), Some(ten)], _) if ten.span > minute.span => {
            parts.push(rate_over(minute.growth(), minute.span));
            parts.push(rate_over(ten.growth(), ten.span));
        }
        (Some(growth), [Some(minute), _], _) => parts.push(rate_over(growth, minute.span)),
        (Some(growth), [None, _], Some(interval)) => parts.push(rate_over(growth, interval)),
        (_, _, _) => {}
    }
    if let TimeToFull::In(seconds) = row.full_in {
        let when = units::full_in(row.full_in);
        parts.push(match (&app.reading, Duration::try_from_secs_f64(seconds)) {
            // Days from now the time of day says nothing.
            (Some(reading), Ok(left)) if left < DAY => {
                let wall = reading
                    .moment
                    .wall
                    .checked_add(left)
                    .unwrap_or(reading.moment.wall);
                let about = clock(app, wall);
                format!("full in {when}, about {}", &about[..5])
            }
            _ => format!("full in {when}"),
        });
    }
    if parts.is_empty() {
        parts.push("no level: ".to_owned() + row.facts.map_type.full_behavior());
    }
    parts.join("   ")
}

/// A rate with the time it was measured over: `+13/s (1m)`.
fn rate_over(rate: f64, time: Duration) -> String {
    // Samples come some milliseconds early or late.
    let seconds = (time + Duration::from_millis(500)).as_secs();
    let time = if seconds == 0 {
        time
    } else {
        Duration::from_secs(seconds)
    };
    format!("{} ({})", units::rate(rate), units::interval(time))
}

/// Everything that is known of a map but its level.
#[must_use]
pub fn facts(app: &App, row: &Row) -> Vec<DetailField> {
    let of = &row.facts;
    let fact = |name, text: String| DetailField { name, text };
    let mut facts = vec![fact(
        "type",
        format!("{}, {}", of.map_type, of.map_type.full_behavior()),
    )];
    if let (Some(since), Some(reading)) = (row.deleted_at, &app.reading) {
        let since = clock(app, reading.wall_time_at(since));
        facts.insert(0, fact("gone", format!("since {since}")));
    }
    if let Some(text) = verdict(row, app.thresholds()) {
        facts.push(fact("mark", text));
    }
    if let Some(text) = extremes(app, row) {
        facts.push(fact("level", text));
    }
    if let Some(text) = coarsened(app) {
        facts.push(fact("history", text));
    }
    let losses = losses::facts(app, row);
    // What was lost comes first, that nobody looked for it last.
    if of.loss.is_some() || row.stalled_for.is_some() {
        facts.extend(losses);
        facts.extend(ownership::facts(app, row));
    } else {
        facts.extend(ownership::facts(app, row));
        facts.extend(losses);
    }
    facts.push(fact("count", how_counted(row)));
    facts.extend(exact(app, row.key()).map(|text| fact("walked", text)));
    if let (Some(key), Some(value)) = (of.key_size, of.value_size) {
        let [key, value] = [key, value].map(|size| units::with_thousands_separators(size.into()));
        facts.push(fact("entry", format!("key {key} B, value {value} B")));
    }
    facts.push(fact(
        "max",
        format!(
            "{} max_entries",
            units::with_thousands_separators(of.max_entries.into())
        ),
    ));
    let flags = of.flags.map(|flags| match flags {
        MapFlags(0) => "none".to_owned(),
        flags => flags.to_string().replace(',', ", "),
    });
    let frozen = of.frozen.map(|is_frozen| {
        if is_frozen {
            "frozen: user space cannot write to it".to_owned()
        } else {
            "not frozen".to_owned()
        }
    });
    let known: Vec<_> = flags.into_iter().chain(frozen).collect();
    if !known.is_empty() {
        facts.push(fact("flags", known.join("; ")));
    }
    if let (Some(all), Some(users)) = (of.refs, of.user_refs) {
        let text = format!("{all}, {users} of them open files and pins");
        facts.push(fact("refs", text));
    }
    if let Some(reading) = &app.reading {
        facts.push(fact("seen", since_when(app, row, reading)));
    }
    facts
}

/// Since when a map is known.
fn since_when(app: &App, row: &Row, reading: &Reading) -> String {
    if let Some(made) = row.made {
        let made = clock(app, reading.wall_time_at(made));
        return format!("since {made}, when it was made");
    }
    let began = clock(app, reading.began.wall);
    match &app.player {
        None => format!("since {began}, when reading began; it is older"),
        Some(player) if player.moments.first() == Some(&reading.began) => {
            format!("since {began}, when the recording began; it is older")
        }
        // What comes before a jump was not read.
        Some(_) => format!("there at {began} already"),
    }
}

/// Why a map is marked; `None` if it is not.
fn verdict(row: &Row, thresholds: Thresholds) -> Option<String> {
    let mark = row.mark.filter(|mark| *mark != Mark::None)?;
    let sign = mark.sign();
    if let Some(refusal) = losses::loss_summary(row) {
        return Some(format!("{sign}  {refusal}"));
    }
    // What has no level is marked by what it refused alone.
    let is_held = row
        .pressure_lower_bound()
        .is_none_or(|pressure| match row.kind() {
            Kind::Stream => pressure < STREAM_WARN_PRESSURE || mark == Mark::Crit,
            _ => thresholds.mark_bounded(pressure, row.full_in) < mark,
        });
    if is_held {
        return Some(format!(
            "{sign}  was worse just now; the mark goes when it stays calm"
        ));
    }
    let when = units::full_in(row.full_in);
    Some(match (row.kind(), row.full_in) {
        (_, TimeToFull::Now) => format!("{sign}  full: {}", row.facts.map_type.when_full()),
        (Kind::Stream, _) => format!("{sign}  the backlog stays at or over 75 %"),
        (_, TimeToFull::In(_)) => format!("{sign}  full in {when} if it goes on like this"),
        (_, TimeToFull::Measuring) => format!("{sign}  nearly full"),
        (_, TimeToFull::Hint(_)) => format!("{sign}  nearly full; it may grow"),
        (_, _) => format!("{sign}  nearly full, and not growing"),
    })
}

fn how_counted(row: &Row) -> String {
    let count = &row.facts.count;
    let method = match count.method {
        CountMethod::None if row.facts.exported.is_some() => "told by its exporter",
        CountMethod::Counter => "by the kernel's own element counter",
        CountMethod::Field => "a number that the kernel keeps for it",
        CountMethod::Scan => "its slots were looked at",
        CountMethod::Estimate => "estimated",
        CountMethod::Walk => "every entry was visited",
        CountMethod::None => "not counted",
    };
    match count_note(count) {
        Some(note) => format!("{method}: {note}"),
        None => method.to_owned(),
    }
}

/// What a map came to when it was counted exactly, and when that was.
#[must_use]
pub fn exact(app: &App, key: &MapKey) -> Option<String> {
    let exact = app.exact(key)?;
    Some(format!(
        "{} entries at {}, counted in {}",
        units::with_thousands_separators(exact.entries),
        clock(app, exact.at.wall),
        units::short_time(exact.took)
    ))
}

/// Cells for the name of a fact.
pub const NAME_WIDTH: u16 = 8;
/// The cells at both sides of a line.
const MARGINS: u16 = 2;

/// A text in as many lines as it takes.
fn in_lines(text: &str, cells: u16) -> Vec<String> {
    textwrap::wrap(text, usize::from(cells.max(1)))
        .into_iter()
        .map(std::borrow::Cow::into_owned)
        .collect()
}

/// The lines of a page of a map's detail, top to bottom.
#[must_use]
pub fn lines_of_detail(app: &App, detail: &Detail) -> Vec<Line> {
    match detail.page {
        DetailPage::Overview => overview(app, &detail.row),
        DetailPage::Events => events(app, &detail.row),
    }
}

fn overview(app: &App, row: &Row) -> Vec<Line> {
    let room = app.size().0.saturating_sub(MARGINS);
    let mut lines = vec![Line::Blank];
    let level = in_lines(&level_and_growth(app, row), room);
    lines.extend(level.into_iter().map(Line::Level));
    if row.pressure.is_some() && row.deleted_at.is_none() {
        lines.push(Line::Bar);
        if row.kind() != Kind::Evicting {
            lines.push(Line::Ticks);
        }
    }
    lines.push(Line::Blank);
    // Two machines have maps of the same id and name.
    let node = row.key().node.as_deref().map(|node| DetailField {
        name: "node",
        text: node.to_owned(),
    });
    let mut facts: Vec<_> = node
        .into_iter()
        .chain(facts(app, row))
        .flat_map(|fact| {
            let texts = in_lines(&fact.text, room.saturating_sub(NAME_WIDTH));
            let names = std::iter::once(fact.name).chain(std::iter::repeat(""));
            let parts = names.zip(texts);
            parts.map(|(name, text)| Line::Fact(DetailField { name, text }))
        })
        .collect();
    // The chart has what the facts leave.
    let (page, _) = crate::tui::layout::page(app);
    let rest = page.saturating_sub(lines.len() + facts.len() + 1);
    // Facts can be scrolled to; what is not drawn at all cannot.
    let least = if page >= TALL { MIN_LEN } else { 0 };
    let height = rest.max(least);
    let chart = chart::lines(app, row, room.into(), height.min(TALLEST));
    if !chart.is_empty() {
        lines.extend(chart.into_iter().map(Line::Text));
        lines.push(Line::Blank);
    }
    lines.append(&mut facts);
    lines
}

/// Lines of a page that has room for a chart in any case ...
const TALL: usize = 20;
/// ... of this many lines.
const MIN_LEN: usize = 7;
/// A chart that is taller says no more.
const TALLEST: usize = 16;

fn events(app: &App, row: &Row) -> Vec<Line> {
    let Some(reading) = &app.reading else {
        return Vec::new();
    };
    let mut lines = vec![Line::Blank];
    let now = reading.moment.uptime;
    // What is looked at may be in the past.
    let events = app.history().events(row.key());
    for event in events.filter(|event| event.at <= now) {
        let what = match event.what {
            EventKind::Created => "was made".to_owned(),
            EventKind::Deleted => "is gone".to_owned(),
            EventKind::Crossed(at) => format!("crossed {} %, growing", units::percent(at)),
            EventKind::Full => "became full".to_owned(),
            EventKind::NoLongerFull => "is no longer full".to_owned(),
            EventKind::Began(kind, per_s) => {
                let what = match kind {
                    LossKind::Failed => "refuse updates",
                    LossKind::Dropped => "drop records",
                    LossKind::Evicted => "evict entries",
                };
                format!("began to {what}, {}", units::loss_rate(per_s))
            }
            EventKind::Ended(kind) => {
                let what = match kind {
                    LossKind::Failed => "refused no update",
                    LossKind::Dropped => "dropped no record",
                    LossKind::Evicted => "evicted no entry",
                };
                format!("has {what} for a minute")
            }
            EventKind::Fell(at) => format!("fell under {} %", units::percent(at)),
        };
        let at = clock(app, reading.wall_time_at(event.at));
        lines.push(Line::Text(format!("{at}  {what}")));
    }
    if lines.len() == 1 {
        let began = clock(app, reading.began.wall);
        lines.push(Line::Text(format!("nothing since {began}")));
    }
    lines
}

/// The highest and the lowest level since reading began, and when they were.
fn extremes(app: &App, row: &Row) -> Option<String> {
    let reading = app.reading.as_ref()?;
    let extremes = app.history().extremes(row.key())?;
    // What is looked at may be in the past, and what came later is not known there.
    let now_ms = in_ms(reading.moment.uptime);
    if extremes.highest.at_ms.max(extremes.lowest.at_ms) > now_ms {
        return None;
    }
    let say = |point: Point| {
        let at = clock(
            app,
            reading.wall_time_at(Duration::from_millis(point.at_ms)),
        );
        Some(format!(
            "{} at {at}",
            units::with_thousands_separators(point.used()?)
        ))
    };
    let (highest, lowest) = (say(extremes.highest)?, say(extremes.lowest)?);
    Some(format!("highest {highest}, lowest {lowest}"))
}

/// How much is remembered, where memory is short.
fn coarsened(app: &App) -> Option<String> {
    let detail = app.history().degraded_resolution()?;
    let [fine, step, whole] = [detail.fine, detail.step, detail.whole].map(units::interval);
    Some(format!(
        "coarser, since so many maps change: each sample for {fine}, then one in {step}, {whole} in all"
    ))
}

/// What a map refuses, of the selected one or, if that is told of elsewhere, of the one that refuses
/// most; `None` if none does.
#[must_use]
pub fn status_alarm<'a>(app: &'a App, selected: Option<&'a Row>) -> Option<(&'a Row, String)> {
    let most = || {
        // Whatever refuses is among those: most of the time there is nothing to look for.
        if app.tally.full == 0 {
            return None;
        }
        let refusing = app.rows().filter(|row| row.is_losing());
        let per_s = |row: &Row| row.loss_per_s().unwrap_or(0.0);
        refusing.reduce(|most, row| if per_s(row) > per_s(most) { row } else { most })
    };
    let row = selected.or_else(most)?;
    Some((row, losses::alarm(row)?))
}

/// Which map it is: id, name and, of a fleet, its machine.
#[must_use]
pub fn map_label(row: &Row) -> String {
    let key = row.key();
    match &key.node {
        Some(node) => format!("{} {} on {node}", key.id.0, row.facts.name),
        None => format!("{} {}", key.id.0, row.facts.name),
    }
}

/// A map in one line, exact where the table is short.
#[must_use]
pub fn in_one_line(row: &Row) -> String {
    let of = &row.facts;
    let mut parts = vec![map_label(row)];
    if row.deleted_at.is_some() {
        parts.push("gone".to_owned());
    }
    if let (Some(level), Some(_)) = (level(row), of.used) {
        parts.push(level);
    }
    if let Some(time) = row.stalled_for {
        parts.push(format!("reader stalled for {}", units::time(time)));
    }
    if let Some(note) = count_note(&of.count) {
        parts.push(note.to_string());
    }
    parts.push(format!("{}, {}", of.map_type, of.map_type.full_behavior()));
    if let (Some(key), Some(value)) = (of.key_size, of.value_size) {
        parts.push(format!("key {key} B, value {value} B"));
    }
    if let Some(flags) = of.flags.filter(|flags| flags.0 != 0) {
        parts.push(flags.to_string());
    }
    if of.frozen == Some(true) {
        parts.push("frozen".to_owned());
    }
    parts.join("  ")
}
