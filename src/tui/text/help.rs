//! The pages of the help: keys from the key table, columns from theirs, what signs mean, and how
//! filters are written.

use crate::query::fields::ColumnId;
use crate::text::width::width;
use crate::tui::keymap::{self, BINDINGS, Binding, HelpSection, KeyContext};
use crate::tui::state::Page;

/// A line of the help: a title, or what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelpLine {
    /// What it says.
    pub text: String,
    /// Where titles stand in it, in cells.
    pub titles: Vec<(usize, usize)>,
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

/// From this width on keys stand in two columns, the second of them beginning here.
const TWO_COLUMNS: u16 = 76;
const SECOND_COLUMN: usize = 39;
/// Cells for the names of keys.
const KEYS_WIDTH: usize = 16;
/// Under this width no line is blank.
const CRAMPED: u16 = 30;

/// The lines of a page on a screen of some width, where there are these columns to choose from.
#[must_use]
pub fn lines(page: Page, width_of_screen: u16, offered: &[ColumnId]) -> Vec<HelpLine> {
    let mut lines = match page {
        Page::Keys if width_of_screen >= TWO_COLUMNS => beside(
            keys_about(&[HelpSection::Move, HelpSection::Find, HelpSection::Sort]),
            keys_about(&[HelpSection::Look, HelpSection::Time, HelpSection::Leave]),
        ),
        Page::Keys => keys_about(&[
            HelpSection::Move,
            HelpSection::Find,
            HelpSection::Sort,
            HelpSection::Look,
            HelpSection::Time,
            HelpSection::Leave,
        ]),
        Page::Columns => columns(offered),
        Page::Marks => text(MARKS),
        Page::Filter => text(FILTER),
    };
    if page == Page::Keys {
        lines.push(HelpLine::plain(""));
        lines.extend(keys_elsewhere(width_of_screen));
    }
    lines.retain(|line| width_of_screen > CRAMPED || width(&line.text) > 0);
    lines
}

/// The keys of the table about these.
fn keys_about(topics: &[HelpSection]) -> Vec<HelpLine> {
    let is_of_table = |binding: &&Binding| {
        matches!(
            binding.place,
            KeyContext::Table | KeyContext::Time | KeyContext::Everywhere
        )
    };
    let mut lines = Vec::new();
    for topic in topics {
        if !lines.is_empty() {
            lines.push(HelpLine::plain(""));
        }
        lines.push(HelpLine::title(topic.name()));
        let bindings: Vec<_> = BINDINGS
            .iter()
            .filter(is_of_table)
            .filter(|binding| binding.topic == *topic)
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

/// The keys of the other places, one under the other.
fn keys_elsewhere(width_of_screen: u16) -> Vec<HelpLine> {
    let places = [
        ("In a recording", KeyContext::Replay),
        ("In the detail of a map", KeyContext::Detail),
        ("In a line that is typed", KeyContext::Prompt),
        ("In the list of columns to show", KeyContext::Columns),
        ("In the list of columns to sort by", KeyContext::Menu),
        ("In the list of owners", KeyContext::Groups),
        ("What this system can show (i)", KeyContext::System),
        ("Where a map is to be counted (C)", KeyContext::Count),
    ];
    let lists = places.map(|(title, place)| {
        let bindings: Vec<_> = keymap::at(place).collect();
        let mut lines = vec![HelpLine::title(title)];
        lines.extend(key_lines(&bindings));
        lines.push(HelpLine::plain(""));
        lines
    });
    if width_of_screen < TWO_COLUMNS {
        return lists.concat();
    }
    let [replay, detail, prompt, columns, menu, groups, system, count] = lists;
    let right = [columns, menu].concat();
    beside([replay, detail, groups].concat(), right)
        .into_iter()
        .chain(prompt)
        .chain(beside(system, count))
        .collect()
}

/// Two lists side by side.
fn beside(left: Vec<HelpLine>, right: Vec<HelpLine>) -> Vec<HelpLine> {
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

fn columns(offered: &[ColumnId]) -> Vec<HelpLine> {
    let line = |title: &str, name: &str, help: &str| format!("  {title:<11} {name:<10}{help}");
    let mut lines = vec![HelpLine::title(&line("Title", "Name", "What it says"))];
    lines.extend(
        offered
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

/// Lines that begin with `*` are titles.
fn text(text: &str) -> Vec<HelpLine> {
    text.lines()
        .map(|line| match line.strip_prefix('*') {
            Some(title) => HelpLine::title(title),
            None => HelpLine::plain(line),
        })
        .collect()
}

/// What the signs of the table mean.
const MARKS: &str = "\
*Marks, at the left edge
  !  full, or full within 10 minutes, or at 95 % and growing;
     it refused an update or dropped a record just now (where watched, l)
  ^  at or over 80 %, or over half and full within an hour;
     a buffer at or over 75 % for three samples

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

/// How filters are written.
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

    fn all(width: u16) -> String {
        let columns: Vec<_> = ColumnId::all().collect();
        Page::ALL
            .into_iter()
            .flat_map(|page| lines(page, width, &columns))
            .map(|line| line.text + "\n")
            .collect()
    }

    #[test]
    fn every_key_and_every_column_is_in_it() {
        for width in [40, 80] {
            let text = all(width);
            for binding in BINDINGS.iter().filter(|b| b.place != KeyContext::Help) {
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
        for (n, line) in lines(Page::Keys, 80, &[]).iter().enumerate().take(22) {
            let left: String = line.text.chars().take(SECOND_COLUMN).collect();
            let gap = left.trim_end().len() < SECOND_COLUMN || line.text.len() == left.len();
            assert!(gap, "{n}: {}", line.text);
        }
        let is_all = |text: &str| {
            lines(Page::Keys, 80, &[])[..22]
                .iter()
                .any(|l| l.text.contains(text))
        };
        assert!(is_all("suspend; fg returns") && is_all("growth"));
    }

    #[test]
    fn titles_are_marked_where_they_stand() {
        let lines = lines(Page::Keys, 80, &[]);
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
}
