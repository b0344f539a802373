use super::*;

#[test]
fn counts_have_two_or_three_digits() {
    for (number, text) in [
        (0, "0"),
        (7, "7"),
        (999, "999"),
        (1000, "1.0K"),
        (8192, "8.2K"),
        (16_384, "16.4K"),
        (65_536, "65.5K"),
        (99_949, "99.9K"),
        (99_999, "100K"),
        (100_000, "100K"),
        (524_288, "524K"),
        (999_499, "999K"),
        (999_999, "1.0M"),
        (1_000_000, "1.0M"),
        (4_294_967_295, "4.3G"),
        (u64::MAX, "18.4E"),
    ] {
        assert_eq!(count(number), text);
    }
}

#[test]
fn bytes_go_in_steps_of_1024() {
    for (number, text) in [
        (1023, "1023"),
        (1024, "1.0K"),
        (1536, "1.5K"),
        (12 * 1024 * 1024, "12.0M"),
        (16 * 1024 * 1024 - 1, "16.0M"),
        (1000 * 1024, "1000K"),
        (u64::MAX, "16.0E"),
    ] {
        assert_eq!(bytes(number), text);
    }
}

#[test]
fn only_full_maps_are_at_100_percent() {
    assert_eq!(percent(0.9999), 99);
    assert_eq!(percent(1.0), 100);
    assert_eq!(percent(1.2), 120);
    assert_eq!(percent(0.0), 0);
    assert_eq!(percent(0.29), 29);
}

#[test]
fn rates_choose_a_readable_unit_of_time() {
    for (per_second, text) in [
        (0.0, "0/s"),
        (13.4, "+13/s"),
        (1.94, "+1.9/s"),
        (-3.0, "-3/s"),
        (4.0 / 60.0, "+4/m"),
        (-1.0 / 3600.0, "-1/h"),
        (12_345.0, "+12.3K/s"),
    ] {
        assert_eq!(rate(per_second), text);
    }
}

#[test]
fn exact_rates_keep_their_unit_and_are_never_rounded_to_nothing() {
    assert_eq!(exact_rate(13.424), "+13.42/s");
    assert_eq!(exact_rate(4.0 / 3600.0), "+4.00/h");
    assert_eq!(exact_rate(0.0), "0/s");
}

#[test]
fn times_have_two_units_at_most() {
    for (seconds, text) in [
        (0, "0s"),
        (38, "38s"),
        (249, "4m09s"),
        (1140, "19m"),
        (7500, "2h05m"),
        (260_000, "3d"),
    ] {
        assert_eq!(time(Duration::from_secs(seconds)), text);
    }
}

#[test]
fn short_times_have_significant_digits() {
    let said = [38, 1400, 80_400, 2_345_000].map(|us| short_time(Duration::from_micros(us)));
    assert_eq!(said, ["0.04 ms", "1.4 ms", "80 ms", "2.3 s"]);
}

#[test]
fn time_to_full_is_rounded() {
    for (when, text) in [
        (TimeToFull::Now, "now"),
        (TimeToFull::In(249.9), "4m09s"),
        (TimeToFull::Hint(7500.0), "~2h05m"),
        (TimeToFull::In(1e7), ">30d"),
        (TimeToFull::In(f64::INFINITY), ">30d"),
        (TimeToFull::Steady, ""),
    ] {
        assert_eq!(full_in(when), text);
    }
}

#[test]
fn typed_times_are_parsed() {
    for (text, millis) in [
        ("2", 2000),
        ("0.5", 500),
        ("500ms", 500),
        ("10s", 10_000),
        ("1m", 60_000),
        ("2h", 7_200_000),
        (" 3d ", 259_200_000),
    ] {
        assert_eq!(
            parse_time(text),
            Ok(Duration::from_millis(millis)),
            "{text}"
        );
    }
    for text in [
        "",
        "x",
        "-1",
        "1y",
        "1.2.3",
        "inf",
        "nan",
        "1e5",
        "9999999999999999999999",
    ] {
        assert_eq!(parse_time(text), Err(ParseDurationError), "{text}");
    }
}

#[test]
fn intervals_read_as_they_were_typed() {
    for text in ["1s", "0.5s", "2m", "90s", "0.1s"] {
        assert_eq!(interval(parse_time(text).expect("a time")), text);
    }
}

#[test]
fn exact_numbers_have_commas() {
    assert_eq!(with_thousands_separators(0), "0");
    assert_eq!(with_thousands_separators(999), "999");
    assert_eq!(with_thousands_separators(62_300), "62,300");
    assert_eq!(with_thousands_separators(1_000_000), "1,000,000");
}
