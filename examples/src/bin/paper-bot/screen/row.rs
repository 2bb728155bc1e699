//! Rows of styled text, and tables of them.

use bot_metrics_examples::demo::{Tone, escaped, shortened};
use unicode_width::UnicodeWidthStr as _;

/// The distance between two columns of a table.
const GAP: usize = 2;

/// A piece of text in one style.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) text: String,
    pub(crate) tone: Tone,
    pub(crate) is_bold: bool,
}

impl Span {
    /// Control characters are escaped, because texts from an exchange could move the cursor or change the colours.
    pub(crate) fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self { text: escaped(text.into(), char::is_control), tone, is_bold: false }
    }

    pub(crate) fn bold(mut self) -> Self {
        self.is_bold = true;
        self
    }
}

impl From<String> for Span {
    fn from(text: String) -> Self {
        Self::new(Tone::Plain, text)
    }
}

/// One row of the screen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Row(pub(crate) Vec<Span>);

impl Row {
    /// The row cut to this many columns.
    pub(crate) fn fitted(self, columns: usize) -> Self {
        let mut left = columns;
        let mut spans = Vec::new();
        for span in self.0 {
            let text = shortened(&span.text, left);
            left -= text.width().min(left);
            spans.push(Span { text, ..span });
        }
        Self(spans)
    }

    pub(crate) fn width(&self) -> usize {
        self.0.iter().map(|span| span.text.width()).sum()
    }
}

impl<S: Into<Span>> From<S> for Row {
    fn from(span: S) -> Self {
        Self(vec![span.into()])
    }
}

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    pub(crate) is_number: bool,
    /// Columns with the highest rank are left out first where there is no room for all; 0 is never left out.
    pub(crate) rank: u8,
}

/// A column of words.
pub(crate) const fn words(title: &'static str, rank: u8) -> Column {
    Column { title, is_number: false, rank }
}

/// A column of numbers, which are aligned at their right.
pub(crate) const fn numbers(title: &'static str, rank: u8) -> Column {
    Column { title, is_number: true, rank }
}

/// A table that is at most `width` wide if some of its columns may be left out for that: its titles, then its rows.
pub(crate) fn table(columns: &[Column], rows: &[Vec<Span>], width: usize) -> Vec<Row> {
    let widths: Vec<_> = columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            let cells = rows.iter().filter_map(|row| row.get(index)).map(|cell| cell.text.width());
            cells.chain([column.title.width()]).max().unwrap_or(0)
        })
        .collect();
    let shown = shown(columns, &widths, width);
    let titles: Vec<_> = columns.iter().map(|column| Span::new(Tone::Dim, column.title)).collect();
    let all = std::iter::once(&titles).chain(rows);
    all.map(|row| {
        let cells = shown.iter().filter_map(|index| Some((*index, row.get(*index)?)));
        let mut spans: Vec<_> =
            cells.flat_map(|(index, cell)| padded(cell, columns[index], widths[index])).collect();
        // The space after the last cell.
        spans.pop();
        Row(spans)
    })
    .collect()
}

/// The indexes of the columns for which there is room.
fn shown(columns: &[Column], widths: &[usize], width: usize) -> Vec<usize> {
    let mut shown: Vec<_> = (0..columns.len()).collect();
    let total = |shown: &[usize]| shown.iter().map(|index| widths[*index] + GAP).sum::<usize>();
    while total(&shown) > width + GAP
        && let Some(last) = shown.iter().copied().max_by_key(|index| columns[*index].rank)
        && columns[last].rank > 0
    {
        shown.retain(|index| *index != last);
    }
    shown
}

/// A cell, and the space that aligns it and separates it from the next.
fn padded(cell: &Span, column: Column, width: usize) -> [Span; 3] {
    let free = " ".repeat(width.saturating_sub(cell.text.width()));
    let gap = " ".repeat(GAP);
    let (before, after) = if column.is_number { (free, gap) } else { (String::new(), free + &gap) };
    [before.into(), cell.clone(), after.into()]
}
