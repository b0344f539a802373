//! Loads and attaches every tracer for a moment, to learn which losses can be traced here.

use std::thread;
use std::time::Instant;

use compact_str::{CompactString, ToCompactString};

use crate::source::kernel::loss::attach::{Tracers, refuses_functions};
use crate::source::kernel::loss::counters::CounterMaps;
use crate::source::kernel::loss::registry::{MapTypeSet, Outcome, RefusedReason, coverage};
use crate::source::kernel::own_maps;
use crate::types::doctor_report::{LossCheck, TracerProbe, TypeCheck, TypeLosses};

/// Which losses of the types that this kernel has can be traced. Does not wait until the kernel has
/// detached the last tracer, which takes some time.
pub(crate) fn probe_tracers(types: &[TypeCheck]) -> LossCheck {
    let start = Instant::now();
    let (types, refused, result) = match attach_all(types) {
        Ok(found) => found,
        Err(error) => (
            Vec::new(),
            Some(CounterMaps::creation_failure(&error).into()),
            TracerProbe::Untried,
        ),
    };
    LossCheck {
        refused,
        tracers: result,
        types,
        took: start.elapsed(),
    }
}

type TracerResults = (Vec<TypeLosses>, Option<CompactString>, TracerProbe);

fn attach_all(checks: &[TypeCheck]) -> libbpf_rs::Result<TracerResults> {
    let mut types = MapTypeSet::default();
    for check in checks.iter().filter(|check| check.counted.is_some()) {
        types.insert(check.map_type);
    }
    let counters = {
        let mut own = own_maps::lock();
        let counters = CounterMaps::new()?;
        for id in counters.ids()? {
            own.hide(id);
        }
        counters
    };
    let mut tracers = Tracers::new();
    tracers.attach(types, &counters);
    let outcomes = tracers.outcomes();
    let found = types.iter().filter_map(|map_type| {
        let coverage = coverage(map_type, outcomes)?;
        Some(TypeLosses {
            map_type,
            failed_updates: coverage.failed,
            evictions: coverage.evictions,
            drops: coverage.drops,
            note: coverage.reason,
        })
    });
    let found = found.collect();
    let (refused, result) = (refused_reason(outcomes), probe_result(outcomes));
    // The kernel may take long to detach them. If no thread can be started, they are detached here.
    let _ = thread::Builder::new()
        .name("detach".to_owned())
        .spawn(move || drop((tracers, counters)));
    Ok((found, refused, result))
}

fn probe_result(outcomes: &[Outcome]) -> TracerProbe {
    let is_attached = |outcome: &Outcome| matches!(outcome, Outcome::Attached(_));
    if outcomes.iter().any(is_attached) {
        TracerProbe::Attached
    } else {
        TracerProbe::Refused
    }
}

/// Why no function can be traced, or nothing at all.
fn refused_reason(outcomes: &[Outcome]) -> Option<CompactString> {
    if refuses_functions(outcomes) {
        return Some(RefusedReason::NoTrampolines.to_compact_string());
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
    fn the_reason_is_given_if_none_could_be_attached() {
        let refused = || {
            Outcome::Refused(RefusedReason::CannotAttach {
                target: "it",
                errno: " (EBUSY)".to_owned(),
            })
        };
        let result = |outcomes: &[Outcome]| (probe_result(outcomes), refused_reason(outcomes));
        let why = Some("this kernel does not let it be traced (EBUSY)".into());
        assert_eq!(
            result(&[Outcome::Missing, refused(), Outcome::Untried]),
            (TracerProbe::Refused, why)
        );
        let attached = Outcome::Attached(Duration::ZERO);
        assert_eq!(
            result(&[attached.clone(), refused()]),
            (TracerProbe::Attached, None)
        );
        // A tracepoint can be attached all the same.
        let forbidden = Outcome::Refused(RefusedReason::NoTrampolines);
        assert_eq!(
            result(&[forbidden, attached]),
            (
                TracerProbe::Attached,
                Some("this kernel refuses BPF trampolines".into())
            )
        );
        let (result, why) = result(&[Outcome::Missing]);
        assert!(result == TracerProbe::Refused && why.is_some());
    }
}
