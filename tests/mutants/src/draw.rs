//! A reproducible random selection.

/// `all` in an order that depends only on `seed`.
pub fn shuffled<T>(mut all: Vec<T>, seed: u64) -> Vec<T> {
    let mut state = seed;
    for end in (1..all.len()).rev() {
        let bound = u64::try_from(end).map_or(u64::MAX, |end| end + 1);
        let other = usize::try_from(next(&mut state) % bound).unwrap_or(0);
        all.swap(end, other);
    }
    all
}

/// `SplitMix64`, which needs no crate and is the same everywhere.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_alone_decides_and_nothing_is_lost() {
        let all: Vec<_> = (0..100).collect();
        let drawn = shuffled(all.clone(), 7);
        assert_eq!(drawn, shuffled(all.clone(), 7));
        assert_ne!(drawn, shuffled(all.clone(), 8));
        let mut sorted = drawn;
        sorted.sort_unstable();
        assert_eq!(sorted, all);
    }
}
