//! The live view driven by keys and samples: selection, sorting, filters, pause, replay.

use std::sync::Arc;
use std::time::Duration;

use mapstop::test_util::{MapBuilder, host, map, moment, snapshot};
use mapstop::tui::action::Effect;
use mapstop::tui::state::App;
use mapstop::types::fleet::Fleet;
use mapstop::types::snapshot::Snapshot;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

mod any_keys;
mod bindings;
mod count;
mod doctor_page;
mod find;
mod look;
mod losses;
mod owner_list;
mod replay;
mod table;
mod time;

/// Ids 1 to 40, each as full as its id is high, sorted by attention: 40 first.
fn maps() -> Vec<MapBuilder> {
    (1..=40)
        .map(|id| {
            map(&format!("map_{id:02}"))
                .id(id)
                .used((id * 2).into(), 100)
        })
        .collect()
}

fn app() -> App {
    let mut app = App::new(host(), moment(0));
    app.resize(80, 24);
    app.ingest(snapshot(0, maps()), Duration::ZERO);
    app
}

/// The facts of a map on a node, as a server has them.
fn of_a_fleet() -> Snapshot {
    Snapshot {
        fleet: Some(Arc::new(Fleet {
            map_count: 1,
            nodes: None,
        })),
        ..snapshot(0, [map("m").id(7).uncounted()])
    }
}

fn shown(app: &App) -> Vec<u32> {
    app.rows().map(|row| row.key().id.0).collect()
}

fn selected(app: &App) -> Option<u32> {
    app.table.selected.as_ref().map(|key| key.id.0)
}

fn press(app: &mut App, code: KeyCode) -> Effect {
    app.press(KeyEvent::new(code, KeyModifiers::NONE))
}

fn type_in(app: &mut App, text: &str) {
    for c in text.chars() {
        press(app, KeyCode::Char(c));
    }
}
