//! Estimates the entries of a hash table from the number of its buckets that are not empty (linear
//! counting). No I/O.
//!
//! Of `n` entries in `c` buckets, `s` of which were sampled, with a load of `λ = n / c`:
//!
//! - the mean of the non-empty buckets is `s (1 - exp(-λ))`,
//! - their variance is `s exp(-λ) (1 - exp(-λ)) - s² / c λ exp(-2λ)`: the second term is the reduction
//!   for sampling without replacement; it dominates when every bucket was sampled.
//!
//! (N. L. Johnson and S. Kotz, *Urn Models and Their Application*, 1977, 3.2.)

/// Standard deviations in the error of an estimate: chance exceeds them once in 370 times.
const DEVIATIONS: f64 = 3.0;

/// Bisections of an interval of 2³² until an integer is found.
const BISECTIONS: u32 = 40;

/// The non-empty buckets in a sample of a hash table.
#[derive(Debug, Clone, Copy)]
pub struct BucketSample {
    /// All buckets of the table.
    pub buckets: u32,
    /// Buckets that were sampled.
    pub sampled: u32,
    /// Those of them that are not empty.
    pub nonempty: u64,
    /// Entries that the table can have.
    pub capacity: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// The most likely number.
    pub entries: u64,
    /// How far it may be off in either direction, at [`DEVIATIONS`].
    pub error: u64,
}

impl BucketSample {
    /// The most likely number of entries. It is less than the capacity unless the map is certainly full:
    /// no map is reported as full because of an estimate.
    pub fn estimate(self) -> Estimate {
        // Each non-empty bucket has an entry, and there are no more entries than the capacity.
        let sure = self.nonempty;
        let most_likely = self.bisect_entries(|mean, _| mean);
        let most = self.capacity.saturating_sub(1).max(sure);
        let entries = round_to_integer(most_likely).clamp(sure, most);
        let low = self.bisect_entries(|mean, deviation| mean + DEVIATIONS * deviation);
        let high = self.bisect_entries(|mean, deviation| mean - DEVIATIONS * deviation);
        let low = round_to_integer(low.floor()).max(sure);
        let high = round_to_integer(high.ceil()).clamp(sure, self.capacity.max(sure));
        Estimate {
            entries,
            error: entries
                .saturating_sub(low)
                .max(high.saturating_sub(entries)),
        }
    }

    /// The number of entries at which `bound`, a function of the mean and the deviation of the non-empty
    /// buckets, equals the observed number. Such bounds rise with the entries, or are below 1 before.
    fn bisect_entries(self, bound: fn(f64, f64) -> f64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "buckets are far below 2^53")]
        let nonempty = self.nonempty as f64;
        let (mut low, mut high) = (0.0, f64::from(u32::MAX));
        for _ in 0..BISECTIONS {
            let middle = f64::midpoint(low, high);
            let (mean, deviation) = self.nonempty_buckets(middle);
            if bound(mean, deviation) > nonempty {
                high = middle;
            } else {
                low = middle;
            }
        }
        low
    }

    /// The mean and the standard deviation of the non-empty buckets in the sample, given the entries of the
    /// table.
    fn nonempty_buckets(self, entries: f64) -> (f64, f64) {
        let (buckets, sampled) = (f64::from(self.buckets), f64::from(self.sampled));
        let load = entries / buckets;
        let empty = (-load).exp();
        let by_chance = sampled * empty * -(-load).exp_m1();
        let reduction = sampled * (sampled / buckets) * load * empty * empty;
        let variance = (by_chance - reduction).max(0.0);
        (sampled * -(-load).exp_m1(), variance.sqrt())
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and 2^32"
)]
fn round_to_integer(number: f64) -> u64 {
    number.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The sample of a table after this many entries were put into random buckets.
    fn fill(buckets: u32, sampled: u32, entries: u64, chance: u64) -> BucketSample {
        let mut state = chance | 1;
        let mut is_used = vec![false; buckets as usize];
        for _ in 0..entries {
            // splitmix64
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut n = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            n ^= n >> 31;
            is_used[usize::try_from(n % u64::from(buckets)).expect("small")] = true;
        }
        let used = is_used[..sampled as usize]
            .iter()
            .filter(|used| **used)
            .count();
        BucketSample {
            buckets,
            sampled,
            nonempty: used as u64,
            capacity: buckets.into(),
        }
    }

    #[test]
    fn a_complete_scan_without_entries_is_empty() {
        let sample = fill(1 << 18, 1 << 18, 0, 1);
        let nothing = Estimate {
            entries: 0,
            error: 0,
        };
        assert_eq!(sample.estimate(), nothing);
    }

    #[test]
    fn an_empty_sample_has_an_upper_bound() {
        let Estimate { entries, error } = fill(1 << 22, 1 << 18, 0, 1).estimate();
        // Of nine entries for each sixteenth of the table, none is in this one once in 8,000 times.
        assert_eq!((entries, error), (0, 9 * 15));
    }

    #[test]
    fn an_estimate_is_not_full_by_chance() {
        for seed in 0..20 {
            let sample = BucketSample {
                capacity: 300_000,
                ..fill(1 << 19, 1 << 18, 300_000, seed)
            };
            let Estimate { entries, error } = sample.estimate();
            assert!(
                entries < 300_000 && entries + error >= 300_000,
                "{entries} {error}"
            );
            assert!(entries - error < 300_000);
        }
    }

    #[test]
    fn as_many_used_buckets_as_max_entries_means_full() {
        let sample = BucketSample {
            buckets: 1 << 18,
            sampled: 1 << 18,
            nonempty: 1000,
            capacity: 1000,
        };
        let full = Estimate {
            entries: 1000,
            error: 0,
        };
        assert_eq!(sample.estimate(), full);
    }

    #[test]
    fn the_error_follows_the_formula() {
        // All of 2^19 chains, a load of one half: 3 sqrt(c (exp λ - 1 - λ)).
        let Estimate { error, .. } = fill(1 << 19, 1 << 19, 1 << 18, 7).estimate();
        let expected: f64 = 3.0 * (f64::from(1 << 19) * (0.5_f64.exp() - 1.5)).sqrt();
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let error = error as f64;
        assert!((error / expected - 1.0).abs() < 0.02, "{error} {expected}");
    }

    #[test]
    fn estimates_are_within_three_deviations() {
        let (mut out, mut within_one) = (0, 0);
        for seed in 0..400 {
            // Loads from 0 to 1, seen whole and in part.
            let entries = (seed * 7919) % (1 << 14);
            let seen = 1 << [14, 12][usize::from(seed % 2 == 0)];
            let sample = fill(1 << 14, seen, entries, seed * 1_000_003 + 17);
            let Estimate {
                entries: found,
                error,
            } = sample.estimate();
            let off = found.abs_diff(entries);
            out += u32::from(off > error);
            within_one += u32::from(3 * off <= error);
        }
        // Of 400, chance has 1 out of three deviations and 272 within one.
        assert!(out <= 5, "{out} of 400 are out");
        assert!(
            (232..=330).contains(&within_one),
            "{within_one} of 400 are within one"
        );
    }

    proptest! {
        #[test]
        fn any_numbers_do_not_panic(buckets in 1_u32.., sampled: u32, used: u32, capacity: u32) {
            let sampled = 1.max(sampled.min(buckets));
            let sample = BucketSample {
                buckets,
                sampled,
                nonempty: used.min(sampled).into(),
                capacity: capacity.into(),
            };
            let Estimate { entries, .. } = sample.estimate();
            prop_assert!(entries >= sample.nonempty);
            prop_assert!(entries < sample.capacity || entries == sample.nonempty);
        }
    }
}
