//! The last events with a text, for the status page.
//!
//! Each severity has its own ring, so that a flood of routine events does not push out those that need action. A ring
//! has a fixed size: recording neither allocates nor waits, and neither a scrape nor a page delays it. An event takes
//! the next slot, claims it, writes its words and releases it; a reader that finds the slot's number unchanged
//! afterwards has read one event completely. A slot whose writer was stopped is skipped.

mod place;

use std::cmp::Reverse;
#[cfg(feature = "page")]
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::labels::Severity;
use crate::sync::{
    self, AtomicU64,
    Ordering::{Acquire, Relaxed},
};
use crate::{LabelValue, lock};

/// The number of events that are kept of each severity.
const PLACES: usize = 64;

/// The words of an event: its time, the lengths of its texts, its order among all events, and the texts one after the
/// other.
const WORDS: usize = HEAD + TEXT_WORDS;
const HEAD: usize = 3;
const TEXT_WORDS: usize = 48;

/// The maximum number of bytes of each text: severity, type, profile, symbol, and the event's own text.
const LONGEST: [usize; 5] = [16, 40, 44, 44, LONGEST_TEXT];
pub(crate) const LONGEST_TEXT: usize = 240;

/// An event that was recorded with a text; from [`Metrics::recent_events`](crate::Metrics::recent_events).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecentEvent {
    /// Its position among all that was numbered since the start; later events have greater numbers, with gaps.
    pub sequence: u64,
    /// The wall-clock time at which it was recorded.
    pub at: SystemTime,
    /// Its severity.
    pub severity: String,
    /// Its type.
    pub event_type: String,
    /// The profile that it concerns; empty if there is none. Cut at 44 bytes.
    pub profile: String,
    /// The symbol that it concerns; likewise.
    pub symbol: String,
    /// Its text; cut at 240 bytes, in which case it ends with an ellipsis.
    pub text: String,
}

/// A ring for each of the library's severities, and one for a bot's own.
#[derive(Debug)]
pub(crate) struct Recent {
    /// The sequence number of the next event, at least 1. Timestamps do not determine the order, because a clock may
    /// not advance or may go back.
    order: AtomicU64,
    rings: [Ring; Severity::VALUES.len() + 1],
}

/// The last events of a severity.
struct Ring {
    next: AtomicU64,
    /// Allocated at the first event: a ring takes 26 KB.
    places: lock::Once<Box<[EventWords]>>,
}

type EventWords = place::EventRecord<WORDS>;

/// The texts of an event, in the order of [`LONGEST`].
pub(crate) type EventTexts<'a> = [&'a [u8]; 5];

impl Recent {
    pub(crate) const fn new() -> Self {
        Self { order: AtomicU64::new(1), rings: [const { Ring::new() }; Severity::VALUES.len() + 1] }
    }

    /// Stores an event, unless its slot is still being written.
    pub(crate) fn keep(&self, at: Duration, said: EventTexts<'_>) {
        self.ring(said[0]).keep(self.order.fetch_add(1, Relaxed), at, said);
    }

    /// The sequence number that was given out last; 0 before the first.
    #[cfg(feature = "page")]
    pub(crate) fn last_sequence(&self) -> u64 {
        self.order.load(Relaxed) - 1
    }

    /// Takes the next sequence number for something that is not an event.
    #[cfg(feature = "page")]
    pub(crate) fn take_sequence(&self) -> u64 {
        self.order.fetch_add(1, Relaxed)
    }

    fn ring(&self, severity: &[u8]) -> &Ring {
        let [known @ .., others] = &self.rings;
        let position = Severity::VALUES.iter().position(|known| known.as_bytes() == severity);
        position.map_or(others, |position| &known[position])
    }

    /// All events, the newest first.
    pub(crate) fn all(&self) -> Vec<RecentEvent> {
        let mut events: Vec<_> = self.rings.iter().flat_map(Ring::all).collect();
        events.sort_unstable_by_key(|event| Reverse(event.sequence));
        events
    }
}

/// Of these events, which are the newest first, at most this many of each severity.
#[cfg(feature = "page")]
pub(crate) fn newest_of_each(mut events: Vec<RecentEvent>, most: usize) -> Vec<RecentEvent> {
    let mut counts = BTreeMap::new();
    events.retain(|event| {
        let count = counts.entry(event.severity.clone()).or_insert(0);
        *count += 1;
        *count <= most
    });
    events
}

impl Ring {
    const fn new() -> Self {
        Self { next: AtomicU64::new(1), places: lock::Once::new() }
    }

    fn keep(&self, order: u64, at: Duration, said: EventTexts<'_>) {
        // `None` if an allocator records an event for the memory that is allocated here.
        let made = self.places.get_unless_inside(|| (0..PLACES).map(|_| EventWords::new()).collect());
        let Some(places) = made else { return };
        let number = self.next.fetch_add(1, Relaxed);
        write(place(places, number), number, order, at, said);
    }

    fn all(&self) -> Vec<RecentEvent> {
        let Some(places) = self.places.get() else { return Vec::new() };
        let next = self.next.load(Acquire);
        let oldest = next.saturating_sub(PLACES as u64).max(1);
        (oldest..next).rev().filter_map(|number| read(place(places, number), number)).collect()
    }
}

fn place(places: &[EventWords], number: u64) -> &EventWords {
    #[expect(clippy::cast_possible_truncation, reason = "less than there are places")]
    let index = (number % PLACES as u64) as usize;
    &places[index]
}

/// Writes an event into `place`.
fn write(place: &EventWords, number: u64, order: u64, at: Duration, said: EventTexts<'_>) {
    const { assert!(TEXT_WORDS * 8 >= LONGEST[0] + LONGEST[1] + LONGEST[2] + LONGEST[3] + LONGEST[4]) };
    let (mut text, mut len, mut lengths) = ([0; TEXT_WORDS * 8], 0, 0);
    for (index, (bytes, longest)) in said.iter().zip(LONGEST).enumerate() {
        let cut = cut(bytes, longest);
        text[len..len + cut.len()].copy_from_slice(cut);
        len += cut.len();
        lengths |= (cut.len() as u64) << (8 * index);
        lengths |= u64::from(cut.len() < bytes.len()) << (40 + index);
    }
    let nanoseconds = u64::try_from(at.as_nanos()).unwrap_or(u64::MAX);
    let head: [u64; HEAD] = [nanoseconds, lengths, order];
    // Whole words, even past the end: copying the last few bytes separately takes longer than all the rest.
    let (chunks, _) = text.as_chunks::<8>();
    let chunks = chunks[..len.div_ceil(8)].iter().map(|chunk| u64::from_le_bytes(*chunk));
    place.write(number, head.into_iter().chain(chunks));
}

fn read(place: &EventWords, number: u64) -> Option<RecentEvent> {
    let words = place.read(number)?;
    let bytes: Vec<u8> = words[HEAD..].iter().flat_map(|word| word.to_le_bytes()).collect();
    let mut rest = &bytes[..];
    let mut text = |index: usize| {
        let (length, is_cut) = (words[1] >> (8 * index) & 0xff, words[1] >> (40 + index) & 1 == 1);
        #[expect(clippy::cast_possible_truncation, reason = "a byte")]
        let (text, behind) = rest.split_at_checked(length as usize)?;
        rest = behind;
        Some(String::from_utf8_lossy(text).into_owned() + if is_cut { "…" } else { "" })
    };
    Some(RecentEvent {
        sequence: words[2],
        at: UNIX_EPOCH + Duration::from_nanos(words[0]),
        severity: text(0)?,
        event_type: text(1)?,
        profile: text(2)?,
        symbol: text(3)?,
        text: text(4)?,
    })
}

/// The beginning of a text, cut between two characters.
fn cut(text: &[u8], longest: usize) -> &[u8] {
    if text.len() <= longest {
        return text;
    }
    let continues = |byte: &u8| byte & 0xC0 == 0x80;
    let end = (0..=longest).rev().find(|end| !continues(&text[*end])).unwrap_or(0);
    &text[..end]
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring")
            .field("kept", &self.next.load(Relaxed).saturating_sub(1))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;

    fn said(text: &str) -> EventTexts<'_> {
        [b"ERROR", b"ORDER_FAILURE", b"maker", b"BTCUSDT", text.as_bytes()]
    }

    #[test]
    fn the_last_events_are_kept_whole_the_newest_first() {
        let recent = Recent::new();
        assert_eq!(recent.all(), []);
        for n in 0..300 {
            recent.keep(Duration::from_secs(n), said(&format!("number {n}")));
        }
        let all = recent.all();
        assert_eq!((all.len(), &*all[0].text, &*all[63].text), (64, "number 299", "number 236"));
        let newest = &all[0];
        assert_eq!(newest.at, UNIX_EPOCH + Duration::from_secs(299));
        let labels = [&newest.severity, &newest.event_type, &newest.profile, &newest.symbol];
        assert_eq!(labels, ["ERROR", "ORDER_FAILURE", "maker", "BTCUSDT"]);
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let recent = Recent::new();
        recent.keep(Duration::ZERO, said(&"ä".repeat(1_000)));
        recent.keep(Duration::ZERO, said(&format!("x{}", "€".repeat(1_000))));
        recent.keep(Duration::ZERO, said(&"y".repeat(240)));
        let texts: Vec<String> = recent.all().into_iter().map(|event| event.text).collect();
        let cut = [format!("{}…", "ä".repeat(120)), format!("x{}…", "€".repeat(79)), "y".repeat(240)];
        assert_eq!(texts.iter().rev().collect::<Vec<_>>(), cut.iter().collect::<Vec<_>>());
    }

    #[test]
    fn every_event_that_is_read_is_one_that_was_written() {
        let long = std::env::var_os("BOT_METRICS_LONG_TESTS").is_some();
        let (recent, done) = (Recent::new(), AtomicBool::new(false));
        let rounds = if long { 3_000_000 } else { 20_000 };
        let read = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..4)
                .map(|writer: usize| {
                    let recent = &recent;
                    scope.spawn(move || {
                        for n in 0..rounds {
                            let letter = ["a", "b", "c", "d", "e", "f", "g"][(writer + n) % 7];
                            let length = 1 + n % 200;
                            let text = letter.repeat(length);
                            let of = [text.as_bytes(); 5];
                            recent.keep(Duration::from_nanos(length as u64), of);
                        }
                    })
                })
                .collect();
            let reader = scope.spawn(|| {
                let mut read = 0_u64;
                while !done.load(Relaxed) {
                    for event in recent.all() {
                        let letter = event.text.chars().next().expect("none is empty");
                        let length = event.at.duration_since(UNIX_EPOCH).expect("after").as_nanos();
                        assert_eq!(event.text.len() as u128, length, "{event:?}");
                        let texts =
                            [&event.severity, &event.event_type, &event.profile, &event.symbol, &event.text];
                        let whole =
                            texts.iter().all(|text| text.trim_end_matches('…').chars().all(|c| c == letter));
                        assert!(whole, "torn: {event:?}");
                        read += 1;
                    }
                }
                read
            });
            for writer in writers {
                writer.join().expect("no writer panics");
            }
            done.store(true, Relaxed);
            reader.join().expect("no event is torn")
        });
        assert!(read > 0);
        // Each writer may have been stopped while writing an event, while another took the next number of the same
        // slot.
        assert!(recent.all().len() >= PLACES - 4, "{} stand", recent.all().len());
    }

    #[test]
    fn a_writer_that_was_stopped_costs_only_its_slot() {
        let recent = Recent::new();
        (0..200).for_each(|n| recent.keep(Duration::ZERO, said(&format!("{n}"))));
        let places = recent.ring(b"ERROR").places.get().expect("made");
        places[5].number.fetch_or(1, Relaxed);
        (200..400).for_each(|n| recent.keep(Duration::ZERO, said(&format!("{n}"))));
        assert_eq!(recent.all().len(), PLACES - 1);
    }

    fn graded<'a>(severity: &'a str, text: &'a str) -> EventTexts<'a> {
        [severity.as_bytes(), b"STARTED", b"", b"", text.as_bytes()]
    }

    #[test]
    fn a_flood_of_one_severity_pushes_out_no_other() {
        let recent = Recent::new();
        let severities = ["CRITICAL", "ERROR", "WARNING", "INFO", "A_BOTS_OWN"];
        for (second, severity) in (0..).zip(severities) {
            recent.keep(Duration::from_secs(second), graded(severity, "first"));
        }
        for flood in ["INFO", "WARNING"] {
            for n in 0..10_000 {
                recent.keep(Duration::from_secs(10 + n), graded(flood, "flood"));
            }
        }
        let all = recent.all();
        assert_eq!(all.len(), 2 * PLACES + 3);
        let firsts: Vec<_> = all.iter().filter(|event| event.text == "first").collect();
        assert_eq!(
            firsts.iter().map(|event| &*event.severity).collect::<Vec<_>>(),
            ["A_BOTS_OWN", "ERROR", "CRITICAL"],
            "the newest first"
        );
        #[cfg(feature = "page")]
        assert_eq!(newest_of_each(all, 7).len(), 2 * 7 + 3);
    }

    #[test]
    fn the_newest_comes_first_even_if_the_clock_stops_or_goes_back() {
        let recent = Recent::new();
        for severity in ["CRITICAL", "INFO", "ERROR"] {
            recent.keep(Duration::from_secs(50), graded(severity, "1"));
        }
        recent.keep(Duration::from_secs(20), graded("INFO", "2"));
        let all: Vec<_> = recent.all().into_iter().map(|event| event.severity + &event.text).collect();
        assert_eq!(all, ["INFO2", "ERROR1", "INFO1", "CRITICAL1"]);
    }
}
