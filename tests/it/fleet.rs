//! The simulated fleet, small enough for every run of the tests; `cargo bench --bench fleet` has the large one.

#[path = "../fleet/world.rs"]
mod world;

#[test]
fn a_fleet_is_polled_politely_and_completely_and_trouble_is_told() {
    let figures = world::run(1, 150, 21, 12, None);
    let text = figures.text();
    assert_eq!(figures.missed, 0, "{text}");
    assert!(figures.requests * 100 <= figures.fixed_requests * 40, "{text}");
    assert!(figures.median <= figures.fixed_median, "{text}");
    assert_eq!((figures.early, figures.skipped), (0, 0), "{text}");
    assert!(figures.conditional * 100 >= figures.could * 95, "{text}");
    assert!(figures.told * 100 >= figures.faults * 95 && figures.told_after <= 200, "{text}");
    assert!(figures.false_alarms as i64 * 100 <= figures.source_weeks, "{text}");
    assert!(figures.book < 2_000, "{text}");
}

#[test]
fn one_seed_is_one_fleet() {
    let run = |seed| world::run(seed, 12, 3, 2, None).text();
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}
