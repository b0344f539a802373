//! An exporter of made-up rows, for values that this kernel does not produce, such as lost updates.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use mapstop::exporter::openmetrics::{Format, Scrape, Totals, Writer};
use mapstop::options::{ExportOptions, LabelBy};
use mapstop::test_util::{map, owners_of_all_kinds, reading};
use mapstop::types::errno::Errno;
use mapstop::types::loss::Loss;
use mapstop::types::loss_tracing::LossTracing;

/// Owners with every character that needs escaping in a label.
pub const OWNER: &str = "a \"b\" \\c\nd";

/// Serves them until the test ends; what they lost grows with every scrape.
pub fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    thread::spawn(move || {
        for (scrapes, stream) in (1..).zip(listener.incoming()) {
            let Ok(mut stream) = stream else { return };
            let mut reader = BufReader::new(stream.try_clone().expect("a copy"));
            let mut is_open = false;
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) < 3 {
                    break;
                }
                is_open |= line.contains("openmetrics-text");
            }
            // Every other scrape in the older format.
            let format = if is_open && scrapes % 2 == 0 {
                Format::OpenMetrics
            } else {
                Format::Text
            };
            let body = page(scrapes, format);
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                format.content_type(),
                body.len()
            );
            // The client may have disconnected.
            let _ = stream.write_all(head.as_bytes());
            let _ = stream.write_all(&body);
        }
    });
    address
}

/// The body of the nth scrape.
pub fn page(scrapes: u64, format: Format) -> Vec<u8> {
    let owners = owners_of_all_kinds();
    let mut ownership = owners
        .get(&mapstop::test_util::key(3))
        .expect("a map")
        .as_ref()
        .clone();
    for holder in ownership.holders.iter_mut().flatten() {
        let mut process = holder.process.as_ref().clone();
        process.comm = OWNER.into();
        holder.process = Arc::new(process);
    }
    let mut reading = reading([
        map("lossy")
            .id(3)
            .used(99, 100)
            .owned(ownership)
            .with_layout(),
        map("cache").id(4).named_type("lru_hash").with_layout(),
        map("events").id(5).named_type("ringbuf").used(4000, 4096),
        map("quota").id(6).uncounted(),
        map("left out").id(7),
    ]);
    let losses = [
        Loss {
            failed: Some([(Errno(7), scrapes * 3), (Errno(12), 1)].into()),
            ..Loss::default()
        },
        Loss {
            evictions: Some(scrapes * 5),
            ..Loss::default()
        },
        Loss {
            drops: Some(scrapes * 7),
            ..Loss::default()
        },
    ];
    for (row, loss) in reading.rows.iter_mut().zip(losses) {
        row.facts.loss = Some(Arc::new(loss));
    }
    reading.loss_tracing = LossTracing::Starting;
    let indices: Vec<_> = (0..reading.rows.len()).collect();
    let totals = Totals::new();
    let scrape = Scrape {
        reading: &reading,
        indices: &indices,
        took: Duration::from_millis(1),
        totals: &totals,
    };
    let options = ExportOptions {
        label_by: LabelBy::Id,
        is_compat: false,
        max_series: 29,
    };
    Writer::new(options, format).write(&scrape).to_vec()
}
