//! What a key asks for, and what the loop is to do about it.

use tui_input::InputRequest;

use crate::query::columns::ColumnId;

/// What a key asks for. What it does depends on where it is pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// One up: a map, a line, an earlier text.
    Up,
    /// One down.
    Down,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// Half a page up.
    HalfUp,
    /// Half a page down.
    HalfDown,
    /// To the top; the table lets go of the selected map.
    First,
    /// To the end.
    Last,
    /// Opens the filter prompt.
    AskFilter,
    /// Opens the interval prompt.
    AskInterval,
    /// Opens the list of columns to sort by.
    AskSort,
    /// Sorts by the column to the left of the present one.
    SortLeft,
    /// Sorts by the column to the right.
    SortRight,
    /// Sorts by a column.
    SortBy(ColumnId),
    /// Turns the order round.
    Reverse,
    /// Stops the screen, or lets it go on.
    Pause,
    /// A longer interval.
    Longer,
    /// A shorter interval.
    Shorter,
    /// Takes a sample at once.
    SampleNow,
    /// Draws the whole screen anew.
    Redraw,
    /// Opens the help.
    Help,
    /// Changes what is typed, or moves in it.
    Edit(InputRequest),
    /// Keeps what was typed or chosen.
    Accept,
    /// One step back.
    Back,
    /// One step back; at the top, out.
    Quit,
    /// Out.
    QuitNow,
}

/// What the loop is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing but draw.
    Draw,
    /// End.
    Quit,
    /// Take a sample.
    Sample,
    /// Draw every cell, not only those that changed.
    Redraw,
}
