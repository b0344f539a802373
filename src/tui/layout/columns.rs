//! Which columns fit on a screen of some width, and their positions. No I/O.

use super::WIDE_ENOUGH;
use crate::query::fields::{ATTENTION, ColumnId, ID, LIFETIME, LOSS, NAME, NODE, OWNER, PRESSURE};

/// A column on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnRect {
    /// The column.
    pub id: ColumnId,
    pub(crate) x: u16,
    /// Cells of the column.
    pub width: u16,
}

/// The columns of a table, left to right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// The columns that fit.
    pub shown: Vec<ColumnRect>,
    /// Cells of the bar of the pressure; 0 for none.
    pub(crate) bar: usize,
    /// Whether a cell is free between the mark and the first column.
    pub(crate) has_gap: bool,
}

/// Cells of the mark, at the left edge.
const MARK_WIDTH: u16 = 1;

/// A name is not cut to fewer cells while there are other columns.
fn min_name_width(width: u16) -> u16 {
    if width >= WIDE_ENOUGH { 12 } else { 8 }
}

fn bar_width(width: u16) -> usize {
    match width {
        ..36 => 0,
        36..132 => 8,
        132..160 => 10,
        160.. => 12,
    }
}

/// Losses have a column from this width on while they are traced.
const MIN_WIDTH_FOR_LOSS: u16 = 80;
/// Weight of that column: it is dropped after types and memory.
const LOSS_WEIGHT: u16 = 71;

/// The lifetime of entries has a column from this width on while losses are traced.
const MIN_WIDTH_FOR_LIFETIME: u16 = 150;

/// Nodes have a column from this width on in a fleet.
const MIN_WIDTH_FOR_NODE: u16 = 44;

/// What the columns depend on besides the width of the screen.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ColumnRequest<'a> {
    /// Columns chosen by the user, instead of those that fit.
    pub(crate) chosen: Option<&'a [ColumnId]>,
    /// How many columns are scrolled away at the left; the name stays.
    pub(crate) scrolled: usize,
    /// Whether numbers are exact and names are not cut.
    pub(crate) is_exact: bool,
    pub(crate) max_id: u32,
    pub(crate) is_tracing_losses: bool,
    pub(crate) is_fleet: bool,
}

impl ColumnRequest<'_> {
    /// The columns from left to right, whether they fit or not.
    fn ids(&self, width: u16) -> Vec<ColumnId> {
        let mut ids: Vec<_> = match self.chosen {
            Some(chosen) => chosen.to_vec(),
            None => ColumnId::all()
                .filter(|id| {
                    let min_width = match id.column().min_terminal_width {
                        Some(_) if *id == LOSS && self.is_tracing_losses => {
                            Some(MIN_WIDTH_FOR_LOSS)
                        }
                        None if *id == LIFETIME && self.is_tracing_losses => {
                            Some(MIN_WIDTH_FOR_LIFETIME)
                        }
                        None if *id == NODE && self.is_fleet => Some(MIN_WIDTH_FOR_NODE),
                        min_width => min_width,
                    };
                    min_width.is_some_and(|min_width| self.scrolled > 0 || min_width <= width)
                })
                .collect(),
        };
        let mut left = self.scrolled;
        ids.retain(|id| {
            let is_out = *id != NAME && left > 0;
            left -= usize::from(is_out);
            !is_out
        });
        ids
    }
}

/// The columns that fit into `width` cells. The heaviest are dropped first; when scrolled, those at
/// the right. Mark and name always stay.
pub(crate) fn columns(width: u16, request: &ColumnRequest) -> Columns {
    let bar = bar_width(width);
    let ids = request.ids(width);
    let gap = u16::from(width >= WIDE_ENOUGH);
    let min_name = min_name_width(width);
    let cells = |id: ColumnId| {
        let own = if request.is_exact {
            id.column().exact_width
        } else {
            id.column().width
        };
        if id == PRESSURE {
            own + u16::try_from(bar).unwrap_or(0)
        } else if id == ID {
            own.max(digits(request.max_id))
        } else {
            own
        }
    };
    let left = width.saturating_sub(MARK_WIDTH + gap);
    let mut widths: Vec<_> = ids.iter().map(|id| (*id, cells(*id))).collect();
    let needed = |widths: &[(ColumnId, u16)]| -> u16 {
        widths
            .iter()
            .map(|(_, width)| width + 1)
            .sum::<u16>()
            .saturating_sub(1)
    };
    // The name is cut first, then whole columns are dropped.
    while needed(&widths) > left {
        let over = needed(&widths) - left;
        let name = widths.iter_mut().find(|(id, _)| *id == NAME);
        if let Some((_, width)) = name
            && *width > min_name
        {
            *width = width.saturating_sub(over).max(min_name);
            continue;
        }
        let last = if request.scrolled > 0 {
            widths.iter().rposition(|(id, _)| *id != NAME)
        } else {
            first_to_drop(&widths, request.is_tracing_losses)
        };
        if let Some(index) = last {
            widths.remove(index);
            // Give the freed width back to the name column.
            if let Some((id, width)) = widths.iter_mut().find(|(id, _)| *id == NAME) {
                *width = cells(*id);
            }
        } else {
            // Only the name is left, or nothing.
            for (_, width) in &mut widths {
                *width = left;
            }
            break;
        }
    }
    // Give the rest to the owner column.
    let rest = left.saturating_sub(needed(&widths));
    if let Some((id, width)) = widths.iter_mut().find(|(id, _)| *id == OWNER) {
        *width += rest.min(id.column().exact_width.saturating_sub(*width));
    }
    let mut x = MARK_WIDTH + gap;
    let mut shown = Vec::with_capacity(widths.len());
    for (id, width) in widths {
        shown.push(ColumnRect { id, x, width });
        x += width + 1;
    }
    Columns {
        shown,
        bar,
        has_gap: gap > 0,
    }
}

/// The index of the column to drop first: the one that needs the widest screen, of several the
/// rightmost. Pressure goes last, the name never.
fn first_to_drop(widths: &[(ColumnId, u16)], is_tracing_losses: bool) -> Option<usize> {
    let weight = |id: ColumnId| match id.column().min_terminal_width {
        _ if id == PRESSURE => 0,
        Some(_) if id == LOSS && is_tracing_losses => LOSS_WEIGHT,
        None if id == LIFETIME && is_tracing_losses => MIN_WIDTH_FOR_LIFETIME,
        // Chosen by the user.
        None => 1,
        Some(min_width) => min_width.max(1),
    };
    (0..widths.len())
        .filter(|index| widths[*index].0 != NAME)
        .max_by_key(|index| (weight(widths[*index].0), *index))
}

fn digits(number: u32) -> u16 {
    u16::try_from(number.checked_ilog10().unwrap_or(0) + 1).unwrap_or(10)
}

/// Whether there are columns to the right that scrolling would show.
pub(crate) fn can_scroll(width: u16, request: &ColumnRequest) -> bool {
    let scrolled = ColumnRequest {
        scrolled: request.scrolled + 1,
        ..*request
    };
    let ids = scrolled.ids(width);
    let last = columns(width, request).shown.last().map(|shown| shown.id);
    ids.len() > 1 && ids.last().copied() != last
}

/// The columns that `<` and `>` go through: attention, then those on the screen.
pub(crate) fn sortable(width: u16, request: &ColumnRequest) -> Vec<ColumnId> {
    let shown = columns(width, request).shown.into_iter();
    let others = shown.map(|shown| shown.id).filter(|id| *id != ATTENTION);
    std::iter::once(ATTENTION).chain(others).collect()
}

#[cfg(test)]
mod tests;
