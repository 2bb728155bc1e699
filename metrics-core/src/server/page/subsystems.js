// The bot's loops: one traffic light each.
"use strict";

/** The state in words; a loop that is fresh needs no more. */
const STATE_TEXTS = {
  fresh: "fresh",
  waiting: "waiting for its first cycle",
  paused: "paused",
  failing: "failing",
  stalled: "stalled",
  hung: "hung",
};

const BEATS = 60;

function showSubsystems(subsystems, now) {
  const isTrading = ({ subsystem }) => subsystem === "trading";
  const ordered = [...subsystems].sort((one, other) => isTrading(other) - isTrading(one));
  showList(byId("subsystems"), ordered, ({ subsystem }) => subsystem, makeSubsystem, (element, subsystem) =>
    updateSubsystem(element, subsystem, now));
  setHidden(byId("no-subsystems"), subsystems.length > 0);
}

function makeSubsystem({ subsystem }) {
  const element = make("li", "loop");
  element.dataset.subsystem = subsystem;
  const parts = (element.parts = {
    shape: makeShape("waiting"),
    state: make("strong", "state"),
    detail: make("p", "detail"),
    age: make("span", "age"),
    used: make("span", "bar-fill"),
    figures: make("dl", "figures"),
    beats: make("div", "beats"),
  });
  parts.beats.setAttribute("role", "img");
  const name = make("h3", "", subsystem);
  const bar = make("div", "bar", parts.used);
  element.append(
    make("div", "light", parts.shape, make("div", "", name, parts.state)),
    make("div", "freshness", parts.age, bar, parts.detail),
    parts.figures,
    parts.beats,
  );
  return element;
}

function updateSubsystem(element, subsystem, now) {
  const { shape, state, detail, age, used, figures, beats } = element.parts;
  setAttribute(element, "data-state", subsystem.state);
  setShape(shape.firstElementChild, subsystem.state);
  setText(state, STATE_TEXTS[subsystem.state] ?? subsystem.state);
  setText(age, freshness(subsystem));
  used.style.width = `${Math.min(100, (100 * subsystem.age_seconds) / subsystem.limit_seconds).toFixed(1)}%`;
  setText(detail, explanation(subsystem));
  showFigures(figures, [
    ["last outcome", subsystem.last_outcome ? formatWord(subsystem.last_outcome) : "–"],
    ["cycles", formatRate(subsystem.rate)],
    ["p50", formatDuration(subsystem.quantiles?.p50)],
    ["p99", formatDuration(subsystem.quantiles?.p99)],
  ]);
  showBeats(beats, rowsOf(subsystem.beats), now);
}

function freshness({ state, age_seconds: age, limit_seconds: limit, attempt_age_seconds: attempt, outcomes }) {
  const hasSucceeded = (outcomes.ok ?? 0) + (outcomes.skipped ?? 0) > 0;
  const what = state === "waiting" || attempt === null || !hasSucceeded ? "started" : "last success";
  return `${what} ${formatAge(age)} ago, limit ${formatAge(limit)}`;
}

function explanation({ state, running_seconds: running, paused, in_progress: inProgress, limit_seconds: limit, attempt_age_seconds: attempt }) {
  if (paused !== null) return paused ? `paused: ${paused}` : "paused";
  const isLong = running !== null && (state === "hung" || running >= Math.min(1, limit / 2));
  if (!isLong) return "";
  const runs = `${inProgress > 1 ? `${inProgress} cycles running` : "running"} for ${formatAge(running)}`;
  const hint = "; none has ended yet: the attribute belongs on the body of one cycle, not on the endless loop";
  return state === "hung" && attempt === null ? runs + hint : runs;
}

/** The rows of columns of equal length. */
function rowsOf(columns) {
  const names = Object.keys(columns);
  return columns.at.map((_, row) => Object.fromEntries(names.map((name) => [name, columns[name][row]])));
}

/** Places without a beat stay empty, so that the strip does not move while it fills. */
function showBeats(strip, beats, now) {
  while (strip.childElementCount < BEATS) strip.append(make("span", "beat"));
  const free = BEATS - beats.length;
  [...strip.children].forEach((tick, place) => {
    const beat = beats[place - free];
    setAttribute(tick, "data-outcome", beat ? kindOfBeat(beat) : "none");
    setAttribute(tick, "title", beat ? describeBeat(beat) : "");
  });
  setAttribute(strip, "aria-label", describeBeats(beats, now));
}

function kindOfBeat({ outcome }) {
  return outcome === "ok" || outcome === "skipped" ? outcome : "failed";
}

function describeBeat({ at, cycles, failed, outcome, mean_seconds: mean }) {
  const count = cycles === 1 ? formatWord(outcome) : `${cycles} cycles, ${failed} failed (${formatWord(outcome)})`;
  return `${formatTime(at)}: ${count}${mean === null ? "" : `, ${formatDuration(mean)}`}`;
}

function describeBeats(beats, now) {
  if (beats.length === 0) return "no cycle has ended yet";
  const total = (name) => beats.reduce((sum, beat) => sum + beat[name], 0);
  const [cycles, failed] = [total("cycles"), total("failed")];
  const summary = `last ${formatCount(cycles)} cycles: ${formatCount(cycles - failed)} good, ${formatCount(failed)} failed`;
  const last = beats.findLast((beat) => kindOfBeat(beat) === "failed");
  return last ? `${summary}, the last of them ${formatAge(now - last.at)} ago by ${formatWord(last.outcome)}` : summary;
}
