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
    silence: make("span", "silence"),
    from: make("span"),
    to: make("span"),
  });
  parts.beats.setAttribute("role", "img");
  const name = make("h3", "", subsystem);
  const bar = make("div", "bar", parts.used);
  const axis = make("div", "axis", parts.from, parts.to);
  axis.setAttribute("aria-hidden", "true");
  element.append(
    make("div", "light", parts.shape, make("div", "", name, parts.state)),
    make("div", "freshness", parts.age, bar, parts.detail),
    parts.figures,
    make("div", "strip", parts.beats, axis),
  );
  return element;
}

function updateSubsystem(element, subsystem, now) {
  const { shape, state, detail, age, used, figures } = element.parts;
  setAttribute(element, "data-state", subsystem.state);
  setShape(shape.firstElementChild, subsystem.state);
  setText(state, STATE_TEXTS[subsystem.state] ?? subsystem.state);
  setText(age, freshness(subsystem));
  const part = subsystem.state === "paused" ? 0 : subsystem.age_seconds / subsystem.limit_seconds;
  used.style.width = `${Math.min(100, 100 * part).toFixed(1)}%`;
  setText(detail, explanation(subsystem));
  showFigures(figures, figuresOf(element, subsystem));
  showBeats(element.parts, rowsOf(subsystem.beats), silenceOf(subsystem), now);
}

/** Quantiles of the last cycles that ended while the page was open, if none ended lately. */
function figuresOf(element, { last_outcome: outcome, attempt_age_seconds: attempt, limit_seconds: limit, rate, quantiles }) {
  const { run, now, started } = state.status;
  // The time since the start goes on while this machine sleeps, and when the bot's clock is set.
  const uptime = now - started;
  if (quantiles) element.known = { quantiles, run, at: uptime };
  // Not those of another run of the bot.
  const known = element.known?.run === run ? element.known : undefined;
  const age = known && !quantiles ? `${formatAge(uptime - known.at)} old` : "";
  return [
    ["last outcome", outcome ? formatWord(outcome) : "–", attempt > limit ? `${formatAge(attempt)} ago` : ""],
    ["cycles", formatRate(rate)],
    ["p50", formatQuantile(known?.quantiles, "p50"), age],
    ["p99", formatQuantile(known?.quantiles, "p99"), age],
  ];
}

/** What happened at the moment from which on the age of a loop counts. */
const ORIGINS = { registered: "started", resumed: "resumed", succeeded: "last success", skipped: "last skip" };

function freshness({ state, age_seconds: age, age_origin: origin, limit_seconds: limit }) {
  const happened = `${ORIGINS[origin] ?? origin} ${formatAge(age)} ago`;
  return state === "paused" ? `${happened}, no limit` : `${happened}, limit ${formatAge(limit)}`;
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

/** The time since the last cycle, if that is longer than the loop may take; without a cycle the time since the start. */
function silenceOf({ state, age_seconds: age, attempt_age_seconds: attempt, limit_seconds: limit }) {
  const seconds = attempt ?? (BAD_STATES.includes(state) ? age : 0);
  return seconds > limit ? seconds : 0;
}

/** The number of ticks for which there was time: by the median of the times between two. */
function ticksWithin(seconds, beats) {
  const times = beats.slice(1).map(({ at }, index) => at - beats[index].at).sort((one, other) => one - other);
  const usual = times[Math.floor(times.length / 2)];
  return Math.min(BEATS, usual > 0 ? Math.ceil(seconds / usual) : BEATS);
}

/**
 * Places without a beat stay empty, so that the strip does not move while it fills. Where cycles should have ended and
 * none has, the strip ends with a silence, which grows over the ticks.
 */
function showBeats({ beats: strip, silence, from, to }, beats, silentFor, now) {
  if (strip.childElementCount === 0) strip.append(...Array.from({ length: BEATS }, () => make("span", "beat")), silence);
  const missing = silentFor > 0 ? ticksWithin(silentFor, beats) : 0;
  const room = BEATS - missing;
  const shown = room > 0 ? beats.slice(-room) : [];
  const free = room - shown.length;
  [...strip.querySelectorAll(".beat")].forEach((tick, place) => {
    const beat = shown[place - free];
    setAttribute(tick, "data-outcome", beat ? kindOfBeat(beat) : "none");
    setAttribute(tick, "title", beat ? describeBeat(beat) : "");
    setHidden(tick, place >= room);
  });
  setHidden(silence, missing === 0);
  silence.style.flexGrow = String(missing);
  const said = missing > 0 ? `no cycle for ${formatAge(silentFor)}` : "";
  setAttribute(silence, "title", said);
  setAttribute(strip, "aria-label", said ? `${said}; before, ${describeBeats(beats, now)}` : describeBeats(beats, now));
  // Below the first tick, and below the end; there is room for both if the strip is not nearly empty.
  const hasRoom = free < BEATS / 2 && shown.length > 0;
  from.style.marginLeft = hasRoom ? `${(100 * free) / BEATS}%` : "0";
  setText(from, hasRoom ? formatTime(shown[0].at) : "");
  setText(to, said || (shown.length > 0 ? formatTime(shown.at(-1).at) : ""));
}

function kindOfBeat({ failed, outcome }) {
  if (failed > 0) return "failed";
  return outcome === "skipped" ? "skipped" : "ok";
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
