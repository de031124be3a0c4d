//! `backup` beside a running daemon, and `restore`: the same desk again, nothing twice.

use std::fs;

use crate::daemon::Desk;
use crate::rebuild::{fingerprint, printed, settle};
use crate::world::{Witness, World, paths};

fn said(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

#[test]
fn a_restored_desk_prints_the_same_bytes() {
    let world = World::new(81, 5);
    let desk = Desk::new(&world.feeds());
    let mut daemon = desk.serve();
    settle(&mut daemon, &world);
    let before = printed(&daemon);

    let backup = desk.run(&["backup", "desk.backup"]);
    assert!(backup.status.success(), "{}", said(&backup));
    assert!(!desk.folder().join("desk.backup.part").exists());
    // Restored over a desk that lives, or that lies there: refused, and nothing is touched.
    for running in [true, false] {
        let restore = desk.run(&["restore", "desk.backup"]);
        assert_eq!(restore.status.code(), Some(if running { 69 } else { 73 }), "{}", said(&restore));
        if running {
            assert_eq!(printed(&daemon), before);
            daemon.signal("TERM");
            while daemon.ended().is_none() {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        }
    }
    let store = fingerprint(&desk);
    // The same backup without a daemon: only when it was made differs.
    let alone = desk.run(&["backup", "alone.backup"]);
    assert!(alone.status.success(), "{}", said(&alone));

    for file in ["desk.backup", "alone.backup"] {
        fs::rename(desk.data(), desk.folder().join(format!("before-{file}"))).unwrap();
        let restore = desk.run(&["restore", file]);
        assert!(restore.status.success(), "{}", said(&restore));
        assert_eq!(fingerprint(&desk), store, "{file}");
    }
    let mut daemon = desk.serve();
    assert_eq!(printed(&daemon), before);
    settle(&mut daemon, &world);
    assert_eq!(printed(&daemon), before, "polling again brought what was there already");
}

#[test]
fn a_backup_of_a_busy_desk_goes_on_from_where_it_was() {
    let mut world = World::new(82, 3);
    let desk = Desk::new(&world.feeds());
    let mut daemon = desk.serve();
    let mut witness = Witness::default();
    let look = |daemon: &crate::daemon::Daemon, witness: &mut Witness| {
        for path in paths() {
            witness.read(&path, &daemon.get(&format!("{path}?limit=500")).body);
        }
    };
    for round in 0..3 {
        for _ in 0..10 {
            world.tick();
            std::thread::sleep(std::time::Duration::from_millis(40));
        }
        look(&daemon, &mut witness);
        let backup = desk.run(&["backup", "busy.backup"]);
        assert!(backup.status.success(), "{}", said(&backup));
        // Everything after the backup is lost with the disk, and is polled again.
        daemon.kill();
        fs::remove_dir_all(desk.data()).unwrap();
        let restore = desk.run(&["restore", "busy.backup"]);
        assert!(restore.status.success(), "round {round}: {}", said(&restore));
        daemon = desk.serve();
    }
    settle(&mut daemon, &world);
    look(&daemon, &mut witness);
    assert_eq!(daemon.stop().0.code(), Some(0));
    let store = fingerprint(&desk);
    assert!(desk.run(&["rebuild"]).status.success());
    assert_eq!(fingerprint(&desk), store);
}

#[test]
fn a_restore_that_broke_off_is_told_and_can_be_done_again() {
    let world = World::new(83, 3);
    let desk = Desk::new(&world.feeds());
    let mut daemon = desk.serve();
    settle(&mut daemon, &world);
    assert!(desk.run(&["backup", "desk.backup"]).status.success());
    assert_eq!(daemon.stop().0.code(), Some(0));
    let store = fingerprint(&desk);

    // Damaged: no desk is made of it.
    let mut bytes = fs::read(desk.folder().join("desk.backup")).unwrap();
    bytes.truncate(bytes.len() / 2);
    fs::write(desk.folder().join("half.backup"), bytes).unwrap();
    fs::remove_dir_all(desk.data()).unwrap();
    let restore = desk.run(&["restore", "half.backup"]);
    assert_eq!(restore.status.code(), Some(65), "{}", said(&restore));
    assert!(said(&restore).contains("damaged"), "{}", said(&restore));

    // As a kill between the two renames leaves it: a wire, and its ledger still apart.
    fs::create_dir_all(desk.data().join("wire")).unwrap();
    let once = desk.run(&["once"]);
    assert_eq!(once.status.code(), Some(73), "{}", said(&once));
    assert!(said(&once).contains("broke off"), "{}", said(&once));
    let restore = desk.run(&["restore", "desk.backup"]);
    assert!(restore.status.success(), "{}", said(&restore));
    assert_eq!(fingerprint(&desk), store);
}
