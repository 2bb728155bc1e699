//! Words of memory that each thread has for itself: written by that thread alone, read by anyone.
//!
//! Counters and histograms that are recorded to directly hold a [`Run`] of words. Every thread has its own copy of the
//! run, in a page that belongs to it, and finds it by one load; so recording is plain loads and stores, and no two
//! threads write the same cache line. A reader adds up the copies. A thread that ends leaves what it recorded to a page
//! that nobody writes, and its own page, cleared, to the next thread.

use std::cell::{Cell, RefCell};
use std::fmt;

use super::sync::AtomicU64;
use super::sync::Ordering::Relaxed;
use crate::lock::{self, Held, Lock};

/// Words of a page, as many as a byte can number, so that the index needs no check.
const WORDS: usize = 1 << u8::BITS;

/// Pages that a thread can have. They are found by one load from a table that costs each thread 2 KiB; what finds no
/// room in 65,280 words is recorded with locked instructions.
const PAGES: usize = 1 << u8::BITS;

/// The number of a page that no thread ever has.
const NOWHERE: u8 = u8::MAX;

/// A thread's own.
type Words = [AtomicU64; WORDS];

thread_local! {
    /// By number. Nothing in it is ever dropped, so that it can be read in a thread that is ending.
    static OWN: [Cell<Option<&'static Words>>; PAGES] = const { [const { Cell::new(None) }; PAGES] };
    static MEMBERSHIP: RefCell<Membership> = const { RefCell::new(Membership(Vec::new())) };
}

/// The pages of a thread, by number. They go back when it ends.
struct Membership(Vec<(u8, &'static Words)>);

static BOOKS: Lock<Books> = Lock::new(Books { numbers: Vec::new(), idle: Vec::new(), free: Vec::new() });

/// Who has which page, and what of them is in use.
#[derive(Debug)]
pub(super) struct Books {
    /// By number.
    numbers: Vec<Book>,
    /// Cleared, for the next thread, whatever the number.
    idle: Vec<&'static Words>,
    /// Runs that are free again, cleared.
    free: Vec<Place>,
}

/// All that is known of the pages of one number.
struct Book {
    /// Of threads that record, or may.
    live: Vec<&'static Words>,
    /// What ended threads left.
    retired: &'static Words,
    runs: Vec<(Place, Merge)>,
    used: usize,
}

/// How what an ended thread left is added to what others left: from the second run to the first.
pub(super) type Merge = fn(&[AtomicU64], &[AtomicU64]);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    page: u8,
    first: u8,
    len: u16,
}

/// Consecutive words of every thread's page; free for another use when this is dropped.
#[derive(Debug)]
pub(super) struct Run(Place);

impl Run {
    /// A run of `len` words, all of them 0.
    pub(super) fn new(len: usize, merge: Merge) -> Self {
        Self(BOOKS.hold().allot(len, merge).unwrap_or(Place { page: NOWHERE, first: 0, len: 0 }))
    }

    /// The first of this thread's words, if it has recorded to the page before.
    #[inline]
    pub(super) fn word(&self) -> Option<&'static AtomicU64> {
        let words = OWN.with(|own| own[usize::from(self.0.page)].get())?;
        Some(&words[usize::from(self.0.first)])
    }

    /// All of them.
    #[inline]
    pub(super) fn words(&self) -> Option<&'static [AtomicU64]> {
        let words = OWN.with(|own| own[usize::from(self.0.page)].get())?;
        words.get(self.0.range())
    }

    /// As [`words`](Self::words), for a thread's first recording: takes a page, or gives nothing where that cannot be,
    /// in a thread that is ending, or where an allocator records what is allocated here.
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
        // The destructor is arranged for before there is anything to destroy.
        let joined = MEMBERSHIP.try_with(|membership| {
            let page = self.0.page;
            let words = BOOKS.hold().admit(page);
            membership.borrow_mut().0.push((page, words));
            OWN.with(|own| own[usize::from(page)].set(Some(words)));
            words
        });
        joined.ok()?.get(self.0.range())
    }

    /// What is known of all threads, which can be read as long as it is held.
    pub(super) fn books() -> Held<'static, Books> {
        BOOKS.hold()
    }

    /// The copies of this run, the last one being what ended threads left.
    pub(super) fn copies<'a>(&self, books: &'a Books) -> impl Iterator<Item = &'a [AtomicU64]> + use<'a> {
        let range = self.0.range();
        let book = books.numbers.get(usize::from(self.0.page));
        let pages = book.into_iter().flat_map(|book| book.live.iter().chain([&book.retired]));
        pages.filter_map(move |words| words.get(range.clone()))
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // Nobody records to it any more: who could has let go of what owns it, and that is seen here.
        if self.0.page != NOWHERE {
            BOOKS.hold().free(self.0, self);
        }
    }
}

impl Place {
    fn range(self) -> std::ops::Range<usize> {
        usize::from(self.first)..usize::from(self.first) + usize::from(self.len)
    }
}

impl Books {
    fn allot(&mut self, len: usize, merge: Merge) -> Option<Place> {
        let place = match self.free.iter().position(|place| usize::from(place.len) == len) {
            Some(index) => self.free.swap_remove(index),
            None => self.fresh(len)?,
        };
        self.numbers[usize::from(place.page)].runs.push((place, merge));
        Some(place)
    }

    /// Words that no run had before.
    fn fresh(&mut self, len: usize) -> Option<Place> {
        let has_room = |book: &Book| book.used + len <= WORDS;
        let page = match self.numbers.iter().position(has_room) {
            Some(page) => page,
            None if len <= WORDS && self.numbers.len() < usize::from(NOWHERE) => {
                self.numbers.push(Book { live: Vec::new(), retired: blank(), runs: Vec::new(), used: 0 });
                self.numbers.len() - 1
            }
            None => return None,
        };
        let book = &mut self.numbers[page];
        let first = u8::try_from(book.used).ok()?;
        book.used += len;
        Some(Place { page: u8::try_from(page).ok()?, first, len: u16::try_from(len).ok()? })
    }

    fn free(&mut self, place: Place, run: &Run) {
        for words in run.copies(self) {
            clear(words);
        }
        self.numbers[usize::from(place.page)].runs.retain(|(other, _)| *other != place);
        self.free.push(place);
    }

    /// A page for a thread.
    fn admit(&mut self, page: u8) -> &'static Words {
        let words = self.idle.pop().unwrap_or_else(blank);
        self.numbers[usize::from(page)].live.push(words);
        words
    }

    /// Takes a page back from the thread that owns it.
    fn retire(&mut self, page: u8, words: &'static Words) {
        let book = &mut self.numbers[usize::from(page)];
        book.live.retain(|live| !std::ptr::eq(*live, words));
        for (place, merge) in &book.runs {
            merge(&book.retired[place.range()], &words[place.range()]);
        }
        clear(words);
        self.idle.push(words);
    }
}

fn blank() -> &'static Words {
    Box::leak(Box::new([const { AtomicU64::new(0) }; WORDS]))
}

fn clear(words: &[AtomicU64]) {
    for word in words {
        word.store(0, Relaxed);
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        // An allocator that records what is freed here must not come back for a page.
        OWN.with(|own| own.iter().for_each(|page| page.set(None)));
        for (page, words) in self.0.drain(..) {
            BOOKS.hold().retire(page, words);
        }
    }
}

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Book")
            .field("threads", &self.live.len())
            .field("used", &self.used)
            .finish_non_exhaustive()
    }
}
