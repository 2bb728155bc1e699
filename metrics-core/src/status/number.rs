//! Numbers that JSON lacks, spelled as in Prometheus' own JSON: `"NaN"`, `"+Inf"` and `"-Inf"`.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number, or one of the three texts.
#[derive(Clone, Copy, Debug, PartialEq)]
struct JsonNumber<F>(F);

impl<F: Copy + Into<f64> + Serialize> Serialize for JsonNumber<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.into() {
            number if number.is_nan() => serializer.serialize_str("NaN"),
            f64::INFINITY => serializer.serialize_str("+Inf"),
            f64::NEG_INFINITY => serializer.serialize_str("-Inf"),
            _ => self.0.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for JsonNumber<f64> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Spelled {
            Finite(f64),
            Text(String),
        }
        match Spelled::deserialize(deserializer)? {
            Spelled::Finite(number) => Ok(Self(number)),
            Spelled::Text(text) => match &*text {
                "NaN" => Ok(Self(f64::NAN)),
                "+Inf" => Ok(Self(f64::INFINITY)),
                "-Inf" => Ok(Self(f64::NEG_INFINITY)),
                _ => Err(D::Error::custom(format_args!("{text:?} is not a number, NaN, +Inf or -Inf"))),
            },
        }
    }
}

/// For an `Option` of a number; absent as null.
pub(super) mod optional {
    use super::{Deserialize, Deserializer, JsonNumber, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde passes the field")]
    pub(crate) fn serialize<S: Serializer>(number: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
        number.map(JsonNumber).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
        Ok(Option::<JsonNumber<f64>>::deserialize(deserializer)?.map(|JsonNumber(number)| number))
    }
}

/// For a column of such numbers, in half the size.
pub(super) mod column {
    use super::{Deserialize, Deserializer, JsonNumber, Serializer};

    pub(crate) fn serialize<S: Serializer>(column: &[Option<f32>], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(column.iter().map(|number| number.map(JsonNumber)))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Option<f32>>, D::Error> {
        let column = Vec::<Option<JsonNumber<f64>>>::deserialize(deserializer)?;
        #[expect(clippy::cast_possible_truncation, reason = "it was written from this size")]
        let short = |JsonNumber(number)| number as f32;
        Ok(column.into_iter().map(|number| number.map(short)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_a_spelling_and_is_read_back() {
        for (number, text) in [
            (1.5, "1.5"),
            (0.0, "0.0"),
            (f64::INFINITY, "\"+Inf\""),
            (f64::NEG_INFINITY, "\"-Inf\""),
            (f64::NAN, "\"NaN\""),
        ] {
            assert_eq!(serde_json::to_string(&JsonNumber(number)).expect("no map"), text);
            let JsonNumber(read) = serde_json::from_str::<JsonNumber<f64>>(text).expect("as written");
            assert!(read == number || read.is_nan() && number.is_nan(), "{text}");
        }
        let error = serde_json::from_str::<JsonNumber<f64>>("\"many\"").expect_err("no number").to_string();
        assert!(error.starts_with("\"many\" is not a number, NaN, +Inf or -Inf"), "{error}");
    }
}
