//! kill -9 at random moments and at every named failpoint: nothing acknowledged is gone, nothing appears twice.
//!
//! Acknowledged is what stood in any answer. A world of six sources goes on while the daemon dies again and again; a
//! witness reads its feeds in between and compares every answer with all before it. At the end everything that happened
//! must be there, once, and a rebuild from the ledger must give the same store and the same bytes.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::daemon::{Daemon, Desk};
use crate::rebuild::{fingerprint, printed, settle};
use crate::world::{Dice, Witness, World, paths};

/// Where the daemon dies: every point of `src/failpoint.rs`, early and later in its life.
const POINTS: &[&str] = &[
    "wire-appended",
    "wire-appended:7",
    "wire-synced",
    "wire-synced:4",
    "ledger-appended",
    "ledger-appended:5",
    "ledger-synced",
    "ledger-synced:3",
    "store-tree-applied:2",
    "store-tree-applied:11",
    "store-applied",
    "store-applied:3",
];

/// Random kills; `CITYDESK_KILLS` asks for more, `CITYDESK_SEED` for others.
const KILLS: u64 = 8;

fn asked(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// A failpoint must be reached within this time: sources are polled every second.
const SOON: Duration = Duration::from_secs(45);

/// Reads one feed, if the daemon still answers.
fn look(daemon: &Daemon, witness: &mut Witness, path: &str) {
    if let Some(answer) = daemon.try_get(&format!("{path}?limit=500"), &[]) {
        assert_eq!(answer.status, 200, "{path}: a feed that ever existed answers 200");
        witness.read(path, &answer.body);
    }
}

#[test]
fn killed_at_any_moment_it_loses_nothing_and_repeats_nothing() {
    let seed = asked("CITYDESK_SEED").unwrap_or(11);
    let mut world = World::new(seed, 2);
    let desk = Desk::new(&world.feeds());
    let mut witness = Witness::default();
    let mut dice = Dice::new(seed + 1);
    let paths = paths();

    for point in POINTS {
        let mut daemon = desk.start(Some(point));
        let begun = Instant::now();
        while daemon.ended().is_none() {
            assert!(begun.elapsed() < SOON, "{point} was not reached\n{}", daemon.tail());
            world.tick();
            look(&daemon, &mut witness, &paths[dice.roll(paths.len() as u64) as usize]);
            std::thread::sleep(Duration::from_millis(60));
        }
        let status = daemon.ended().unwrap();
        assert!(!status.success() && status.code().is_none(), "{point}: it ended by itself: {status}");
    }

    for _ in 0..asked("CITYDESK_KILLS").unwrap_or(KILLS) {
        // Half of them with a point armed as well, for whichever comes first.
        let point = POINTS[dice.roll(POINTS.len() as u64) as usize].split(':').next().unwrap_or_default();
        let point = format!("{point}:{}", 1 + dice.roll(30));
        let mut daemon = desk.start((dice.roll(2) == 0).then_some(point.as_str()));
        let life = Duration::from_millis(dice.roll(3_500));
        let begun = Instant::now();
        while begun.elapsed() < life && daemon.ended().is_none() {
            world.tick();
            look(&daemon, &mut witness, &paths[dice.roll(paths.len() as u64) as usize]);
            std::thread::sleep(Duration::from_millis(dice.roll(80)));
        }
        daemon.kill();
    }

    // Now nothing happens any more. All of it must come to stand in the feeds: no validator vouched for what was lost.
    let mut daemon = desk.serve();
    let told = world.titles();
    daemon.until("everything that happened is published", |daemon| {
        look(daemon, &mut witness, "/feeds/all.rss");
        witness.titles() == told
    });
    for path in &paths {
        look(&daemon, &mut witness, path);
    }
    // What was printed anew last may still be on its way.
    let mut before = printed(&daemon);
    daemon.until("nothing changes any more", |daemon| {
        std::thread::sleep(Duration::from_secs(2));
        let now = printed(daemon);
        let still = now == before;
        before = now;
        still
    });
    let (status, _) = daemon.stop();
    assert_eq!(status.code(), Some(0));

    // The store is a fold of the ledger: made again, it is the same, whatever it went through.
    let store = fingerprint(&desk);
    let rebuild = desk.run(&["rebuild"]);
    assert!(rebuild.status.success(), "{}", String::from_utf8_lossy(&rebuild.stderr));
    assert_eq!(fingerprint(&desk), store, "the store of many deaths differs from one made in one go");
    let daemon = desk.serve();
    assert_eq!(printed(&daemon), before);
}

#[test]
fn sigterm_drains_and_ends_with_zero_within_ten_seconds() {
    let world = World::new(21, 2);
    let desk = Desk::new(&world.feeds());
    let mut daemon = desk.serve();
    settle(&mut daemon, &world);
    let before = printed(&daemon);
    let (status, time) = daemon.stop();
    assert_eq!(status.code(), Some(0));
    assert!(time < Duration::from_secs(10), "it took {time:?}");
    // And nothing had to be repaired or polled again.
    assert_eq!(printed(&desk.serve()), before);
}

#[test]
fn a_folder_that_a_daemon_holds_is_left_alone() {
    let world = World::new(31, 2);
    let desk = Desk::new(&world.feeds());
    let daemon = desk.serve();
    let second = desk.run(&["serve"]);
    assert_eq!(second.status.code(), Some(69), "{}", String::from_utf8_lossy(&second.stderr));
    let rebuild = desk.run(&["rebuild"]);
    // The daemon makes the store again apart, finds it the same, and leaves nothing behind.
    assert_eq!(rebuild.status.code(), Some(0), "{}", String::from_utf8_lossy(&rebuild.stderr));
    assert!(String::from_utf8_lossy(&rebuild.stdout).contains("the same as before"));
    assert!(!desk.data().join("store.new").exists() && !desk.data().join("store.next").exists());
    assert_eq!(daemon.get("/healthz").status, 200);
}

/// Every point named in the source is in the list above, so that a new one is not forgotten.
#[test]
fn every_failpoint_is_tried() {
    let tried: BTreeSet<&str> = POINTS.iter().filter_map(|it| it.split(':').next()).collect();
    let table = include_str!("../../src/failpoint.rs");
    let named: BTreeSet<&str> = table
        .lines()
        .filter(|line| line.starts_with("//! | `"))
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .collect();
    // A batch is only cut in two by more keys than a small world makes: `rebuild.rs` has a large one.
    let rest: Vec<_> = named.difference(&tried).filter(|it| **it != "store-half-applied").collect();
    assert!(rest.is_empty(), "not tried: {rest:?}");
    assert!(tried.is_subset(&named), "not in src/failpoint.rs: {:?}", tried.difference(&named));
}
