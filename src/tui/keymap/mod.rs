//! The key bindings: one table for dispatch, hint line, help and docs/keys.md.

pub(crate) mod bindings;

use compact_str::{CompactString, format_compact};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::action::Action;

pub use bindings::BINDINGS;

/// A key as the terminal sends it. Capitals are characters of their own; shift is ignored.
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

/// Where a binding is active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyContext {
    /// The table.
    Table,
    /// Table, detail and owner list of a live source.
    Time,
    /// Table, detail and owner list of a recording.
    Replay,
    /// The detail of a map.
    Detail,
    /// A line of input.
    Prompt,
    /// The list of columns to sort by.
    SortMenu,
    /// The list of owners.
    OwnerList,
    /// The list of columns to show.
    ColumnPicker,
    /// The help.
    Help,
    /// The doctor page.
    Doctor,
    /// The dialog about an exact count.
    CountDialog,
    /// All screens.
    Everywhere,
}

/// A section of the help, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HelpSection {
    /// Moving the selection.
    Move,
    /// Choosing maps.
    Find,
    /// Choosing an order.
    Sort,
    /// Choosing what is shown of the maps.
    Look,
    /// Pausing and stepping.
    Time,
    /// Playing a recording.
    Replay,
    /// Help, back and quitting.
    Leave,
}

impl HelpSection {
    /// The title of the section.
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

/// A hint in the line of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hint {
    /// Hints of a higher rank are dropped first, except that those from [`PINNED_RANK`] on are at the
    /// right and dropped last.
    pub(crate) rank: u8,
    pub(crate) word: &'static str,
}

/// The first rank of the hints at the right: help and the way out.
pub(crate) const PINNED_RANK: u8 = 100;

/// Keys and the action that they are bound to.
#[derive(Debug)]
pub struct Binding {
    /// Where the binding is active.
    pub context: KeyContext,
    /// Alternatives; the hint names the first.
    pub keys: &'static [Key],
    /// What the keys ask for.
    pub action: Action,
    /// Where the help has the binding.
    pub section: HelpSection,
    /// The hint in the line of keys, if there is one.
    pub hint: Option<Hint>,
    /// What the keys do, in a few words.
    pub help: &'static str,
}

const fn bind(
    context: KeyContext,
    keys: &'static [Key],
    action: Action,
    section: HelpSection,
    help: &'static str,
) -> Binding {
    Binding {
        context,
        keys,
        action,
        section,
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

/// The bindings of a context.
pub(crate) fn bindings_in(context: KeyContext) -> impl Iterator<Item = &'static Binding> {
    BINDINGS
        .iter()
        .filter(move |binding| binding.context == context)
}

/// The action of a key in the first of these contexts that binds it.
pub(crate) fn action(contexts: &[KeyContext], event: KeyEvent) -> Option<Action> {
    contexts
        .iter()
        .flat_map(|context| bindings_in(*context))
        .find(|binding| binding.keys.iter().any(|key| key.is(event)))
        .map(|binding| binding.action)
}

/// Keys and help texts, as in help and docs/keys.md: `Up Down  k j`, `one map`. Neighbours with the same
/// help text share a line.
#[must_use]
pub(crate) fn in_pairs(bindings: &[&'static Binding]) -> Vec<(String, &'static str)> {
    bindings
        .chunk_by(|a, b| a.help == b.help && a.context == b.context)
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

    /// Contexts that are active at the same time.
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
        &[KeyContext::SortMenu, KeyContext::Everywhere],
        &[
            KeyContext::OwnerList,
            KeyContext::Time,
            KeyContext::Everywhere,
        ],
        &[
            KeyContext::OwnerList,
            KeyContext::Replay,
            KeyContext::Everywhere,
        ],
        &[KeyContext::ColumnPicker, KeyContext::Everywhere],
        &[KeyContext::Help, KeyContext::Everywhere],
        &[KeyContext::Doctor, KeyContext::Everywhere],
        &[KeyContext::CountDialog, KeyContext::Everywhere],
    ];

    #[test]
    fn no_key_is_bound_twice_in_a_context() {
        for contexts in TOGETHER {
            let all = contexts.iter().flat_map(|context| bindings_in(*context));
            let keys: Vec<_> = all.flat_map(|binding| binding.keys).collect();
            for (n, key) in keys.iter().enumerate() {
                assert!(!keys[n + 1..].contains(key), "{contexts:?}: {}", key.name());
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
        for contexts in TOGETHER {
            let esc = press(KeyCode::Esc, KeyModifiers::NONE);
            assert_eq!(action(contexts, esc), Some(Action::Back), "{contexts:?}");
            let ctrl_c = press(KeyCode::Char('c'), KeyModifiers::CONTROL);
            assert_eq!(
                action(contexts, ctrl_c),
                Some(Action::QuitNow),
                "{contexts:?}"
            );
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
    fn neighbours_with_the_same_help_share_a_line() {
        let moves: Vec<_> = bindings_in(KeyContext::Table)
            .filter(|binding| binding.section == HelpSection::Move)
            .collect();
        let lines = in_pairs(&moves);
        assert_eq!(lines[0], ("Up Down  k j".to_owned(), "one map"));
        assert_eq!(lines[1], ("PgUp PgDn  ^B ^F".to_owned(), "one page"));
    }
}
