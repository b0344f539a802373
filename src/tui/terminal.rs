//! The terminal: taken over for the live view, and given back as it was, even after a panic.

use std::io::{self, Stdout, Write};
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::layout::{Position, Rect};

use super::render;
use super::state::App;

/// A terminal in raw mode on its alternate screen; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct LiveTerminal {
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

static HOOK: Once = Once::new();

/// Whether the terminal is taken over. It is given back once only: leaving the alternate screen a
/// second time would restore the cursor, and the next output would overwrite the message of a panic.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

impl LiveTerminal {
    /// Takes the terminal over.
    ///
    /// # Errors
    ///
    /// When it cannot be put into raw mode, or cannot be written to.
    pub(crate) fn enter() -> io::Result<Self> {
        // The message of a panic would be lost with the alternate screen.
        HOOK.call_once(|| {
            let print = panic::take_hook();
            panic::set_hook(Box::new(move |panic| {
                leave();
                print(panic);
            }));
        });
        take()?;
        match Terminal::new(CrosstermBackend::new(io::stdout())) {
            Ok(terminal) => Ok(Self { terminal }),
            Err(error) => {
                leave();
                Err(error)
            }
        }
    }

    /// Draws the state in the current size of the terminal.
    ///
    /// # Errors
    ///
    /// When the terminal cannot be written.
    pub(crate) fn draw(&mut self, app: &mut App) -> io::Result<()> {
        self.terminal.autoresize()?;
        let size = self.terminal.size()?;
        app.resize(size.width, size.height);
        self.terminal.draw(|frame| {
            let area = frame.area();
            let info = render::draw(app, area, frame.buffer_mut());
            if let Some(cursor) = info.cursor {
                frame.set_cursor_position(cursor);
            }
            if let Some(max_top) = info.max_top {
                app.set_max_top(max_top);
            }
        })?;
        Ok(())
    }

    /// Makes the next frame draw every cell.
    ///
    /// # Errors
    ///
    /// When the terminal cannot be written.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        // `Terminal::clear` asks the terminal for the cursor position, and fails without an answer.
        let size = self.terminal.size()?;
        self.terminal.resize(Rect::from((Position::ORIGIN, size)))
    }

    /// Takes the terminal over again.
    ///
    /// # Errors
    ///
    /// When it cannot be put into raw mode, or not be written.
    pub(crate) fn take(&mut self) -> io::Result<()> {
        // Another process may have changed the mode, which crossterm would not notice.
        let _ = disable_raw_mode();
        take()?;
        self.clear()
    }
}

impl Drop for LiveTerminal {
    fn drop(&mut self) {
        leave();
    }
}

/// Turns on raw mode, the alternate screen and bracketed paste.
fn take() -> io::Result<()> {
    enable_raw_mode()?;
    IS_TAKEN.store(true, Ordering::SeqCst);
    let entered = execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste);
    if entered.is_err() {
        leave();
    }
    entered
}

/// Restores the terminal, unless that was done already. Errors mean that the terminal is gone.
pub(crate) fn leave() {
    if !IS_TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    let _ = execute!(out, DisableBracketedPaste, LeaveAlternateScreen, Show);
    let _ = out.flush();
    let _ = disable_raw_mode();
}
