//! A long start: signals that come while the ledger is replayed. And a stop that takes long.

use std::time::{Duration, Instant};

use citydesk::journal::Journal;
use citydesk::model::codec::encode;
use citydesk::model::edit::{Body, Edit, Progress, Record};
use citydesk::model::edition::EditionId;
use citydesk::model::id::{Guid, ItemKey, SourceId, StoryNo};
use citydesk::model::story::Copy;
use citydesk::model::time::Time;

use crate::daemon::Desk;

/// Stories in the ledger: their replay takes this build some seconds.
const STORIES: u64 = 40_000;

#[test]
fn a_reload_during_a_long_start_does_not_kill_and_a_stop_ends_it_at_once() {
    let desk = Desk::new("");
    std::fs::create_dir_all(desk.data()).unwrap();
    {
        let journal = Journal::open(&desk.data()).unwrap();
        for first in (1..STORIES).step_by(100) {
            let mut edits = Vec::new();
            for no in first..first + 100 {
                let (story, key) = (StoryNo(no), ItemKey::guid(&no.to_string()));
                let guid = Guid::mint(&SourceId::default(), &key, 0);
                let copy =
                    Box::new(Copy { key, title: format!("{no} 号线路今日开通运营"), ..Copy::default() });
                edits.push(Edit::Open { story, guid, copy });
                edits.push(Edit::Enter { story, at: Time(no as i64), editions: vec![EditionId::All] });
            }
            let at = Time(first as i64);
            let record = Record { at, progress: Progress::default(), body: Body::Edits(edits) };
            journal.ledger.append(None, &[&encode(&record)]).unwrap();
        }
        journal.ledger.sync().unwrap();
    }
    let mut daemon = desk.start(None);
    let begun = Instant::now();
    while !desk.data().join("store").exists() {
        assert!(begun.elapsed() < Duration::from_secs(30) && daemon.ended().is_none(), "{}", daemon.tail());
        std::thread::sleep(Duration::from_millis(5));
    }
    daemon.signal("HUP");
    std::thread::sleep(Duration::from_millis(200));
    assert!(daemon.ended().is_none(), "a reload killed it\n{}", daemon.tail());
    assert!(daemon.try_get("/readyz", &[]).is_none(), "the start is too short to be tested");
    let (status, time) = daemon.stop();
    assert_eq!(status.code(), Some(0));
    assert!(time < Duration::from_secs(2), "it took {time:?}");
}

/// What a stop does last is to write `data/warm`; here that is a pipe that nobody reads, so that it never ends.
#[test]
fn a_second_signal_ends_it_at_once_whatever_the_stop_still_waits_for() {
    for second in ["TERM", "INT"] {
        let desk = Desk::new("");
        let mut daemon = desk.serve();
        let warm = desk.data().join("warm");
        let _ = std::fs::remove_file(&warm);
        assert!(std::process::Command::new("mkfifo").arg(&warm).status().unwrap().success());
        daemon.signal("TERM");
        // Longer than an idle daemon needs for its rounds and answers.
        std::thread::sleep(Duration::from_secs(3));
        assert!(daemon.ended().is_none(), "the stop is too short to be tested\n{}", daemon.tail());
        daemon.signal(second);
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = daemon.ended() {
                break status;
            }
            assert!(begun.elapsed() < Duration::from_secs(5), "{second} was not heard\n{}", daemon.tail());
            std::thread::sleep(Duration::from_millis(10));
        };
        assert_eq!(status.code(), Some(0), "{second}");
        assert!(daemon.tail().contains("a second signal"), "{}", daemon.tail());
    }
}
