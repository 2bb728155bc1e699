use bot_metrics::conformance::{Format, check};

use crate::sound::{SOUND, own_pages};

/// A generator of numbers, the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % bound.max(1)
    }

    /// Damages a page in one place: changes, inserts, removes, repeats or moves a few bytes.
    fn damage(&mut self, page: &mut Vec<u8>) {
        const BYTES: &[u8] = b"\0\n\r\t \"#\\{}=,_:+-.019aNeI\x7f\x80\xc3\xff";
        let start = self.below(page.len());
        let end = (start + self.below(12)).min(page.len());
        let part = match self.below(5) {
            0 => vec![BYTES[self.below(BYTES.len())]; 1 + self.below(3)],
            1 => Vec::new(),
            2 => page[start..end].repeat(2),
            3 => {
                let from = self.below(page.len());
                page[from..(from + 40).min(page.len())].to_vec()
            }
            _ => page[start..end].iter().map(|byte| byte ^ (1 << self.below(8))).collect(),
        };
        page.splice(start..end, part);
    }
}

/// `DAMAGED_PAGES` is the number of pages; a few by default.
#[test]
fn damaged_pages_are_checked_without_panic_and_with_a_bounded_number_of_findings() {
    let pages = std::env::var("DAMAGED_PAGES").ok().and_then(|pages| pages.parse().ok()).unwrap_or(3_000);
    let sound = SOUND.iter().map(|(format, page, _)| (*format, page.as_bytes().to_vec()));
    let mut sources: Vec<_> = sound.collect();
    for (format, page) in own_pages() {
        // The start of a long page, so that the damage is dense.
        sources.push((format, page[..page.len().min(3_000)].to_vec()));
    }
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    let mut found = 0;
    for _ in 0..pages {
        let (_, mut page) = sources[numbers.below(sources.len())].clone();
        for _ in 0..=numbers.below(4) {
            numbers.damage(&mut page);
        }
        for format in [Format::Text, Format::OpenMetrics, Format::Protobuf] {
            let findings = check(&page, format);
            assert!(findings.len() <= 1_000 && findings.iter().all(|finding| finding.position > 0));
            found += usize::from(!findings.is_empty());
        }
    }
    assert!(found > pages, "{found} of {pages} pages in three formats");
}

#[test]
fn a_page_cut_off_anywhere_is_found() {
    for (format, page) in own_pages() {
        if format == Format::Protobuf {
            continue;
        }
        for length in (1..page.len()).step_by(97) {
            let is_whole_line = format == Format::Text && page[length - 1] == b'\n';
            let is_found = !check(&page[..length], format).is_empty();
            assert!(is_found || is_whole_line, "{format:?}, {length} bytes");
        }
    }
}
