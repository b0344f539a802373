//! Answers for tests, from lines as an exporter writes them.

/// The answer to an instant query that finds these series: `name{label="value"} number`. Escapes in
/// labels are those of JSON.
pub fn answer(lines: &[&str]) -> String {
    let samples: Vec<_> = lines.iter().map(|line| sample(line)).collect();
    format!(
        r#"{{"status":"success","data":{{"resultType":"vector","result":[{}]}}}}"#,
        samples.join(",")
    )
}

fn sample(line: &str) -> String {
    let (series, value) = line.rsplit_once(' ').expect("a number");
    let (name, labels) = series.split_once('{').expect("labels");
    let labels = labels.strip_suffix('}').expect("an end");
    let mut metric = format!(r#""__name__":"{name}""#);
    for label in labels.split("\",") {
        let (name, text) = label.split_once("=\"").expect("a label");
        let text = text.trim_end_matches('"');
        metric.extend([",\"", name, "\":\"", text, "\""]);
    }
    format!(r#"{{"metric":{{{metric}}},"value":[1732745000.25,"{value}"]}}"#)
}
