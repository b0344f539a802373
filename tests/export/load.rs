//! Many clients for a while, and many scrapes in all.

use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::client::Client;
use crate::support::create_hash;
use crate::support::exporter::Exporter;

/// How long the load goes on.
const TIME: Duration = Duration::from_secs(10);
const CONNECTIONS: usize = 64;
const HALF_OPEN: usize = 150;
/// Memory limit under load, in KiB.
const MAX_MEMORY: u64 = 64 << 10;
/// Allowed growth of memory after many scrapes, in KiB: fragmentation, not a leak.
const MAX_GROWTH: u64 = 3 << 10;

#[test]
fn serves_64_connections_beside_half_open_ones() {
    if !crate::support::limits::may_open(1024) {
        return;
    }
    // Only these maps: others may be created meanwhile.
    let _maps: Vec<_> = (0..200)
        .map(|n| create_hash(&format!("exp_load_{n}"), 3, 10))
        .collect();
    let exporter = Exporter::start(&["-f", "exp_load"]);
    let half_open: Vec<Client> = (0..HALF_OPEN)
        .map(|_| {
            let mut client = exporter.client();
            let sent = client.stream().write_all(b"GET /metrics HTT");
            sent.expect("to be heard");
            client
        })
        .collect();
    let start = Instant::now();
    let ask = |mut client: Client| {
        let mut answers = 0;
        while start.elapsed() < TIME {
            let answer = client.get("/metrics", "");
            assert_eq!(answer.status, 200);
            assert!(answer.body.contains("\nmapstop_series_left_out 0\n"));
            answers += 1;
            // Other tests use both CPUs, too.
            thread::sleep(Duration::from_millis(5));
        }
        answers
    };
    let counts: Vec<u32> = thread::scope(|scope| {
        let threads: Vec<_> = (0..CONNECTIONS)
            .map(|_| exporter.client())
            .map(|client| scope.spawn(|| ask(client)))
            .collect();
        let join = |thread: thread::ScopedJoinHandle<'_, u32>| thread.join().expect("no error");
        threads.into_iter().map(join).collect()
    });
    assert!(counts.iter().all(|count| *count > 10), "{counts:?}");
    assert!(exporter.memory() < MAX_MEMORY, "{} KiB", exporter.memory());
    drop(half_open);
}

#[test]
fn ten_thousand_scrapes_leak_nothing() {
    let exporter = Exporter::start(&[]);
    let scrape = |times: usize| {
        // Some scrapes share a connection and some have their own, as with real scrapers.
        for _ in 0..times / 100 {
            let mut client = exporter.client();
            for _ in 0..99 {
                assert_eq!(client.get("/metrics", "").status, 200);
            }
            exporter.scrape();
        }
    };
    scrape(2_000);
    let (descriptors, memory) = (exporter.descriptors(), exporter.memory());
    scrape(10_000);
    let start = Instant::now();
    while exporter.descriptors() > descriptors && start.elapsed() < Duration::from_secs(5) {
        thread::sleep(Duration::from_millis(20));
    }
    assert!(exporter.descriptors() <= descriptors);
    let more = exporter.memory().saturating_sub(memory);
    assert!(more < MAX_GROWTH, "{more} KiB more than {memory}");
}
