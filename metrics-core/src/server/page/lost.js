// Whether the bot still answers.
"use strict";

/** An answer takes milliseconds; one that takes longer counts as none. */
const LONGEST_ANSWER = 1500;
/** A question is asked once a second, so that this is a second after the one that was not answered in time. */
const LOST_AFTER = 1300;
const WATCH_EVERY = 250;
/** A browser slows the timers of a hidden page to one a minute. */
const STOPPED_FOR = 3000;
/** Longer than that, the page was stopped or the machine slept: what it knew of the bot before says nothing. */
const SLEPT_FOR = 90_000;

const silence = {
  /** When the first question was asked that has had no answer, by `performance.now()`; null if there is none. */
  since: null,
  /** Whether a question has failed since then. */
  hasFailed: false,
  watchedAt: moment(),
};

/** Now, by both clocks of the browser: on some systems the steady one stands still while the machine sleeps. */
function moment() {
  return { steady: performance.now(), wall: Date.now() };
}

/** The milliseconds since a moment, by the clock that has counted more of them. */
function passedSince({ steady, wall }) {
  return Math.max(performance.now() - steady, Date.now() - wall);
}

function noteQuestion() {
  silence.since ??= performance.now();
}

function noteAnswer() {
  silence.since = null;
  silence.hasFailed = false;
}

/** A question that was open while the page did not run could have no answer. */
function noteFailure(asked) {
  if (passedSince(asked) <= LONGEST_ANSWER + STOPPED_FOR) silence.hasFailed = true;
  else if (!silence.hasFailed) silence.since = null;
}

/** Whether the bot does not answer. A page that did not run since the last call waits for the answer first. */
function isSilent() {
  const stoppedFor = passedSince(silence.watchedAt);
  silence.watchedAt = moment();
  const isToAskAnew = stoppedFor > SLEPT_FOR || (stoppedFor > STOPPED_FOR && !silence.hasFailed);
  if (isToAskAnew && silence.since !== null) {
    silence.since = performance.now();
    silence.hasFailed = false;
  }
  return silenceSeconds() * 1000 > LOST_AFTER;
}

/** For how long the bot has not answered while the page ran. */
function silenceSeconds() {
  return silence.since === null ? 0 : (performance.now() - silence.since) / 1000;
}
