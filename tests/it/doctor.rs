//! `doctor` names what is wrong with what a desk stands on, and what to do.

use std::fs;
use std::net::TcpListener;

use crate::daemon::Desk;
use crate::world::World;

/// Exit code and what it found: `what` with its health and sentence.
fn doctor(desk: &Desk) -> (Option<i32>, Vec<(String, String, String)>) {
    let output = desk.run(&["doctor", "--json"]);
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |finding: &serde_json::Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let of = |finding| (text(finding, "what"), text(finding, "health"), text(finding, "sentence"));
    (output.status.code(), found.as_array().unwrap().iter().map(of).collect())
}

/// Whether this was found of it.
fn says(found: &[(String, String, String)], what: &str, health: &str, piece: &str) -> bool {
    found.iter().any(|finding| finding.0 == what && finding.1 == health && finding.2.contains(piece))
}

#[test]
fn it_tells_what_is_wrong_before_during_and_after_a_life() {
    let world = World::new(91, 2);
    let desk = Desk::new(&world.feeds());
    let (code, found) = doctor(&desk);
    assert_eq!(code, Some(0), "{found:?}");
    assert!(says(&found, "desk", "ok", "none yet"), "{found:?}");

    let other = TcpListener::bind(desk.address()).unwrap();
    let (code, found) = doctor(&desk);
    assert_eq!(code, Some(69), "{found:?}");
    assert!(says(&found, "address", "wrong", "in use"), "{found:?}");
    drop(other);

    let mut daemon = desk.serve();
    crate::rebuild::settle(&mut daemon, &world);
    let (code, found) = doctor(&desk);
    assert_eq!(code, Some(0), "{found:?}");
    assert!(says(&found, "daemon", "ok", "runs") && says(&found, "address", "ok", "is ready"), "{found:?}");
    assert_eq!(daemon.stop().0.code(), Some(0));

    let (code, found) = doctor(&desk);
    assert_eq!(code, Some(0), "{found:?}");
    for log in ["ledger", "wire"] {
        assert!(says(&found, log, "ok", "every checksum right"), "{found:?}");
    }
    // A bit that the disk turned round in the first record: what was written after its sync bears witness to it.
    let ledger = fs::read_dir(desk.data().join("ledger")).unwrap().map(|entry| entry.unwrap().path());
    let segment = ledger.filter(|path| path.extension().is_some_and(|e| e == "log")).max().unwrap();
    let mut bytes = fs::read(&segment).unwrap();
    bytes[60] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let (code, found) = doctor(&desk);
    assert_eq!(code, Some(74), "{found:?}");
    assert!(says(&found, "desk", "wrong", "ledger"), "{found:?}");

    desk.config("[[source]]\nfed = \"x\"\n");
    let (code, found) = doctor(&desk);
    assert_eq!(code, Some(78), "{found:?}");
    assert!(says(&found, "feeds.toml", "wrong", "keeps the last good one"), "{found:?}");
}

#[test]
fn completions_and_the_manual_name_every_command() {
    let desk = Desk::new("");
    for arguments in [&["completions", "bash"][..], &["completions", "zsh"], &["completions", "fish"], &["man"]] {
        let output = desk.run(arguments);
        assert!(output.status.success(), "{arguments:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        for command in ["serve", "once", "restore", "doctor"] {
            assert!(text.contains(command), "{arguments:?} lacks {command}");
        }
    }
}
