//! A fleet of publishers in virtual time, asked by the daemon's own queue, pace and judgement: what is missed, how many
//! requests it takes, how late news is met, and how soon faults are told. `cargo bench --bench fleet -- 1000 28 50 1`:
//! sources, days, faults, seed, and, to see its rounds, the number of a source.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop")]

#[path = "../tests/fleet/world.rs"]
mod world;

fn main() {
    let numbers: Vec<i64> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let number = |at: usize, otherwise: i64| numbers.get(at).copied().unwrap_or(otherwise);
    let (sources, days, faults, seed) = (number(0, 1_000), number(1, 28), number(2, 50), number(3, 1));
    let watched = numbers.get(4).map(|number| number.unsigned_abs() as usize);
    let begun = std::time::Instant::now();
    let figures =
        world::run(seed.unsigned_abs(), sources.unsigned_abs() as usize, days, faults.unsigned_abs() as usize, watched);
    print!("{}", figures.text());
    let took = begun.elapsed();
    let each = took.as_secs_f64() * 1e6 / figures.requests as f64;
    println!("{:58} {:.1} s, {each:.1} µs a request", "took, everything included", took.as_secs_f64());
}
