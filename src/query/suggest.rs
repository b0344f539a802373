//! Suggests names of maps that are similar to one that matches nothing.

use strsim::normalized_damerau_levenshtein;

use crate::types::row::Row;

/// The similarity from which a name is suggested, from 0 to 1.
const CLOSE: f64 = 0.6;

/// Words that are compared: text pasted by mistake may be long.
const MAX_SUGGESTIONS: usize = 4;
/// Bytes of a word: shorter ones resemble every name, and longer ones none.
const MIN_LEN: usize = 3;
const MAX_LEN: usize = 32;

/// The names of maps that are most similar to the words of a filter, at most `limit` of them.
///
/// Compares the bare words of the filter, and the values of `name:` and similar tests.
#[must_use]
pub(crate) fn suggest_names<'a>(
    filter: &str,
    rows: impl Iterator<Item = &'a Row>,
    limit: usize,
) -> Vec<&'a str> {
    let words: Vec<_> = filter
        .split(|c: char| c.is_whitespace() || "()!'\"".contains(c))
        .map(|word| word.rsplit([':', '=', '~']).next().unwrap_or(word))
        .filter(|word| (MIN_LEN..=MAX_LEN).contains(&word.len()))
        .take(MAX_SUGGESTIONS)
        .map(str::to_lowercase)
        .collect();
    let mut close: Vec<(f64, &str)> = rows
        .filter_map(|row| {
            let name = row.facts.name.as_str();
            let likeness = words.iter().map(|word| similarity(word, name));
            let best = likeness.fold(0.0, f64::max);
            (best >= CLOSE).then_some((best, name))
        })
        .collect();
    close.sort_by(|(a, x), (b, y)| b.total_cmp(a).then_with(|| x.cmp(y)));
    close.dedup_by(|a, b| a.1 == b.1);
    close
        .into_iter()
        .map(|(_, name)| name)
        .take(limit)
        .collect()
}

/// The similarity of a word to a name, to a prefix of it, or to one of its parts.
fn similarity(word: &str, name: &str) -> f64 {
    let name = name.to_lowercase();
    let beginning: String = name.chars().take(word.chars().count()).collect();
    name.split(['_', '.', '-'])
        .chain([name.as_str(), &beginning])
        .map(|part| normalized_damerau_levenshtein(word, part))
        .fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_util::{map, reading};

    #[test]
    fn typos_suggest_the_intended_name() {
        let maps = ["conn_track_v4", "ct4_global", "dns_inflight", "events"];
        let reading = reading((1..).zip(maps).map(|(id, name)| map(name).id(id)));
        let near = |filter| suggest_names(filter, reading.rows.iter(), 3);
        assert_eq!(near("con_track"), ["conn_track_v4"]);
        assert_eq!(near("name:evnets"), ["events"]);
        assert_eq!(near("name=inflihgt and used>5"), ["dns_inflight"]);
        assert_eq!(near("kind:bounded"), [""; 0]);
        assert_eq!(near("xyzzy"), [""; 0]);
    }
}
