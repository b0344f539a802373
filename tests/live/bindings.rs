//! Every key in the table does something in the screens where it is active.

use mapstop::tui::action::Action;
use mapstop::tui::keymap::{BINDINGS, Binding, KeyContext};

use super::*;

/// A view of one map that can be counted exactly, on the screen of these keys.
fn live(keys: &str) -> App {
    let mut app = App::new(host(), moment(0));
    app.ingest(
        snapshot(0, [map("m").id(7).uncounted(), map("n").id(8)]),
        Duration::ZERO,
    );
    for c in keys.chars() {
        match c {
            '\n' => press(&mut app, KeyCode::Enter),
            c => press(&mut app, KeyCode::Char(c)),
        };
    }
    app
}

/// All screens where the bindings of this context are active.
fn screens(context: KeyContext) -> Vec<App> {
    match context {
        KeyContext::Table => vec![live("")],
        KeyContext::Time => vec![live(""), live("\n"), live("o")],
        KeyContext::Replay => ["", "\n", "o"]
            .into_iter()
            .map(|keys| {
                let mut app = replay::playing();
                for c in keys.chars() {
                    match c {
                        '\n' => press(&mut app, KeyCode::Enter),
                        c => press(&mut app, KeyCode::Char(c)),
                    };
                }
                app
            })
            .collect(),
        KeyContext::Detail => vec![live("\n")],
        // Filter, search, interval, and the search of the help.
        KeyContext::Prompt => vec![live("f"), live("/"), live("d"), live("?/"), live(" b")],
        KeyContext::SortMenu => vec![live("s")],
        KeyContext::OwnerList => vec![live("o"), live("u")],
        KeyContext::ColumnPicker => vec![live("c")],
        KeyContext::Help => vec![live("?"), live("\n?"), live("o?")],
        KeyContext::Doctor => vec![live("i"), live("\ni")],
        KeyContext::CountDialog => vec![live("jC"), live("jC\n")],
        KeyContext::Everywhere => [
            "", "\n", "f", "/", "d", "s", "o", "c", "?", "?/", "i", "jC", "jC\n",
        ]
        .map(live)
        .to_vec(),
    }
}

fn is_handled(app: &App, action: Action) -> bool {
    app.clone().apply(action).is_some()
}

#[test]
fn every_screen_handles_the_actions_bound_in_it() {
    for Binding {
        context, action, ..
    } in BINDINGS
    {
        for app in screens(*context) {
            let screen = format!("{:?}", app.screen());
            let screen = screen.split('(').next().unwrap_or_default();
            assert!(is_handled(&app, *action), "{screen} ignores {action:?}");
        }
    }
}

/// Without this, the test above would pass if all screens claimed to handle everything.
#[test]
fn actions_of_other_screens_are_not_handled() {
    for (keys, action) in [
        ("", Action::ToggleColumn),
        ("\n", Action::SortLeft),
        ("f", Action::OpenSearch),
        ("s", Action::Help),
        ("o", Action::ReverseSort),
        ("c", Action::PageDown),
        ("?", Action::Accept),
        ("i", Action::NextPage),
        ("jC", Action::Up),
    ] {
        assert!(!is_handled(&live(keys), action), "{keys:?}: {action:?}");
    }
}
