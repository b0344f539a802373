//! Loads and attaches every tracer for a moment, to know what can be watched here.

use std::thread;
use std::time::Instant;

use compact_str::{CompactString, ToCompactString};

use crate::source::kernel::loss::attach::{NO_TRAMPOLINES, Tracers};
use crate::source::kernel::loss::counters::CounterMaps;
use crate::source::kernel::loss::registry::{MapTypeSet, Outcome, coverage};
use crate::source::kernel::own_maps;
use crate::types::doctor_report::{LossCheck, TracerProbe, TypeCheck, TypeLosses};

/// What of the losses of the types that this kernel has can be watched. The kernel needs some time to
/// detach the last tracer, which nobody waits for.
pub fn probe_tracers(types: &[TypeCheck]) -> LossCheck {
    let start = Instant::now();
    let (types, refused, trial) = match try_all(types) {
        Ok(found) => found,
        Err(error) => (
            Vec::new(),
            Some(CounterMaps::why(&error)),
            TracerProbe::Untried,
        ),
    };
    LossCheck {
        refused,
        trial,
        types,
        took: start.elapsed(),
    }
}

type Tried = (Vec<TypeLosses>, Option<CompactString>, TracerProbe);

fn try_all(checks: &[TypeCheck]) -> libbpf_rs::Result<Tried> {
    let mut types = MapTypeSet::default();
    for check in checks.iter().filter(|check| check.counted.is_some()) {
        types.insert(check.map_type);
    }
    let slots = {
        let mut own = own_maps::lock();
        let slots = CounterMaps::new()?;
        for id in slots.own_ids()? {
            own.hide(id);
        }
        slots
    };
    let mut tracers = Tracers::new();
    tracers.attach(types, &slots);
    let outcomes = tracers.outcomes();
    let found = types.iter().filter_map(|map_type| {
        let sight = coverage(map_type, outcomes)?;
        Some(TypeLosses {
            map_type,
            failed_updates: sight.failed,
            evictions: sight.evictions,
            drops: sight.drops,
            note: sight.reason,
        })
    });
    let found = found.collect();
    let (refused, trial) = (why_refused(outcomes), probe_result(outcomes));
    // It may take the kernel long to let go of them; without a thread it is waited for.
    let _ = thread::Builder::new()
        .name("detach".to_owned())
        .spawn(move || drop((tracers, slots)));
    Ok((found, refused, trial))
}

/// How far it came with these.
fn probe_result(outcomes: &[Outcome]) -> TracerProbe {
    let is_attached = |outcome: &Outcome| matches!(outcome, Outcome::Attached(_));
    if outcomes.iter().any(is_attached) {
        TracerProbe::Attached
    } else {
        TracerProbe::Refused
    }
}

/// Why no function can be traced, or nothing at all.
fn why_refused(outcomes: &[Outcome]) -> Option<CompactString> {
    if crate::source::kernel::loss::attach::refuses_functions(outcomes) {
        return Some(NO_TRAMPOLINES.into());
    }
    if probe_result(outcomes) == TracerProbe::Attached {
        return None;
    }
    let why = outcomes.iter().find_map(|outcome| match outcome {
        Outcome::Refused(why) => Some(why.to_compact_string()),
        _ => None,
    });
    Some(why.unwrap_or_else(|| "this kernel has nothing to attach a tracer to".into()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn where_none_could_be_attached_it_is_said_why() {
        let refused = || Outcome::Refused("this kernel does not let it be traced (EBUSY)".into());
        let said = |outcomes: &[Outcome]| (probe_result(outcomes), why_refused(outcomes));
        let why = Some("this kernel does not let it be traced (EBUSY)".into());
        assert_eq!(
            said(&[Outcome::Missing, refused(), Outcome::Untried]),
            (TracerProbe::Refused, why)
        );
        let attached = Outcome::Attached(Duration::ZERO);
        assert_eq!(
            said(&[attached.clone(), refused()]),
            (TracerProbe::Attached, None)
        );
        // What is no function can be all the same.
        let forbidden = Outcome::Refused(NO_TRAMPOLINES.into());
        assert_eq!(
            said(&[forbidden, attached]),
            (TracerProbe::Attached, Some(NO_TRAMPOLINES.into()))
        );
        let (trial, why) = said(&[Outcome::Missing]);
        assert!(trial == TracerProbe::Refused && why.is_some());
    }
}
