//! Distributes label sets over the slots of a thread's cache. Equality never depends on it: label sets with equal
//! hashes are compared. It is in a file of its own because the count of instructions recognises hashing by its file.

use super::label_set::{FamilyKey, QueriedLabel};

/// Closed labels by the address of their text, open ones by their text.
#[inline]
pub(super) fn of<'a>(key: FamilyKey, labels: impl IntoIterator<Item = QueriedLabel<'a>>) -> u64 {
    let hash = labels.into_iter().fold(key.0 as u64, |hash, label| match label {
        QueriedLabel::Closed(text) => mixed(hash, text.as_ptr().addr() as u64),
        QueriedLabel::Open(text) => open(hash, text),
    });
    // Mixed once more: for texts with equal ends, one product leaves the lower bits to the addresses of the closed
    // labels' texts.
    mixed(hash, 0)
}

/// The last word overlaps the one before it; the length determines which part of it is new.
#[inline]
fn open(hash: u64, text: &[u8]) -> u64 {
    let len = text.len() as u64;
    if let Some(last) = text.last_chunk::<8>() {
        let words = text.chunks_exact(8).map(|chunk| chunk.try_into().map_or(0, u64::from_le_bytes));
        return mixed(words.fold(hash, mixed), u64::from_le_bytes(*last) ^ len << 56);
    }
    match (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            let word = u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last));
            mixed(hash, word ^ len << 56)
        }
        _ => mixed(hash, text.iter().fold(len, |word, byte| word << 8 | u64::from(*byte))),
    }
}

/// Both halves of a product: every bit affects every other.
#[inline]
fn mixed(hash: u64, word: u64) -> u64 {
    let product = u128::from(hash ^ 0x9E37_79B9_7F4A_7C15) * u128::from(word ^ 0xD6E8_FEB8_6659_FD93);
    #[expect(clippy::cast_possible_truncation, reason = "both halves are wanted")]
    let low = product as u64;
    low ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn symbols_spread_over_the_places() {
        // At any address of the text of a closed label.
        static TEXT: &str = match str::from_utf8(&[b'x'; 4096]) {
            Ok(text) => text,
            Err(_) => "",
        };
        let key = FamilyKey::new();
        for at in 0..TEXT.len() {
            let mut places = BTreeMap::new();
            for n in 0..512 {
                let symbol = format!("{n}USDT");
                let labels = [QueriedLabel::Closed(&TEXT[at..]), QueriedLabel::Open(symbol.as_bytes())];
                *places.entry(of(key, labels) % 1024).or_insert(0) += 1;
            }
            // Random hashing hits 403 slots, give or take 10.
            assert!(places.len() > 345, "{} places of 512 symbols", places.len());
            assert!(places.values().all(|count| *count <= 12), "{places:?}");
        }
    }

    #[test]
    fn texts_of_any_length_that_differ_in_one_place_differ() {
        let key = FamilyKey::new();
        for len in 1..40 {
            let of = |text: &[u8]| of(key, [QueriedLabel::Open(text)]);
            let text = vec![b'x'; len];
            for place in 0..len {
                let mut other = text.clone();
                other[place] = b'y';
                assert_ne!(of(&text), of(&other), "{len} {place}");
            }
        }
    }

    #[test]
    fn where_one_text_ends_and_the_next_begins_makes_another_hash() {
        let key = FamilyKey::new();
        let of =
            |labels: [&'static str; 2]| of(key, labels.map(|label| QueriedLabel::Open(label.as_bytes())));
        assert_ne!(of(["1", "1INCHUSDT"]), of(["11", "INCHUSDT"]));
        assert_ne!(of(["a", ""]), of(["", "a"]));
    }
}
