//! Completion of a filter that is being typed: fields, and the words that a field accepts.

use super::fields::{ColumnId, FieldType};
use super::filter::{OPERATORS, field_names};
use crate::types::map_type::MapType;

/// The completion of a text at a position.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Completion {
    /// The text that every candidate continues with.
    pub insert: String,
    /// The candidates, if there is more than one.
    pub choices: Vec<&'static str>,
}

/// Completes `text` at the byte `at`.
#[must_use]
pub fn complete(text: &str, at: usize) -> Completion {
    let before = text.get(..at).unwrap_or(text);
    let is_end = |c: char| c.is_whitespace() || matches!(c, '(' | '!');
    let start = before
        .char_indices()
        .rfind(|(_, c)| is_end(*c))
        .map_or(0, |(index, c)| index + c.len_utf8());
    let word = &before[start..];
    let Some((at_operator, operator)) = OPERATORS
        .iter()
        .filter_map(|operator| Some((word.find(operator)?, operator)))
        .min()
    else {
        return complete_field(word);
    };
    let (field, typed) = (&word[..at_operator], &word[at_operator + operator.len()..]);
    let known: Vec<_> = match ColumnId::find(field).map(|id| id.field().field_type) {
        Some(FieldType::Words(words)) => words.to_vec(),
        Some(FieldType::Type) => MapType::all().filter_map(MapType::name).collect(),
        Some(FieldType::Text | FieldType::Count | FieldType::Percent | FieldType::Time) | None => {
            Vec::new()
        }
    };
    complete_word(known, typed)
}

fn complete_field(typed: &str) -> Completion {
    let mut completion = complete_word(field_names().collect(), typed);
    let whole = format!("{typed}{}", completion.insert);
    if completion.choices.is_empty()
        && let Some(id) = ColumnId::find(&whole)
    {
        completion.insert.push(match id.field().field_type {
            FieldType::Text | FieldType::Words(_) | FieldType::Type => ':',
            FieldType::Count | FieldType::Percent => '>',
            // The earliest operator is the one that counts.
            FieldType::Time => '<',
        });
    }
    completion
}

/// The common continuation of the words that start with `typed`, and these words.
fn complete_word(known: Vec<&'static str>, typed: &str) -> Completion {
    let typed = typed.to_lowercase();
    let candidates: Vec<_> = known
        .into_iter()
        .filter(|word| word.starts_with(&typed))
        .collect();
    let Some(first) = candidates.first() else {
        return Completion::default();
    };
    let common = candidates
        .iter()
        .map(|word| {
            first
                .bytes()
                .zip(word.bytes())
                .take_while(|(a, b)| a == b)
                .count()
        })
        .min()
        .unwrap_or(0);
    Completion {
        insert: first[typed.len()..common].to_owned(),
        choices: if candidates.len() > 1 {
            candidates
        } else {
            Vec::new()
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &str) -> (String, usize) {
        let completion = complete(text, text.len());
        (
            format!("{text}{}", completion.insert),
            completion.choices.len(),
        )
    }

    #[test]
    fn fields_and_their_words_are_completed() {
        for (text, whole) in [
            ("pre", "pressure>"),
            ("conn and gro", "conn and growth>"),
            ("!ki", "!kind:"),
            ("kind:b", "kind:bounded"),
            ("(kind:ev", "(kind:evicting"),
            ("mark:", "mark:"),
            ("type:lru_p", "type:lru_percpu_hash"),
            ("mar", "mark:"),
        ] {
            assert_eq!(after(text).0, whole);
        }
    }

    #[test]
    fn several_candidates_complete_their_common_prefix() {
        assert_eq!(after("mark:"), ("mark:".to_owned(), 3));
        let (text, choices) = after("type:lru");
        assert_eq!((text.as_str(), choices), ("type:lru_", 2));
    }

    #[test]
    fn unknown_text_is_not_completed() {
        // The last two end in a multi-byte blank.
        let wide = ["pressure\u{85}", "größe\u{a0}"];
        for text in ["", "xyz", "name:co", "used>1", "kind:x", "größe"]
            .into_iter()
            .chain(wide)
        {
            assert_eq!(complete(text, text.len()).insert, "", "{text}");
        }
    }
}
