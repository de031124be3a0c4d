//! The store is a fold of the ledger: lost, damaged or half written, it is made again, and prints the same bytes.

use std::fs;
use std::path::{Path, PathBuf};

use citydesk::store::Store;

use crate::daemon::{Daemon, Desk};
use crate::world::{Witness, World, paths};

/// What a feed answered.
#[derive(Debug, PartialEq, Eq)]
pub struct Printed {
    path: String,
    status: u16,
    body: String,
    etag: Option<String>,
}

/// What every feed answers.
pub fn printed(daemon: &Daemon) -> Vec<Printed> {
    let print = |path: String| {
        let answer = daemon.get(&path);
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        Printed { path, status: answer.status, body, etag: answer.headers.get("etag").cloned() }
    };
    paths().into_iter().map(print).collect()
}

/// A hash over everything in the store of a daemon that is not running.
pub fn fingerprint(desk: &Desk) -> String {
    Store::open(&desk.data().join("store")).unwrap().fingerprint().unwrap()
}

/// A desk that has published all of a world, what it prints, and its store's fingerprint. It is stopped.
fn published(world: &World) -> (Desk, Vec<Printed>, String) {
    let desk = Desk::new(&world.feeds());
    let daemon = desk.serve();
    let before = complete(daemon, world);
    let store = fingerprint(&desk);
    (desk, before, store)
}

/// Waits until everything that happened is published.
pub fn settle(daemon: &mut Daemon, world: &World) {
    let told = world.titles();
    daemon.until("everything that happened is published", |daemon| {
        let mut witness = Witness::default();
        witness.read("/feeds/all.rss", &daemon.get("/feeds/all.rss").body);
        witness.titles() == told
    });
}

/// Waits until everything that happened is published, and stops the daemon: what it printed.
fn complete(mut daemon: Daemon, world: &World) -> Vec<Printed> {
    settle(&mut daemon, world);
    let before = printed(&daemon);
    assert_eq!(daemon.stop().0.code(), Some(0));
    before
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn a_rebuild_gives_the_same_store_and_the_same_bytes() {
    let world = World::new(41, 5);
    let (desk, before, store) = published(&world);
    for round in 0..2 {
        let rebuild = desk.run(&["rebuild"]);
        assert!(rebuild.status.success(), "{}", String::from_utf8_lossy(&rebuild.stderr));
        assert_eq!(fingerprint(&desk), store, "round {round}");
    }
    assert_eq!(printed(&desk.serve()), before);
}

#[test]
fn a_store_that_is_gone_or_damaged_is_made_again_at_the_start() {
    let world = World::new(51, 5);
    let (desk, before, _) = published(&world);
    let store = desk.data().join("store");

    fs::remove_dir_all(&store).unwrap();
    assert_eq!(printed(&desk.serve()), before, "a store that is gone");

    // Every file of it overwritten, as a broken disk would.
    for file in files(&store) {
        let length = fs::metadata(&file).unwrap().len() as usize;
        fs::write(&file, vec![0xa5; length]).unwrap();
    }
    assert_eq!(printed(&desk.serve()), before, "a damaged store");
}

#[test]
fn an_older_journal_under_a_newer_store_loses_only_what_it_does_not_hold() {
    // A restored backup: its logs use numbers again that the store has seen, and validators vouch for items not in it.
    let mut world = World::new(55, 5);
    let (desk, _, _) = published(&world);
    let aside = desk.folder().join("aside");
    let logs = ["wire", "ledger"];
    for log in logs {
        copy(&desk.data().join(log), &aside.join(log));
    }
    for _ in 0..40 {
        world.tick();
    }
    complete(desk.serve(), &world);
    for log in logs {
        fs::remove_dir_all(desk.data().join(log)).unwrap();
        copy(&aside.join(log), &desk.data().join(log));
    }
    for _ in 0..10 {
        world.tick();
    }
    complete(desk.serve(), &world);
    let store = fingerprint(&desk);
    assert!(desk.run(&["rebuild"]).status.success());
    assert_eq!(fingerprint(&desk), store);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in files(from) {
        fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
    }
}

#[test]
fn a_tail_torn_in_both_logs_is_cut() {
    let world = World::new(61, 5);
    let (desk, before, store) = published(&world);
    for log in ["wire", "ledger"] {
        let last = files(&desk.data())
            .into_iter()
            .filter(|it| it.extension().is_some_and(|e| e == "log") && it.parent().is_some_and(|p| p.ends_with(log)));
        let last = last.max().unwrap_or_else(|| panic!("no {log} in {:?}", files(&desk.data())));
        let mut bytes = fs::read(&last).unwrap();
        bytes.extend_from_slice(&[0x5a; 777]);
        fs::write(&last, bytes).unwrap();
    }
    let daemon = desk.serve();
    assert_eq!(printed(&daemon), before);
    assert_eq!(daemon.stop().0.code(), Some(0));
    assert_eq!(fingerprint(&desk), store);
}

#[test]
fn a_large_first_filing_cut_in_the_middle_is_finished_once() {
    // So many stories at once take several batches of one index.
    let world = World::crowded(71, 600);
    let desk = Desk::new(&world.feeds());
    let mut daemon = desk.start(Some("store-half-applied"));
    let begun = std::time::Instant::now();
    while daemon.ended().is_none() {
        assert!(begun.elapsed().as_secs() < 60, "the point was not reached\n{}", daemon.tail());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    complete(desk.serve(), &world);
    let store = fingerprint(&desk);
    assert!(desk.run(&["rebuild"]).status.success());
    assert_eq!(fingerprint(&desk), store);
}
