//! The help: pages, scrolling, searching.

use super::{App, PromptKind, Screen, Scroll};
use crate::analysis::thresholds::Thresholds;
use crate::query::fields::ColumnId;
use crate::tui::action::{Action, Effect};
use crate::tui::layout;
use crate::tui::screen_kind::HelpPage;
use crate::tui::text::help::{self, HelpLine};

/// The open help.
#[derive(Debug, Clone)]
pub struct Help {
    pub(crate) page: HelpPage,
    pub(crate) scroll: Scroll,
    /// The text that is searched for, in lower case; empty without a search.
    pub(crate) word: String,
}

impl Help {
    /// The name of the page.
    #[must_use]
    pub fn page_name(&self) -> &'static str {
        self.page.name()
    }

    /// The first visible line, as of the last frame.
    #[must_use]
    pub fn top(&self) -> usize {
        self.scroll.current_top()
    }

    fn go_to(&mut self, page: HelpPage) {
        (self.page, self.scroll) = (page, Scroll::default());
    }

    /// Turns to the next or previous line with the word, on any page; whether there is one.
    /// `from_here` includes the line at the top of the screen.
    fn find(&mut self, is_next: bool, from_here: bool, content: &HelpContent) -> bool {
        let lines: Vec<_> = HelpPage::ALL
            .into_iter()
            .flat_map(|page| {
                let lines = content.lines(page).into_iter().enumerate();
                lines.map(move |(n, line)| (page, n, line.text.to_lowercase()))
            })
            .collect();
        let here = lines
            .iter()
            .position(|(page, n, _)| (*page, *n) == (self.page, self.top()))
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
            .find(|index| lines[*index].2.contains(&self.word));
        if let Some(index) = found {
            let (page, line, _) = lines[index];
            if page != self.page {
                self.go_to(page);
            }
            self.scroll.jump_to_match(line);
        }
        found.is_some()
    }
}

/// What the lines of the help depend on.
struct HelpContent {
    width: u16,
    columns: Vec<ColumnId>,
    thresholds: Thresholds,
}

impl HelpContent {
    fn lines(&self, page: HelpPage) -> Vec<HelpLine> {
        help::help_lines(page, self.width, &self.columns, self.thresholds)
    }
}

impl App {
    pub(super) fn open_help(&mut self) {
        self.nav.screens.push(Screen::Help(Help {
            page: HelpPage::Keys,
            scroll: Scroll::default(),
            word: String::new(),
        }));
    }

    fn help_content(&self) -> HelpContent {
        HelpContent {
            width: self.nav.size.0,
            columns: self.columns_offered(),
            thresholds: self.thresholds(),
        }
    }

    /// The lines of a page of the help.
    pub(crate) fn help_lines(&self, page: HelpPage) -> Vec<HelpLine> {
        self.help_content().lines(page)
    }

    pub(super) fn apply_to_help(&mut self, action: Action) -> Option<Effect> {
        let page_height = layout::page(self.viewport()).height;
        let content = self.help_content();
        let Some(Screen::Help(help)) = self.nav.screens.top_mut() else {
            return None;
        };
        match action {
            Action::GoToPage(n) => help.go_to(HelpPage::ALL[n.min(HelpPage::ALL.len() - 1)]),
            Action::NextPage => {
                let next = (help.page as usize + 1) % HelpPage::ALL.len();
                help.go_to(HelpPage::ALL[next]);
            }
            Action::OpenSearch => self.open_prompt(PromptKind::HelpSearch, String::new()),
            Action::NextMatch | Action::PreviousMatch if help.word.is_empty() => {
                self.toast("no search yet; / starts one");
            }
            Action::NextMatch | Action::PreviousMatch => {
                help.find(action == Action::NextMatch, false, &content);
            }
            Action::Back if !help.word.is_empty() => help.word.clear(),
            Action::Back => {
                self.nav.screens.pop();
                self.keep_in_view();
            }
            _ => help.scroll.apply(action, page_height)?,
        }
        Some(Effect::Draw)
    }

    /// Searches the help while the text is typed.
    pub(super) fn search_help(&mut self, text: &str) {
        let content = self.help_content();
        let Some(help) = self.nav.screens.help_mut() else {
            return;
        };
        help.word = text.trim().to_lowercase();
        let is_missing = !help.word.is_empty() && !help.find(true, true, &content);
        if let Some(Screen::Prompt(prompt)) = self.nav.screens.top_mut()
            && is_missing
        {
            prompt.set_not_found();
        }
    }
}
