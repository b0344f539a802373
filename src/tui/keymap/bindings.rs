//! The table of keys.

use ratatui::crossterm::event::KeyCode;

use super::{Binding, HelpSection, KeyContext, bind, ch, ctrl, key};
use crate::query::fields::ColumnId;
use crate::tui::action::Action;

/// All key bindings. Neighbours with the same help text share a line of the help.
#[rustfmt::skip]
pub const BINDINGS: &[Binding] = {
    use KeyContext::{
        ColumnPicker, CountDialog, Detail, Doctor, Everywhere, Help, OwnerList, Prompt, Replay,
        SortMenu, Table, Time,
    };
    use HelpSection::{Find, Leave, Look, Move, Sort};
    use tui_input::InputRequest::{
        DeleteLine, DeleteNextChar, DeletePrevChar, DeletePrevWord, DeleteTillEnd, GoToEnd,
        GoToNextChar, GoToPrevChar, GoToStart,
    };
    const UP: KeyCode = KeyCode::Up;
    const DOWN: KeyCode = KeyCode::Down;
    const ENTER: KeyCode = KeyCode::Enter;
    const ESC: KeyCode = KeyCode::Esc;
    &[
        bind(Table, &[key(UP), ch('k')], Action::Up, Move, "one map"),
        bind(Table, &[key(DOWN), ch('j')], Action::Down, Move, "one map"),
        bind(Table, &[key(KeyCode::PageUp), ctrl('b')], Action::PageUp, Move, "one page"),
        bind(Table, &[key(KeyCode::PageDown), ctrl('f')], Action::PageDown, Move, "one page"),
        bind(Table, &[ctrl('u')], Action::HalfPageUp, Move, "half a page"),
        bind(Table, &[ctrl('d')], Action::HalfPageDown, Move, "half a page"),
        bind(Table, &[key(KeyCode::Home), ch('g')], Action::First, Move, "top, last map"),
        bind(Table, &[key(KeyCode::End), ch('G')], Action::Last, Move, "top, last map"),
        bind(Table, &[key(KeyCode::Left)], Action::Left, Move, "scroll columns"),
        bind(Table, &[key(KeyCode::Right)], Action::Right, Move, "scroll columns"),
        bind(Table, &[ch('F')], Action::ToggleFollow, Move, "follow selected map").hint(8, "follow"),

        bind(Table, &[ch('/'), key(KeyCode::F(3))], Action::OpenSearch, Find, "search").hint(2, "search"),
        bind(Table, &[ch('n')], Action::NextMatch, Find, "next, previous"),
        bind(Table, &[ch('N')], Action::PreviousMatch, Find, "next, previous"),
        bind(Table, &[ch('f'), ch('\\'), ch('&'), key(KeyCode::F(4))], Action::OpenFilter, Find, "filter").hint(3, "filter"),
        bind(Table, &[ch('u')], Action::ChooseOwner, Find, "filter by owner"),
        bind(Table, &[ch('m')], Action::TogglePinned, Find, "on top; keep none"),
        bind(Table, &[ch('U')], Action::UnpinAll, Find, "on top; keep none"),

        bind(Table, &[ch('s'), key(KeyCode::F(6))], Action::OpenSortMenu, Sort, "choose a column").hint(4, "sort"),
        bind(Table, &[ch('<'), ch(',')], Action::SortLeft, Sort, "adjacent column").hint(6, "column"),
        bind(Table, &[ch('>'), ch('.')], Action::SortRight, Sort, "adjacent column").hint(6, "column"),
        bind(Table, &[ch('I'), ch('R')], Action::ReverseSort, Sort, "reverse").hint(7, "reverse"),
        bind(Table, &[ch('A')], Action::SortBy(ColumnId::named("attention")), Sort, "attention, pressure"),
        bind(Table, &[ch('P')], Action::SortBy(ColumnId::named("pressure")), Sort, "attention, pressure"),
        bind(Table, &[ch('E')], Action::SortBy(ColumnId::named("eta")), Sort, "full in, growth"),
        bind(Table, &[ch('D')], Action::SortBy(ColumnId::named("growth")), Sort, "full in, growth"),
        bind(Table, &[ch('M')], Action::SortBy(ColumnId::named("mem")), Sort, "memory, loss"),
        bind(Table, &[ch('L')], Action::SortBy(ColumnId::named("loss")), Sort, "memory, loss"),

        bind(Table, &[key(ENTER)], Action::OpenDetail, Look, "details of a map").hint(1, "detail"),
        bind(Table, &[ch('o')], Action::OpenOwnerList, Look, "owners; preview").hint(8, "owners"),
        bind(Table, &[ch('v')], Action::TogglePreview, Look, "owners; preview").hint(9, "preview"),
        bind(Table, &[ch('c'), key(KeyCode::F(2))], Action::OpenColumnPicker, Look, "columns; doctor").hint(10, "columns"),
        bind(Table, &[ch('i')], Action::OpenDoctor, Look, "columns; doctor").hint(14, "doctor"),
        bind(Table, &[ch('w')], Action::ToggleExact, Look, "exact; losses; count").hint(11, "exact"),
        bind(Table, &[ch('l')], Action::ToggleLosses, Look, "exact; losses; count").hint(12, "losses"),
        bind(Table, &[ch('C')], Action::OpenCountDialog, Look, "exact; losses; count").hint(13, "count"),

        bind(Table, &[ch('?'), key(KeyCode::F(1)), ch('h')], Action::Help, Leave, "this help").hint(100, "help"),
        bind(Table, &[key(ESC)], Action::Back, Leave, "back"),
        bind(Table, &[ch('q')], Action::Quit, Leave, "back, or quit").hint(101, "quit"),
        bind(Table, &[ch('Q')], Action::QuitShowing, Leave, "quit, keep screen"),

        bind(Time, &[ch(' '), ch('Z')], Action::TogglePause, HelpSection::Time, "pause, resume").hint(5, "pause"),
        bind(Time, &[ch('t')], Action::NextSample, HelpSection::Time, "step while paused"),
        bind(Time, &[ch('T')], Action::PreviousSample, HelpSection::Time, "step while paused"),
        bind(Time, &[ch('{')], Action::MinuteBack, HelpSection::Time, "minute back, forward"),
        bind(Time, &[ch('}')], Action::MinuteForward, HelpSection::Time, "minute back, forward"),
        bind(Time, &[ch('b')], Action::OpenTime, HelpSection::Time, "go to a time"),
        bind(Time, &[ch('d')], Action::OpenInterval, HelpSection::Time, "set, change interval"),
        bind(Time, &[ch('+')], Action::LongerInterval, HelpSection::Time, "set, change interval"),
        bind(Time, &[ch('-')], Action::ShorterInterval, HelpSection::Time, "set, change interval"),
        bind(Time, &[ctrl('r')], Action::SampleNow, HelpSection::Time, "sample now"),

        bind(Replay, &[ch('t')], Action::NextSample, HelpSection::Replay, "next, previous").hint(1, "next, previous"),
        bind(Replay, &[ch('T')], Action::PreviousSample, HelpSection::Replay, "next, previous").hint(1, "next, previous"),
        bind(Replay, &[ch('{')], Action::MinuteBack, HelpSection::Replay, "minute back, forward").hint(2, "minute"),
        bind(Replay, &[ch('}')], Action::MinuteForward, HelpSection::Replay, "minute back, forward").hint(2, "minute"),
        bind(Replay, &[ch('b')], Action::OpenTime, HelpSection::Replay, "go to a time").hint(3, "go to time"),
        bind(Replay, &[ch(' '), ch('Z')], Action::TogglePause, HelpSection::Replay, "play, pause").hint(4, "play"),
        bind(Replay, &[ch('+')], Action::Faster, HelpSection::Replay, "faster, slower").hint(5, "speed"),
        bind(Replay, &[ch('-')], Action::Slower, HelpSection::Replay, "faster, slower").hint(5, "speed"),

        bind(Detail, &[key(UP), ch('k')], Action::Up, Move, "one line"),
        bind(Detail, &[key(DOWN), ch('j')], Action::Down, Move, "one line"),
        bind(Detail, &[key(KeyCode::PageUp), ctrl('b')], Action::PageUp, Move, "one page"),
        bind(Detail, &[key(KeyCode::PageDown), ctrl('f')], Action::PageDown, Move, "one page"),
        bind(Detail, &[key(KeyCode::Home), ch('g')], Action::First, Move, "first, last line"),
        bind(Detail, &[key(KeyCode::End), ch('G')], Action::Last, Move, "first, last line"),
        bind(Detail, &[ch('['), key(KeyCode::Left)], Action::PreviousMap, Move, "map above, below").hint(1, "other map"),
        bind(Detail, &[ch(']'), key(KeyCode::Right)], Action::NextMap, Move, "map above, below").hint(1, "other map"),
        bind(Detail, &[key(KeyCode::Tab)], Action::NextPage, Look, "next page").hint(2, "page"),
        bind(Detail, &[ch('1')], Action::GoToPage(0), Look, "page"),
        bind(Detail, &[ch('2')], Action::GoToPage(1), Look, "page"),
        bind(Detail, &[ch('l')], Action::ToggleLosses, Look, "watch losses").hint(12, "losses"),
        bind(Detail, &[ch('C')], Action::OpenCountDialog, Look, "count exactly").hint(13, "count"),
        bind(Detail, &[ch('i')], Action::OpenDoctor, Look, "doctor page").hint(14, "doctor"),
        bind(Detail, &[key(ESC), ch('q'), key(ENTER)], Action::Back, Leave, "back to the table").hint(101, "back"),
        bind(Detail, &[ch('?'), key(KeyCode::F(1)), ch('h')], Action::Help, Leave, "this help").hint(100, "help"),
        bind(Detail, &[ch('Q')], Action::QuitShowing, Leave, "quit, keep screen"),

        bind(Prompt, &[key(ENTER)], Action::Accept, Find, "apply").hint(1, "keep"),
        bind(Prompt, &[key(ESC)], Action::Back, Find, "cancel").hint(2, "cancel"),
        bind(Prompt, &[key(KeyCode::Tab)], Action::Complete, Find, "complete; turn a search into a filter").hint(3, "complete"),
        bind(Prompt, &[key(UP)], Action::Up, Find, "earlier input").hint(4, "earlier"),
        bind(Prompt, &[key(DOWN)], Action::Down, Find, "later input"),
        bind(Prompt, &[ctrl('u')], Action::Edit(DeleteLine), Find, "clear the line").hint(5, "clear"),
        bind(Prompt, &[key(KeyCode::Backspace), ctrl('h')], Action::Edit(DeletePrevChar), Find, "delete backwards"),
        bind(Prompt, &[key(KeyCode::Delete)], Action::Edit(DeleteNextChar), Find, "delete forwards"),
        bind(Prompt, &[ctrl('w')], Action::Edit(DeletePrevWord), Find, "delete a word backwards"),
        bind(Prompt, &[ctrl('k')], Action::Edit(DeleteTillEnd), Find, "delete to the end"),
        bind(Prompt, &[key(KeyCode::Left), ctrl('b')], Action::Edit(GoToPrevChar), Find, "one character left"),
        bind(Prompt, &[key(KeyCode::Right), ctrl('f')], Action::Edit(GoToNextChar), Find, "one character right"),
        bind(Prompt, &[key(KeyCode::Home), ctrl('a')], Action::Edit(GoToStart), Find, "to the start"),
        bind(Prompt, &[key(KeyCode::End), ctrl('e')], Action::Edit(GoToEnd), Find, "to the end"),

        bind(SortMenu, &[key(UP), ch('k')], Action::Up, Sort, "one line"),
        bind(SortMenu, &[key(DOWN), ch('j')], Action::Down, Sort, "one line"),
        bind(SortMenu, &[key(KeyCode::Home), ch('g')], Action::First, Sort, "first, last line"),
        bind(SortMenu, &[key(KeyCode::End), ch('G')], Action::Last, Sort, "first, last line"),
        bind(SortMenu, &[key(ENTER), ch(' ')], Action::Accept, Sort, "sort by this column").hint(1, "sort by it"),
        bind(SortMenu, &[ch('I'), ch('R')], Action::ReverseSort, Sort, "reverse").hint(2, "reverse"),
        bind(SortMenu, &[key(ESC), ch('q'), ch('s')], Action::Back, Sort, "cancel").hint(3, "back"),

        bind(OwnerList, &[key(UP), ch('k')], Action::Up, Move, "one line"),
        bind(OwnerList, &[key(DOWN), ch('j')], Action::Down, Move, "one line"),
        bind(OwnerList, &[key(KeyCode::PageUp), ctrl('b')], Action::PageUp, Move, "one page"),
        bind(OwnerList, &[key(KeyCode::PageDown), ctrl('f')], Action::PageDown, Move, "one page"),
        bind(OwnerList, &[key(KeyCode::Home), ch('g')], Action::First, Move, "first, last line"),
        bind(OwnerList, &[key(KeyCode::End), ch('G')], Action::Last, Move, "first, last line"),
        bind(OwnerList, &[key(ENTER)], Action::Accept, Find, "show its maps").hint(1, "its maps"),
        bind(OwnerList, &[key(KeyCode::Tab)], Action::NextPage, Look, "owners, services, containers").hint(2, "services, containers"),
        bind(OwnerList, &[key(ESC), ch('q'), ch('o'), ch('u')], Action::Back, Leave, "back to the table").hint(101, "back"),
        bind(OwnerList, &[ch('?'), key(KeyCode::F(1)), ch('h')], Action::Help, Leave, "this help").hint(100, "help"),
        bind(OwnerList, &[ch('Q')], Action::QuitShowing, Leave, "quit, keep screen"),

        bind(ColumnPicker, &[key(UP), ch('k')], Action::Up, Look, "one line"),
        bind(ColumnPicker, &[key(DOWN), ch('j')], Action::Down, Look, "one line"),
        bind(ColumnPicker, &[key(KeyCode::Home), ch('g')], Action::First, Look, "first, last line"),
        bind(ColumnPicker, &[key(KeyCode::End), ch('G')], Action::Last, Look, "first, last line"),
        bind(ColumnPicker, &[key(ENTER)], Action::Accept, Look, "apply").hint(1, "apply"),
        bind(ColumnPicker, &[key(ESC), ch('q'), ch('c')], Action::Back, Look, "cancel").hint(2, "cancel"),
        bind(ColumnPicker, &[ch(' ')], Action::ToggleColumn, Look, "show or hide").hint(3, "show, hide"),
        bind(ColumnPicker, &[ch('<'), ch(','), key(KeyCode::Left)], Action::Left, Look, "move left, right").hint(4, "move"),
        bind(ColumnPicker, &[ch('>'), ch('.'), key(KeyCode::Right)], Action::Right, Look, "move left, right").hint(4, "move"),
        bind(ColumnPicker, &[ch('d')], Action::DefaultColumns, Look, "default columns").hint(5, "default"),
        bind(ColumnPicker, &[ch('t')], Action::NextTheme, Look, "next theme").hint(6, "theme"),

        bind(Help, &[key(UP), ch('k')], Action::Up, Move, "one line").hint(1, "scroll"),
        bind(Help, &[key(DOWN), ch('j')], Action::Down, Move, "one line").hint(1, "scroll"),
        bind(Help, &[key(KeyCode::PageUp), ctrl('b')], Action::PageUp, Move, "one screen"),
        bind(Help, &[key(KeyCode::PageDown), ctrl('f'), ch(' ')], Action::PageDown, Move, "one screen"),
        bind(Help, &[key(KeyCode::Home), ch('g')], Action::First, Move, "first, last line"),
        bind(Help, &[key(KeyCode::End), ch('G')], Action::Last, Move, "first, last line"),
        bind(Help, &[key(KeyCode::Tab), key(KeyCode::Right)], Action::NextPage, Move, "next page").hint(2, "page"),
        bind(Help, &[ch('1')], Action::GoToPage(0), Move, "page"),
        bind(Help, &[ch('2')], Action::GoToPage(1), Move, "page"),
        bind(Help, &[ch('3')], Action::GoToPage(2), Move, "page"),
        bind(Help, &[ch('4')], Action::GoToPage(3), Move, "page"),
        bind(Help, &[ch('/'), key(KeyCode::F(3))], Action::OpenSearch, Find, "search the help").hint(3, "search"),
        bind(Help, &[ch('n')], Action::NextMatch, Find, "next, previous"),
        bind(Help, &[ch('N')], Action::PreviousMatch, Find, "next, previous"),
        bind(Help, &[key(ESC), ch('q'), ch('?'), ch('h'), key(KeyCode::F(1))], Action::Back, Leave, "back").hint(101, "back"),

        bind(Doctor, &[key(UP), ch('k')], Action::Up, Move, "one line").hint(1, "scroll"),
        bind(Doctor, &[key(DOWN), ch('j')], Action::Down, Move, "one line").hint(1, "scroll"),
        bind(Doctor, &[key(KeyCode::PageUp), ctrl('b')], Action::PageUp, Move, "one screen"),
        bind(Doctor, &[key(KeyCode::PageDown), ctrl('f'), ch(' ')], Action::PageDown, Move, "one screen"),
        bind(Doctor, &[key(KeyCode::Home), ch('g')], Action::First, Move, "first, last line"),
        bind(Doctor, &[key(KeyCode::End), ch('G')], Action::Last, Move, "first, last line"),
        bind(Doctor, &[ctrl('r')], Action::ExamineAgain, Look, "examine again").hint(2, "examine again"),
        bind(Doctor, &[key(ESC), ch('q'), ch('i')], Action::Back, Leave, "back").hint(101, "back"),

        bind(CountDialog, &[key(ENTER), ch('y')], Action::Accept, Look, "count the map").hint(1, "count it"),
        bind(CountDialog, &[key(ESC), ch('q'), ch('n')], Action::Back, Leave, "cancel or stop").hint(2, "cancel"),

        bind(Everywhere, &[key(KeyCode::F(10)), ctrl('c')], Action::QuitNow, Leave, "quit"),
        bind(Everywhere, &[ctrl('z')], Action::Suspend, Leave, "suspend (fg resumes)"),
        bind(Everywhere, &[ctrl('l')], Action::Redraw, Look, "redraw"),
    ]
};
