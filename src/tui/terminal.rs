//! The terminal: taken over for the live view, and given back as it was however that ends.

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
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

static HOOK: Once = Once::new();

/// Whether the terminal is taken over now. It is given back once: leaving the alternate screen a
/// second time would put the cursor back to where it was before, and what is printed next over a
/// panic's message.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

impl Screen {
    /// Takes the terminal over.
    ///
    /// # Errors
    ///
    /// When it cannot be put into raw mode, or not be written.
    pub fn enter() -> io::Result<Self> {
        // A panic's message would be lost with the alternate screen, so the screen goes first.
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

    /// Draws the state, in the size that the terminal has now.
    ///
    /// # Errors
    ///
    /// When the terminal cannot be written.
    pub fn draw(&mut self, app: &mut App) -> io::Result<()> {
        self.terminal.autoresize()?;
        let size = self.terminal.size()?;
        app.resize(size.width, size.height);
        self.terminal.draw(|frame| {
            let area = frame.area();
            if let Some(cursor) = render::draw(app, area, frame.buffer_mut()) {
                frame.set_cursor_position(cursor);
            }
        })?;
        Ok(())
    }

    /// Every cell is drawn anew the next time.
    ///
    /// # Errors
    ///
    /// When the terminal cannot be written.
    pub fn clear(&mut self) -> io::Result<()> {
        // Its own clear asks the terminal where the cursor is, and fails where none answers soon.
        let size = self.terminal.size()?;
        self.terminal.resize(Rect::from((Position::ORIGIN, size)))
    }

    /// Takes the terminal over again.
    ///
    /// # Errors
    ///
    /// When it cannot be put into raw mode, or not be written.
    pub fn take(&mut self) -> io::Result<()> {
        // Someone else may have changed its mode meanwhile, which crossterm would not notice.
        let _ = disable_raw_mode();
        take()?;
        self.clear()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        leave();
    }
}

/// Raw mode, the alternate screen, and pasted text told from typed.
fn take() -> io::Result<()> {
    enable_raw_mode()?;
    IS_TAKEN.store(true, Ordering::SeqCst);
    let entered = execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste);
    if entered.is_err() {
        leave();
    }
    entered
}

/// Gives the terminal back, unless that was done already. Errors are ignored: the terminal is gone then.
pub fn leave() {
    if !IS_TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    let _ = execute!(out, DisableBracketedPaste, LeaveAlternateScreen, Show);
    let _ = out.flush();
    let _ = disable_raw_mode();
}
