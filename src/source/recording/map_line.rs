//! One map in the line of a snapshot.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::exporter::ExportedLine;
use super::losses::LossLine;
use super::serde_skip::is_default;
use crate::text::count_note::count_note;
use crate::text::sanitize::sanitize;
use crate::types::count::{Count, CountMethod, CountNote};
use crate::types::map_flags::MapFlags;
use crate::types::map_id::{MapId, MapKey};
use crate::types::map_type::MapType;
use crate::types::snapshot::{KernelFacts, Layout, MapFacts, Origin};

/// One map. The fields are those of [`MapFacts`], with the names that reports use.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MapLine<'a> {
    #[serde(borrow, default, skip_serializing_if = "is_default")]
    node: Option<Cow<'a, str>>,
    id: u32,
    #[serde(borrow, default, skip_serializing_if = "is_default")]
    name: Cow<'a, str>,
    #[serde(rename = "type")]
    map_type: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    key_bytes: Option<u32>,
    #[serde(default, skip_serializing_if = "is_default")]
    value_bytes: Option<u32>,
    #[serde(default, skip_serializing_if = "is_default")]
    max_entries: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    flags: Option<u32>,
    #[serde(default, skip_serializing_if = "is_default")]
    frozen: Option<bool>,
    #[serde(default, skip_serializing_if = "is_default")]
    refs: Option<u64>,
    #[serde(default, skip_serializing_if = "is_default")]
    user_refs: Option<u64>,
    #[serde(default, skip_serializing_if = "is_default")]
    used: Option<u64>,
    #[serde(default, skip_serializing_if = "is_default")]
    capacity: Option<u64>,
    #[serde(default, skip_serializing_if = "is_default")]
    count_method: Method,
    #[serde(borrow, default, skip_serializing_if = "is_default")]
    count_note: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "is_default")]
    count_error: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    layout: LayoutLine,
    #[serde(default, skip_serializing_if = "is_default")]
    consumer: Option<u64>,
    #[serde(borrow, default, skip_serializing_if = "is_default")]
    loss: Option<LossLine<'a>>,
    /// If present, fields that are left out are unknown rather than 0.
    #[serde(borrow, default, skip_serializing_if = "is_default")]
    #[serde(rename = "told")]
    exported: Option<ExportedLine<'a>>,
}

/// How a map was counted. A method that only later versions know is read as `None`, and the
/// number is kept.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Method {
    Counter,
    Field,
    Scan,
    Estimate,
    Walk,
    #[default]
    #[serde(other)]
    None,
}

/// The parts of a map's memory.
#[derive(Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct LayoutLine {
    #[serde(skip_serializing_if = "is_default")]
    container_size: u32,
    #[serde(skip_serializing_if = "is_default")]
    elem_size: u32,
    #[serde(skip_serializing_if = "is_default")]
    bucket_count: u32,
    #[serde(skip_serializing_if = "is_default")]
    node_size: u32,
    #[serde(skip_serializing_if = "is_default")]
    data_size: u32,
    #[serde(skip_serializing_if = "is_default")]
    lock_size: u32,
    #[serde(skip_serializing_if = "is_default")]
    map_extra: u64,
}

/// The value to write for a fact. All facts of a map that was read are known, so 0 and false can be
/// left out.
pub(crate) fn written<T: Default + PartialEq>(fact: Option<T>, is_exported: bool) -> Option<T> {
    fact.filter(|fact| is_exported || *fact != T::default())
}

/// The fact that a written value stands for.
pub(crate) fn read<T: Default>(fact: Option<T>, is_exported: bool) -> Option<T> {
    if is_exported {
        fact
    } else {
        Some(fact.unwrap_or_default())
    }
}

impl<'a> From<&'a MapFacts> for MapLine<'a> {
    fn from(facts: &'a MapFacts) -> Self {
        let kernel = facts.kernel();
        let is_exported = facts.is_exported();
        Self {
            node: facts.key.node.as_deref().map(Cow::Borrowed),
            id: facts.key.id.0,
            name: Cow::Borrowed(&facts.name),
            map_type: facts.map_type.0,
            key_bytes: written(facts.key_size, is_exported),
            value_bytes: written(facts.value_size, is_exported),
            max_entries: facts.max_entries,
            flags: written(facts.flags.map(|flags| flags.0), is_exported),
            frozen: written(kernel.map(|kernel| kernel.is_frozen), is_exported),
            refs: written(kernel.map(|kernel| kernel.refs), is_exported),
            user_refs: written(kernel.map(|kernel| kernel.user_refs), is_exported),
            used: facts.used,
            capacity: facts.capacity,
            count_method: facts.count.method.into(),
            count_note: count_note(&facts.count),
            count_error: facts.count.error,
            layout: kernel
                .map(|kernel| kernel.layout.into())
                .unwrap_or_default(),
            consumer: kernel.and_then(|kernel| kernel.consumer_pos),
            loss: facts.loss.as_deref().map(LossLine::from),
            exported: facts.exported().map(ExportedLine::from),
        }
    }
}

impl From<MapLine<'_>> for MapFacts {
    fn from(line: MapLine) -> Self {
        let sanitized = |text: &str| sanitize(text.as_bytes());
        let is_exported = line.exported.is_some();
        Self {
            key: MapKey {
                node: line.node.map(|node| Arc::from(sanitized(&node).as_str())),
                id: MapId(line.id),
            },
            name: sanitized(&line.name),
            map_type: MapType(line.map_type),
            key_size: read(line.key_bytes, is_exported),
            value_size: read(line.value_bytes, is_exported),
            max_entries: line.max_entries,
            flags: read(line.flags, is_exported).map(MapFlags),
            used: line.used,
            capacity: line.capacity,
            count: Count {
                method: line.count_method.into(),
                note: line
                    .count_note
                    .map(|note| CountNote::Text(sanitized(&note).into_string().into())),
                error: line.count_error,
            },
            loss: line.loss.map(|loss| Arc::new(loss.into())),
            origin: match line.exported {
                Some(fields) => Origin::Exporter(Arc::new(fields.into())),
                None => Origin::Kernel(KernelFacts {
                    is_frozen: line.frozen.unwrap_or_default(),
                    refs: line.refs.unwrap_or_default(),
                    user_refs: line.user_refs.unwrap_or_default(),
                    layout: line.layout.into(),
                    consumer_pos: line.consumer,
                }),
            },
        }
    }
}

impl From<CountMethod> for Method {
    fn from(method: CountMethod) -> Self {
        match method {
            CountMethod::Counter => Self::Counter,
            CountMethod::Field => Self::Field,
            CountMethod::Scan => Self::Scan,
            CountMethod::Estimate => Self::Estimate,
            CountMethod::Walk => Self::Walk,
            CountMethod::None => Self::None,
        }
    }
}

impl From<Method> for CountMethod {
    fn from(method: Method) -> Self {
        match method {
            Method::Counter => Self::Counter,
            Method::Field => Self::Field,
            Method::Scan => Self::Scan,
            Method::Estimate => Self::Estimate,
            Method::Walk => Self::Walk,
            Method::None => Self::None,
        }
    }
}

impl From<Layout> for LayoutLine {
    fn from(layout: Layout) -> Self {
        Self {
            container_size: layout.container_size,
            elem_size: layout.elem_size,
            bucket_count: layout.bucket_count,
            node_size: layout.node_size,
            data_size: layout.data_size,
            lock_size: layout.lock_size,
            map_extra: layout.map_extra,
        }
    }
}

impl From<LayoutLine> for Layout {
    fn from(line: LayoutLine) -> Self {
        Self {
            container_size: line.container_size,
            elem_size: line.elem_size,
            bucket_count: line.bucket_count,
            node_size: line.node_size,
            data_size: line.data_size,
            lock_size: line.lock_size,
            map_extra: line.map_extra,
        }
    }
}
