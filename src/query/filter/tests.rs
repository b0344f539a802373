//! The filter language, by example.

use proptest::prelude::*;

use super::*;
use crate::test_util::{map, reading};
use crate::types::mark::Mark;

fn names(filter: &str) -> Vec<String> {
    let filter = Filter::parse(filter).expect("a filter");
    let mut reading = reading([
        map("conn_track").id(1).used(95, 100).sizes(16, 64),
        map("conn_LRU").id(2).named_type("lru_hash").used(500, 500),
        map("blocklist").id(31).used(20_000, 65_536).flags(1),
        map("stats").id(4).named_type("percpu_array").uncounted(),
        map("quota").id(5).uncounted(),
        map("full").id(6).used(10, 10),
    ]);
    // As if it had grown to that.
    reading.rows[4].mark = Some(Mark::Crit);
    let rows = reading.rows.iter();
    rows.filter(|row| filter.matches(row))
        .map(|row| row.facts.name.to_string())
        .collect()
}

fn error(filter: &str) -> (usize, String) {
    let error = Filter::parse(filter).expect_err("an error");
    (error.at, error.message)
}

#[test]
fn word_matches_name_type_and_id_in_any_case() {
    assert_eq!(names("CONN"), ["conn_track", "conn_LRU"]);
    assert_eq!(names("lru"), ["conn_LRU"]);
    assert_eq!(names("pcpu_arr"), ["stats"]);
    assert_eq!(names("31"), ["blocklist"]);
    assert_eq!(names("'conn_t'"), ["conn_track"]);
}

#[test]
fn blank_filter_matches_everything() {
    assert_eq!(names("").len(), 6);
    assert_eq!(names("   ").len(), 6);
    assert!(Filter::parse(" ").is_ok_and(|filter| filter.is_everything()));
}

#[test]
fn words_side_by_side_are_and_and_bind_closer_than_or() {
    assert_eq!(names("conn lru"), ["conn_LRU"]);
    assert_eq!(names("conn and lru"), ["conn_LRU"]);
    assert_eq!(names("conn lru or full"), ["conn_LRU", "full"]);
    assert_eq!(names("conn (lru or track)"), ["conn_track", "conn_LRU"]);
    assert_eq!(names("conn not lru"), ["conn_track"]);
    assert_eq!(names("conn !lru"), ["conn_track"]);
    assert_eq!(
        names("not (conn or full) kind:bounded"),
        ["quota", "blocklist"]
    );
}

#[test]
fn words_that_begin_like_operators_are_words() {
    assert_eq!(names("order or android or nothing"), Vec::<String>::new());
    assert_eq!(names("or_track or full"), ["full"]);
}

#[test]
fn text_operators() {
    assert_eq!(names("name:Conn"), ["conn_track", "conn_LRU"]);
    assert_eq!(names("name=full"), ["full"]);
    assert_eq!(names("name='conn_lru'"), ["conn_LRU"]);
    assert_eq!(names("name!=full conn"), ["conn_track", "conn_LRU"]);
    assert_eq!(names("name~'^(full|quota)$'"), ["quota", "full"]);
    assert_eq!(names("flags:prealloc"), ["blocklist"]);
    assert_eq!(names("flags='' conn"), ["conn_track", "conn_LRU"]);
}

#[test]
fn kind_mark_and_type_compare_whole_words() {
    assert_eq!(names("kind:evicting"), ["conn_LRU"]);
    assert_eq!(names("mark:crit"), ["full"]);
    assert_eq!(names("mark:warn or mark:crit"), ["conn_track", "full"]);
    assert_eq!(names("mark:!"), names("mark:crit"));
    assert_eq!(names("mark:^"), ["conn_track"]);
    assert_eq!(names("mark=^ or mark:!"), ["conn_track", "full"]);
    assert_eq!(names("mark!=!"), names("mark!=crit"));
    assert_eq!(names("type:pcpu_arr"), ["stats"]);
    assert_eq!(names("type=percpu_array"), ["stats"]);
    assert_eq!(names("type:hash").len(), 4);
    assert_eq!(names("type~hash").len(), 5);
}

#[test]
fn numbers_have_units_and_unknown_ones_match_nothing() {
    assert_eq!(names("pressure>=95"), ["conn_track", "conn_LRU", "full"]);
    assert_eq!(names("pressure>=95%"), ["conn_track", "conn_LRU", "full"]);
    assert_eq!(names("pressure<50"), ["blocklist"]);
    assert_eq!(names("pressure<0.5%"), Vec::<String>::new());
    assert_eq!(names("used>10K"), ["blocklist"]);
    assert_eq!(names("capacity>=64Ki"), ["blocklist"]);
    assert_eq!(names("id:31"), ["blocklist"]);
    assert_eq!(names("used=10"), ["full"]);
    assert_eq!(names("growth<1"), Vec::<String>::new());
    assert_eq!(names("not pressure>=95"), ["blocklist"]);
    assert_eq!(names("pressure!=100"), ["conn_track", "blocklist"]);
    assert_eq!(names("mark!=crit pressure<96"), ["conn_track", "blocklist"]);
    assert_eq!(names("quota or pressure>99"), ["conn_LRU", "quota", "full"]);
    assert_eq!(names("not (quota pressure>99)").len(), 5);
}

#[test]
fn full_compares_used_with_capacity() {
    assert_eq!(names("full:yes"), ["conn_LRU", "full"]);
    assert_eq!(names("full:no"), ["conn_track", "blocklist"]);
    assert_eq!(names("not full:yes"), ["conn_track", "blocklist"]);
    let estimated = |used| reading([map("m").used(used, 1000).estimated(50)]);
    let matches = |filter: &str, used| {
        let filter = Filter::parse(filter).expect("a filter");
        filter.matches(&estimated(used).rows[0])
    };
    assert!(matches("full:no", 900));
    // Within the error, the map may or may not be full.
    assert!(!matches("full:no", 1000) && !matches("full:yes", 1000));
}

#[test]
fn errors_have_a_position_and_a_remedy() {
    for (filter, at, part) in [
        ("pressure>", 9, "expected a percentage after >, such as 80"),
        ("kind:", 5, "expected one of bounded, evicting, "),
        (
            "used=abc",
            5,
            "expected a number, such as 100, 10K or 4Mi; got 'abc'",
        ),
        ("mark>crit", 5, "mark is not a number; use mark:crit"),
        (
            "pressure>0.9",
            9,
            "pressure is in percent: write 90 or 0.9%",
        ),
        ("used>9%", 5, "not a percentage"),
        ("kind:bonded", 5, "expected one of bounded"),
        (
            "owne:x",
            0,
            "no field is called 'owne' (did you mean owner?)",
        ),
        (
            "xyzzy:x",
            0,
            "no field is called 'xyzzy'; `mapstop -s help`",
        ),
        ("name>3", 5, "name is text"),
        ("used~3", 5, "used is a number"),
        ("used>3x", 5, "'x' is not a unit"),
        ("type:hsah", 5, "no map type"),
        ("name~'('", 5, "not a valid regular expression"),
        ("(conn", 0, "missing ) for this ("),
        ("conn)", 4, "unexpected ) without"),
        ("name:'conn", 5, "unclosed quote"),
        ("conn and", 8, "expected a test"),
        ("conn or", 7, "expected a word"),
        ("not", 3, "expected a word"),
        ("()", 1, "expected a word"),
        ("and conn", 0, "expected a test before and"),
        ("conn and and full", 9, "expected a test before and"),
        ("conn or or full", 8, "expected a test before or"),
    ] {
        let (position, message) = error(filter);
        assert!(message.contains(part), "{filter}: {message}");
        assert_eq!(position, at, "{filter}: {message}");
        assert!(!message.contains('\n'), "{filter}: {message}");
    }
}

#[test]
fn caret_is_under_the_error() {
    let text = "接続 pressure>";
    let error = Filter::parse(text).expect_err("an error");
    let shown = error.caret_line(text);
    assert_eq!(
        shown.lines().nth(1).and_then(|line| line.find('^')),
        Some(14)
    );
}

#[test]
fn deep_nesting_is_refused() {
    let text = "(".repeat(100_000);
    assert!(error(&text).1.contains("too deeply"));
    assert!(error(&"!".repeat(100_000)).1.contains("too deeply"));
}

proptest! {
    #[test]
    fn any_text_is_a_filter_or_an_error_inside_it(text in "\\PC{0,60}") {
        if let Err(error) = Filter::parse(&text) {
            prop_assert!(error.at <= text.len());
            prop_assert!(text.is_char_boundary(error.at));
        }
    }

    #[test]
    fn any_likely_text_is_a_filter_or_an_error(
        parts in proptest::collection::vec(
            prop_oneof![
                Just("("), Just(")"), Just("not "), Just(" or "), Just(" and "), Just("!"),
                Just("name"), Just("pressure"), Just(":"), Just(">="), Just("~"), Just("80"),
                Just("10Ki"), Just("'"), Just("\""), Just("hash"), Just(" "),
            ],
            0..20,
        )
    ) {
        let text: String = parts.concat();
        if let Err(error) = Filter::parse(&text) {
            prop_assert!(error.at <= text.len());
        }
    }
}
