//! Chooses the format of a response by the `Accept` header.

use super::openmetrics::Format;

/// The format with the highest quality value in these headers; the older one without any known
/// format.
#[must_use]
pub fn format(accept: &str) -> Format {
    let (mut text, mut open) = (None, None);
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default().to_ascii_lowercase();
        let mut weight = 1.0;
        let mut version = None;
        for parameter in parts {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            match name.trim().to_ascii_lowercase().as_str() {
                "q" => weight = value.trim().parse().unwrap_or(0.0),
                "version" => version = Some(value.trim().trim_matches('"')),
                _ => {}
            }
        }
        let best = match media.as_str() {
            "application/openmetrics-text" if version.is_none_or(|v| v == "1.0.0") => &mut open,
            "text/plain" if version.is_none_or(|v| v == "0.0.4") => &mut text,
            "text/*" | "*/*" => &mut text,
            _ => continue,
        };
        *best = Some(best.map_or(weight, |before: f32| before.max(weight)));
    }
    match (open, text) {
        (Some(open), text) if open > 0.0 && open >= text.unwrap_or(0.0) => Format::OpenMetrics,
        _ => Format::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_accept_the_text_format_is_served() {
        for accept in [
            "",
            "*/*",
            "text/html,application/xml;q=0.9,*/*;q=0.8",
            "nonsense;;,",
        ] {
            assert_eq!(format(accept), Format::Text, "{accept}");
        }
    }

    #[test]
    fn the_highest_quality_value_wins() {
        let prometheus_2 = "application/openmetrics-text;version=1.0.0,\
             application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        let prometheus_3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
             application/openmetrics-text;version=0.0.1;q=0.4,\
             text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        for accept in [prometheus_2, prometheus_3, "application/openmetrics-text"] {
            assert_eq!(format(accept), Format::OpenMetrics, "{accept}");
        }
        let text_first =
            "text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=1.0.0;q=0.4";
        assert_eq!(format(text_first), Format::Text);
    }

    #[test]
    fn refused_formats_and_other_versions_are_not_served() {
        for accept in [
            "application/openmetrics-text;q=0",
            "application/openmetrics-text;version=2.0.0",
            "application/openmetrics-text;version=0.0.1",
        ] {
            assert_eq!(format(accept), Format::Text, "{accept}");
        }
    }
}
