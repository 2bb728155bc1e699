//! Words of memory owned by each thread: written only by that thread, read by any.
//!
//! Counters and histograms that are recorded directly own a [`WordRange`], a range of words. Every thread has its own copy
//! of the range, in a page that it owns, and finds it with one load, so that recording consists of plain loads and
//! stores and no two threads write the same cache line. A reader adds up the copies and waits for no thread. A thread
//! that ends releases its pages unchanged, and their next owner continues from their values: nothing has to be moved,
//! and no reader ever sees a sum fall.

use std::cell::Cell;

use super::chain::List;
use super::single_writer::Writer;
use super::sync::AtomicU64;
use super::sync::Ordering::Relaxed;
use crate::lock::{self, Lock};

/// Words per page: the range of a byte, so that the index needs no bounds check.
const WORDS: usize = 1 << u8::BITS;

/// The maximum number of pages of a thread. They are found with one load from a table that costs each thread 2 KiB;
/// metrics that do not fit into the 65,280 words are recorded with locked instructions.
const PAGES: usize = 1 << u8::BITS;

/// A page number that no thread ever owns.
const NOWHERE: u8 = u8::MAX;

/// The writer's value for a page with an owner; pages do not distinguish their owners.
const TAKEN: u64 = 1;

/// The words of one thread after another, aligned to cache lines by their list.
struct Page {
    words: [AtomicU64; WORDS],
    writer: Writer,
}

/// All pages, by number.
static ALL: [List<Page>; PAGES] = [const { List::new() }; PAGES];

thread_local! {
    /// By number. Contains nothing to drop, so that it can be read in a thread that is ending.
    static OWN: [Cell<Option<&'static Page>>; PAGES] = const { [const { Cell::new(None) }; PAGES] };
    static MEMBERSHIP: PageMembership = const { PageMembership };
}

/// Releases the pages of a thread when it ends.
struct PageMembership;

/// The ranges in use.
static ALLOTMENTS: Lock<Allotments> = Lock::new(Allotments { used: Vec::new(), free: Vec::new() });

#[derive(Debug)]
struct Allotments {
    /// The number of words used of each page, by page number.
    used: Vec<usize>,
    /// Ranges that are free again and cleared.
    free: Vec<WordIndex>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct WordIndex {
    page: u8,
    first: u8,
    len: u16,
}

/// A range of words in every thread's page; it can be reused after this is dropped.
#[derive(Debug)]
pub(super) struct WordRange(WordIndex);

impl WordRange {
    /// Allocates a range of `len` words, all of them 0.
    pub(super) fn new(len: usize) -> Self {
        // In a range of no words nothing is recorded, so that recordings go elsewhere.
        Self(ALLOTMENTS.lock().allot(len).unwrap_or(WordIndex { page: NOWHERE, first: 0, len: 0 }))
    }

    /// The first of this thread's words, if the thread has recorded to the page before.
    #[inline]
    pub(super) fn word(&self) -> Option<&'static AtomicU64> {
        let page = OWN.with(|own| own[usize::from(self.0.page)].get())?;
        Some(&page.words[usize::from(self.0.first)])
    }

    /// All of this thread's words.
    #[inline]
    pub(super) fn words(&self) -> Option<&'static [AtomicU64]> {
        let page = OWN.with(|own| own[usize::from(self.0.page)].get())?;
        page.words.get(self.0.range())
    }

    /// Like [`words`](Self::words), for a thread's first recording: acquires a page. Returns `None` in a thread that
    /// is ending, and in an allocator that records allocations made here.
    #[cold]
    #[inline(never)]
    pub(super) fn join(&self) -> Option<&'static [AtomicU64]> {
        if let Some(words) = self.words() {
            return Some(words);
        }
        if self.0.page == NOWHERE || lock::is_inside() {
            return None;
        }
        let _inside = lock::enter();
        // The destructor is registered before there is anything to destroy.
        MEMBERSHIP.try_with(|_| ()).ok()?;
        let number = usize::from(self.0.page);
        OWN.with(|own| own[number].set(Some(Page::admit(&ALL[number]))));
        self.words()
    }

    /// The copies of this range, of running threads and of those that have ended.
    pub(super) fn copies<'a>(&self) -> impl Iterator<Item = &'a [AtomicU64]> + use<'a> {
        let range = self.0.range();
        ALL[usize::from(self.0.page)].iter().filter_map(move |page| page.words.get(range.clone()))
    }
}

impl Drop for WordRange {
    fn drop(&mut self) {
        // No thread records to it any more: every thread that could has released the owner, which is visible here.
        if self.0.page != NOWHERE {
            for word in self.copies().flatten() {
                word.store(0, Relaxed);
            }
            ALLOTMENTS.lock().free.push(self.0);
        }
    }
}

impl WordIndex {
    fn range(self) -> std::ops::Range<usize> {
        usize::from(self.first)..usize::from(self.first) + usize::from(self.len)
    }
}

impl Allotments {
    fn allot(&mut self, len: usize) -> Option<WordIndex> {
        if let Some(index) = self.free.iter().position(|place| usize::from(place.len) == len) {
            return Some(self.free.swap_remove(index));
        }
        let page = match self.used.iter().position(|used| used + len <= WORDS) {
            Some(page) => page,
            None if len <= WORDS && self.used.len() < usize::from(NOWHERE) => {
                self.used.push(0);
                self.used.len() - 1
            }
            None => return None,
        };
        let first = u8::try_from(self.used[page]).ok()?;
        self.used[page] += len;
        Some(WordIndex { page: u8::try_from(page).ok()?, first, len: u16::try_from(len).ok()? })
    }
}

impl Page {
    /// Returns a page of this number for a thread.
    fn admit(all: &List<Self>) -> &'static Self {
        let words = [const { AtomicU64::new(0) }; WORDS];
        let page = all.iter().find(|page: &&Self| page.writer.take(TAKEN));
        page.unwrap_or_else(|| all.append(Self { words, writer: Writer::new(TAKEN) }))
    }
}

impl Drop for PageMembership {
    fn drop(&mut self) {
        OWN.with(|own| own.iter().filter_map(Cell::take).for_each(|page| page.writer.give_back()));
    }
}
