//! What a map is recognised by.

use std::sync::Arc;

/// A map's id, unique on its machine until the kernel's counter wraps after two billion maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MapId(pub u32);

/// What a map is recognised by: its machine (`None` is this one) and its id there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MapKey {
    /// The machine, when there are several.
    pub node: Option<Arc<str>>,
    /// The id on that machine.
    pub id: MapId,
}
