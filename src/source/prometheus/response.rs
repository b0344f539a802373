//! Parses responses of the HTTP API.
//!
//! Text is not sanitized here: callers do that with what they keep.

use std::borrow::Cow;

use anyhow::{Result, bail};
use serde::Deserialize;

use crate::text::sanitize::sanitize;
use crate::text::width::truncate_to_width;

/// Terminal cells of a server's message that are shown.
const MAX_MESSAGE_LEN: usize = 160;

/// A string of a response, borrowed if it has no escapes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The labels of a series.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labels<'a>(Vec<(Text<'a>, Text<'a>)>);

impl Labels<'_> {
    /// The value of a label. An empty one is the same as none.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(label, _)| label.0 == name);
        found
            .map(|(_, text)| &*text.0)
            .filter(|text| !text.is_empty())
    }
}

impl Labels<'_> {
    /// The value of a label that mapstop wrote: Prometheus prefixes it with `exported_` if
    /// the target has a label of that name.
    #[must_use]
    pub(crate) fn exporter_label(&self, name: &str) -> Option<&str> {
        let aside = self.0.iter().find(|(label, text)| {
            label.0.strip_prefix("exported_") == Some(name) && !text.0.is_empty()
        });
        aside.map(|(_, text)| &*text.0).or_else(|| self.get(name))
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (&*name.0, &*text.0))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Labels<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Labels<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("labels")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Self::Value, A::Error> {
                let mut labels = Vec::with_capacity(8);
                while let Some(label) = map.next_entry()? {
                    labels.push(label);
                }
                Ok(Labels(labels))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

/// A value at a server time in seconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    pub at: f64,
    /// `None` for NaN.
    pub value: Option<f64>,
}

impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (at, value): (f64, Text<'de>) = Deserialize::deserialize(deserializer)?;
        // `parse` accepts Go's `+Inf` and `NaN`.
        let value = value.0.parse::<f64>().ok().filter(|value| !value.is_nan());
        Ok(Self { at, value })
    }
}

/// One series at one time.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Sample<'a> {
    #[serde(borrow, rename = "metric")]
    pub labels: Labels<'a>,
    #[serde(rename = "value")]
    pub point: Point,
}

/// One series through time.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct SeriesPoints<'a> {
    #[serde(borrow, rename = "metric")]
    pub labels: Labels<'a>,
    /// In order of time.
    #[serde(rename = "values")]
    pub points: Vec<Point>,
}

#[derive(Deserialize)]
struct ApiResponse<'a, T> {
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(default = "Option::default")]
    data: Option<Data<T>>,
    #[serde(borrow, default)]
    error: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Data<T> {
    result: Vec<T>,
}

/// The samples of an answer to an instant query.
///
/// # Errors
///
/// With the reason in one sanitized line.
pub fn samples(status: u16, body: &[u8]) -> Result<Vec<Sample<'_>>> {
    read(status, body)
}

/// The series of an answer to a range query.
///
/// # Errors
///
/// As [`samples`].
pub(crate) fn series_points(status: u16, body: &[u8]) -> Result<Vec<SeriesPoints<'_>>> {
    read(status, body)
}

fn read<'a, T: Deserialize<'a>>(status: u16, body: &'a [u8]) -> Result<Vec<T>> {
    let answer = serde_json::from_slice::<ApiResponse<'a, T>>(body);
    match (answer, status) {
        (_, 401) => bail!("the server does not take this token or password (401)"),
        (_, 403) => bail!("the server does not let this token or user ask (403)"),
        (
            Ok(ApiResponse {
                status,
                data: Some(data),
                ..
            }),
            200..300,
        ) if status.0 == "success" => Ok(data.result),
        (
            Ok(ApiResponse {
                error: Some(error), ..
            }),
            _,
        ) => {
            bail!("the server answered: {}", excerpt(error.0.as_bytes()))
        }
        (_, 300..=399) => bail!("the server sends elsewhere ({status}), which is not followed"),
        (Ok(_), 200..300) => bail!("the answer has neither data nor an error"),
        (Err(_), 200..300) if is_page(body) => {
            bail!("the answer is a page and no JSON: is this the address of a Prometheus?")
        }
        (Err(error), 200..300) if error.is_eof() => bail!("the answer is cut off"),
        (Err(error), 200..300) => {
            bail!(
                "the answer is not what Prometheus answers: {}",
                excerpt(error.to_string().as_bytes())
            )
        }
        (_, 404) => bail!("there is no Prometheus API at this address (404)"),
        (_, status) if is_page(body) || body.is_empty() => {
            bail!("the server answers with {status}")
        }
        (_, status) => bail!("the server answers with {status}: {}", excerpt(body)),
    }
}

fn is_page(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'<')
}

/// The start of a foreign text, sanitized, in one line.
fn excerpt(text: &[u8]) -> String {
    let start = &text[..text.len().min(4 * MAX_MESSAGE_LEN)];
    let text = String::from_utf8_lossy(start);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    truncate_to_width(&sanitize(line.as_bytes()), MAX_MESSAGE_LEN, "...").into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const VECTOR: &str = r#"{"status":"success","data":{"resultType":"vector","result":[
        {"metric":{"__name__":"up","instance":"a","job":"x\u0041\n","empty":""},"value":[1732745.5,"1"]},
        {"metric":{},"value":[1732745,"NaN"]},
        {"metric":{},"value":[1732745,"+Inf"]},
        {"metric":{},"value":[1732745,"-Inf"]},
        {"metric":{},"value":[1732745,"many"]}]},"warnings":["slow"]}"#;

    fn why(status: u16, body: &str) -> String {
        let error = samples(status, body.as_bytes()).expect_err("no samples");
        let text = format!("{error:#}");
        assert!(!text.chars().any(char::is_control), "{text:?}");
        assert!(text.chars().count() < 260, "{text}");
        text
    }

    #[test]
    fn an_instant_query_gives_samples_with_labels_and_numbers() {
        let samples = samples(200, VECTOR.as_bytes()).expect("samples");
        let labels = &samples[0].labels;
        let read = ["__name__", "instance", "job", "empty", "missing"].map(|name| labels.get(name));
        assert_eq!(read, [Some("up"), Some("a"), Some("xA\n"), None, None]);
        assert_eq!(
            samples[0].point,
            Point {
                at: 1_732_745.5,
                value: Some(1.0)
            }
        );
        let values: Vec<_> = samples[1..]
            .iter()
            .map(|sample| sample.point.value)
            .collect();
        let [inf, minus] = [f64::INFINITY, f64::NEG_INFINITY];
        assert_eq!(values, [None, Some(inf), Some(minus), None]);
    }

    #[test]
    fn a_range_query_gives_a_series_through_time() {
        let body = r#"{"data":{"result":[{"values":[[1,"2"],[3,"4.5"]],"metric":{"id":"7"}}],
            "resultType":"matrix"},"status":"success"}"#;
        let runs = series_points(200, body.as_bytes()).expect("runs");
        assert_eq!(runs[0].labels.get("id"), Some("7"));
        let points: Vec<_> = runs[0].points.iter().map(|p| (p.at, p.value)).collect();
        assert_eq!(points, [(1.0, Some(2.0)), (3.0, Some(4.5))]);
    }

    #[test]
    fn what_the_server_says_is_said_in_one_harmless_line() {
        let body = "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"1:5: parse\\nerror \\u001b]52;c;x\\u0007\"}";
        assert_eq!(
            why(400, body),
            "the server answered: 1:5: parse error ?]52;c;x?"
        );
        assert_eq!(
            why(200, body),
            "the server answered: 1:5: parse error ?]52;c;x?"
        );
        let long = format!(
            r#"{{"status":"error","error":"{}"}}"#,
            "long ".repeat(10_000)
        );
        assert!(why(503, &long).ends_with("..."));
        assert_eq!(
            why(503, "\u{1b}[31mbusy\r\n"),
            "the server answers with 503: ?[31mbusy"
        );
        assert_eq!(why(502, ""), "the server answers with 502");
    }

    #[test]
    fn what_is_no_answer_says_what_it_seems_to_be() {
        for (status, body, what) in [
            (
                200,
                "<!doctype html><title>login</title>",
                "is a page and no JSON",
            ),
            (
                404,
                "404 page not found",
                "no Prometheus API at this address",
            ),
            (502, "<html>bad gateway", "answers with 502"),
            (302, "", "sends elsewhere (302)"),
            (401, "Unauthorized", "this token or password (401)"),
            (403, "{}", "(403)"),
            (200, "", "cut off"),
            (200, &VECTOR[..200], "cut off"),
            (200, r#"{"status":"success"}"#, "neither data nor an error"),
            (
                200,
                r#"{"status":"success","data":{"result":[7]}}"#,
                "not what Prometheus answers",
            ),
            (
                200,
                r#"{"status":"success","data":{"result":{"a":1}}}"#,
                "not what Prometheus answers",
            ),
            (
                200,
                r#"{"status":"success","data":{"result":[{"metric":{"a":1},"value":[1,"2"]}]}}"#,
                "not what Prometheus answers",
            ),
            (200, "[1,2]", "not what Prometheus answers"),
        ] {
            let said = why(status, body);
            assert!(said.contains(what), "{body}: {said}");
        }
    }

    #[test]
    fn brackets_without_end_are_refused() {
        let brackets = "[".repeat(100_000);
        for body in [brackets.clone(), format!(r#"{{"x":{brackets}"#)] {
            assert!(why(200, &body).contains("the answer is"));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_samples_or_a_reason(status in 100u16..600, body: Vec<u8>) {
            if let Err(error) = samples(status, &body) {
                prop_assert!(!error.to_string().chars().any(char::is_control));
            }
        }
    }
}
