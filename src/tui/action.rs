//! Actions that keys are bound to, and effects that they have outside of the state.

use tui_input::InputRequest;

use crate::query::fields::ColumnId;
use crate::types::map_id::MapId;

/// What a key asks for. The screen that it is pressed in decides what that means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "most variants need no more than their name")]
pub enum Action {
    /// To the line above; in a prompt, to earlier input.
    Up,
    Down,
    PageUp,
    PageDown,
    HalfPageUp,
    HalfPageDown,
    /// To the top; the table deselects the map.
    First,
    Last,
    /// Scrolls the columns, or moves a column in the column picker.
    Left,
    Right,
    /// Starts or stops keeping the selected map on the screen while its row moves.
    ToggleFollow,
    OpenDetail,
    OpenFilter,
    OpenSearch,
    OpenInterval,
    OpenTime,
    /// Completes the input; a search becomes a filter.
    Complete,
    NextMatch,
    PreviousMatch,
    /// Keeps the selected map at the top of the table, or releases it.
    TogglePinned,
    UnpinAll,
    OpenSortMenu,
    /// Opens the owner list to choose one as a filter.
    ChooseOwner,
    /// Opens the owner list to browse it.
    OpenOwnerList,
    /// Sorts by the column to the left of the sort column.
    SortLeft,
    SortRight,
    SortBy(ColumnId),
    ReverseSort,
    TogglePreview,
    /// Shows exact numbers and whole names, or short ones.
    ToggleExact,
    OpenColumnPicker,
    /// Shows the selected column, or hides it.
    ToggleColumn,
    DefaultColumns,
    NextTheme,
    /// Pauses or resumes, live or in a recording.
    TogglePause,
    LongerInterval,
    ShorterInterval,
    /// Doubles the speed of a recording.
    Faster,
    /// Halves the speed of a recording.
    Slower,
    NextSample,
    PreviousSample,
    MinuteForward,
    MinuteBack,
    SampleNow,
    /// Starts or stops tracing losses.
    ToggleLosses,
    /// Draws every cell again.
    Redraw,
    Help,
    OpenDoctor,
    ExamineAgain,
    OpenCountDialog,
    /// To the page of this index.
    GoToPage(usize),
    NextPage,
    /// From the detail of a map to that of the map above it in the table.
    PreviousMap,
    NextMap,
    /// Edits the input of a prompt.
    Edit(InputRequest),
    /// Confirms the input or the choice.
    Accept,
    /// One step back.
    Back,
    /// Quits; every screen except the table binds `q` to [`Action::Back`].
    Quit,
    QuitNow,
    /// Quits and prints the screen.
    QuitShowing,
    /// Stops the process until the shell continues it with `fg`.
    Suspend,
}

/// What an action asks of the event loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "most variants need no more than their name")]
pub enum Effect {
    /// Only draw the changed state.
    Draw,
    Quit,
    /// Quit and print the screen.
    QuitShowing,
    /// Take a sample now.
    Sample,
    /// Start or stop tracing losses.
    TraceLosses(bool),
    /// Show the sample of this index of a recording.
    Seek(usize),
    /// Examine what this machine can show.
    Examine,
    /// Count this map exactly.
    Count(MapId),
    StopCounting,
    /// Draw every cell, not only those that changed.
    Redraw,
    /// Stop the process until the shell continues it with `fg`.
    Suspend,
}
