use super::*;
use crate::source::prometheus::series::INSTANCE;

#[test]
fn what_another_map_of_the_same_id_held_is_not_the_past_of_this_one() {
    let run = |name: &str, values: &str| {
        format!(
            r#"{{"metric":{{"instance":"a","id":"7","name":"{name}","type":"hash"}},"values":[{values}]}}"#
        )
    };
    let answer = |all: &[String]| {
        format!(
            r#"{{"status":"success","data":{{"result":[{}]}}}}"#,
            all.join(",")
        )
    };
    let near = answer(&[
        run("old", r#"[100,"70"],[115,"71"]"#),
        run("new", r#"[130,"1"],[145,"2"]"#),
    ]);
    let far = answer(&[run("old", r#"[20,"50"],[80,"60"]"#)]);
    let mut pasts = BTreeMap::new();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "small"
    )]
    let point = |point: &Point| {
        Some((
            Duration::from_secs(point.at as u64),
            point.value.map(|value| value as u64),
        ))
    };
    for body in [&near, &far] {
        let runs = series_points(200, body.as_bytes()).expect("runs");
        prepend_points(&mut pasts, runs, INSTANCE, point);
    }
    let points: Vec<_> = pasts.values().map(|(_, points)| points.clone()).collect();
    let at = |second, used| (Duration::from_secs(second), Some(used));
    assert_eq!(points, [vec![at(130, 1), at(145, 2)]]);
    // What the same one held before is put before it.
    let mut pasts = BTreeMap::new();
    for body in [
        answer(&[run("old", r#"[100,"70"]"#)]),
        answer(&[run("old", r#"[20,"50"]"#)]),
    ] {
        let runs = series_points(200, body.as_bytes()).expect("runs");
        prepend_points(&mut pasts, runs, INSTANCE, point);
    }
    let points: Vec<_> = pasts.values().map(|(_, points)| points.clone()).collect();
    assert_eq!(points, [vec![at(20, 50), at(100, 70)]]);
}
