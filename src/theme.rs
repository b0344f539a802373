//! Themes: what each role on the screen looks like.

use ratatui::backend::IntoCrossterm;
use ratatui::crossterm::style::{ContentStyle, force_color_output};
use ratatui::style::{Color, Modifier, Style};

use crate::types::mark::Mark;

/// A look for each role. Nothing is coloured unless it needs a person.
#[derive(Debug, PartialEq, Eq)]
pub struct Theme {
    /// The value of `--theme`.
    pub name: &'static str,
    pub help: &'static str,
    /// What is marked `!`.
    pub crit: Style,
    /// What is marked `^`.
    pub warn: Style,
    /// Maps that cannot fail, and hints.
    pub muted: Style,
    /// Titles, messages, what is new.
    pub strong: Style,
    /// The selected line, whatever else it is.
    pub selected: Style,
    /// A state of the view that changes what its numbers mean.
    pub state: Style,
    pub error: Style,
    /// What a search found.
    pub found: Style,
    /// A map that is gone.
    pub gone: Style,
}

const PLAIN: Style = Style::new();
const BOLD: Style = PLAIN.add_modifier(Modifier::BOLD);
const DIM: Style = PLAIN.add_modifier(Modifier::DIM);
const REVERSED: Style = PLAIN.add_modifier(Modifier::REVERSED);
const UNDERLINED: Style = PLAIN.add_modifier(Modifier::UNDERLINED);
const STRUCK: Style = DIM.add_modifier(Modifier::CROSSED_OUT);

/// Only attributes: for `NO_COLOR`, and for terminals without colours.
pub const MONO: Theme = Theme {
    name: "mono",
    help: "no colours, only bold, dim, underlined and reversed",
    crit: BOLD,
    warn: PLAIN,
    muted: DIM,
    strong: BOLD,
    selected: REVERSED,
    state: REVERSED,
    error: BOLD,
    found: UNDERLINED,
    gone: STRUCK,
};

/// The eight ANSI colours, so that it follows the terminal's own palette, light or dark.
pub const DEFAULT: Theme = Theme {
    name: "default",
    help: "the terminal's own red and yellow",
    crit: BOLD.fg(Color::Red),
    warn: PLAIN.fg(Color::Yellow),
    error: BOLD.fg(Color::Red),
    ..MONO
};

/// Every theme, in the order that they are offered. The colours of `cvd` are the nearest of 256 to
/// the blue, orange and vermillion of Okabe and Ito, which people of every colour vision tell apart.
pub const THEMES: [&Theme; 4] = [
    &DEFAULT,
    &Theme {
        name: "cvd",
        help: "for every colour vision: vermillion, orange, blue; needs 256 colours",
        crit: BOLD.fg(Color::Indexed(166)),
        warn: PLAIN.fg(Color::Indexed(214)),
        error: BOLD.fg(Color::Indexed(166)),
        found: UNDERLINED.fg(Color::Indexed(32)),
        ..MONO
    },
    &Theme {
        name: "high-contrast",
        help: "coloured grounds, nothing dim",
        crit: BOLD.fg(Color::White).bg(Color::Red),
        warn: PLAIN.fg(Color::Black).bg(Color::Yellow),
        muted: PLAIN,
        selected: REVERSED.add_modifier(Modifier::BOLD),
        error: BOLD.fg(Color::White).bg(Color::Red),
        found: BOLD.add_modifier(Modifier::UNDERLINED),
        gone: PLAIN.add_modifier(Modifier::CROSSED_OUT),
        ..MONO
    },
    &MONO,
];

impl Theme {
    /// Finds a theme by name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        THEMES.into_iter().find(|theme| theme.name == name)
    }

    /// The next theme, wrapping around.
    #[must_use]
    pub fn next(&self) -> &'static Self {
        let at = THEMES.iter().position(|theme| theme.name == self.name);
        THEMES[at.map_or(0, |at| (at + 1) % THEMES.len())]
    }

    /// A text with the look of what a mark is about, as a terminal has it.
    #[must_use]
    pub(crate) fn paint(&self, mark: Option<Mark>, text: &str) -> String {
        match self.mark(mark) {
            PLAIN => text.to_owned(),
            style => {
                let style: ContentStyle = style.into_crossterm();
                style.apply(text).to_string()
            }
        }
    }

    /// The look of what a mark is about.
    #[must_use]
    pub fn mark(&self, mark: Option<Mark>) -> Style {
        match mark {
            Some(Mark::Crit) => self.crit,
            Some(Mark::Warn) => self.warn,
            Some(Mark::None) | None => PLAIN,
        }
    }
}

/// Whether there are colours is decided by the choice of a theme; crossterm is not to decide again.
pub(crate) fn force_color() {
    force_color_output(true);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn themes_are_found_by_name_and_next_wraps() {
        let mut theme = &DEFAULT;
        for _ in 0..THEMES.len() {
            assert_eq!(Theme::find(theme.name), Some(theme));
            theme = theme.next();
        }
        assert_eq!(theme, &DEFAULT);
        assert_eq!(Theme::find("solarized"), None);
    }

    #[test]
    fn selection_and_crit_show_without_colour() {
        for theme in THEMES {
            assert!(theme.selected.add_modifier.contains(Modifier::REVERSED));
            assert!(theme.crit.add_modifier.contains(Modifier::BOLD));
            assert_ne!(theme.crit, theme.mark(Some(Mark::None)), "{}", theme.name);
        }
        assert_eq!(
            (MONO.crit.fg, MONO.crit.bg, MONO.warn.fg),
            (None, None, None)
        );
    }

    #[test]
    fn the_default_theme_has_only_ansi_colours() {
        let plain = [Color::Red, Color::Yellow];
        for style in [DEFAULT.crit, DEFAULT.warn, DEFAULT.error] {
            assert!(style.fg.is_some_and(|color| plain.contains(&color)));
            assert_eq!(style.bg, None);
        }
    }
}
