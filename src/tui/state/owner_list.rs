//! The list of owners, services, containers or nodes, with what their maps cost together.

use compact_str::CompactString;

use super::{App, Screen};
use crate::query::filter::Filter;
use crate::query::group::{Group, GroupBy, filter_text, group_rows};
use crate::tui::action::{Action, Effect};
use crate::types::fleet::{Fleet, Node};

/// The state of the owner list.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnerList {
    /// What the maps are grouped by.
    pub by: GroupBy,
    /// The name of the selected group, and its index for when the group is gone. `None` selects the
    /// first.
    selected: Option<(Option<CompactString>, usize)>,
    /// Whether Esc in the table leads back here after a group was opened.
    is_view: bool,
}

impl OwnerList {
    fn new(by: GroupBy, is_view: bool) -> Self {
        Self {
            by,
            selected: None,
            is_view,
        }
    }

    /// The index of the selected group.
    #[must_use]
    pub fn selected_index(&self, groups: &[Group]) -> usize {
        let Some((name, old_index)) = &self.selected else {
            return 0;
        };
        let index = groups.iter().position(|group| group.name == *name);
        index.unwrap_or((*old_index).min(groups.len().saturating_sub(1)))
    }
}

impl App {
    /// The groups of the visible rows.
    #[must_use]
    pub fn groups(&self, by: GroupBy) -> Vec<Group> {
        let mut groups = group_rows(self.rows(), by);
        if by == GroupBy::Node
            && let Some(fleet) = self.fleet()
        {
            // A node that is down has no maps, and is listed first.
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

    pub(crate) fn fleet(&self) -> Option<&Fleet> {
        self.data.reading.as_ref()?.fleet.as_deref()
    }

    /// Opens the list to browse owners (`is_view`), or to choose one as a filter.
    pub(super) fn open_owner_list(&mut self, is_view: bool) {
        let list = OwnerList::new(GroupBy::Owner, is_view);
        self.nav.screens.push(Screen::OwnerList(list));
    }

    pub(super) fn apply_to_owner_list(&mut self, action: Action) -> Option<Effect> {
        let Screen::OwnerList(list) = self.screen() else {
            return None;
        };
        let list = list.clone();
        let groups = self.groups(list.by);
        let index = list.selected_index(&groups);
        let end = groups.len().saturating_sub(1);
        let page = self.page().saturating_sub(1).max(1);
        let to = match action {
            Action::Up => index.saturating_sub(1),
            Action::Down => (index + 1).min(end),
            Action::PageUp => index.saturating_sub(page),
            Action::PageDown => (index + page).min(end),
            Action::First => 0,
            Action::Last => end,
            Action::NextPage => {
                let next = self.next_grouping(list.by);
                self.set_owner_list(OwnerList::new(next, list.is_view));
                return Some(Effect::Draw);
            }
            Action::Accept => {
                if let Some(group) = groups.get(index) {
                    self.open_group(&list, group, index);
                }
                return Some(Effect::Draw);
            }
            Action::Help => {
                self.open_help();
                return Some(Effect::Draw);
            }
            Action::Back => {
                self.nav.screens.pop();
                return Some(Effect::Draw);
            }
            _ => return None,
        };
        self.set_owner_list(OwnerList {
            selected: groups.get(to).map(|group| (group.name.clone(), to)),
            ..list
        });
        Some(Effect::Draw)
    }

    fn set_owner_list(&mut self, list: OwnerList) {
        if let Some(Screen::OwnerList(open)) = self.nav.screens.top_mut() {
            *open = list;
        }
    }

    fn next_grouping(&self, by: GroupBy) -> GroupBy {
        let is_fleet = self.fleet().is_some();
        let mut all = GroupBy::ALL
            .into_iter()
            .filter(|by| is_fleet || *by != GroupBy::Node);
        let next = all.by_ref().skip_while(|other| *other != by).nth(1);
        next.unwrap_or(GroupBy::Owner)
    }

    /// Filters the table by a group.
    fn open_group(&mut self, list: &OwnerList, group: &Group, index: usize) {
        let Some(only) = filter_text(list.by, group) else {
            self.toast(format!(
                "their {} is unknown, so no filter can select them",
                list.by.field()
            ));
            return;
        };
        let old = self.table.filter.clone();
        let text = match old.text().trim() {
            "" => only,
            before => format!("({before}) {only}"),
        };
        match Filter::parse(&text) {
            Ok(filter) => {
                let list = OwnerList {
                    selected: Some((group.name.clone(), index)),
                    ..list.clone()
                };
                self.table.opened_from = list.is_view.then_some((list, old));
                self.nav.screens.pop();
                self.filter_by(filter);
            }
            Err(error) => self.toast(error.to_string()),
        }
    }

    /// Goes back to the list that the table was opened from, if there is one.
    pub(super) fn back_to_owner_list(&mut self) -> bool {
        let Some((list, filter)) = self.table.opened_from.take() else {
            return false;
        };
        self.filter_by(filter);
        self.nav.screens.push(Screen::OwnerList(list));
        true
    }
}
