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
pub(crate) fn help_lines(
    page: HelpPage,
    screen_width: u16,
    columns: &[ColumnId],
    thresholds: Thresholds,
) -> Vec<HelpLine> {
    let mut lines = match page {
        HelpPage::Keys if screen_width >= MIN_WIDTH_FOR_TWO_COLUMNS => side_by_side(
            section_lines(&[HelpSection::Move, HelpSection::Find, HelpSection::Sort]),
            section_lines(&[HelpSection::Look, HelpSection::Time, HelpSection::Leave]),
        ),
        HelpPage::Keys => section_lines(&[
            HelpSection::Move,
            HelpSection::Find,
            HelpSection::Sort,
            HelpSection::Look,
            HelpSection::Time,
            HelpSection::Leave,
        ]),
        HelpPage::Columns => column_lines(columns),
        HelpPage::Marks => titled_lines(&describe_signs(thresholds)),
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
fn section_lines(sections: &[HelpSection]) -> Vec<HelpLine> {
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
        ("Recording", KeyContext::Replay),
        ("Detail of a map (Enter)", KeyContext::Detail),
        ("Input line", KeyContext::Prompt),
        ("Columns to show (c)", KeyContext::ColumnPicker),
        ("Column to sort by (s)", KeyContext::SortMenu),
        ("Owners (o, u)", KeyContext::OwnerList),
        ("Doctor (i)", KeyContext::Doctor),
        ("Exact count (C)", KeyContext::CountDialog),
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
        doctor,
        count,
    ] = lists;
    let right = [columns, sort_menu].concat();
    side_by_side([replay, detail, owners].concat(), right)
        .into_iter()
        .chain(prompt)
        .chain(side_by_side(doctor, count))
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
    let mut lines = vec![HelpLine::title(&line("Title", "Name", "Meaning"))];
    lines.extend(
        columns
            .iter()
            .map(|id| (id.column(), id.field()))
            .map(|(column, field)| HelpLine::plain(line(column.title, field.name, field.help))),
    );
    lines.push(HelpLine::plain(""));
    lines.push(HelpLine::plain(
        "-s, -c and filters use these names. Columns that do not fit are hidden:",
    ));
    lines.push(HelpLine::plain(
        "Left and Right scroll them, c chooses, w shows exact numbers.",
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
fn describe_signs(thresholds: Thresholds) -> String {
    let [warn, crit, stream] =
        [thresholds.warn, thresholds.crit, STREAM_WARN_PRESSURE].map(units::percent);
    let lifetime = units::interval(thresholds.lifetime);
    format!(
        "\
*Marks, at the left edge
  !  crit   grew until it was full; or full within 10 minutes;
            or at {crit} % and growing; or just refused an update or dropped
            a record (while watched: l)
  ^  warn   at {warn} % or more; or over half full and full within an hour;
            or full when first seen; or evicts entries within {lifetime} (l);
            or a buffer at {stream} % or more for three samples

{SIGNS}"
    )
}

/// The signs that do not depend on thresholds.
const SIGNS: &str = "\
*Pressure
  solid bar   refuses inserts when full: hash, lpm_trie, queue, buffers ...
              solid from end to end only when full
  hatched     evicts entries when full, which is normal: lru_hash ...
  slots       slots that a loader fills: prog_array, devmap ...
  fixed       always full: array, percpu_array, .data, .bss
  n/a         no capacity: storages, bloom filters

*Full in
  now    full                 4m09s  at the growth of the last 1 or 10 minutes
  -      steady or shrinking  ~2h    rough: irregular, or fell from here before

*Loss, per second
  fail 31/s     refused updates        drop 4/s  dropped records or packets
  evict 1.2K/s  evicted entries        0/s       watched, no losses
  blank         cannot lose anything, or not watched (l watches; each update
                then takes some tens of ns longer)
  ...           attaching tracers, or waiting for the next sample
  ?             not observable here, or only partly; Enter shows why

*Missing values
  blank  does not apply     -  nothing to report
  ?      could not be read; Enter shows why
  ...    still measuring

*Rows
  bold id      created less than 10 seconds ago
  struck, dim  deleted; the row stays for 10 seconds
  *            kept on top (m)";

/// The syntax of filters.
const FILTER: &str = "\
*Words and tests
  conn             name, type, owner or id contains it, in any case
  name:conn        the field contains it; kind, mark, type: is equal to it
  name~'^cilium_'  the field matches the regular expression
  pressure>80      =  !=  >  >=  <  <=  compare numbers

*Combinations
  conn type:hash   both
  a or b, not a, !a, (a or b) c

*Units
  K M G  1000s   Ki Mi Gi  1024s   %  for pressure   s m h d  for times

*Fields
  id name type kind flags mark owner holder service container pin prog
  orphan full node   used capacity max pressure last growth eta loss
  lifetime mem key value holders progs

mark:! is crit, mark:^ is warn; pin='' is not pinned; orphan:yes has no
holder; full:yes has used = capacity. Unknown values match neither a test
nor its opposite: pressure<5 and not pressure<5 list no arrays.
Tab completes fields and values.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::mark::Mark;
    use crate::types::time_to_full::TimeToFull;

    fn all(width: u16) -> String {
        let columns: Vec<_> = ColumnId::all().collect();
        HelpPage::ALL
            .into_iter()
            .flat_map(|page| help_lines(page, width, &columns, Thresholds::default()))
            .map(|line| line.text + "\n")
            .collect()
    }

    #[test]
    fn every_key_and_column_is_in_the_help() {
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
    fn the_keys_page_fits_24_lines() {
        for (n, line) in help_lines(HelpPage::Keys, 80, &[], Thresholds::default())
            .iter()
            .enumerate()
            .take(22)
        {
            let left: String = line.text.chars().take(SECOND_COLUMN).collect();
            let gap = left.trim_end().len() < SECOND_COLUMN || line.text.len() == left.len();
            assert!(gap, "{n}: {}", line.text);
        }
        let is_on_first_screen = |text: &str| {
            help_lines(HelpPage::Keys, 80, &[], Thresholds::default())[..22]
                .iter()
                .any(|l| l.text.contains(text))
        };
        assert!(is_on_first_screen("suspend (fg resumes)") && is_on_first_screen("growth"));
    }

    #[test]
    fn titles_are_marked() {
        let lines = help_lines(HelpPage::Keys, 80, &[], Thresholds::default());
        let first = &lines[0];
        let titles: Vec<_> = first
            .titles
            .iter()
            .map(|(start, cells)| &first.text[*start..start + cells])
            .collect();
        assert_eq!(titles, ["Move", "Look"]);
    }

    #[test]
    fn the_filter_page_lists_every_field() {
        for name in crate::query::filter::field_names() {
            assert!(FILTER.split_whitespace().any(|word| word == name), "{name}");
        }
    }

    #[test]
    fn the_marks_page_states_the_rule_in_force() {
        let text = |thresholds| -> String {
            let lines = help_lines(HelpPage::Marks, 80, &[], thresholds);
            lines.into_iter().map(|line| line.text + "\n").collect()
        };
        let default = text(Thresholds::default());
        assert!(default.contains("at 95 % and growing"));
        assert!(default.contains("evicts entries within 1m"));
        assert!(default.contains("at 80 % or more; or over half full"));
        assert!(default.contains("at 75 % or more for three samples"));
        let own = text(Thresholds {
            warn: 0.50,
            crit: 0.60,
            ..Thresholds::default()
        });
        assert!(own.contains("at 60 % and growing"));
        assert!(own.contains("at 50 % or more; or over half full"));
    }

    /// The help text has these numbers as literals.
    #[test]
    fn the_rule_and_the_help_agree() {
        let rule = Thresholds {
            warn: 1.0,
            crit: 1.0,
            ..Thresholds::default()
        };
        let mark = |pressure, seconds| rule.judge_level(pressure, TimeToFull::In(seconds)).mark;
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
