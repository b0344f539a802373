//! The characters that screens are drawn with.

/// A set of characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glyphs {
    /// From one eighth to a whole cell; without eighths every step is a whole cell.
    pub(crate) eighths: [char; 8],
    /// The unfilled part of a bar.
    pub(crate) track: char,
    pub(crate) hatch: char,
    /// Marks the column sorted by, largest first and smallest first.
    pub sorted: [char; 2],
    /// Marks truncated text.
    pub ellipsis: &'static str,
    /// A horizontal line.
    pub rule: char,
    /// A time line: the past, the current position, the future.
    pub time_line: [char; 3],
    /// From one eighth of a cell's height to the whole.
    pub levels: [char; 8],
    /// The forecast.
    pub forecast: char,
    /// Marks a threshold below a bar.
    pub tick: char,
}

/// For terminals that show UTF-8.
pub const UTF8: Glyphs = Glyphs {
    eighths: ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'],
    track: ' ',
    hatch: '▒',
    sorted: ['▼', '▲'],
    ellipsis: "…",
    rule: '─',
    time_line: ['━', '╸', '┄'],
    levels: ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
    forecast: '░',
    tick: '╵',
};

/// For all others.
pub const ASCII: Glyphs = Glyphs {
    eighths: ['#'; 8],
    track: '.',
    hatch: '=',
    sorted: ['v', '^'],
    ellipsis: "~",
    rule: '-',
    time_line: ['=', '>', '-'],
    levels: ['.', '.', '-', '-', '=', '=', '#', '#'],
    forecast: ':',
    tick: '|',
};
