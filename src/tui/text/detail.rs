//! The detail of one map: its fields, also shown in the preview, and the lines of its pages.

use std::time::Duration;

use super::level::describe_level_and_growth;
use super::{TextContext, chart, events, losses, ownership};
use crate::analysis::series::{Point, in_ms};
use crate::analysis::thresholds::STREAM_WARN_PRESSURE;
use crate::text::count_note::count_note;
use crate::text::plural::count_noun;
use crate::text::units;
use crate::tui::screen_kind::DetailPage;
use crate::types::count::CountMethod;
use crate::types::map_flags::MapFlags;
use crate::types::map_id::MapKey;
use crate::types::map_type::Kind;
use crate::types::mark::{Mark, MarkReason};
use crate::types::reading::Reading;
use crate::types::row::Row;
use crate::types::snapshot::KernelFacts;
use crate::types::time_to_full::TimeToFull;

/// A name and a value, as in `type    hash, refuses inserts when full`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DetailField {
    /// Empty where a line continues the field above.
    pub(crate) name: &'static str,
    pub(crate) text: String,
    pub(crate) is_strong: bool,
}

impl DetailField {
    pub(crate) fn new(name: &'static str, text: impl Into<String>) -> Self {
        Self {
            name,
            text: text.into(),
            is_strong: false,
        }
    }

    /// A field of several lines, with the name before the first only.
    pub(crate) fn list(
        name: &'static str,
        lines: impl IntoIterator<Item = String>,
    ) -> impl Iterator<Item = Self> {
        std::iter::once(name)
            .chain(std::iter::repeat(""))
            .zip(lines)
            .map(|(name, text)| Self::new(name, text))
    }
}

/// A line of a detail page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DetailLine {
    Blank,
    /// The level in words.
    Level(String),
    /// A line of the chart, or an event.
    Text(String),
    /// The level as a bar over the whole width.
    Bar,
    /// The thresholds of the marks, under the bar.
    Ticks,
    Field(DetailField),
}

/// Everything that is known of a map except its level.
pub(crate) fn fields(context: &TextContext, row: &Row) -> Vec<DetailField> {
    let facts = &row.facts;
    let mut fields = vec![DetailField::new(
        "type",
        format!("{}, {}", facts.map_type, facts.map_type.full_behavior()),
    )];
    if let (Some(since), Some(reading)) = (row.deleted_at, context.reading) {
        let since = context.clock(reading.wall_time_at(since));
        fields.insert(0, DetailField::new("deleted", format!("at {since}")));
    }
    if let Some(text) = explain_mark(row) {
        fields.push(DetailField {
            is_strong: true,
            ..DetailField::new("mark", text)
        });
    }
    if let Some(text) = describe_extremes(context, row) {
        fields.push(DetailField::new("level", text));
    }
    if let Some(text) = describe_resolution(context) {
        fields.push(DetailField::new("history", text));
    }
    let losses = losses::loss_fields(context, row);
    // Losses come before the owner; that nobody traced them comes after it.
    if facts.loss.is_some() || row.stalled_for.is_some() {
        fields.extend(losses);
        fields.extend(ownership::ownership_fields(context, row));
    } else {
        fields.extend(ownership::ownership_fields(context, row));
        fields.extend(losses);
    }
    fields.push(DetailField::new("count", describe_count_method(row)));
    fields.extend(
        describe_exact_count(context, row.key()).map(|text| DetailField::new("walked", text)),
    );
    if let (Some(key), Some(value)) = (facts.key_size, facts.value_size) {
        let [key, value] = [key, value].map(|size| units::with_thousands_separators(size.into()));
        fields.push(DetailField::new(
            "entry",
            format!("key {key} B, value {value} B"),
        ));
    }
    fields.push(DetailField::new(
        "max",
        format!(
            "{} max_entries",
            units::with_thousands_separators(facts.max_entries.into())
        ),
    ));
    let flags = facts.flags.map(|flags| match flags {
        MapFlags(0) => "none".to_owned(),
        flags => flags.to_string().replace(',', ", "),
    });
    let frozen = facts.kernel().map(|kernel| {
        if kernel.is_frozen {
            "frozen: user space cannot write to it".to_owned()
        } else {
            "not frozen".to_owned()
        }
    });
    let known: Vec<_> = flags.into_iter().chain(frozen).collect();
    if !known.is_empty() {
        fields.push(DetailField::new("flags", known.join("; ")));
    }
    if let Some(KernelFacts {
        refs, user_refs, ..
    }) = facts.kernel()
    {
        let text = format!("{refs} in total; open files and pins: {user_refs}");
        fields.push(DetailField::new("refs", text));
    }
    if let Some(reading) = context.reading {
        fields.push(DetailField::new(
            "seen",
            describe_first_seen(context, row, reading),
        ));
    }
    fields
}

fn describe_first_seen(context: &TextContext, row: &Row, reading: &Reading) -> String {
    if let Some(created_at) = row.created_at {
        let created_at = context.clock(reading.wall_time_at(created_at));
        return format!("since {created_at}, when it was created");
    }
    let began = context.clock(reading.began.wall);
    match context.recording_start {
        None => format!("since {began}, the first sample; the map is older"),
        Some(start) if start == reading.began => {
            format!("since {began}, the start of the recording; the map is older")
        }
        // A seek skips what was recorded before it.
        Some(_) => format!("existed at {began} already"),
    }
}

/// Why a map is marked; `None` if it is not.
fn explain_mark(row: &Row) -> Option<String> {
    let mark = row.mark.filter(|mark| *mark != Mark::None)?.name();
    let Some(reason) = row.mark_reason else {
        return Some(format!("{mark}: by the exporter"));
    };
    let why = match reason {
        // The mark stays for some samples after the last loss.
        MarkReason::Refusals => losses::summarize_loss(row)
            .unwrap_or_else(|| "refused updates some seconds ago".to_owned()),
        MarkReason::Drops => losses::summarize_loss(row)
            .unwrap_or_else(|| "dropped records some seconds ago".to_owned()),
        MarkReason::Collisions => {
            "many stacks are refused: another stack is in their slot".to_owned()
        }
        MarkReason::BecameFull => format!("full, {}", row.facts.map_type.when_full()),
        MarkReason::FoundFull => match &row.facts.loss {
            Some(loss) if loss.failed.is_some() => {
                "full when first seen; no update was refused so far".to_owned()
            }
            _ => "full when first seen; refused updates are not watched".to_owned(),
        },
        MarkReason::FullSoon => format!("full in {} at this growth", units::full_in(row.full_in)),
        MarkReason::GrowingNearFull => "nearly full and growing".to_owned(),
        MarkReason::HighPressure => match row.full_in {
            TimeToFull::Measuring => "nearly full".to_owned(),
            TimeToFull::Hint(_) | TimeToFull::In(_) => "nearly full, and may be growing".to_owned(),
            _ => "nearly full, not growing".to_owned(),
        },
        MarkReason::Backlog => {
            let percent = units::percent(STREAM_WARN_PRESSURE);
            format!("the backlog stays at {percent} % or more")
        }
        MarkReason::ShortLifetime => {
            let lifetime = row.entry_lifetime().unwrap_or_default();
            format!(
                "entries are evicted after {}",
                units::entry_lifetime(lifetime)
            )
        }
    };
    Some(format!("{mark}: {why}"))
}

fn describe_count_method(row: &Row) -> String {
    let count = &row.facts.count;
    let method = match count.method {
        CountMethod::None if row.facts.is_exported() => "as exported",
        CountMethod::Counter => "by the kernel's counter",
        CountMethod::Field => "from a number in the kernel's structure of the map",
        CountMethod::Scan => "by scanning the slots",
        CountMethod::Estimate => "estimated",
        CountMethod::Walk => "by visiting every entry",
        CountMethod::None => "not counted",
    };
    match count_note(count) {
        Some(note) if note.starts_with(method) => note.into_owned(),
        Some(note) => format!("{method}: {note}"),
        None => method.to_owned(),
    }
}

/// The last exact count of a map, and when it was made.
pub(crate) fn describe_exact_count(context: &TextContext, key: &MapKey) -> Option<String> {
    let exact = context.exact_counts.get(key)?;
    Some(format!(
        "{} at {}, counted in {}",
        count_noun(exact.entries, "entry", "entries"),
        context.clock(exact.at.wall),
        units::short_time(exact.took)
    ))
}

/// Cells for the name of a field.
pub(crate) const NAME_WIDTH: u16 = 8;
/// Cells for the margins at both sides of a line.
const MARGINS: u16 = 2;

/// Pages of at least this many lines always have a chart.
const MIN_HEIGHT_FOR_CHART: usize = 20;
/// Lines of that chart when the fields leave no room for it.
const MIN_CHART_HEIGHT: usize = 7;
/// A taller chart shows no more.
const MAX_CHART_HEIGHT: usize = 16;

fn wrap(text: &str, cells: u16) -> Vec<String> {
    textwrap::wrap(text, usize::from(cells.max(1)))
        .into_iter()
        .map(std::borrow::Cow::into_owned)
        .collect()
}

/// The lines of a page, for a screen of this width that shows `height` of them at once.
pub(crate) fn lines(
    context: &TextContext,
    page: DetailPage,
    row: &Row,
    width: u16,
    height: usize,
) -> Vec<DetailLine> {
    match page {
        DetailPage::Overview => overview(context, row, width, height),
        DetailPage::Events => std::iter::once(DetailLine::Blank)
            .chain(
                events::event_lines(context, row)
                    .into_iter()
                    .map(DetailLine::Text),
            )
            .collect(),
    }
}

fn overview(context: &TextContext, row: &Row, width: u16, height: usize) -> Vec<DetailLine> {
    let room = width.saturating_sub(MARGINS);
    let mut lines = vec![DetailLine::Blank];
    let level = wrap(&describe_level_and_growth(context, row), room);
    lines.extend(level.into_iter().map(DetailLine::Level));
    if row.pressure.is_some() && row.deleted_at.is_none() {
        lines.push(DetailLine::Bar);
        if row.kind() != Kind::Evicting {
            lines.push(DetailLine::Ticks);
        }
    }
    lines.push(DetailLine::Blank);
    // Maps of two machines may have the same id and name.
    let node = row.key().node.as_deref();
    let node = node.map(|node| DetailField::new("node", node));
    let mut fields: Vec<_> = node
        .into_iter()
        .chain(fields(context, row))
        .flat_map(|field| wrap_field(&field, room))
        .map(DetailLine::Field)
        .collect();
    // The fields can be scrolled to, so the chart is not left out for them.
    let min_height = if height >= MIN_HEIGHT_FOR_CHART {
        MIN_CHART_HEIGHT
    } else {
        0
    };
    let rest = height.saturating_sub(lines.len() + fields.len() + 1);
    let chart_height = rest.max(min_height).min(MAX_CHART_HEIGHT);
    let chart = chart::lines(context, row, room.into(), chart_height);
    if !chart.is_empty() {
        lines.extend(chart.into_iter().map(DetailLine::Text));
        lines.push(DetailLine::Blank);
    }
    lines.append(&mut fields);
    lines
}

fn wrap_field(field: &DetailField, room: u16) -> Vec<DetailField> {
    let texts = wrap(&field.text, room.saturating_sub(NAME_WIDTH));
    let mut lines: Vec<_> = DetailField::list(field.name, texts).collect();
    if let Some(first) = lines.first_mut() {
        first.is_strong = field.is_strong;
    }
    lines
}

/// The highest and the lowest level so far, and when they were measured.
fn describe_extremes(context: &TextContext, row: &Row) -> Option<String> {
    let reading = context.reading?;
    let extremes = context.history.extremes(row.key())?;
    // The reading may be an earlier one, at which later extremes were not known.
    let now_ms = in_ms(reading.moment.uptime);
    if extremes.highest.at_ms.max(extremes.lowest.at_ms) > now_ms {
        return None;
    }
    let describe = |point: Point| {
        let at = context.clock(reading.wall_time_at(Duration::from_millis(point.at_ms)));
        Some(format!(
            "{} at {at}",
            units::with_thousands_separators(point.used()?)
        ))
    };
    let (highest, lowest) = (describe(extremes.highest)?, describe(extremes.lowest)?);
    Some(format!("highest {highest}, lowest {lowest}"))
}

/// The resolution of the history, where memory limits it.
fn describe_resolution(context: &TextContext) -> Option<String> {
    let resolution = context.history.degraded_resolution()?;
    let [fine, step, whole] =
        [resolution.fine, resolution.step, resolution.total].map(units::interval);
    Some(format!(
        "coarser, since many maps change: every sample for {fine}, then one per {step}, {whole} in total"
    ))
}
