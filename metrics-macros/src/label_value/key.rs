//! Label texts as numbers, which the compiler compares in one step. Comparing texts byte by byte would be slow.
//!
//! The derive writes the numbers of a set's values into a table. An attribute writes the number of its text, and the
//! library looks it up in the table. Equal numbers are equal texts: nothing is hashed.

/// Longest text that a key holds.
const LONGEST: usize = 31;

/// The bytes of a text and its length; `None` for a text that is too long. Never zeros, which are an empty entry.
pub(crate) fn key(text: &str) -> Option<[u128; 2]> {
    let mut bytes = [0; LONGEST + 1];
    bytes.get_mut(..text.len()).filter(|_| text.len() <= LONGEST)?.copy_from_slice(text.as_bytes());
    // One more than the length, so that the key of the empty text is not zero.
    *bytes.last_mut()? = u8::try_from(text.len() + 1).ok()?;
    let (low, high) = bytes.split_at(bytes.len() / 2);
    let number = |half: &[u8]| half.iter().rev().fold(0, |number, byte| number << 8 | u128::from(*byte));
    Some([number(low), number(high)])
}

/// The index of a key in a table of this length. The library computes it in the same way.
fn entry([low, high]: [u128; 2], length: usize) -> usize {
    let remainder = (low ^ high) % u128::try_from(length).unwrap_or(1);
    usize::try_from(remainder).unwrap_or_default()
}

/// A table with the key of each text at its [`entry`], and zeros elsewhere. It is long enough for every key to have its own
/// entry, up to a limit. The library searches all texts for a key that is not in the table.
pub(crate) fn table(texts: &[String]) -> Vec<[u128; 2]> {
    let keys: Vec<_> = texts.iter().filter_map(|text| key(text)).collect();
    let mut best = (0, vec![[0; 2]]);
    for length in keys.len().max(1)..=keys.len() * 8 + 64 {
        let mut table = vec![[0; 2]; length];
        let mut found = 0;
        for key in &keys {
            if let Some(entry @ [0, 0]) = table.get_mut(entry(*key, length)) {
                *entry = *key;
                found += 1;
            }
        }
        if found > best.0 {
            best = (found, table);
        }
        if best.0 == keys.len() {
            break;
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_found_in_its_entry() {
        let texts: Vec<String> = (0..30).map(|index| format!("value_{index}")).collect();
        let table = table(&texts);
        for text in &texts {
            let key = key(text).expect("a short text");
            assert_eq!(table[entry(key, table.len())], key, "{text}");
        }
        assert_eq!(table.iter().filter(|key| **key != [0; 2]).count(), texts.len());
        assert!(table.len() <= 304);
    }

    #[test]
    fn a_set_too_large_keeps_most_of_its_keys() {
        let texts: Vec<String> = (0..1_000).map(|index| format!("value_{index}")).collect();
        let table = table(&texts);
        assert!(table.len() <= 8_064);
        assert!(table.iter().filter(|key| **key != [0; 2]).count() > 900);
    }

    #[test]
    fn texts_that_differ_have_keys_that_differ() {
        let longest = "x".repeat(LONGEST);
        let texts = ["", "\0", "\0\0", "a", "a\0", "\0a", "trading", "trading\0", "ab", "ba", &longest];
        for (index, text) in texts.iter().enumerate() {
            let key = key(text).expect("a short text");
            assert_ne!(key, [0; 2], "{text:?}");
            assert!(texts[..index].iter().all(|other| self::key(other) != Some(key)), "{text:?}");
        }
        for byte in 0..LONGEST {
            let mut other = longest.clone();
            other.replace_range(byte..=byte, "y");
            assert_ne!(key(&other), key(&longest), "{byte}");
        }
    }

    #[test]
    fn a_long_text_has_no_key() {
        let texts = ["x".repeat(LONGEST + 1), "x".repeat(128)];
        assert!(texts.iter().all(|text| key(text).is_none()));
        assert_eq!(table(&texts), [[0; 2]]);
    }
}
