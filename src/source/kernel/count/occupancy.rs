//! How many entries a hash table has by how many of its chains have any. Knows no kernel.
//!
//! Entries fall on chains as balls do into urns: the more there are, the fewer urns stay empty. Of
//! `n` entries on `c` chains, `s` of which were seen, with a load of `λ = n / c`:
//!
//! - the chains in use are `s (1 - exp(-λ))` in the mean,
//! - their variance is `s exp(-λ) (1 - exp(-λ)) - s² / c λ exp(-2λ)`: the second part is what is known
//!   more because all entries are somewhere, and is most of it if all chains were seen.
//!
//! (N. L. Johnson and S. Kotz, *Urn Models and Their Application*, 1977, 3.2.)

/// Standard deviations that a number may be off: chance exceeds them once in 370 times.
const DEVIATIONS: f64 = 3.0;

/// Halvings of an interval of 2³² until an integer is found.
const HALVINGS: u32 = 40;

/// What was seen of a hash table.
#[derive(Debug, Clone, Copy)]
pub struct BucketSample {
    /// Chains it has.
    pub chains: u32,
    /// Chains that were looked at.
    pub seen: u32,
    /// Those of them that have entries.
    pub used: u64,
    /// Entries it can have.
    pub capacity: u64,
}

/// How many entries there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// The most likely number.
    pub entries: u64,
    /// How far it may be off to the worse side, by [`DEVIATIONS`].
    pub error: u64,
}

impl BucketSample {
    /// The likeliest number of entries. It is less than the capacity unless that many are there for
    /// sure: nobody is told by chance alone that a map is full.
    pub fn estimate(self) -> Estimate {
        // A chain in use has an entry, and there are no more than have room.
        let sure = self.used;
        let most_likely = self.bisect_entries(|mean, _| mean);
        let most = self.capacity.saturating_sub(1).max(sure);
        let entries = whole(most_likely).clamp(sure, most);
        let low = self.bisect_entries(|mean, deviation| mean + DEVIATIONS * deviation);
        let high = self.bisect_entries(|mean, deviation| mean - DEVIATIONS * deviation);
        let low = whole(low.floor()).max(sure);
        let high = whole(high.ceil()).clamp(sure, self.capacity.max(sure));
        Estimate {
            entries,
            error: entries
                .saturating_sub(low)
                .max(high.saturating_sub(entries)),
        }
    }

    /// The number of entries at which `bound`, of the mean and the deviation of chains in use, is as
    /// many as were seen in use. Such bounds rise with the entries, or are below 1 before they do.
    fn bisect_entries(self, bound: fn(f64, f64) -> f64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "chains are far below 2^53")]
        let used = self.used as f64;
        let (mut low, mut high) = (0.0, f64::from(u32::MAX));
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            let (mean, deviation) = self.in_use(middle);
            if bound(mean, deviation) > used {
                high = middle;
            } else {
                low = middle;
            }
        }
        low
    }

    /// How many of the chains seen are in use if there are so many entries: the mean, and the
    /// standard deviation.
    fn in_use(self, entries: f64) -> (f64, f64) {
        let (chains, seen) = (f64::from(self.chains), f64::from(self.seen));
        let load = entries / chains;
        let empty = (-load).exp();
        let by_chance = seen * empty * -(-load).exp_m1();
        let by_sum = seen * (seen / chains) * load * empty * empty;
        let variance = (by_chance - by_sum).max(0.0);
        (seen * -(-load).exp_m1(), variance.sqrt())
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and 2^32"
)]
fn whole(number: f64) -> u64 {
    number.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What is seen of a table with as many chains after so many entries fell on them.
    fn fill(chains: u32, seen: u32, entries: u64, chance: u64) -> BucketSample {
        let mut state = chance | 1;
        let mut is_used = vec![false; chains as usize];
        for _ in 0..entries {
            // splitmix64
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut n = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            n ^= n >> 31;
            is_used[usize::try_from(n % u64::from(chains)).expect("small")] = true;
        }
        let used = is_used[..seen as usize]
            .iter()
            .filter(|used| **used)
            .count();
        BucketSample {
            chains,
            seen,
            used: used as u64,
            capacity: chains.into(),
        }
    }

    #[test]
    fn what_is_seen_whole_and_empty_is_empty_for_sure() {
        let heads = fill(1 << 18, 1 << 18, 0, 1);
        let nothing = Estimate {
            entries: 0,
            error: 0,
        };
        assert_eq!(heads.estimate(), nothing);
    }

    #[test]
    fn a_sample_without_entries_may_have_missed_some() {
        let Estimate { entries, error } = fill(1 << 22, 1 << 18, 0, 1).estimate();
        // Of nine entries for each sixteenth of the table, none is in this one once in 8,000 times.
        assert_eq!((entries, error), (0, 9 * 15));
    }

    #[test]
    fn a_table_that_is_full_to_the_brim_is_not_called_full_by_chance() {
        for seed in 0..20 {
            let heads = BucketSample {
                capacity: 300_000,
                ..fill(1 << 19, 1 << 18, 300_000, seed)
            };
            let Estimate { entries, error } = heads.estimate();
            assert!(
                entries < 300_000 && entries + error >= 300_000,
                "{entries} {error}"
            );
            assert!(entries - error < 300_000);
        }
    }

    #[test]
    fn a_table_with_as_many_chains_in_use_as_it_has_room_for_entries_is_full_for_sure() {
        let heads = BucketSample {
            chains: 1 << 18,
            seen: 1 << 18,
            used: 1000,
            capacity: 1000,
        };
        let full = Estimate {
            entries: 1000,
            error: 0,
        };
        assert_eq!(heads.estimate(), full);
    }

    #[test]
    fn the_error_is_what_the_formula_says() {
        // All of 2^19 chains, a load of one half: 3 sqrt(c (exp λ - 1 - λ)).
        let Estimate { error, .. } = fill(1 << 19, 1 << 19, 1 << 18, 7).estimate();
        let expected: f64 = 3.0 * (f64::from(1 << 19) * (0.5_f64.exp() - 1.5)).sqrt();
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let error = error as f64;
        assert!((error / expected - 1.0).abs() < 0.02, "{error} {expected}");
    }

    #[test]
    fn so_much_chance_is_met_as_three_deviations_allow() {
        let (mut out, mut within_one) = (0, 0);
        for seed in 0..400 {
            // Loads from 0 to 1, seen whole and in part.
            let entries = (seed * 7919) % (1 << 14);
            let seen = 1 << [14, 12][usize::from(seed % 2 == 0)];
            let heads = fill(1 << 14, seen, entries, seed * 1_000_003 + 17);
            let Estimate {
                entries: found,
                error,
            } = heads.estimate();
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
        fn any_numbers_do(chains in 1_u32.., seen: u32, used: u32, capacity: u32) {
            let seen = 1.max(seen.min(chains));
            let heads = BucketSample {
                chains,
                seen,
                used: used.min(seen).into(),
                capacity: capacity.into(),
            };
            let Estimate { entries, .. } = heads.estimate();
            prop_assert!(entries >= heads.used);
            prop_assert!(entries < heads.capacity || entries == heads.used);
        }
    }
}
