//! The characters a screen is drawn with.

/// The characters a screen is drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glyphs {
    /// From one eighth to a whole cell; without eighths every step is a whole cell.
    pub(crate) eighths: [char; 8],
    /// What follows a bar in its cell.
    pub(crate) track: char,
    pub(crate) hatch: char,
    /// Marks the column sorted by, largest first and smallest first.
    pub sorted: [char; 2],
    /// Stands for what was cut.
    pub ellipsis: &'static str,
    /// What a horizontal line is made of.
    pub rule: char,
    /// A time line: what has passed, where it is, what is to come.
    pub time_line: [char; 3],
    /// From one eighth of a cell's height to the whole.
    pub levels: [char; 8],
    /// What is foreseen.
    pub forecast: char,
    /// Stands under a bar where a threshold is.
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
