//! How the number of entries of a map came about.

use std::borrow::Cow;

use serde::Serialize;

/// How a map's entries were counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CountMethod {
    /// The kernel's own element counter.
    Counter,
    /// A number read from the map's structure.
    Field,
    /// Its slots were looked at.
    Scan,
    /// By chance: how many entries it takes for what was seen of it. How far that may be off is told.
    Estimate,
    /// Every entry was visited.
    Walk,
    /// Not counted: there is nothing to count, or no way to.
    None,
}

impl CountMethod {
    /// The word for it, the same in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Field => "field",
            Self::Scan => "scan",
            Self::Estimate => "estimate",
            Self::Walk => "walk",
            Self::None => "none",
        }
    }
}

/// How the number of entries came about, and what is to be said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// How it was counted.
    pub method: CountMethod,
    /// Why there is no number, or how far it may be off; `None` if it is simply right.
    pub note: Option<Cow<'static, str>>,
    /// How far the number may be off, in its unit: three standard deviations of an estimate, else 0.
    pub error: u64,
}

impl Count {
    /// A number that is right, or none.
    #[must_use]
    pub fn exact(method: CountMethod) -> Self {
        Self {
            method,
            note: None,
            error: 0,
        }
    }

    /// A number, or none, of which there is something to say.
    #[must_use]
    pub fn with_note(method: CountMethod, note: impl Into<Cow<'static, str>>) -> Self {
        Self {
            note: Some(note.into()),
            ..Self::exact(method)
        }
    }
}
