//! TLS and passwords, as a real Prometheus asks for them.

use std::fs;

use rcgen::{CertifiedKey, generate_simple_self_signed};

use crate::odd_servers::{response, server};
use crate::parts::{ask, failure, mapstop};
use crate::support::prometheus::Prometheus;

/// `hush`, as bcrypt has it.
const PASSWORD_HASH: &str = "$2b$04$abcdefghijklmnopqrstuuppZFpU9n.F.R29ic//YRPBUgRHbgy9m";

#[test]
fn a_rejected_token_is_not_printed() {
    let refused = response("401 Unauthorized", "no");
    let address = server(move |_| refused.clone());
    let folder = tempfile::tempdir().expect("a folder");
    let token = folder.path().join("token");
    fs::write(&token, "hush\n").expect("a file");
    let url = format!("http://{address}");
    let message = failure(&ask(
        &url,
        &["--once", "--token-file", token.to_str().expect("a path")],
    ));
    assert!(
        message.ends_with("the server does not take this token or password (401)"),
        "{message}"
    );
    assert!(!message.contains("hush"), "{message}");
}

#[test]
fn tls_and_basic_authentication() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let other = generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    fs::write(path("cert.pem"), cert.pem()).expect("a file");
    fs::write(path("other.pem"), other.cert.pem()).expect("a file");
    fs::write(path("key.pem"), signing_key.serialize_pem()).expect("a file");
    fs::write(path("password"), "hush\n").expect("a file");
    let web = format!(
        "tls_server_config: {{cert_file: {}, key_file: {}}}\nbasic_auth_users: {{fleet: '{PASSWORD_HASH}'}}\n",
        path("cert.pem"),
        path("key.pem")
    );
    fs::write(path("web.yml"), web).expect("a file");
    let server =
        Prometheus::start_with(&[], vec![format!("--web.config.file={}", path("web.yml"))]);
    let url = format!("https://localhost:{}", server.address.port());
    let asked = |args: &[&str]| ask(&url, &[&["--once", "--user", "fleet"], args].concat());
    let (cert, other, password) = (path("cert.pem"), path("other.pem"), path("password"));

    let fine = asked(&["--ca-file", &cert, "--password-file", &password]);
    assert!(fine.status.success(), "{fine:?}");
    let by_environment = mapstop()
        .env("MAPSTOP_PASSWORD", "hush")
        .args([
            "--once",
            "--prometheus",
            &url,
            "--user",
            "fleet",
            "--ca-file",
            &cert,
        ])
        .output()
        .expect("mapstop");
    assert!(by_environment.status.success(), "{by_environment:?}");

    for args in [
        &["--password-file", &password][..],
        &["--ca-file", &other, "--password-file", &password],
    ] {
        let message = failure(&asked(args));
        assert!(message.to_lowercase().contains("certificate"), "{message}");
    }
    fs::write(path("password"), "wrong\n").expect("a file");
    let message = failure(&asked(&["--ca-file", &cert, "--password-file", &password]));
    assert!(message.ends_with("(401)"), "{message}");
    let message = failure(&ask(&url, &["--once", "--ca-file", &cert]));
    assert!(message.ends_with("(401)"), "{message}");
}
