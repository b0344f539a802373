//! The level of a map over time: as a chart with the forecast up to its capacity, and as a sparkline.

use std::time::Duration;

use super::TextContext;
use crate::analysis::series::{Series, in_ms};
use crate::analysis::trend::TEN_MINUTES;
use crate::columns::glyphs::Glyphs;
use crate::text::units;
use crate::text::width::width;
use crate::types::map_type::Kind;
use crate::types::row::Row;
use crate::types::time_to_full::TimeToFull;

/// Cells for the labels of the axis and the gap behind them.
const AXIS_WIDTH: usize = 7;
/// Width and height below which no chart is drawn.
const MIN_SIZE: (usize, usize) = (24, 4);
/// A forecast takes at least the width divided by this.
const MIN_FORECAST_DIVISOR: usize = 6;
/// A forecast takes at most the width divided by this.
const MAX_FORECAST_DIVISOR: usize = 2;

/// The highest level in each of `cells` equal intervals that end at `to_ms`, except for the last,
/// which has the last level; `None` where no level is known.
fn levels(series: &Series, from_ms: u64, to_ms: u64, cells: usize) -> Vec<Option<u64>> {
    let mut levels = vec![None; cells];
    let span = to_ms.saturating_sub(from_ms).max(1);
    let cell_at = |at_ms: u64| {
        let passed = u128::from(at_ms.clamp(from_ms, to_ms) - from_ms);
        let cell = passed * cells as u128 / u128::from(span);
        usize::try_from(cell).unwrap_or(cells).min(cells - 1)
    };
    let points: Vec<_> = series.between(from_ms, to_ms).collect();
    for (n, point) in points.iter().enumerate() {
        let until = points.get(n + 1).map_or(to_ms, |next| next.at_ms);
        for level in &mut levels[cell_at(point.at_ms)..=cell_at(until)] {
            *level = (*level).max(point.used());
        }
    }
    // A drop just before the end stays visible.
    if let (Some(last), Some(point)) = (levels.last_mut(), points.last()) {
        *last = point.used();
    }
    levels
}

/// The level on a scale of 1 to `steps` between the lowest and the highest.
fn steps(level: u64, lowest: u64, highest: u64, steps: usize) -> usize {
    let range = u128::from(highest.saturating_sub(lowest).max(1));
    let over = u128::from(level.saturating_sub(lowest));
    let step = over * (steps as u128 - 1) / range;
    usize::try_from(step).unwrap_or(steps).min(steps - 1) + 1
}

/// The part of an LRU map's capacity, one in so many, below which a change of its level means nothing: it evicts in
/// batches (up to 128 entries for each CPU: `kernel/bpf/bpf_lru_list.c`), so that its level wavers while it
/// is full.
const EVICTION_NOISE_DIVISOR: u64 = 10;

/// Whether levels in this range differ only because an LRU map evicts. On a scale of their own, 8.0K to 8.2K of
/// 8.2K would look like a map that is emptied and filled again and again.
fn is_eviction_noise(row: &Row, lowest: u64, highest: u64) -> bool {
    row.kind() == Kind::Evicting
        && row
            .facts
            .capacity
            .is_some_and(|capacity| highest - lowest <= capacity / EVICTION_NOISE_DIVISOR)
}

/// The last ten minutes. A map has a scale of its own, unless its level hardly changes: then the
/// scale goes from 0 to the capacity.
pub(crate) fn draw_sparkline(
    series: &Series,
    row: &Row,
    now: Duration,
    cells: usize,
    glyphs: &Glyphs,
) -> String {
    let now_ms = in_ms(now);
    let from_ms = now_ms.saturating_sub(in_ms(TEN_MINUTES));
    let levels = levels(series, from_ms, now_ms, cells);
    let known = || levels.iter().flatten().copied();
    let (Some(mut lowest), Some(mut highest)) = (known().min(), known().max()) else {
        return String::new();
    };
    // On a scale of its own, a change of less than 2 % of the capacity would look like a large one.
    let capacity = row.facts.capacity.unwrap_or(highest).max(1);
    if highest == lowest
        || u128::from(highest - lowest) * 50 < capacity.into()
        || is_eviction_noise(row, lowest, highest)
    {
        (lowest, highest) = (0, capacity.max(highest));
    }
    let cell = |level: Option<u64>| {
        level.map_or(' ', |level| {
            glyphs.levels[steps(level, lowest, highest, 8) - 1]
        })
    };
    levels.into_iter().map(cell).collect()
}

/// A chart of the last ten minutes; no lines if there is no room, or nothing to show.
pub(crate) fn lines(context: &TextContext, row: &Row, cells: usize, height: usize) -> Vec<String> {
    let (Some(series), Some(reading)) = (context.history.series(row.key()), context.reading) else {
        return Vec::new();
    };
    if cells < MIN_SIZE.0 || height < MIN_SIZE.1 || row.pressure.is_none() {
        return Vec::new();
    }
    let now = reading.moment.uptime;
    let plot = cells - AXIS_WIDTH;
    let observed = now.saturating_sub(reading.began.uptime);
    let span = observed.clamp(Duration::from_secs(10), TEN_MINUTES);
    let forecast = match (row.full_in, row.facts.capacity) {
        (TimeToFull::In(seconds), Some(capacity)) => Some((seconds, capacity)),
        _ => None,
    };
    let ahead = forecast.map_or(0, |(seconds, _)| cells_ahead(plot, span, seconds));
    let past = plot - ahead;
    let from = now.saturating_sub(span);
    let levels = levels(series, in_ms(from), in_ms(now), past);
    let known = || levels.iter().flatten().copied();
    let (Some(mut lowest), Some(mut highest)) = (known().min(), known().max()) else {
        return Vec::new();
    };
    if is_eviction_noise(row, lowest, highest) {
        (lowest, highest) = (0, row.facts.capacity.unwrap_or(highest).max(highest));
    } else if lowest == highest {
        // A constant level is drawn as a full bar.
        lowest = 0;
    }
    let used = row.facts.used.unwrap_or(lowest);
    let future = forecast.map_or_else(Vec::new, |(seconds, capacity)| {
        let part_of_cell = span.as_secs_f64() / cells_in_f64(past) / seconds;
        let cells = 1..=ahead;
        cells
            .map(|n| forecast_at(used, capacity, part_of_cell * cells_in_f64(n)))
            .collect()
    });
    let highest = future.last().map_or(highest, |last| highest.max(*last));
    let body = height - 1;
    let all = body * 8;
    let columns: Vec<_> = levels
        .iter()
        .map(|level| level.map(|level| (steps(level, lowest, highest, all), false)))
        .chain(
            future
                .into_iter()
                .map(|level| Some((steps(level, lowest, highest, all), true))),
        )
        .collect();
    // Labels that would be equal when rounded have all their digits.
    let amount = |level| units::amount(level, row.unit());
    let is_close = amount(lowest) == amount(highest);
    let label = |level| {
        let exact = units::with_thousands_separators(level);
        if is_close && exact.len() < AXIS_WIDTH {
            exact
        } else {
            amount(level)
        }
    };
    let mut lines = Vec::with_capacity(height);
    for line in 0..body {
        let under = (body - 1 - line) * 8;
        let label = match line {
            0 => label(highest),
            _ if line + 1 == body && lowest < highest => label(lowest),
            _ => "".into(),
        };
        let cells = columns.iter().map(|column| match column {
            Some((filled, true)) if *filled > under => context.glyphs.forecast,
            Some((filled, false)) if *filled > under => {
                context.glyphs.levels[(filled - under).min(8) - 1]
            }
            _ => ' ',
        });
        let cells: String = cells.collect();
        lines.push(format!("{label:>6} {}", cells.trim_end()));
    }
    let is_cut = forecast.is_some_and(|(_, capacity)| highest < capacity);
    let until = is_cut.then(|| span.mul_f64(cells_in_f64(ahead) / cells_in_f64(past)));
    lines.push(draw_time_axis(context, (from, now), (past, ahead), until));
    lines
}

fn cells_in_f64(cells: usize) -> f64 {
    u32::try_from(cells).unwrap_or(u32::MAX).into()
}

/// How many of `plot` cells the forecast has: at the scale of the past it ends where the map is
/// full, within limits.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a saturating cast is what is wanted"
)]
fn cells_ahead(plot: usize, span: Duration, full_in: f64) -> usize {
    let span = span.as_secs_f64();
    let ahead = (cells_in_f64(plot) * full_in / (span + full_in)).ceil() as usize;
    ahead.clamp(plot / MIN_FORECAST_DIVISOR, plot / MAX_FORECAST_DIVISOR)
}

/// The forecast level after this part of the time to full.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the level is only drawn, and lies between two counts"
)]
fn forecast_at(used: u64, capacity: u64, part: f64) -> u64 {
    let left = capacity.saturating_sub(used) as f64;
    used + (left * part.clamp(0.0, 1.0)) as u64
}

/// The axis of time under a chart. `until` is the end of a forecast that does not reach the capacity.
fn draw_time_axis(
    context: &TextContext,
    (from, now): (Duration, Duration),
    (past, ahead): (usize, usize),
    until: Option<Duration>,
) -> String {
    let Some(reading) = context.reading else {
        return String::new();
    };
    let start = context.clock(reading.wall_time_at(from));
    let end = if now == reading.moment.uptime && !context.is_paused && !context.is_replay() {
        "now".to_owned()
    } else {
        context.clock(reading.moment.wall)
    };
    let gap = past.saturating_sub(width(&start) + width(&end)).max(1);
    let mut line = format!("{:AXIS_WIDTH$}{start}{:gap$}{end}", "", "");
    let until = until.and_then(|until| reading.moment.wall.checked_add(until).ok());
    let forecast = match until {
        Some(until) => format!("  forecast to {}", context.clock(until)),
        None => "  forecast".to_owned(),
    };
    if ahead >= width(&forecast) {
        line.push_str(&forecast);
    } else if ahead > "  forecast".len() {
        line.push_str("  forecast");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::glyphs::UTF8;
    use crate::test_util::{MapBuilder, map, reading};

    fn series(points: &[(u64, u64)]) -> Series {
        let mut series = Series::default();
        for (second, used) in points {
            series.push(second * 1000, Some(*used));
        }
        series
    }

    #[test]
    fn each_cell_has_the_highest_level_of_its_time() {
        let series = series(&[(0, 5), (10, 9), (11, 2), (30, 4)]);
        let levels = levels(&series, 0, 40_000, 4);
        assert_eq!(levels, [Some(5), Some(9), Some(2), Some(4)]);
        let before = super::levels(&series, 0, 40_000, 2);
        assert_eq!(before, [Some(9), Some(4)]);
    }

    #[test]
    fn a_forecast_is_as_wide_as_the_past_would_draw_it() {
        let minutes = |count: u64| Duration::from_secs(count * 60);
        let ahead = |full_in: u64| cells_ahead(60, minutes(10), minutes(full_in).as_secs_f64());
        assert_eq!(ahead(5), 20, "half as long as the past, so half as wide");
        assert_eq!(ahead(1), 10, "not less than can be seen");
        assert_eq!(ahead(600), 30, "not more than the past");
        assert_eq!(forecast_at(40, 100, 0.5), 70);
        assert_eq!(forecast_at(40, 100, 3.0), 100);
    }

    #[test]
    fn the_scale_of_an_lru_map_that_evicts_in_batches_begins_at_0() {
        let points: Vec<_> = (0..600)
            .map(|second| (second, 8192 - second % 5 * 60))
            .collect();
        let now = Duration::from_secs(10 * 60);
        let line = |map: MapBuilder| {
            let reading = reading([map.used(8192, 8192)]);
            draw_sparkline(&series(&points), &reading.rows[0], now, 8, &UTF8)
        };
        assert_eq!(line(map("m").named_type("lru_hash")), "███████▇");
        assert_ne!(line(map("m")), "███████▇");
        let row = |name: &str| {
            let map = map("m").named_type(name).used(8192, 8192);
            reading([map]).rows.remove(0)
        };
        assert!(is_eviction_noise(&row("lru_hash"), 7952, 8192));
        assert!(!is_eviction_noise(&row("lru_hash"), 5000, 8192));
        assert!(!is_eviction_noise(&row("hash"), 7952, 8192));
    }

    #[test]
    fn a_sparkline_is_scaled_only_if_the_level_changes() {
        let line = |points: &[(u64, u64)], capacity| {
            let reading = reading([map("m").used(1, capacity)]);
            let now = Duration::from_secs(10 * 60);
            draw_sparkline(&series(points), &reading.rows[0], now, 8, &UTF8)
        };
        assert_eq!(line(&[(0, 100), (300, 800)], 1000), "▁▁▁▁████");
        assert_eq!(line(&[(0, 500)], 1000), "▄▄▄▄▄▄▄▄");
        assert_eq!(line(&[(0, 1000)], 1000), "████████");
        assert_eq!(line(&[(0, 10)], 10), "████████");
        assert_eq!(line(&[(0, 800), (599, 10)], 1000), "███████▁");
        assert_eq!(line(&[(0, 500), (300, 505)], 1000), "▄▄▄▄▄▄▄▄");
        assert_eq!(line(&[(450, 1000)], 1000), "      ██");
    }
}
