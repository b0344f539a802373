//! Loads and attaches every tracer for a moment, to know what can be watched here.

use std::time::Instant;

use compact_str::CompactString;

use super::load::{NO_TRAMPOLINES, Tracers};
use super::slots::Slots;
use super::tracers::{Outcome, Types, sight};
use crate::kernel::own;
use crate::model::checkup::{LossCheck, TypeCheck, TypeLosses};

/// What of the losses of the types that this kernel has can be watched. The kernel needs some time to
/// detach the last tracer, which nobody waits for.
pub fn trial(types: &[TypeCheck]) -> LossCheck {
    let start = Instant::now();
    let tried = try_all(types);
    let was_tried = tried.is_ok();
    let (types, refused) = tried.unwrap_or_else(|error| (Vec::new(), Some(Slots::why(&error))));
    LossCheck {
        refused,
        was_tried,
        types,
        took: start.elapsed(),
    }
}

fn try_all(checks: &[TypeCheck]) -> libbpf_rs::Result<(Vec<TypeLosses>, Option<CompactString>)> {
    let mut types = Types::default();
    for check in checks.iter().filter(|check| check.counted.is_some()) {
        types.insert(check.map_type);
    }
    let slots = {
        let mut own = own::lock();
        let slots = Slots::new()?;
        for id in slots.own_ids()? {
            own.hide(id);
        }
        slots
    };
    let mut tracers = Tracers::new();
    tracers.attach(types, &slots);
    let outcomes = tracers.outcomes();
    let found = types.iter().filter_map(|map_type| {
        let sight = sight(map_type, outcomes)?;
        Some(TypeLosses {
            map_type,
            failed_updates: sight.failed,
            evictions: sight.evictions,
            drops: sight.drops,
            note: sight.reason,
        })
    });
    let found = found.collect();
    let refused = why_refused(outcomes);
    // It may take the kernel long to let go of them.
    std::thread::spawn(move || drop((tracers, slots)));
    Ok((found, refused))
}

/// Why functions are not traced, where it is not for one of them.
fn why_refused(outcomes: &[Outcome]) -> Option<CompactString> {
    super::refuses_functions(outcomes).then(|| NO_TRAMPOLINES.into())
}
