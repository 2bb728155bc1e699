//! A terminal in which rows are shown instead of lines, and which is as before when that ends.

use std::io::{self, Write};
use std::os::fd::AsFd;

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::queue;
use crossterm::style::{Attribute, SetAttribute};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, DisableLineWrap, EnableLineWrap, EndSynchronizedUpdate,
    EnterAlternateScreen, LeaveAlternateScreen,
};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetwinsize, tcsetattr,
};

use super::layout::Size;
use super::row::{Row, Span};

/// The size of a terminal that does not know its own any more.
const USUAL: Size = Size { columns: 80, rows: 24 };

/// A special character that no key has.
const DISABLED: u8 = 0;

/// The terminal's second screen. Dropping it shows the first one again.
#[derive(Debug)]
pub(crate) struct Terminal<W: Write + AsFd> {
    out: W,
    before: Termios,
}

impl<W: Write + AsFd> Terminal<W> {
    /// Shows the second screen. Keys are not shown, and Ctrl-Z does not stop the bot, which has open orders; Ctrl-C
    /// still sends a signal.
    pub(crate) fn enter(out: W) -> io::Result<Self> {
        let before = tcgetattr(&out)?;
        let mut quiet = before.clone();
        quiet.local_modes -= LocalModes::ECHO | LocalModes::ICANON;
        quiet.special_codes[SpecialCodeIndex::VSUSP] = DISABLED;
        tcsetattr(&out, OptionalActions::Flush, &quiet)?;
        let mut terminal = Self { out, before };
        queue!(terminal.out, EnterAlternateScreen, Hide, DisableLineWrap)?;
        terminal.out.flush()?;
        Ok(terminal)
    }

    pub(crate) fn size(&self) -> Size {
        match tcgetwinsize(&self.out) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => {
                Size { columns: size.ws_col.into(), rows: size.ws_row.into() }
            }
            _ => USUAL,
        }
    }

    /// Replaces what is shown. All of it is written, because other programs may have written over it.
    pub(crate) fn show(&mut self, rows: &[Row]) -> io::Result<()> {
        let size = self.size();
        let mut text = String::new();
        command(&mut text, BeginSynchronizedUpdate);
        for (number, row) in (0..).zip(rows.iter().take(size.rows)) {
            command(&mut text, MoveTo(0, number));
            row.0.iter().for_each(|span| paint(&mut text, span));
            // After a character in the last column it would be erased.
            if row.width() < size.columns {
                command(&mut text, Clear(ClearType::UntilNewLine));
            }
        }
        if let Ok(below) = u16::try_from(rows.len())
            && rows.len() < size.rows
        {
            command(&mut text, MoveTo(0, below));
            command(&mut text, Clear(ClearType::FromCursorDown));
        }
        command(&mut text, EndSynchronizedUpdate);
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

impl<W: Write + AsFd> Drop for Terminal<W> {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing.
        let _ = queue!(self.out, EnableLineWrap, Show, LeaveAlternateScreen);
        let _ = self.out.flush();
        // Typed keys are discarded, so that the shell does not get them.
        let _ = tcsetattr(&self.out, OptionalActions::Flush, &self.before);
    }
}

fn paint(text: &mut String, span: &Span) {
    if span.text.is_empty() {
        return;
    }
    if span.is_bold {
        command(text, SetAttribute(Attribute::Bold));
    }
    text.push_str(&span.tone.paint(&span.text));
    if span.is_bold {
        command(text, SetAttribute(Attribute::NormalIntensity));
    }
}

fn command(text: &mut String, command: impl crossterm::Command) {
    // Writing to a text cannot fail.
    let _ = command.write_ansi(text);
}
