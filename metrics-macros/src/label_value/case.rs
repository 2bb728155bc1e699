//! How the name of a variant becomes the text of a label.

use crate::errors::known;

/// How a variant's words are spelled.
#[derive(Clone, Copy, Default)]
pub(crate) enum Case {
    #[default]
    Snake,
    ScreamingSnake,
    Kebab,
    Lower,
    Upper,
    Pascal,
    Camel,
}

impl Case {
    pub(crate) const ALL: [(&'static str, Self); 7] = [
        ("snake_case", Self::Snake),
        ("SCREAMING_SNAKE_CASE", Self::ScreamingSnake),
        ("kebab-case", Self::Kebab),
        ("lowercase", Self::Lower),
        ("UPPERCASE", Self::Upper),
        ("PascalCase", Self::Pascal),
        ("camelCase", Self::Camel),
    ];

    /// The case of this name, or a message about an unknown name.
    pub(crate) fn of(name: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, case)| *case);
        found.ok_or_else(|| {
            format!("unknown case {name:?}{}", known(name, Self::ALL.iter().map(|(name, _)| *name)))
        })
    }

    /// The name of a variant in this case.
    pub(crate) fn spell(self, ident: &str) -> String {
        let words = words(ident);
        match self {
            Self::Snake => words.join("_"),
            Self::ScreamingSnake => words.join("_").to_uppercase(),
            Self::Kebab => words.join("-"),
            Self::Lower => words.concat(),
            Self::Upper => words.concat().to_uppercase(),
            Self::Pascal => words.iter().map(|word| capitalized(word)).collect(),
            Self::Camel => {
                let rest = words.iter().skip(1).map(|word| capitalized(word)).collect::<String>();
                words.first().cloned().unwrap_or_default() + &rest
            }
        }
    }
}

fn capitalized(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

/// The words of a camel-case name in lower case: `GateIo` is gate and io, `HTTPServer` http and server.
pub(crate) fn words(ident: &str) -> Vec<String> {
    let characters: Vec<char> = ident.trim_start_matches("r#").chars().collect();
    let mut words: Vec<String> = Vec::new();
    for (index, &character) in characters.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| characters[before]);
        let after = characters.get(index + 1);
        let begins = match before {
            None | Some('_') => true,
            Some(before) => {
                character.is_uppercase()
                    && (!before.is_uppercase() || after.is_some_and(|after| after.is_lowercase()))
            }
        };
        if character == '_' {
            continue;
        }
        match words.last_mut() {
            Some(word) if !begins => word.extend(character.to_lowercase()),
            _ => words.push(character.to_lowercase().collect()),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_into_words_and_spelled() {
        for (ident, case, spelled) in [
            ("GateIo", Case::Snake, "gate_io"),
            ("HTTPServer", Case::Snake, "http_server"),
            ("OKX", Case::Snake, "okx"),
            ("V2Api", Case::Snake, "v2_api"),
            ("OrderPlaced", Case::ScreamingSnake, "ORDER_PLACED"),
            ("OrderPlaced", Case::Kebab, "order-placed"),
            ("OrderPlaced", Case::Camel, "orderPlaced"),
            ("OrderPlaced", Case::Pascal, "OrderPlaced"),
            ("OrderPlaced", Case::Lower, "orderplaced"),
            ("OrderPlaced", Case::Upper, "ORDERPLACED"),
            ("Order_Placed", Case::Snake, "order_placed"),
        ] {
            assert_eq!(case.spell(ident), spelled, "{ident}");
        }
    }
}
