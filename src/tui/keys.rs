//! The keys: one table that dispatch, hint line, help and README come from.

use compact_str::{CompactString, format_compact};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::app::Action;
use crate::query::columns::ColumnId;

/// A key as the terminal sends it. Capitals are characters of their own; shift alone says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    code: KeyCode,
    has_ctrl: bool,
}

const fn key(code: KeyCode) -> Key {
    Key {
        code,
        has_ctrl: false,
    }
}

const fn ch(c: char) -> Key {
    key(KeyCode::Char(c))
}

const fn ctrl(c: char) -> Key {
    Key {
        code: KeyCode::Char(c),
        has_ctrl: true,
    }
}

impl Key {
    /// The name in help and hints: `k`, `^C`, `PgUp`.
    #[must_use]
    pub fn name(self) -> CompactString {
        let name = match self.code {
            KeyCode::Char(' ') => "Space".into(),
            KeyCode::Char(c) if self.has_ctrl => format_compact!("^{}", c.to_ascii_uppercase()),
            KeyCode::Char(c) => format_compact!("{c}"),
            KeyCode::F(n) => format_compact!("F{n}"),
            KeyCode::PageUp => "PgUp".into(),
            KeyCode::PageDown => "PgDn".into(),
            other => format_compact!("{other}"),
        };
        debug_assert!(!name.is_empty());
        name
    }

    fn is(self, event: KeyEvent) -> bool {
        self.code == event.code
            && self.has_ctrl == event.modifiers.contains(KeyModifiers::CONTROL)
            && !event.modifiers.contains(KeyModifiers::ALT)
    }
}

/// Where a key means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the table.
    Table,
    /// While a filter or an interval is typed.
    Prompt,
    /// In the list of columns.
    Menu,
    /// In the help.
    Help,
}

/// What a key is about, in the order of the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// Which map is selected.
    Move,
    /// Which maps are shown.
    Find,
    /// In which order.
    Sort,
    /// When.
    Time,
    /// Getting help, back and out.
    Leave,
}

impl Topic {
    /// All, in order.
    pub const ALL: [Self; 5] = [Self::Move, Self::Find, Self::Sort, Self::Time, Self::Leave];

    /// Its title.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Move => "Move",
            Self::Find => "Find",
            Self::Sort => "Sort",
            Self::Time => "Time",
            Self::Leave => "Leave",
        }
    }
}

/// Keys that do one thing in one place.
#[derive(Debug)]
pub struct Binding {
    /// Where.
    pub place: Place,
    /// Any of these; hints name the first.
    pub keys: &'static [Key],
    /// What they do.
    pub action: Action,
    /// What they are about.
    pub topic: Topic,
    /// A word for the hint line, most useful first; empty if it is not hinted at.
    pub hint: &'static str,
    /// What they do, in a few words.
    pub help: &'static str,
}

const fn bind(
    place: Place,
    keys: &'static [Key],
    action: Action,
    topic: Topic,
    hint: &'static str,
    help: &'static str,
) -> Binding {
    Binding {
        place,
        keys,
        action,
        topic,
        hint,
        help,
    }
}

/// Every key that means something, in the order of hints and help.
#[rustfmt::skip]
pub const BINDINGS: &[Binding] = {
    use Place::{Help, Menu, Prompt, Table};
    use Topic::{Find, Leave, Move, Sort, Time};
    use tui_input::InputRequest::{
        DeleteLine, DeleteNextChar, DeletePrevChar, DeletePrevWord, DeleteTillEnd, GoToEnd,
        GoToNextChar, GoToPrevChar, GoToStart,
    };
    const UP: KeyCode = KeyCode::Up;
    const DOWN: KeyCode = KeyCode::Down;
    &[
        bind(Table, &[key(UP), ch('k')], Action::Up, Move, "", "one map up"),
        bind(Table, &[key(DOWN), ch('j')], Action::Down, Move, "", "one map down"),
        bind(Table, &[key(KeyCode::PageUp), ctrl('b')], Action::PageUp, Move, "", "one page up"),
        bind(Table, &[key(KeyCode::PageDown), ctrl('f')], Action::PageDown, Move, "", "one page down"),
        bind(Table, &[ctrl('u')], Action::HalfUp, Move, "", "half a page up"),
        bind(Table, &[ctrl('d')], Action::HalfDown, Move, "", "half a page down"),
        bind(Table, &[key(KeyCode::Home), ch('g')], Action::First, Move, "", "top; lets go of the map"),
        bind(Table, &[key(KeyCode::End), ch('G')], Action::Last, Move, "", "last map"),

        bind(Table, &[ch('f'), ch('\\'), ch('&'), key(KeyCode::F(4))], Action::AskFilter, Find, "filter", "filter; Esc clears it"),

        bind(Table, &[ch('s'), key(KeyCode::F(6))], Action::AskSort, Sort, "sort", "choose a column"),
        bind(Table, &[ch('<'), ch(',')], Action::SortLeft, Sort, "", "one column left"),
        bind(Table, &[ch('>'), ch('.')], Action::SortRight, Sort, "", "one column right"),
        bind(Table, &[ch('I'), ch('R')], Action::Reverse, Sort, "reverse", "reverse"),
        bind(Table, &[ch('A')], Action::SortBy(ColumnId::named("attention")), Sort, "", "attention: mark, pressure"),
        bind(Table, &[ch('P')], Action::SortBy(ColumnId::named("pressure")), Sort, "", "pressure"),
        bind(Table, &[ch('D')], Action::SortBy(ColumnId::named("growth")), Sort, "", "growth"),
        bind(Table, &[ch('N')], Action::SortBy(ColumnId::named("name")), Sort, "", "name"),

        bind(Table, &[ch(' '), ch('Z')], Action::Pause, Time, "pause", "pause, resume"),
        bind(Table, &[ch('d')], Action::AskInterval, Time, "interval", "set the interval"),
        bind(Table, &[ch('+')], Action::Longer, Time, "", "longer interval"),
        bind(Table, &[ch('-')], Action::Shorter, Time, "", "shorter interval"),
        bind(Table, &[ctrl('r')], Action::SampleNow, Time, "", "sample now"),
        bind(Table, &[ctrl('l')], Action::Redraw, Time, "", "draw all anew"),

        bind(Table, &[ch('?'), key(KeyCode::F(1)), ch('h')], Action::Help, Leave, "help", "this help"),
        bind(Table, &[key(KeyCode::Esc)], Action::Back, Leave, "", "one step back, never out"),
        bind(Table, &[ch('q')], Action::Quit, Leave, "quit", "back; at the top, quit"),
        bind(Table, &[key(KeyCode::F(10)), ctrl('c')], Action::QuitNow, Leave, "", "quit"),

        bind(Prompt, &[key(KeyCode::Enter)], Action::Accept, Find, "keep", "keep what was typed"),
        bind(Prompt, &[key(KeyCode::Esc)], Action::Back, Find, "cancel", "leave it as it was"),
        bind(Prompt, &[key(UP)], Action::Up, Find, "earlier", "what was typed before"),
        bind(Prompt, &[key(DOWN)], Action::Down, Find, "", "what was typed after it"),
        bind(Prompt, &[ctrl('u')], Action::Edit(DeleteLine), Find, "clear", "clear the line"),
        bind(Prompt, &[key(KeyCode::Backspace), ctrl('h')], Action::Edit(DeletePrevChar), Find, "", "delete backwards"),
        bind(Prompt, &[key(KeyCode::Delete)], Action::Edit(DeleteNextChar), Find, "", "delete forwards"),
        bind(Prompt, &[ctrl('w')], Action::Edit(DeletePrevWord), Find, "", "delete a word backwards"),
        bind(Prompt, &[ctrl('k')], Action::Edit(DeleteTillEnd), Find, "", "delete to the end"),
        bind(Prompt, &[key(KeyCode::Left), ctrl('b')], Action::Edit(GoToPrevChar), Find, "", "one character left"),
        bind(Prompt, &[key(KeyCode::Right), ctrl('f')], Action::Edit(GoToNextChar), Find, "", "one character right"),
        bind(Prompt, &[key(KeyCode::Home), ctrl('a')], Action::Edit(GoToStart), Find, "", "to the start"),
        bind(Prompt, &[key(KeyCode::End), ctrl('e')], Action::Edit(GoToEnd), Find, "", "to the end"),
        bind(Prompt, &[key(KeyCode::F(10)), ctrl('c')], Action::QuitNow, Leave, "", "quit"),

        bind(Menu, &[key(UP), ch('k')], Action::Up, Sort, "", "one line up"),
        bind(Menu, &[key(DOWN), ch('j')], Action::Down, Sort, "", "one line down"),
        bind(Menu, &[key(KeyCode::Home), ch('g')], Action::First, Sort, "", "first line"),
        bind(Menu, &[key(KeyCode::End), ch('G')], Action::Last, Sort, "", "last line"),
        bind(Menu, &[key(KeyCode::Enter), ch(' ')], Action::Accept, Sort, "sort by it", "sort by this column"),
        bind(Menu, &[ch('I'), ch('R')], Action::Reverse, Sort, "reverse", "reverse"),
        bind(Menu, &[key(KeyCode::Esc), ch('q'), ch('s')], Action::Back, Sort, "back", "leave it as it was"),
        bind(Menu, &[key(KeyCode::F(10)), ctrl('c')], Action::QuitNow, Leave, "", "quit"),

        bind(Help, &[key(UP), ch('k')], Action::Up, Move, "up", "one line up"),
        bind(Help, &[key(DOWN), ch('j')], Action::Down, Move, "down", "one line down"),
        bind(Help, &[key(KeyCode::PageUp), ctrl('b')], Action::PageUp, Move, "", "one page up"),
        bind(Help, &[key(KeyCode::PageDown), ctrl('f'), ch(' ')], Action::PageDown, Move, "page", "one page down"),
        bind(Help, &[key(KeyCode::Home), ch('g')], Action::First, Move, "", "first line"),
        bind(Help, &[key(KeyCode::End), ch('G')], Action::Last, Move, "", "last line"),
        bind(Help, &[key(KeyCode::Esc), ch('q'), ch('?'), ch('h'), key(KeyCode::F(1))], Action::Back, Leave, "back", "back to the table"),
        bind(Help, &[key(KeyCode::F(10)), ctrl('c')], Action::QuitNow, Leave, "", "quit"),
    ]
};

/// The keys of a place.
pub fn at(place: Place) -> impl Iterator<Item = &'static Binding> {
    BINDINGS
        .iter()
        .filter(move |binding| binding.place == place)
}

/// What a key does in a place; `None` if nothing.
#[must_use]
pub fn action(place: Place, event: KeyEvent) -> Option<Action> {
    at(place)
        .find(|binding| binding.keys.iter().any(|key| key.is(event)))
        .map(|binding| binding.action)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: [Place; 4] = [Place::Table, Place::Prompt, Place::Menu, Place::Help];

    #[test]
    fn no_key_stands_twice_in_a_place() {
        for place in PLACES {
            let keys: Vec<_> = at(place).flat_map(|binding| binding.keys).collect();
            for (n, key) in keys.iter().enumerate() {
                assert!(!keys[n + 1..].contains(key), "{place:?}: {}", key.name());
            }
        }
    }

    #[test]
    fn every_binding_has_help_and_every_key_a_name() {
        for binding in BINDINGS {
            assert!(!binding.help.is_empty(), "{:?}", binding.action);
            assert!(!binding.keys.is_empty(), "{:?}", binding.action);
            for key in binding.keys {
                assert!(!key.name().is_empty(), "{key:?}");
            }
        }
    }

    #[test]
    fn esc_goes_back_and_ctrl_c_out_everywhere() {
        let press = |code, modifiers| KeyEvent::new(code, modifiers);
        for place in PLACES {
            let esc = press(KeyCode::Esc, KeyModifiers::NONE);
            assert_eq!(action(place, esc), Some(Action::Back), "{place:?}");
            let ctrl_c = press(KeyCode::Char('c'), KeyModifiers::CONTROL);
            assert_eq!(action(place, ctrl_c), Some(Action::QuitNow), "{place:?}");
        }
    }

    #[test]
    fn a_capital_is_the_same_key_with_or_without_shift_reported() {
        for modifiers in [KeyModifiers::NONE, KeyModifiers::SHIFT] {
            let event = KeyEvent::new(KeyCode::Char('G'), modifiers);
            assert_eq!(action(Place::Table, event), Some(Action::Last));
        }
        let alt = KeyEvent::new(KeyCode::Char('G'), KeyModifiers::ALT);
        assert_eq!(action(Place::Table, alt), None);
    }

    #[test]
    fn keys_have_the_names_people_know() {
        let names: Vec<_> = BINDINGS[2].keys.iter().map(|key| key.name()).collect();
        assert_eq!(names, ["PgUp", "^B"]);
        assert_eq!(ch(' ').name(), "Space");
        assert_eq!(key(KeyCode::F(10)).name(), "F10");
        assert_eq!(key(KeyCode::Up).name(), "Up");
    }
}
