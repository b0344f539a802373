//! What a key asks for, and what the loop is to do about it.

use tui_input::InputRequest;

use crate::query::fields::ColumnId;
use crate::types::map_id::MapId;

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
    /// One to the left: the columns, the place of a column.
    Left,
    /// One to the right.
    Right,
    /// Keeps the selected map on the screen while it moves, or no longer.
    Follow,
    /// Opens the selected map.
    Open,
    /// Opens the filter prompt.
    AskFilter,
    /// Opens the search prompt.
    AskSearch,
    /// Opens the interval prompt.
    AskInterval,
    /// Opens the prompt for a time to go to.
    AskTime,
    /// Completes what is being typed; a search becomes a filter.
    Complete,
    /// To the next that was searched for.
    NextFound,
    /// To the one before it.
    PreviousFound,
    /// Keeps the selected map at the top of the table, or no longer.
    Keep,
    /// Keeps none at the top any longer.
    KeepNone,
    /// Opens the list of columns to sort by.
    AskSort,
    /// Opens the list of owners, to choose one as a filter.
    AskOwner,
    /// Opens the list of owners, to look at them.
    Group,
    /// Sorts by the column to the left of the present one.
    SortLeft,
    /// Sorts by the column to the right.
    SortRight,
    /// Sorts by a column.
    SortBy(ColumnId),
    /// Turns the order round.
    Reverse,
    /// Shows or hides the preview.
    Preview,
    /// Numbers exact and names whole, or short again.
    Exact,
    /// Opens the list of columns to show.
    AskColumns,
    /// Shows a column, or hides it.
    Toggle,
    /// The columns as they are by themselves.
    Default,
    /// The next theme.
    NextTheme,
    /// Stops the screen, or lets it go on.
    Pause,
    /// A longer interval.
    Longer,
    /// A shorter interval.
    Shorter,
    /// A recording plays faster.
    Faster,
    /// A recording plays slower.
    Slower,
    /// The sample after the one on the screen.
    NextSample,
    /// The sample before it.
    PreviousSample,
    /// A minute on.
    MinuteOn,
    /// A minute back.
    MinuteBack,
    /// Takes a sample at once.
    SampleNow,
    /// Watches what maps lose, or no longer.
    WatchLosses,
    /// Draws the whole screen anew.
    Redraw,
    /// Opens the help.
    Help,
    /// Opens the page about what can be shown here.
    System,
    /// Examines this machine once more.
    ExamineAgain,
    /// Counts the selected map exactly, if the user still wants to when told what that takes.
    CountExactly,
    /// Turns to the page of this number, from 0 on.
    Page(usize),
    /// Turns to the next page.
    NextPage,
    /// To the map above, in its page.
    PreviousMap,
    /// To the map below.
    NextMap,
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
    /// Out, and leaves what is on the screen behind.
    QuitShowing,
    /// Gives the terminal back until the shell says `fg`.
    Suspend,
}

/// What the loop is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing but draw.
    Draw,
    /// End.
    Quit,
    /// End, and leave what is on the screen behind.
    QuitShowing,
    /// Take a sample.
    Sample,
    /// Watch what maps lose, or no longer, and take a sample.
    WatchLosses(bool),
    /// Show this sample of a recording.
    Seek(usize),
    /// Find out what can be shown here.
    Examine,
    /// Count this map exactly.
    Count(MapId),
    /// Stop counting.
    StopCounting,
    /// Draw every cell, not only those that changed.
    Redraw,
    /// Give the terminal back until the shell says `fg`.
    Suspend,
}
