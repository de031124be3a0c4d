//! The archive's pages: fixed runs of 100 entries of an edition, in order of entry (RFC 5005 section 4).

use crate::model::edition::Order;

/// Entries in one run.
pub const RUN: usize = 100;

/// All of these entries, newest first, in runs: the last one may be short.
#[must_use]
pub fn whole(entries: &[Order]) -> Vec<(u32, Order)> {
    let oldest_first: Vec<Order> = entries.iter().rev().copied().collect();
    let runs = oldest_first.chunks(RUN).enumerate();
    runs.filter_map(|(index, run)| Some((1 + index as u32, *run.last()?))).collect()
}

/// Runs that are full now. `last` is the number and newest entry of the run before; `entries` are all newer ones,
/// newest first. What is not yet a hundred waits.
#[must_use]
pub fn full(last: Option<(u32, Order)>, entries: &[Order]) -> Vec<(u32, Order)> {
    let number = last.map_or(0, |(number, _)| number);
    let oldest_first: Vec<Order> = entries.iter().rev().copied().collect();
    let runs = oldest_first.chunks_exact(RUN).enumerate();
    runs.filter_map(|(index, run)| Some((number + 1 + index as u32, *run.last()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Time;

    #[test]
    fn a_run_is_recorded_when_a_hundred_entries_are_there() {
        let order = |n: u64| Order { at: Time(n as i64), story: n };
        let newest_first = |to: u64| (1..=to).rev().map(order).collect::<Vec<_>>();
        assert_eq!(full(None, &newest_first(99)), []);
        assert_eq!(full(None, &newest_first(250)), [(1, order(100)), (2, order(200))]);
        assert_eq!(full(Some((7, order(0))), &newest_first(100)), [(8, order(100))]);
        assert_eq!(whole(&newest_first(250)), [(1, order(100)), (2, order(200)), (3, order(250))]);
        assert_eq!(whole(&[]), []);
    }
}
