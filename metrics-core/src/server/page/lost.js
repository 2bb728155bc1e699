// Whether the bot still answers.
"use strict";

/** An answer takes milliseconds; one that takes longer counts as none. */
const LONGEST_ANSWER = 1500;
/** A question is asked once a second, so that this is a second after the one that was not answered in time. */
const LOST_AFTER = 1300;
const WATCH_EVERY = 250;
/** A browser slows the timers of a hidden page to one a minute, or stops them, and a machine may sleep. */
const STOPPED_FOR = 3000;

const silence = {
  /** When the first question was asked that has had no answer; null if there is none. */
  since: null,
  /** Whether a question has failed since then. */
  hasFailed: false,
  watchedAt: performance.now(),
};

function noteQuestion() {
  silence.since ??= performance.now();
}

function noteAnswer() {
  silence.since = null;
  silence.hasFailed = false;
}

/** A question that was open while the page did not run could have no answer. */
function noteFailure(askedAt) {
  if (performance.now() - askedAt <= LONGEST_ANSWER + STOPPED_FOR) silence.hasFailed = true;
  else if (!silence.hasFailed) silence.since = null;
}

/** Whether the bot does not answer. A page that did not run since the last call waits for the answer first. */
function isSilent() {
  const now = performance.now();
  if (now - silence.watchedAt > STOPPED_FOR && silence.since !== null && !silence.hasFailed) silence.since = now;
  silence.watchedAt = now;
  return silence.since !== null && now - silence.since > LOST_AFTER;
}
