//! A fleet of 100,000 maps becomes the time to its first table, and what a refresh takes. The server
//! is a stand-in that answers as Prometheus would, from memory.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::resource::{UsageWho, getrusage};

use super::{in_us, mapstop, verdict};

const NODES: usize = 500;
const MAPS_OF_NODE: usize = 200;
const TOP: usize = 5000;
const REFRESHES: u32 = 4;

const MAX_FIRST: Duration = Duration::from_secs(2);
const MAX_REFRESH: Duration = Duration::from_millis(200);
const MAX_KIB: u64 = 200 << 10;

/// The rows of the results table.
pub fn rows() -> Result<Vec<Vec<String>>> {
    let address = serve()?;
    let (once, cpu_of_one, _) = run(address, &["--once", "-c", "id"])?;
    let count = (REFRESHES + 1).to_string();
    let (_, cpu_of_all, kib) = run(address, &["-b", "-d", "0.2", "-n", &count, "-c", "id"])?;
    let refresh = cpu_of_all.saturating_sub(cpu_of_one) / REFRESHES;
    let maps = NODES * MAPS_OF_NODE;
    let row = |what: &str, figure: String, target: String| {
        vec![
            format!("{what} ({TOP} of {maps} maps of a fleet)"),
            figure,
            target,
        ]
    };
    let kib_figure = format!("{:.1} MiB", f64::from(u32::try_from(kib)?) / 1024.0);
    Ok(vec![
        row(
            "first table",
            in_us(once),
            verdict(&in_us(MAX_FIRST), once <= MAX_FIRST),
        ),
        row(
            "CPU time of a refresh",
            in_us(refresh),
            verdict(&in_us(MAX_REFRESH), refresh <= MAX_REFRESH),
        ),
        row(
            "most memory",
            kib_figure,
            verdict("200 MiB", kib <= MAX_KIB),
        ),
    ])
}

/// The time and the CPU time of one mapstop, and the most memory of all children so far in KiB.
fn run(address: SocketAddr, args: &[&str]) -> Result<(Duration, Duration, u64)> {
    let before = cpu()?;
    let start = Instant::now();
    let status = mapstop()
        .args(["--prometheus", &format!("http://{address}")])
        .args(args)
        .stdout(Stdio::null())
        .status()?;
    let took = start.elapsed();
    anyhow::ensure!(status.success(), "mapstop failed");
    let most = getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss();
    Ok((took, cpu()?.saturating_sub(before), most.try_into()?))
}

/// The CPU time of the children that have ended.
fn cpu() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let times = [usage.user_time(), usage.system_time()];
    let times = times.map(|time| {
        Duration::from_micros(
            (time.tv_sec() * 1_000_000 + time.tv_usec())
                .try_into()
                .unwrap_or(0),
        )
    });
    Ok(times.iter().sum())
}

fn serve() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || talk(stream));
        }
    });
    Ok(address)
}

/// Answers the requests of one connection.
fn talk(stream: TcpStream) -> Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let mut length = 0;
        let mut line = String::new();
        while reader.read_line(&mut line)? > 0 && line != "\r\n" {
            let lower = line.to_lowercase();
            if let Some(number) = lower.strip_prefix("content-length:") {
                length = number.trim().parse()?;
            }
            line.clear();
        }
        if line.is_empty() {
            return Ok(());
        }
        let mut form = vec![0; length];
        reader.read_exact(&mut form)?;
        let body = answer(&query(&form)?);
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )?;
        stream.write_all(body.as_bytes())?;
    }
}

/// The query in a form.
fn query(form: &[u8]) -> Result<String> {
    let start = form
        .strip_prefix(b"query=")
        .context("a query comes first")?;
    let mut bytes = start
        .split(|byte| *byte == b'&')
        .next()
        .unwrap_or_default()
        .iter();
    let mut text = Vec::new();
    while let Some(byte) = bytes.next() {
        text.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [
                    *bytes.next().context("a digit")?,
                    *bytes.next().context("a digit")?,
                ];
                u8::from_str_radix(std::str::from_utf8(&digits)?, 16)?
            }
            byte => *byte,
        });
    }
    Ok(String::from_utf8(text)?)
}

fn answer(query: &str) -> String {
    let mut result = String::new();
    let is_count =
        |start| query.starts_with(start) && query.contains("bpf_map_max_entries{id!=\"\"}");
    if is_count("count(bpf_map") || is_count("count(count by (instance,id)") {
        sample(&mut result, "", (NODES * MAPS_OF_NODE) as u64);
    } else if query.starts_with("topk(") {
        for n in 0..TOP {
            let labels = of_map(n % NODES, n / NODES);
            sample(&mut result, &labels, n as u64);
        }
    } else if let Some(families) = query.split("{__name__=~\"").nth(1) {
        let families = families.split('"').next().unwrap_or_default();
        let inside = families
            .trim_start_matches("bpf_map_(")
            .trim_end_matches(')');
        for selector in query.split("instance=\"").skip(1) {
            let mut texts = selector.split('"');
            let node = texts.next().and_then(|name| name.strip_prefix("node-"));
            let node: usize = node.and_then(|n| n.parse().ok()).unwrap_or(0);
            for id in texts.nth(1).unwrap_or_default().split('|') {
                let of_map = of_map(node, id.parse().unwrap_or(0));
                for family in inside.split('|') {
                    let more = match family {
                        "info" => {
                            ",\"kind\":\"bounded\",\"key_bytes\":\"16\",\"value_bytes\":\"64\",\"owner\":\"flowd\""
                        }
                        "failed_updates_total" => ",\"errno\":\"E2BIG\"",
                        _ => "",
                    };
                    let labels = format!("\"__name__\":\"bpf_map_{family}\",{of_map}{more}");
                    sample(&mut result, &labels, 900);
                }
            }
        }
    }
    let result = result.strip_suffix(',').unwrap_or(&result);
    format!(
        "{{\"status\":\"success\",\"data\":{{\"resultType\":\"vector\",\"result\":[{result}]}}}}"
    )
}

fn of_map(node: usize, id: usize) -> String {
    format!(
        "\"id\":\"{id}\",\"instance\":\"node-{node}\",\"job\":\"mapstop\",\"name\":\"conn_track_{id}\",\"type\":\"hash\""
    )
}

fn sample(result: &mut String, labels: &str, value: u64) {
    let _ = write!(
        result,
        "{{\"metric\":{{{labels}}},\"value\":[1795822877.125,\"{value}\"]}},"
    );
}
