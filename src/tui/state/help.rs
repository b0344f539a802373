//! What keys do in the help: pages, scrolling, searching.

use super::{App, PromptKind, Screen};
use crate::query::fields::ColumnId;
use crate::tui::action::Action;
use crate::tui::layout;
use crate::tui::text::help;

/// A page of the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// What keys do.
    Keys,
    /// What columns say.
    Columns,
    /// What signs mean.
    Marks,
    /// How filters are written.
    Filter,
}

impl Page {
    /// All, in order.
    pub const ALL: [Self; 4] = [Self::Keys, Self::Columns, Self::Marks, Self::Filter];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Columns => "columns",
            Self::Marks => "marks",
            Self::Filter => "filter",
        }
    }
}

/// Where one is in the help.
#[derive(Debug, Clone)]
pub struct Help {
    /// The page.
    pub page: Page,
    /// Its first line on the screen.
    pub top: usize,
    /// What is searched for, in lower case; empty if nothing is.
    pub word: String,
    /// What it was opened over, and goes back to.
    pub under: Box<Screen>,
}

impl Help {
    /// The help, opened over something.
    #[must_use]
    pub fn over(under: Screen) -> Self {
        Self {
            page: Page::Keys,
            top: 0,
            word: String::new(),
            under: Box::new(under),
        }
    }

    /// Turns to the next line with what is searched for, in this page or another; from the line
    /// after the first on the screen on, or from that line itself.
    fn find(
        &mut self,
        is_next: bool,
        from_here: bool,
        (width, columns): (u16, &[ColumnId]),
    ) -> bool {
        let lines: Vec<_> = Page::ALL
            .into_iter()
            .flat_map(|page| {
                let lines = help::lines(page, width, columns);
                lines
                    .into_iter()
                    .enumerate()
                    .map(move |(n, line)| (page, n, line.text.to_lowercase()))
            })
            .collect();
        let here = lines
            .iter()
            .position(|(page, n, _)| (*page, *n) == (self.page, self.top))
            .unwrap_or(0);
        let count = lines.len();
        let found = (usize::from(!from_here)..=count)
            .map(|step| {
                if is_next {
                    (here + step) % count
                } else {
                    (here + count - step) % count
                }
            })
            .find(|at| lines[*at].2.contains(&self.word));
        if let Some(at) = found {
            (self.page, self.top) = (lines[at].0, lines[at].1);
        }
        found.is_some()
    }
}

impl App {
    pub(super) fn apply_to_help(&mut self, action: Action) {
        let (page, last) = layout::help(self);
        let (width, columns) = (self.size.0, self.columns_offered());
        let Screen::Help(help) = &mut self.mode else {
            return;
        };
        match action {
            Action::Page(n) => (help.page, help.top) = (Page::ALL[n.min(Page::ALL.len() - 1)], 0),
            Action::NextPage => {
                let at = (help.page as usize + 1) % Page::ALL.len();
                (help.page, help.top) = (Page::ALL[at], 0);
            }
            Action::AskSearch => self.ask(PromptKind::HelpSearch, String::new()),
            Action::NextFound | Action::PreviousFound if help.word.is_empty() => {
                self.toast("nothing is searched for: / searches");
            }
            Action::NextFound | Action::PreviousFound => {
                help.find(action == Action::NextFound, false, (width, &columns));
            }
            Action::Back if !help.word.is_empty() => help.word.clear(),
            Action::Back => {
                let under = std::mem::replace(&mut *help.under, Screen::Table);
                self.mode = under;
                self.keep_in_view();
            }
            // A line that was found may stand at the top though the page could be scrolled less.
            _ => help.top = layout::scroll(help.top, action, page, last.max(help.top)),
        }
    }

    /// Turns to what is being searched for in the help.
    pub(super) fn search_help(&mut self, text: &str) {
        let (width, columns) = (self.size.0, self.columns_offered());
        let help = match &mut self.mode {
            Screen::Prompt(prompt) => &mut prompt.under,
            mode => mode,
        };
        if let Screen::Help(help) = help {
            help.word = text.trim().to_lowercase();
            let is_missing = !help.word.is_empty() && !help.find(true, true, (width, &columns));
            if let Screen::Prompt(prompt) = &mut self.mode
                && is_missing
            {
                prompt.not_found();
            }
        }
    }
}
