//! Quantiles of durations, from counts by bucket.

/// The 50th, 90th and 99th percentile of observations that are counted by bucket; `None` without any. `bounds` are the
/// upper bounds of all buckets but the last.
pub(crate) fn percentiles(counts: &[u64], bounds: &[f64]) -> Option<[f64; 3]> {
    let total: u64 = counts.iter().sum();
    (total > 0).then(|| [0.5, 0.9, 0.99].map(|part| quantile(part, total, counts, bounds)))
}

/// Interpolated within the bucket, as by `histogram_quantile` of Prometheus: the lowest bucket begins at 0 unless its
/// bound is not above 0, and a quantile in the last bucket is the highest bound.
#[expect(clippy::cast_precision_loss, reason = "the error is below that of interpolation")]
fn quantile(part: f64, total: u64, counts: &[u64], bounds: &[f64]) -> f64 {
    let rank = part * total as f64;
    let (mut below, mut lower) = (0.0, None);
    for (count, &upper) in counts.iter().zip(bounds) {
        let count = *count as f64;
        if count > 0.0 && below + count >= rank {
            let lower = match lower {
                Some(lower) => lower,
                None if upper > 0.0 => 0.0,
                None => return upper,
            };
            return lower + (upper - lower) * ((rank - below) / count);
        }
        below += count;
        lower = Some(upper);
    }
    bounds.last().copied().unwrap_or(f64::NAN)
}

/// Rounded to three significant digits, since a quantile is interpolated and a duration measured: the shortest text
/// of the result has no more digits.
pub(crate) fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    format!("{value:.2e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: [f64; 3] = [1.0, 2.0, 4.0];

    fn of(counts: &[u64]) -> Option<[f64; 3]> {
        percentiles(counts, &BOUNDS)
    }

    #[test]
    fn quantiles_are_those_of_prometheus() {
        assert_eq!(of(&[0, 0, 0, 0]), None);
        assert_eq!(of(&[4, 0, 0, 0]), Some([0.5, 0.9, 0.99]));
        assert_eq!(of(&[0, 0, 100, 0]), Some([3.0, 3.8, 3.98]));
        assert_eq!(of(&[90, 9, 0, 1]).map(|[_, p90, p99]| [p90, p99]), Some([1.0, 2.0]));
        assert_eq!(of(&[0, 0, 0, 7]), Some([4.0; 3]), "above all bounds");
        assert_eq!(of(&[5, 0, 5, 0]).map(|[p50, ..]| p50), Some(1.0));
    }

    #[test]
    fn a_lowest_bucket_that_is_not_above_zero_has_no_lower_bound() {
        assert_eq!(percentiles(&[3, 0], &[-5.0]), Some([-5.0; 3]));
        assert_eq!(percentiles(&[0, 4, 0], &[-5.0, 5.0]).map(|[p50, ..]| p50), Some(0.0));
    }

    #[test]
    fn three_digits_are_kept() {
        for (value, text) in
            [(0.012_345, "0.0123"), (12_345.0, "12300"), (0.999_9, "1"), (0.0, "0"), (-1.0, "-1")]
        {
            assert_eq!(rounded(value).to_string(), text);
        }
        assert!(rounded(f64::NAN).is_nan());
        assert_eq!(rounded(f64::INFINITY), f64::INFINITY);
    }
}
