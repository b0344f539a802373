//! `PromQL`: selectors, and the queries made of them.

mod queries;
mod selector;
#[cfg(test)]
mod tests;

pub(crate) use queries::{
    MapScope, all_maps, count_maps, count_nameless, count_series, last_scrapes, series_of_maps,
    target,
};
pub(crate) use selector::Selector;
