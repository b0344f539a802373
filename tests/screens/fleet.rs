//! Many nodes in one table, some of them down.

use std::sync::Arc;

use mapstop::analysis::backfill::Backfill;
use mapstop::query::fields::{NAME, NODE};
use mapstop::types::fleet::{ExportedFields, Fleet, Node};
use mapstop::types::host::Host;
use mapstop::types::snapshot::{MapFacts, Origin};

use super::*;

/// A map of the recording as an exporter has it.
fn exported(mut map: MapFacts, node: &str) -> MapFacts {
    map.key.node = Some(node.into());
    let is_filling = map.key.id.0 == 3187;
    map.origin = Origin::Exporter(Arc::new(ExportedFields {
        scraped_at: None,
        memory: Some(u64::from(map.max_entries) * 144),
        growth_per_s: Some(if is_filling { 13.0 } else { 0.0 }),
        full_in_s: is_filling.then_some(249.0),
        entry_lifetime_s: None,
        mark: None,
        holder_count: Some(1),
        program_count: Some(2),
        owner: Some("flowd".into()),
        pin: None,
    }));
    map
}

/// The first maps of two machines of three, of a fleet with so many maps.
fn fleet(width: u16, height: u16, maps: u64) -> App {
    let host = Host {
        name: "prometheus:9090".into(),
        ..Host::default()
    };
    let mut app = App::new(host, moment(3600));
    app.resize(width, height);
    let mut sample = samples()[0].clone();
    sample.moment = moment(3600);
    let nodes = ["web-3:2112", "web-4:2112"];
    sample.maps = nodes
        .iter()
        .flat_map(|node| sample.maps.iter().map(|map| exported(map.clone(), node)))
        .collect();
    let node = |name: &str, is_up: bool, age: u64| Node {
        name: name.into(),
        is_up,
        last_scraped_at: sample
            .moment
            .wall
            .checked_sub(Duration::from_secs(age))
            .ok(),
    };
    let nodes = vec![
        node(nodes[0], true, 3),
        node(nodes[1], true, 9),
        node("web-5:2112", false, 249),
    ];
    sample.owners = None;
    sample.fleet = Some(Arc::new(Fleet {
        map_count: maps,
        nodes: Some(nodes),
    }));
    app.ingest(sample, Duration::from_micros(1400));
    app
}

#[test]
fn many_machines() {
    for (width, height) in [(140, 40), (80, 24), (40, 12)] {
        let app = fleet(width, height, 100_000);
        insta::assert_snapshot!(format!("fleet_{width}x{height}"), screen(&app));
    }
}

#[test]
fn nodes_with_some_down() {
    let mut app = fleet(80, 24, 40);
    press(&mut app, "o\t\t\t");
    insta::assert_snapshot!("nodes_80x24", screen(&app));
}

#[test]
fn the_detail_of_a_fleet_map_has_its_history() {
    let mut app = fleet(80, 24, 40);
    let key = app
        .rows()
        .find(|row| row.key().id.0 == 3187)
        .expect("a map")
        .key()
        .clone();
    let now = moment(3600).uptime;
    let point = |n: u32| {
        (
            now.saturating_sub(Duration::from_secs(15) * (40 - n)),
            Some(u64::from(60_000 + 50 * n)),
        )
    };
    app.backfill(&Backfill {
        key: key.clone(),
        points: (0..40).map(point).collect(),
    });
    app.table.selected = Some(key);
    press(&mut app, "\n");
    insta::assert_snapshot!("detail_of_another_machine_80x24", screen(&app));
}

/// The lines of the screen that name the column of machines.
fn lines_of_node(app: &App) -> Vec<String> {
    let screen = screen(app);
    let is_of_node = |line: &&str| line.contains("the machine, in a fleet");
    screen
        .lines()
        .filter(is_of_node)
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_node_column_is_offered_for_a_fleet() {
    for (name, open) in [("sort", "s"), ("columns", "c"), ("help", "?2")] {
        let mut alone = app(80, 40);
        press(&mut alone, open);
        assert_eq!(lines_of_node(&alone), [""; 0], "{name}");
        let mut fleet = fleet(80, 40, 40);
        press(&mut fleet, open);
        assert_eq!(lines_of_node(&fleet).len(), 1, "{name}");
    }
    // It is on by default.
    let mut fleet = fleet(80, 40, 40);
    press(&mut fleet, "c");
    let is_on = |app: &App| lines_of_node(app)[0].contains("[x] node");
    assert!(is_on(&fleet));
    press(&mut fleet, " ");
    assert!(!is_on(&fleet));
    assert!(!screen(&fleet).contains("NODE"));
    press(&mut fleet, "d");
    assert!(is_on(&fleet) && screen(&fleet).contains("NODE"));
    assert_eq!(fleet.display.columns, None);
    // It is shown if it is named.
    let mut alone = app(80, 40);
    alone.display.columns = Some(vec![NODE, NAME]);
    press(&mut alone, "c");
    assert!(is_on(&alone));
}

#[test]
fn a_fleet_explains_where_losses_are_counted() {
    let mut fleet = fleet(240, 40, 40);
    assert!(screen(&app(240, 40)).contains("l losses"));
    for keys in ["", "\n"] {
        press(&mut fleet, keys);
        assert!(!screen(&fleet).contains("l losses"), "{}", screen(&fleet));
        press(&mut fleet, "l");
        let message = "losses are counted by the exporter; start it with --losses";
        assert!(screen(&fleet).contains(message), "{}", screen(&fleet));
    }
}
