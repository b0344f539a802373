//! The table of keys itself.

use ratatui::crossterm::event::KeyCode;

use super::{Binding, HelpSection, KeyContext, bind, ch, ctrl, key};
use crate::query::fields::ColumnId;
use crate::tui::action::Action;

/// Every key that means something. Neighbours with the same help stand in one line of it.
#[rustfmt::skip]
pub const BINDINGS: &[Binding] = {
    use KeyContext::{
        Columns, Count, Detail, Everywhere, Groups, Help, Menu, Prompt, Replay, System, Table, Time,
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
        bind(Table, &[ctrl('u')], Action::HalfUp, Move, "half a page"),
        bind(Table, &[ctrl('d')], Action::HalfDown, Move, "half a page"),
        bind(Table, &[key(KeyCode::Home), ch('g')], Action::First, Move, "top (lets go), last"),
        bind(Table, &[key(KeyCode::End), ch('G')], Action::Last, Move, "top (lets go), last"),
        bind(Table, &[key(KeyCode::Left)], Action::Left, Move, "scroll columns"),
        bind(Table, &[key(KeyCode::Right)], Action::Right, Move, "scroll columns"),
        bind(Table, &[ch('F')], Action::Follow, Move, "follow the map").hint(8, "follow"),

        bind(Table, &[ch('/'), key(KeyCode::F(3))], Action::AskSearch, Find, "search").hint(2, "search"),
        bind(Table, &[ch('n')], Action::NextFound, Find, "next, previous"),
        bind(Table, &[ch('N')], Action::PreviousFound, Find, "next, previous"),
        bind(Table, &[ch('f'), ch('\\'), ch('&'), key(KeyCode::F(4))], Action::AskFilter, Find, "filter").hint(3, "filter"),
        bind(Table, &[ch('u')], Action::AskOwner, Find, "filter by owner"),
        bind(Table, &[ch('m')], Action::Keep, Find, "keep on top; none"),
        bind(Table, &[ch('U')], Action::KeepNone, Find, "keep on top; none"),

        bind(Table, &[ch('s'), key(KeyCode::F(6))], Action::AskSort, Sort, "choose a column").hint(4, "sort"),
        bind(Table, &[ch('<'), ch(',')], Action::SortLeft, Sort, "column beside").hint(6, "column"),
        bind(Table, &[ch('>'), ch('.')], Action::SortRight, Sort, "column beside").hint(6, "column"),
        bind(Table, &[ch('I'), ch('R')], Action::Reverse, Sort, "reverse").hint(7, "reverse"),
        bind(Table, &[ch('A')], Action::SortBy(ColumnId::named("attention")), Sort, "attention, pressure"),
        bind(Table, &[ch('P')], Action::SortBy(ColumnId::named("pressure")), Sort, "attention, pressure"),
        bind(Table, &[ch('E')], Action::SortBy(ColumnId::named("eta")), Sort, "full in, growth"),
        bind(Table, &[ch('D')], Action::SortBy(ColumnId::named("growth")), Sort, "full in, growth"),
        bind(Table, &[ch('M')], Action::SortBy(ColumnId::named("mem")), Sort, "memory, loss"),
        bind(Table, &[ch('L')], Action::SortBy(ColumnId::named("loss")), Sort, "memory, loss"),

        bind(Table, &[key(ENTER)], Action::Open, Look, "detail of the map").hint(1, "detail"),
        bind(Table, &[ch('o')], Action::Group, Look, "by owner; preview").hint(8, "owners"),
        bind(Table, &[ch('v')], Action::Preview, Look, "by owner; preview").hint(9, "preview"),
        bind(Table, &[ch('c'), key(KeyCode::F(2))], Action::AskColumns, Look, "columns; system").hint(10, "columns"),
        bind(Table, &[ch('i')], Action::System, Look, "columns; system").hint(14, "system"),
        bind(Table, &[ch('w')], Action::Exact, Look, "exact; losses; count").hint(11, "exact"),
        bind(Table, &[ch('l')], Action::WatchLosses, Look, "exact; losses; count").hint(12, "losses"),
        bind(Table, &[ch('C')], Action::CountExactly, Look, "exact; losses; count").hint(13, "count"),

        bind(Table, &[ch('?'), key(KeyCode::F(1)), ch('h')], Action::Help, Leave, "this help").hint(100, "help"),
        bind(Table, &[key(ESC)], Action::Back, Leave, "one step back"),
        bind(Table, &[ch('q')], Action::Quit, Leave, "back, or quit").hint(101, "quit"),
        bind(Table, &[ch('Q')], Action::QuitShowing, Leave, "quit, leave it shown"),

        bind(Time, &[ch(' '), ch('Z')], Action::Pause, HelpSection::Time, "pause, resume").hint(5, "pause"),
        bind(Time, &[ch('t')], Action::NextSample, HelpSection::Time, "samples, paused"),
        bind(Time, &[ch('T')], Action::PreviousSample, HelpSection::Time, "samples, paused"),
        bind(Time, &[ch('{')], Action::MinuteBack, HelpSection::Time, "a minute back, on"),
        bind(Time, &[ch('}')], Action::MinuteOn, HelpSection::Time, "a minute back, on"),
        bind(Time, &[ch('b')], Action::AskTime, HelpSection::Time, "go to a time"),
        bind(Time, &[ch('d')], Action::AskInterval, HelpSection::Time, "interval: set, change"),
        bind(Time, &[ch('+')], Action::Longer, HelpSection::Time, "interval: set, change"),
        bind(Time, &[ch('-')], Action::Shorter, HelpSection::Time, "interval: set, change"),
        bind(Time, &[ctrl('r')], Action::SampleNow, HelpSection::Time, "sample now"),

        bind(Replay, &[ch('t')], Action::NextSample, HelpSection::Replay, "next, previous").hint(1, "next, previous"),
        bind(Replay, &[ch('T')], Action::PreviousSample, HelpSection::Replay, "next, previous").hint(1, "next, previous"),
        bind(Replay, &[ch('{')], Action::MinuteBack, HelpSection::Replay, "a minute back, on").hint(2, "minute"),
        bind(Replay, &[ch('}')], Action::MinuteOn, HelpSection::Replay, "a minute back, on").hint(2, "minute"),
        bind(Replay, &[ch('b')], Action::AskTime, HelpSection::Replay, "go to a time").hint(3, "go to time"),
        bind(Replay, &[ch(' '), ch('Z')], Action::Pause, HelpSection::Replay, "play, pause").hint(4, "play"),
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
        bind(Detail, &[ch('1')], Action::Page(0), Look, "page"),
        bind(Detail, &[ch('2')], Action::Page(1), Look, "page"),
        bind(Detail, &[ch('l')], Action::WatchLosses, Look, "watch losses").hint(12, "losses"),
        bind(Detail, &[ch('C')], Action::CountExactly, Look, "count it exactly now").hint(13, "count"),
        bind(Detail, &[ch('i')], Action::System, Look, "what this system can show").hint(14, "system"),
        bind(Detail, &[key(ESC), ch('q'), key(ENTER)], Action::Back, Leave, "back to the table").hint(101, "back"),
        bind(Detail, &[ch('?'), key(KeyCode::F(1)), ch('h')], Action::Help, Leave, "this help").hint(100, "help"),
        bind(Detail, &[ch('Q')], Action::QuitShowing, Leave, "quit, leave it shown"),

        bind(Prompt, &[key(ENTER)], Action::Accept, Find, "keep what was typed").hint(1, "keep"),
        bind(Prompt, &[key(ESC)], Action::Back, Find, "leave it as it was").hint(2, "cancel"),
        bind(Prompt, &[key(KeyCode::Tab)], Action::Complete, Find, "complete; make a search a filter").hint(3, "complete"),
        bind(Prompt, &[key(UP)], Action::Up, Find, "what was typed before").hint(4, "earlier"),
        bind(Prompt, &[key(DOWN)], Action::Down, Find, "what was typed after it"),
        bind(Prompt, &[ctrl('u')], Action::Edit(DeleteLine), Find, "clear the line").hint(5, "clear"),
        bind(Prompt, &[key(KeyCode::Backspace), ctrl('h')], Action::Edit(DeletePrevChar), Find, "delete backwards"),
        bind(Prompt, &[key(KeyCode::Delete)], Action::Edit(DeleteNextChar), Find, "delete forwards"),
        bind(Prompt, &[ctrl('w')], Action::Edit(DeletePrevWord), Find, "delete a word backwards"),
        bind(Prompt, &[ctrl('k')], Action::Edit(DeleteTillEnd), Find, "delete to the end"),
        bind(Prompt, &[key(KeyCode::Left), ctrl('b')], Action::Edit(GoToPrevChar), Find, "one character left"),
        bind(Prompt, &[key(KeyCode::Right), ctrl('f')], Action::Edit(GoToNextChar), Find, "one character right"),
        bind(Prompt, &[key(KeyCode::Home), ctrl('a')], Action::Edit(GoToStart), Find, "to the start"),
        bind(Prompt, &[key(KeyCode::End), ctrl('e')], Action::Edit(GoToEnd), Find, "to the end"),

        bind(Menu, &[key(UP), ch('k')], Action::Up, Sort, "one line"),
        bind(Menu, &[key(DOWN), ch('j')], Action::Down, Sort, "one line"),
        bind(Menu, &[key(KeyCode::Home), ch('g')], Action::First, Sort, "first, last line"),
        bind(Menu, &[key(KeyCode::End), ch('G')], Action::Last, Sort, "first, last line"),
        bind(Menu, &[key(ENTER), ch(' ')], Action::Accept, Sort, "sort by this column").hint(1, "sort by it"),
        bind(Menu, &[ch('I'), ch('R')], Action::Reverse, Sort, "reverse").hint(2, "reverse"),
        bind(Menu, &[key(ESC), ch('q'), ch('s')], Action::Back, Sort, "leave it as it was").hint(3, "back"),

        bind(Groups, &[key(UP), ch('k')], Action::Up, Move, "one line"),
        bind(Groups, &[key(DOWN), ch('j')], Action::Down, Move, "one line"),
        bind(Groups, &[key(KeyCode::PageUp), ctrl('b')], Action::PageUp, Move, "one page"),
        bind(Groups, &[key(KeyCode::PageDown), ctrl('f')], Action::PageDown, Move, "one page"),
        bind(Groups, &[key(KeyCode::Home), ch('g')], Action::First, Move, "first, last line"),
        bind(Groups, &[key(KeyCode::End), ch('G')], Action::Last, Move, "first, last line"),
        bind(Groups, &[key(ENTER)], Action::Accept, Find, "show its maps").hint(1, "its maps"),
        bind(Groups, &[key(KeyCode::Tab)], Action::NextPage, Look, "owners, services, containers").hint(2, "services, containers"),
        bind(Groups, &[key(ESC), ch('q'), ch('o'), ch('u')], Action::Back, Leave, "back to the table").hint(101, "back"),
        bind(Groups, &[ch('?'), key(KeyCode::F(1)), ch('h')], Action::Help, Leave, "this help").hint(100, "help"),
        bind(Groups, &[ch('Q')], Action::QuitShowing, Leave, "quit, leave it shown"),

        bind(Columns, &[key(UP), ch('k')], Action::Up, Look, "one line"),
        bind(Columns, &[key(DOWN), ch('j')], Action::Down, Look, "one line"),
        bind(Columns, &[key(KeyCode::Home), ch('g')], Action::First, Look, "first, last line"),
        bind(Columns, &[key(KeyCode::End), ch('G')], Action::Last, Look, "first, last line"),
        bind(Columns, &[key(ENTER)], Action::Accept, Look, "keep them").hint(1, "keep"),
        bind(Columns, &[key(ESC), ch('q'), ch('c')], Action::Back, Look, "as they were").hint(2, "cancel"),
        bind(Columns, &[ch(' ')], Action::Toggle, Look, "show or hide").hint(3, "show, hide"),
        bind(Columns, &[ch('<'), ch(','), key(KeyCode::Left)], Action::Left, Look, "earlier, later").hint(4, "move"),
        bind(Columns, &[ch('>'), ch('.'), key(KeyCode::Right)], Action::Right, Look, "earlier, later").hint(4, "move"),
        bind(Columns, &[ch('d')], Action::Default, Look, "the default ones").hint(5, "default"),
        bind(Columns, &[ch('t')], Action::NextTheme, Look, "next theme").hint(6, "theme"),

        bind(Help, &[key(UP), ch('k')], Action::Up, Move, "one line").hint(1, "scroll"),
        bind(Help, &[key(DOWN), ch('j')], Action::Down, Move, "one line").hint(1, "scroll"),
        bind(Help, &[key(KeyCode::PageUp), ctrl('b')], Action::PageUp, Move, "one screen"),
        bind(Help, &[key(KeyCode::PageDown), ctrl('f'), ch(' ')], Action::PageDown, Move, "one screen"),
        bind(Help, &[key(KeyCode::Home), ch('g')], Action::First, Move, "first, last line"),
        bind(Help, &[key(KeyCode::End), ch('G')], Action::Last, Move, "first, last line"),
        bind(Help, &[key(KeyCode::Tab), key(KeyCode::Right)], Action::NextPage, Move, "next page").hint(2, "page"),
        bind(Help, &[ch('1')], Action::Page(0), Move, "page"),
        bind(Help, &[ch('2')], Action::Page(1), Move, "page"),
        bind(Help, &[ch('3')], Action::Page(2), Move, "page"),
        bind(Help, &[ch('4')], Action::Page(3), Move, "page"),
        bind(Help, &[ch('/'), key(KeyCode::F(3))], Action::AskSearch, Find, "search the help").hint(3, "search"),
        bind(Help, &[ch('n')], Action::NextFound, Find, "next, previous"),
        bind(Help, &[ch('N')], Action::PreviousFound, Find, "next, previous"),
        bind(Help, &[key(ESC), ch('q'), ch('?'), ch('h'), key(KeyCode::F(1))], Action::Back, Leave, "back").hint(101, "back"),

        bind(System, &[key(UP), ch('k')], Action::Up, Move, "one line").hint(1, "scroll"),
        bind(System, &[key(DOWN), ch('j')], Action::Down, Move, "one line").hint(1, "scroll"),
        bind(System, &[key(KeyCode::PageUp), ctrl('b')], Action::PageUp, Move, "one screen"),
        bind(System, &[key(KeyCode::PageDown), ctrl('f'), ch(' ')], Action::PageDown, Move, "one screen"),
        bind(System, &[key(KeyCode::Home), ch('g')], Action::First, Move, "first, last line"),
        bind(System, &[key(KeyCode::End), ch('G')], Action::Last, Move, "first, last line"),
        bind(System, &[ctrl('r')], Action::ExamineAgain, Look, "examine again").hint(2, "examine again"),
        bind(System, &[key(ESC), ch('q'), ch('i')], Action::Back, Leave, "back").hint(101, "back"),

        bind(Count, &[key(ENTER), ch('y')], Action::Accept, Look, "count the map").hint(1, "count it"),
        bind(Count, &[key(ESC), ch('q'), ch('n')], Action::Back, Leave, "do not, or stop").hint(2, "leave it"),

        bind(Everywhere, &[key(KeyCode::F(10)), ctrl('c')], Action::QuitNow, Leave, "quit"),
        bind(Everywhere, &[ctrl('z')], Action::Suspend, Leave, "suspend; fg returns"),
        bind(Everywhere, &[ctrl('l')], Action::Redraw, Look, "draw all anew"),
    ]
};
