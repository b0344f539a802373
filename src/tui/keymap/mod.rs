//! The keys: one table that dispatch, hint line, help and README come from.

pub(crate) mod bindings;

use compact_str::{CompactString, format_compact};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::action::Action;

pub use bindings::BINDINGS;

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
pub enum KeyContext {
    /// In the table.
    Table,
    /// In the table and the detail of a live source.
    Time,
    /// In the table and the detail of a recording.
    Replay,
    /// In the detail of a map.
    Detail,
    /// While a line is typed.
    Prompt,
    /// In the list of columns to sort by.
    Menu,
    /// In the list of owners.
    Groups,
    /// In the list of columns to show.
    Columns,
    /// In the help.
    Help,
    /// In the page about what can be shown here.
    System,
    /// While a map is counted, or the user is asked whether it should be.
    Count,
    /// Wherever one is.
    Everywhere,
}

/// What a key is about, in the order of the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HelpSection {
    /// Which map is selected.
    Move,
    /// Which maps are shown.
    Find,
    /// In which order.
    Sort,
    /// How.
    Look,
    /// When.
    Time,
    /// When, in a recording.
    Replay,
    /// Getting help, back and out.
    Leave,
}

impl HelpSection {
    /// All, in order.
    pub const ALL: [Self; 7] = [
        Self::Move,
        Self::Find,
        Self::Sort,
        Self::Look,
        Self::Time,
        Self::Replay,
        Self::Leave,
    ];

    /// Its title.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Move => "Move",
            Self::Find => "Find",
            Self::Sort => "Sort",
            Self::Look => "Look",
            Self::Time => "Time",
            Self::Replay => "Time, in a recording",
            Self::Leave => "Leave",
        }
    }
}

/// A word for the hint line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hint {
    /// The lower, the longer it stays when room is short; from [`PINNED_RANK`] on it stands at the right.
    pub rank: u8,
    /// The word.
    pub word: &'static str,
}

/// The first rank of the hints that stand at the right and stay to the last: help and the way out.
pub const PINNED_RANK: u8 = 100;

/// Keys that do one thing in one place.
#[derive(Debug)]
pub struct Binding {
    /// Where.
    pub place: KeyContext,
    /// Any of these; hints name the first.
    pub keys: &'static [Key],
    /// What they do.
    pub action: Action,
    /// What they are about.
    pub topic: HelpSection,
    /// A word for the hint line, if they are hinted at.
    pub hint: Option<Hint>,
    /// What they do, in a few words.
    pub help: &'static str,
}

const fn bind(
    place: KeyContext,
    keys: &'static [Key],
    action: Action,
    topic: HelpSection,
    help: &'static str,
) -> Binding {
    Binding {
        place,
        keys,
        action,
        topic,
        hint: None,
        help,
    }
}

impl Binding {
    const fn hint(self, rank: u8, word: &'static str) -> Self {
        Self {
            hint: Some(Hint { rank, word }),
            ..self
        }
    }
}

/// The keys of a place.
pub fn at(place: KeyContext) -> impl Iterator<Item = &'static Binding> {
    BINDINGS
        .iter()
        .filter(move |binding| binding.place == place)
}

/// What a key does in the first of these places that knows it; `None` if nothing.
#[must_use]
pub fn action(places: &[KeyContext], event: KeyEvent) -> Option<Action> {
    places
        .iter()
        .flat_map(|place| at(*place))
        .find(|binding| binding.keys.iter().any(|key| key.is(event)))
        .map(|binding| binding.action)
}

/// Keys that belong together, as help and README show them: `Up Down  k j`, and what they do.
#[must_use]
pub fn in_pairs(bindings: &[&'static Binding]) -> Vec<(String, &'static str)> {
    bindings
        .chunk_by(|a, b| a.help == b.help && a.place == b.place)
        .map(|pair| {
            let longest = pair.iter().map(|binding| binding.keys.len()).max();
            let groups: Vec<_> = (0..longest.unwrap_or(0))
                .map(|n| {
                    let names: Vec<_> = pair
                        .iter()
                        .filter_map(|binding| binding.keys.get(n))
                        .map(|key| key.name())
                        .collect();
                    names.join(" ")
                })
                .collect();
            (groups.join("  "), pair[0].help)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The places whose keys mean something at the same time.
    const TOGETHER: [&[KeyContext]; 12] = [
        &[KeyContext::Table, KeyContext::Time, KeyContext::Everywhere],
        &[
            KeyContext::Table,
            KeyContext::Replay,
            KeyContext::Everywhere,
        ],
        &[KeyContext::Detail, KeyContext::Time, KeyContext::Everywhere],
        &[
            KeyContext::Detail,
            KeyContext::Replay,
            KeyContext::Everywhere,
        ],
        &[KeyContext::Prompt, KeyContext::Everywhere],
        &[KeyContext::Menu, KeyContext::Everywhere],
        &[KeyContext::Groups, KeyContext::Time, KeyContext::Everywhere],
        &[
            KeyContext::Groups,
            KeyContext::Replay,
            KeyContext::Everywhere,
        ],
        &[KeyContext::Columns, KeyContext::Everywhere],
        &[KeyContext::Help, KeyContext::Everywhere],
        &[KeyContext::System, KeyContext::Everywhere],
        &[KeyContext::Count, KeyContext::Everywhere],
    ];

    #[test]
    fn no_key_stands_twice_in_a_place() {
        for places in TOGETHER {
            let all = places.iter().flat_map(|place| at(*place));
            let keys: Vec<_> = all.flat_map(|binding| binding.keys).collect();
            for (n, key) in keys.iter().enumerate() {
                assert!(!keys[n + 1..].contains(key), "{places:?}: {}", key.name());
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
        for places in TOGETHER {
            let esc = press(KeyCode::Esc, KeyModifiers::NONE);
            assert_eq!(action(places, esc), Some(Action::Back), "{places:?}");
            let ctrl_c = press(KeyCode::Char('c'), KeyModifiers::CONTROL);
            assert_eq!(action(places, ctrl_c), Some(Action::QuitNow), "{places:?}");
        }
    }

    #[test]
    fn a_capital_is_the_same_key_with_or_without_shift_reported() {
        for modifiers in [KeyModifiers::NONE, KeyModifiers::SHIFT] {
            let event = KeyEvent::new(KeyCode::Char('G'), modifiers);
            assert_eq!(action(&[KeyContext::Table], event), Some(Action::Last));
        }
        let alt = KeyEvent::new(KeyCode::Char('G'), KeyModifiers::ALT);
        assert_eq!(action(&[KeyContext::Table], alt), None);
    }

    #[test]
    fn keys_have_the_names_people_know() {
        let names: Vec<_> = BINDINGS[2].keys.iter().map(|key| key.name()).collect();
        assert_eq!(names, ["PgUp", "^B"]);
        assert_eq!(ch(' ').name(), "Space");
        assert_eq!(key(KeyCode::F(10)).name(), "F10");
        assert_eq!(key(KeyCode::Up).name(), "Up");
    }

    #[test]
    fn keys_that_belong_together_stand_in_one_line() {
        let moves: Vec<_> = at(KeyContext::Table)
            .filter(|binding| binding.topic == HelpSection::Move)
            .collect();
        let lines = in_pairs(&moves);
        assert_eq!(lines[0], ("Up Down  k j".to_owned(), "one map"));
        assert_eq!(lines[1], ("PgUp PgDn  ^B ^F".to_owned(), "one page"));
    }
}
