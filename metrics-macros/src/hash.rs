//! Hashes of label texts: the derive writes those of a set's values into a table, an attribute that of the text it was given.

/// The hash of a text, which is never 0 (FNV-1a, 64 bits).
pub(crate) fn hash(text: &str) -> u64 {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    hash.max(1)
}

/// A table in which the hash of each text stands where the remainder of its division by the table's length says, and 0
/// elsewhere. As long as it must be for no two of them to share a place, unless that is very long.
pub(crate) fn table(texts: &[String]) -> Vec<u64> {
    let lengths = texts.len().max(1)..=texts.len() * 8 + 64;
    let tables = lengths.map(|length| {
        let mut table = vec![0; length];
        let found_place = |text: &&String| {
            let hash = hash(text);
            let length = u64::try_from(table.len()).unwrap_or(u64::MAX);
            let place = usize::try_from(hash % length).ok().and_then(|place| table.get_mut(place));
            match place {
                Some(place) if *place == 0 => *place = hash,
                _ => return false,
            }
            true
        };
        let found = texts.iter().filter(found_place).count();
        (found, table)
    });
    // What has found no place is looked for among the values.
    let mut best = (0, vec![0]);
    for (found, table) in tables {
        if found > best.0 {
            best = (found, table);
        }
        if best.0 == texts.len() {
            break;
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_stands_at_its_place_alone() {
        let texts: Vec<String> = (0..30).map(|index| format!("value_{index}")).collect();
        let table = table(&texts);
        for text in &texts {
            let hash = hash(text);
            assert_eq!(table[usize::try_from(hash % table.len() as u64).expect("an index")], hash, "{text}");
        }
        assert_eq!(table.iter().filter(|hash| **hash != 0).count(), texts.len());
        assert!(table.len() <= 304);
    }

    #[test]
    fn a_set_too_large_keeps_what_finds_a_place() {
        let texts: Vec<String> = (0..1_000).map(|index| format!("value_{index}")).collect();
        let table = table(&texts);
        assert!(table.len() <= 8_064);
        assert!(table.iter().filter(|hash| **hash != 0).count() > 900);
    }
}
