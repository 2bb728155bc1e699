//! Words of memory that each thread has for itself: written by that thread alone, read by anyone.
//!
//! Counters and histograms that are recorded to directly hold a [`Run`] of words. Every thread has its own copy of the
//! run, in a page that belongs to it, and finds it by one load; so recording is plain loads and stores, and no two
//! threads write the same cache line. A reader adds up the copies, and waits for nobody. A thread that ends gives its
//! pages back as they are, and the next one goes on counting where they stand: nothing has to be moved, and no reader
//! ever sees less.

use std::cell::{Cell, RefCell};

use super::chain::{Link, Linked};
use super::single_writer::Writer;
use super::sync::AtomicU64;
use super::sync::Ordering::Relaxed;
use crate::lock::{self, Lock};

/// Words of a page, as many as a byte can number, so that the index needs no check.
const WORDS: usize = 1 << u8::BITS;

/// Pages that a thread can have. They are found by one load from a table that costs each thread 2 KiB; what finds no
/// room in 65,280 words is recorded with locked instructions.
const PAGES: usize = 1 << u8::BITS;

/// The number of a page that no thread ever has.
const NOWHERE: u8 = u8::MAX;

/// Mark of a page that is some thread's, whichever.
const TAKEN: u64 = 1;

/// A thread's own.
type Words = [AtomicU64; WORDS];

/// The words of one thread after the other. Cache lines of its own, since threads write them.
#[repr(align(64))]
struct Page {
    words: Words,
    writer: Writer,
    next: Link<Page>,
}

impl Linked for Page {
    fn link(&self) -> &Link<Self> {
        &self.next
    }
}

/// All pages by number.
static ALL: [Link<Page>; PAGES] = [const { Link::new() }; PAGES];

thread_local! {
    /// By number. Nothing in it is ever dropped, so that it can be read in a thread that is ending.
    static OWN: [Cell<Option<&'static Words>>; PAGES] = const { [const { Cell::new(None) }; PAGES] };
    static MEMBERSHIP: RefCell<Membership> = const { RefCell::new(Membership(Vec::new())) };
}

/// The pages of a thread, by number. They go back when it ends.
struct Membership(Vec<&'static Page>);

/// Which runs are in use.
static ALLOTMENTS: Lock<Allotments> = Lock::new(Allotments { used: Vec::new(), free: Vec::new() });

#[derive(Debug)]
struct Allotments {
    /// Words of each page, by number.
    used: Vec<usize>,
    /// Runs that are free again, cleared.
    free: Vec<Place>,
}

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
    pub(super) fn new(len: usize) -> Self {
        ALLOTMENTS.hold().allot(len).map_or_else(Self::nowhere, Self)
    }

    /// Of no words: what is recorded to it has to go elsewhere.
    pub(super) fn nowhere() -> Self {
        Self(Place { page: NOWHERE, first: 0, len: 0 })
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
            let number = usize::from(self.0.page);
            let page = Page::admit(&ALL[number]);
            membership.borrow_mut().0.push(page);
            OWN.with(|own| own[number].set(Some(&page.words)));
            &page.words
        });
        joined.ok()?.get(self.0.range())
    }

    /// The copies of this run, of threads that record and of those that have ended.
    pub(super) fn copies(&self) -> impl Iterator<Item = &'static [AtomicU64]> + use<> {
        let range = self.0.range();
        ALL[usize::from(self.0.page)].iter().filter_map(move |page| page.words.get(range.clone()))
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // Nobody records to it any more: who could has let go of what owns it, and that is seen here.
        if self.0.page != NOWHERE {
            for word in self.copies().flatten() {
                word.store(0, Relaxed);
            }
            ALLOTMENTS.hold().free.push(self.0);
        }
    }
}

impl Place {
    fn range(self) -> std::ops::Range<usize> {
        usize::from(self.first)..usize::from(self.first) + usize::from(self.len)
    }
}

impl Allotments {
    fn allot(&mut self, len: usize) -> Option<Place> {
        match self.free.iter().position(|place| usize::from(place.len) == len) {
            Some(index) => Some(self.free.swap_remove(index)),
            None => self.fresh(len),
        }
    }

    /// Words that no run had before.
    fn fresh(&mut self, len: usize) -> Option<Place> {
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
        Some(Place { page: u8::try_from(page).ok()?, first, len: u16::try_from(len).ok()? })
    }
}

impl Page {
    /// A page of this number for a thread.
    fn admit(all: &'static Link<Self>) -> &'static Self {
        if let Some(page) = all.iter().find(|page| page.writer.take(TAKEN)) {
            return page;
        }
        let words = [const { AtomicU64::new(0) }; WORDS];
        let page = Box::leak(Box::new(Self { words, writer: Writer::new(TAKEN), next: Link::new() }));
        all.append(page);
        page
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        // An allocator that records what is freed here must not come back for a page.
        OWN.with(|own| own.iter().for_each(|page| page.set(None)));
        for page in self.0.drain(..) {
            page.writer.give_back();
        }
    }
}
