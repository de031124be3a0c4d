//! A disk that fills up: polling stops, serving goes on, and everything goes on by itself once there is room.
//!
//! Needs a file system of its own, so it runs where one may be mounted (as root), and says so elsewhere.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::daemon::{Daemon, Desk};
use crate::rebuild::{fingerprint, settle};
use crate::world::World;

/// A small disk, gone when dropped.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: PathBuf) -> Option<Self> {
        fs::create_dir_all(&at).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=110M", "citydesk-test"]).arg(&at).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(at))
    }

    /// Something else takes room until so many megabytes are left.
    fn fill(&self, left: usize) {
        let filler = vec![0_u8; (110 - left) << 20];
        // Where less than that is left already it ends early.
        let _ = fs::write(self.0.join("filler"), filler);
    }

    fn free(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }
}

/// A world and its desk on such a disk, and nothing done yet; `None`, and a word why, where none can be had.
fn begun(seed: u64, each: usize) -> Option<(World, Desk, Disk)> {
    let world = World::new(seed, each);
    let desk = Desk::new(&world.feeds());
    let disk = Disk::mount(desk.data());
    if disk.is_none() {
        println!("not tested: no file system can be mounted here; run as root");
    }
    Some((world, desk, disk?))
}

/// What is wrong, as the daemon says.
fn told(daemon: &Daemon) -> String {
    String::from_utf8_lossy(&daemon.get("/readyz").body).into_owned()
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn on_a_full_disk_polling_stops_serving_goes_on_and_it_resumes_alone() {
    let Some((mut world, desk, disk)) = begun(97, 3) else { return };
    let mut daemon = desk.serve();
    settle(&mut daemon, &world);
    for left in [60, 40, 20] {
        disk.fill(left);
        let before = daemon.get("/feeds/all.rss");
        daemon.until("it says that the disk is full", |daemon| told(daemon).contains("disk: less than"));
        for _ in 0..20 {
            world.tick();
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        let during = daemon.get("/feeds/all.rss");
        assert_eq!((during.status, during.body), (200, before.body), "{left} MB left");
        disk.free();
        settle(&mut daemon, &world);
        daemon.until("it says nothing of the disk", |daemon| !told(daemon).contains("disk"));
    }
    assert_eq!(daemon.stop().0.code(), Some(0));
    let store = fingerprint(&desk);
    assert!(desk.run(&["rebuild"]).status.success());
    assert_eq!(fingerprint(&desk), store);
}

#[test]
fn a_start_with_other_settings_on_a_full_disk_serves_and_applies_them_when_there_is_room() {
    let Some((mut world, desk, disk)) = begun(98, 2) else { return };
    let mut daemon = desk.serve();
    settle(&mut daemon, &world);
    let mut before = daemon.get("/feeds/all.rss").body;
    assert_eq!(daemon.stop().0.code(), Some(0));
    for left in [60, 20] {
        disk.fill(left);
        let feeds = world.feeds() + &format!("\n[[tag]]\nid = \"tag-{left}\"\nwhen = \"今日\"\n");
        desk.config(&feeds);
        let once = desk.run(&["once"]);
        let said = String::from_utf8_lossy(&once.stderr).into_owned();
        assert!(once.status.code() == Some(74) && said.contains("make room"), "{said}");
        let mut daemon = desk.serve();
        assert!(told(&daemon).contains("feeds.toml: not applied: the disk is full"), "{}", told(&daemon));
        world.tick();
        std::thread::sleep(std::time::Duration::from_secs(1));
        let during = daemon.get("/feeds/all.rss");
        assert_eq!((during.status, &during.body), (200, &before), "{left} MB left");
        disk.free();
        daemon.until("what waited is applied", |daemon| !told(daemon).contains("not applied"));
        settle(&mut daemon, &world);
        assert_eq!(daemon.get(&format!("/feeds/tag/tag-{left}.rss")).status, 200, "{left} MB left");
        assert_eq!(daemon.stop().0.code(), Some(0));
        // As before, for the next one.
        desk.config(&world.feeds());
        let mut daemon = desk.serve();
        settle(&mut daemon, &world);
        before = daemon.get("/feeds/all.rss").body;
        assert_eq!(daemon.stop().0.code(), Some(0));
    }
}
