//! Which screens and pages there are.

/// A kind of screen; `state::Screen` has what is on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScreenKind {
    Table,
    Detail,
    Prompt,
    SortMenu,
    OwnerList,
    ColumnPicker,
    Help,
    Doctor,
    ExactCount,
}

/// A page about one map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DetailPage {
    /// Level, chart and everything else that is known of the map.
    Overview,
    Events,
}

impl DetailPage {
    pub(crate) const ALL: [Self; 2] = [Self::Overview, Self::Events];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Events => "events",
        }
    }
}

/// A page of the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HelpPage {
    Keys,
    Columns,
    Marks,
    Filter,
}

impl HelpPage {
    pub(crate) const ALL: [Self; 4] = [Self::Keys, Self::Columns, Self::Marks, Self::Filter];

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
