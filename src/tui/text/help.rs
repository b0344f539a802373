//! The pages of the help: keys and columns from their tables, the meaning of the signs, and the syntax
//! of filters.

use crate::analysis::thresholds::{STREAM_WARN_PRESSURE, STREAM_WARN_SAMPLES, Thresholds};
use crate::query::fields::ColumnId;
use crate::text::units;
use crate::text::width::width;
use crate::tui::keymap::{self, BINDINGS, Binding, HelpSection, KeyContext};
use crate::tui::screen_kind::HelpPage;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HelpLine {
    pub(crate) text: String,
    /// First cell and width of each title in the line.
    pub(crate) titles: Vec<(usize, usize)>,
}

impl HelpLine {
    fn title(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            titles: vec![(0, width(text))],
        }
    }

    fn plain(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            titles: Vec::new(),
        }
    }
}

/// Screen width from which on keys are in two columns.
const MIN_WIDTH_FOR_TWO_COLUMNS: u16 = 76;
/// The first cell of the second column.
const SECOND_COLUMN: usize = 39;
/// Width of the column of keys.
const KEYS_WIDTH: usize = 16;
/// Screen width up to which blank lines are left out.
const MAX_WIDTH_WITHOUT_BLANKS: u16 = 30;

/// The lines of a page. `columns` are the columns that the user can choose from.
pub(crate) fn lines(
    page: HelpPage,
    screen_width: u16,
    columns: &[ColumnId],
    thresholds: Thresholds,
) -> Vec<HelpLine> {
    let mut lines = match page {
        HelpPage::Keys if screen_width >= MIN_WIDTH_FOR_TWO_COLUMNS => side_by_side(
            sections(&[HelpSection::Move, HelpSection::Find, HelpSection::Sort]),
            sections(&[HelpSection::Look, HelpSection::Time, HelpSection::Leave]),
        ),
        HelpPage::Keys => sections(&[
            HelpSection::Move,
            HelpSection::Find,
            HelpSection::Sort,
            HelpSection::Look,
            HelpSection::Time,
            HelpSection::Leave,
        ]),
        HelpPage::Columns => column_lines(columns),
        HelpPage::Marks => titled_lines(&marks(thresholds)),
        HelpPage::Filter => titled_lines(FILTER),
    };
    if page == HelpPage::Keys {
        lines.push(HelpLine::plain(""));
        lines.extend(other_contexts(screen_width));
    }
    lines.retain(|line| screen_width > MAX_WIDTH_WITHOUT_BLANKS || width(&line.text) > 0);
    lines
}

/// The keys of these sections that are active in the table of a live source.
fn sections(sections: &[HelpSection]) -> Vec<HelpLine> {
    let is_in_table = |binding: &&Binding| {
        matches!(
            binding.context,
            KeyContext::Table | KeyContext::Time | KeyContext::Everywhere
        )
    };
    let mut lines = Vec::new();
    for section in sections {
        if !lines.is_empty() {
            lines.push(HelpLine::plain(""));
        }
        lines.push(HelpLine::title(section.name()));
        let bindings: Vec<_> = BINDINGS
            .iter()
            .filter(is_in_table)
            .filter(|binding| binding.section == *section)
            .collect();
        lines.extend(key_lines(&bindings));
    }
    lines
}

fn key_lines(bindings: &[&'static Binding]) -> Vec<HelpLine> {
    keymap::in_pairs(bindings)
        .into_iter()
        .map(|(keys, help)| HelpLine::plain(format!("  {keys:<KEYS_WIDTH$} {help}")))
        .collect()
}

/// The keys of the other contexts.
fn other_contexts(screen_width: u16) -> Vec<HelpLine> {
    let contexts = [
        ("In a recording", KeyContext::Replay),
        ("In the detail of a map", KeyContext::Detail),
        ("In a line that is typed", KeyContext::Prompt),
        ("In the list of columns to show", KeyContext::ColumnPicker),
        ("In the list of columns to sort by", KeyContext::SortMenu),
        ("In the list of owners", KeyContext::OwnerList),
        ("What this system can show (i)", KeyContext::Doctor),
        ("Where a map is to be counted (C)", KeyContext::CountDialog),
    ];
    let lists = contexts.map(|(title, context)| {
        let bindings: Vec<_> = keymap::bindings_in(context).collect();
        let mut lines = vec![HelpLine::title(title)];
        lines.extend(key_lines(&bindings));
        lines.push(HelpLine::plain(""));
        lines
    });
    if screen_width < MIN_WIDTH_FOR_TWO_COLUMNS {
        return lists.concat();
    }
    let [
        replay,
        detail,
        prompt,
        columns,
        sort_menu,
        owners,
        system,
        count,
    ] = lists;
    let right = [columns, sort_menu].concat();
    side_by_side([replay, detail, owners].concat(), right)
        .into_iter()
        .chain(prompt)
        .chain(side_by_side(system, count))
        .collect()
}

fn side_by_side(left: Vec<HelpLine>, right: Vec<HelpLine>) -> Vec<HelpLine> {
    let count = left.len().max(right.len());
    let empty = || HelpLine::plain("");
    let padded = |lines: Vec<HelpLine>| {
        lines
            .into_iter()
            .chain(std::iter::repeat_with(empty))
            .take(count)
    };
    padded(left)
        .zip(padded(right))
        .map(|(left, right)| {
            let titles = right
                .titles
                .iter()
                .map(|(start, cells)| (start + SECOND_COLUMN, *cells));
            HelpLine {
                text: format!("{:<SECOND_COLUMN$}{}", left.text, right.text)
                    .trim_end()
                    .to_owned(),
                titles: left.titles.iter().copied().chain(titles).collect(),
            }
        })
        .collect()
}

fn column_lines(columns: &[ColumnId]) -> Vec<HelpLine> {
    let line = |title: &str, name: &str, help: &str| format!("  {title:<11} {name:<10}{help}");
    let mut lines = vec![HelpLine::title(&line("Title", "Name", "What it says"))];
    lines.extend(
        columns
            .iter()
            .map(|id| (id.column(), id.field()))
            .map(|(column, field)| HelpLine::plain(line(column.title, field.name, field.help))),
    );
    lines.push(HelpLine::plain(""));
    lines.push(HelpLine::plain(
        "Names are those of -s, -c and filters. Columns give way as the screen",
    ));
    lines.push(HelpLine::plain(
        "gets narrower; Left and Right scroll them, c chooses, w makes them exact.",
    ));
    lines
}

/// Splits a text into lines; those that begin with `*` are titles.
fn titled_lines(text: &str) -> Vec<HelpLine> {
    text.lines()
        .map(|line| match line.strip_prefix('*') {
            Some(title) => HelpLine::title(title),
            None => HelpLine::plain(line),
        })
        .collect()
}

const _: () = assert!(STREAM_WARN_SAMPLES == 3, "the help says three samples");

/// The meaning of the signs in the table.
fn marks(thresholds: Thresholds) -> String {
    let [warn, crit, stream] =
        [thresholds.warn, thresholds.crit, STREAM_WARN_PRESSURE].map(units::percent);
    format!(
        "\
*Marks, at the left edge
  !  full, or full within 10 minutes, or at {crit} % and growing;
     it refused an update or dropped a record just now (where watched, l)
  ^  at or over {warn} %, or over half and full within an hour;
     a buffer at or over {stream} % for three samples

{SIGNS}"
    )
}

/// The signs that do not depend on thresholds.
const SIGNS: &str = "\
*Pressure
  solid bar   can refuse inserts: hash, lpm_trie, queue, buffers ...
              solid from end to end only when full
  hatched     evicts instead: lru_hash; full is normal
  slots       slots filled by a loader: prog_array, devmap ...
  fixed       full from birth: array, percpu_array, .data, .bss
  n/a         no limit to fill: storages, bloom filters

*Full in
  now    at max, or no room   4m09s  at the growth of 1 or 10 minutes
  -      steady or shrinking  ~2h    the trend is noisy: a hint

*Loss, each second
  fail 31/s     updates refused        drop 4/s  records or packets dropped
  evict 1.2K/s  entries that made room for others
  0/s           watched, and nothing is lost
  blank         nothing to lose, or not watched: l does (tens of ns per update)
  ...           its tracers are being attached, or the next sample tells
  ?             not observable here, or not all of it; Enter says why

*Nothing
  blank  does not apply     -  nothing to report
  ?      could not be read; Enter says why
  ...    still measuring

*Rows
  bold id      made less than 10 seconds ago
  struck, dim  gone; the row stays for 10 seconds
  *            kept at the top (m)";

/// The syntax of filters.
const FILTER: &str = "\
*Words and tests
  conn             name, type, owner or id has it, in any case
  name:conn        the field contains it; kind, mark, type: equals
  name~'^cilium_'  the field matches the regular expression
  pressure>80      =  !=  >  >=  <  <=  compare numbers

*Together
  conn type:hash   side by side: both
  a or b, not a, !a, (a or b) c

*Units
  K M G  thousands    Ki Mi Gi  of 1024    %  of pressure    s m h d  of eta

*Fields
  id name type kind flags mark owner holder service container pin prog orphan
  node
  used capacity max pressure last growth eta loss mem key value holders progs

pin='' is not pinned; orphan:yes is held by nobody.
What is unknown matches neither a test nor its opposite: pressure<5 lists
no arrays, and not pressure<5 lists none either.
Tab completes fields and words while a filter is typed.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::mark::Mark;
    use crate::types::time_to_full::TimeToFull;

    fn all(width: u16) -> String {
        let columns: Vec<_> = ColumnId::all().collect();
        HelpPage::ALL
            .into_iter()
            .flat_map(|page| lines(page, width, &columns, Thresholds::default()))
            .map(|line| line.text + "\n")
            .collect()
    }

    #[test]
    fn every_key_and_every_column_is_in_it() {
        for width in [40, 80] {
            let text = all(width);
            for binding in BINDINGS.iter().filter(|b| b.context != KeyContext::Help) {
                for key in binding.keys {
                    assert!(
                        text.split_whitespace().any(|word| word == key.name()),
                        "{}",
                        key.name()
                    );
                }
            }
            for field in ColumnId::all().map(ColumnId::field) {
                assert!(text.contains(field.help), "{}", field.name);
            }
        }
    }

    #[test]
    fn no_line_is_wider_than_80_cells() {
        for line in all(80).lines() {
            assert!(width(line) < 80, "{line}");
        }
    }

    #[test]
    fn keys_stand_in_their_column_and_on_one_screen_of_24_lines() {
        for (n, line) in lines(HelpPage::Keys, 80, &[], Thresholds::default())
            .iter()
            .enumerate()
            .take(22)
        {
            let left: String = line.text.chars().take(SECOND_COLUMN).collect();
            let gap = left.trim_end().len() < SECOND_COLUMN || line.text.len() == left.len();
            assert!(gap, "{n}: {}", line.text);
        }
        let is_on_first_screen = |text: &str| {
            lines(HelpPage::Keys, 80, &[], Thresholds::default())[..22]
                .iter()
                .any(|l| l.text.contains(text))
        };
        assert!(is_on_first_screen("suspend; fg returns") && is_on_first_screen("growth"));
    }

    #[test]
    fn titles_are_marked_where_they_stand() {
        let lines = lines(HelpPage::Keys, 80, &[], Thresholds::default());
        let first = &lines[0];
        let titles: Vec<_> = first
            .titles
            .iter()
            .map(|(start, cells)| &first.text[*start..start + cells])
            .collect();
        assert_eq!(titles, ["Move", "Look"]);
    }

    #[test]
    fn the_fields_of_the_filter_page_are_those_that_filters_know() {
        for name in crate::query::filter::fields() {
            assert!(FILTER.split_whitespace().any(|word| word == name), "{name}");
        }
    }

    #[test]
    fn the_marks_page_states_the_rule_in_force() {
        let text = |thresholds| -> String {
            let lines = lines(HelpPage::Marks, 80, &[], thresholds);
            lines.into_iter().map(|line| line.text + "\n").collect()
        };
        let default = text(Thresholds::default());
        assert!(default.contains("at 95 % and growing"));
        assert!(default.contains("at or over 80 %, or over half"));
        assert!(default.contains("at or over 75 % for three samples"));
        let own = text(Thresholds {
            warn: 0.50,
            crit: 0.60,
        });
        assert!(own.contains("at 60 % and growing"));
        assert!(own.contains("at or over 50 %, or over half"));
    }

    /// The help text has these numbers as literals.
    #[test]
    fn the_fixed_parts_of_the_rule_are_those_of_the_help() {
        let rule = Thresholds {
            warn: 1.0,
            crit: 1.0,
        };
        let mark = |pressure, seconds| rule.mark_bounded(pressure, TimeToFull::In(seconds));
        assert_eq!(mark(0.0, 600.0), Mark::Crit, "full within 10 minutes");
        assert_eq!(mark(0.0, 601.0), Mark::None);
        assert_eq!(
            mark(0.51, 3600.0),
            Mark::Warn,
            "over half and within an hour"
        );
        assert_eq!(mark(0.51, 3601.0), Mark::None);
        assert_eq!(mark(0.50, 3600.0), Mark::None);
    }
}
