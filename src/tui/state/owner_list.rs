//! What keys do in the list of owners: who has the maps, and what they cost together.

use compact_str::CompactString;

use super::{App, Help, Screen};
use crate::query::filter::Filter;
use crate::query::group::{Group, GroupBy, groups, test};
use crate::tui::action::{Action, Effect};
use crate::types::fleet::{Fleet, Node};

/// The list of owners, services or containers.
#[derive(Debug, Clone, PartialEq)]
pub struct Groups {
    /// What maps are put together by.
    pub by: GroupBy,
    /// The selected group's name, and its place where there is no such group any more; the first
    /// until one is selected.
    pub(super) selected: Option<(Option<CompactString>, usize)>,
    /// Whether the table comes back here, as from a map's detail; else it is a choice of a filter.
    pub(super) is_view: bool,
}

impl Groups {
    pub(super) fn new(by: GroupBy, is_view: bool) -> Self {
        Self {
            by,
            selected: None,
            is_view,
        }
    }

    /// The place of the selected group among these.
    #[must_use]
    pub fn at(&self, groups: &[Group]) -> usize {
        let Some((name, place)) = &self.selected else {
            return 0;
        };
        let at = groups.iter().position(|group| group.name == *name);
        at.unwrap_or((*place).min(groups.len().saturating_sub(1)))
    }
}

impl App {
    /// The groups of the rows that are shown.
    #[must_use]
    pub fn groups(&self, by: GroupBy) -> Vec<Group> {
        let mut groups = groups(self.rows(), by);
        if by == GroupBy::Node
            && let Some(fleet) = self.fleet()
        {
            // Those without maps are there to be missed.
            let is_new = |node: &&Node| {
                let name = Some(&*node.name);
                groups.iter().all(|group| group.name.as_deref() != name)
            };
            let down: Vec<_> = fleet.down().filter(is_new).collect();
            let empty = down.into_iter().map(|node| Group::empty(&node.name));
            groups.splice(0..0, empty);
        }
        groups
    }

    /// The machines, if there are several.
    #[must_use]
    pub fn fleet(&self) -> Option<&Fleet> {
        self.reading.as_ref()?.fleet.as_deref()
    }

    pub(super) fn apply_to_groups(&mut self, action: Action) -> Effect {
        let Screen::Groups(open) = &self.mode else {
            return Effect::Draw;
        };
        let mut list = open.clone();
        let groups = self.groups(list.by);
        let at = list.at(&groups);
        let end = groups.len().saturating_sub(1);
        let page = self.page().saturating_sub(1).max(1);
        let to = match action {
            Action::Up => at.saturating_sub(1),
            Action::Down => (at + 1).min(end),
            Action::PageUp => at.saturating_sub(page),
            Action::PageDown => (at + page).min(end),
            Action::First => 0,
            Action::Last => end,
            Action::NextPage => {
                let is_fleet = self.fleet().is_some();
                let mut all = GroupBy::ALL
                    .into_iter()
                    .filter(|by| is_fleet || *by != GroupBy::Node);
                let next = all.by_ref().skip_while(|by| *by != list.by).nth(1);
                let by = next.unwrap_or(GroupBy::Owner);
                self.mode = Screen::Groups(Groups::new(by, list.is_view));
                return Effect::Draw;
            }
            Action::Accept => {
                if let Some(group) = groups.get(at) {
                    self.open_group(&list, group, at);
                }
                return Effect::Draw;
            }
            Action::Help => {
                self.mode = Screen::Help(Help::over(Screen::Groups(list)));
                return Effect::Draw;
            }
            Action::Back => {
                self.mode = Screen::Table;
                return Effect::Draw;
            }
            _ => return Effect::Draw,
        };
        list.selected = groups.get(to).map(|group| (group.name.clone(), to));
        self.mode = Screen::Groups(list);
        Effect::Draw
    }

    /// Shows a group's maps only.
    fn open_group(&mut self, list: &Groups, group: &Group, at: usize) {
        let Some(only) = test(list.by, group) else {
            self.toast(format!(
                "their {} is not known, so nothing can be asked for",
                list.by.field()
            ));
            return;
        };
        let old = self.filter.clone();
        let text = match old.text().trim() {
            "" => only,
            before => format!("({before}) {only}"),
        };
        match Filter::parse(&text) {
            Ok(filter) => {
                let list = Groups {
                    selected: Some((group.name.clone(), at)),
                    ..list.clone()
                };
                self.opened_from = list.is_view.then_some((list, old));
                self.mode = Screen::Table;
                self.filter_by(filter);
            }
            Err(error) => self.toast(error.to_string()),
        }
    }

    /// Goes back to the list that the table was opened from; whether there was one.
    pub(super) fn back_to_groups(&mut self) -> bool {
        let Some((list, filter)) = self.opened_from.take() else {
            return false;
        };
        self.filter_by(filter);
        self.mode = Screen::Groups(list);
        true
    }
}
