// Asks the bot for its state once a second, and shows it.
"use strict";

const VERSION = 1;
const ASK_EVERY = 1000;
/** Figures are stale if they are older than the limits of all loops allow, but at least and at most this, in seconds. */
const STALE_AFTER = { least: 15, most: 120 };

const state = { status: null, history: new History(), answeredAt: null, trouble: null, isLost: false, announced: "" };

/** The bot's time in Unix seconds, which goes on between its answers. */
function botTime() {
  const elapsed = state.isLost ? 0 : (performance.now() - state.answeredAt) / 1000;
  return state.status.now + elapsed;
}

/** The age from which on figures are shown as stale. */
function staleAfter() {
  const limits = state.status.subsystems.map(({ limit_seconds: limit }) => limit);
  return Math.min(STALE_AFTER.most, Math.max(STALE_AFTER.least, ...limits));
}

/** Whether figures of this age are stale; those of an unknown age are not. */
function isStale(age) {
  return isKnown(age) && age > staleAfter();
}

async function ask() {
  const asked = moment();
  noteQuestion();
  const status = await answered(asked);
  try {
    if (status) receive(status);
  } catch (fault) {
    // Old figures must not pass for new ones.
    showHeadline("lost", `this page cannot show what the bot answers: ${fault.message}`, fault.message);
    reportError(fault);
  }
  setTimeout(ask, Math.max(0, ASK_EVERY - passedSince(asked)));
}

/** The bot's answer, or nothing if there is none. */
async function answered(asked) {
  const since = state.status ? `?since=${state.status.sequence}` : "";
  try {
    const answer = await fetch(pathOf(`status.json${since}`), { cache: "no-store", signal: AbortSignal.timeout(LONGEST_ANSWER) });
    if (answer.ok) return await answer.json();
    state.trouble = `Its server answers ${answer.status}: ${(await answer.text()).trim()}`;
  } catch {
    state.trouble = null;
  }
  noteFailure(asked);
  return null;
}

function receive(status) {
  if (status.version !== VERSION) {
    // A newer bot has a newer page.
    location.reload();
    return;
  }
  state.answeredAt = performance.now();
  noteAnswer();
  state.trouble = null;
  setLost(false);
  const isRestarted = state.status && (status.run !== state.status.run || status.since === 0);
  if (isRestarted) {
    state.history = new History();
    forgetEvents();
    state.status = null;
    // It lacks what another run of the bot was asked to leave out.
    if (status.since !== 0) return;
  }
  const clockSet = state.status ? status.started - state.status.started : 0;
  if (clockSet !== 0) state.history.move(clockSet);
  state.status = status;
  const isLonger = state.history.add(status.history);
  addEvents(status.events);
  show(status, isLonger || isRestarted);
}

function show(status, isHistoryNew) {
  showHeading(status);
  showVerdict(status);
  showGlance(status);
  showSubsystems(status.subsystems, status.now);
  showProfiles(status.profiles, state.history);
  showReconciliation(status.reconciliation, [status.subsystems, status.operations, status.profiles].every((list) => list.length === 0));
  showRateLimits(status.rate_limits, status.operations);
  showMarketData(status.market_data);
  showOperations(status.operations);
  if (isHistoryNew) showCharts(state.history);
  showEvents();
  showOwnFamilies(status.own_families);
  showNotes(status.notes);
  showFacts(status);
}

function showHeading({ app, mode, env }) {
  setText(byId("app"), app);
  setText(byId("env"), env.toUpperCase());
  setText(byId("mode"), mode === "live" ? "LIVE money" : `${mode} money`);
  setAttribute(byId("banner"), "data-mode", mode);
  setHidden(byId("live-in-development"), !(mode === "live" && env !== "production"));
}

const LEVEL_SHAPES = { ok: "fresh", waiting: "waiting", warning: "failing", critical: "hung", lost: "hung", unknown: "waiting" };
const LEVEL_COLOURS = { ok: "#009e73", waiting: "#7a7a7a", warning: "#e69f00", critical: "#d55e00", lost: "#d55e00" };
const LEVEL_SIGNS = { ok: "✓", waiting: "○", warning: "▲", critical: "✕", lost: "✕" };

function showVerdict({ verdict, recording, started, now }) {
  const text = recording ? verdict.text : "Nothing is measured: the bot is built without the feature “enable” of bot-metrics";
  // The text counts seconds and calls, which are no news.
  const worst = verdict.reasons.filter(({ level }) => level === verdict.level).map(identityOf);
  showHeadline(recording ? verdict.level : "warning", text, worst.join() || withoutNumbers(text));
  const [first, ...others] = verdict.reasons;
  setText(byId("verdict-since"), first ? beginOf(first, now) : "");
  setText(byId("consequences"), first ? consequencesOf(first) : "");
  showList(byId("reasons"), others, identityOf, makeReason, ({ lastElementChild: consequences, children: [text, begin] }, reason) => {
    setAttribute(text.parentElement, "data-level", reason.level);
    setText(text, reason.text);
    setText(begin, beginOf(reason, now));
    setText(consequences, consequencesOf(reason));
  });
  setText(byId("verdict-facts"), `as of ${formatTime(now)}, up for ${formatAge(now - started)}`);
}

function makeReason() {
  return make("li", "", make("span"), " ", make("small"), make("div", "quiet"));
}

const MOST_CONSEQUENCES = 6;

/** What follows from a reason, the loops first. */
function consequencesOf({ consequences = [] }) {
  const isOfLoop = ({ kind }) => kind === "failing";
  const ordered = [...consequences].sort((one, other) => isOfLoop(other) - isOfLoop(one));
  const texts = ordered.slice(0, MOST_CONSEQUENCES).map(({ text }) => text);
  const rest = ordered.length - texts.length;
  return texts.concat(rest > 0 ? [`${rest} more`] : []).join("; ");
}

/** The text of such a loop says for how long. */
const SAY_HOW_LONG = new Set(["hung", "stalled"]);

function beginOf({ kind, since }, now) {
  if (!isKnown(since)) return "";
  const begin = `since ${formatMoment(since, now)}`;
  return SAY_HOW_LONG.has(kind) ? begin : `${begin}, ${formatAge(now - since)}`;
}

/** Identifies a reason for as long as it lasts. */
function identityOf({ kind, exchange, subject }) {
  return JSON.stringify([kind, exchange, subject]);
}

/** Shows a sentence, and announces it if its meaning is new. */
function showHeadline(level, text, meaning) {
  const sentence = text.charAt(0).toUpperCase() + text.slice(1);
  setAttribute(byId("verdict"), "data-level", level);
  setShape(byId("verdict-shape"), LEVEL_SHAPES[level] ?? "waiting");
  setText(byId("verdict-text"), sentence);
  const title = `${LEVEL_SIGNS[level] ?? ""} ${state.status?.app ?? "bot"}: ${text}`;
  if (document.title !== title) document.title = title;
  showIcon(level);
  const news = `${level} ${meaning}`;
  if (state.announced === news) return;
  state.announced = news;
  setText(byId("announcement"), sentence);
}

function withoutNumbers(text) {
  return text.replace(/\d+([.,\u202f]\d+)*/g, "#");
}

function showIcon(level) {
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7" fill="${LEVEL_COLOURS[level] ?? "#7a7a7a"}"/></svg>`;
  setAttribute(document.querySelector("link[rel=icon]"), "href", `data:image/svg+xml,${encodeURIComponent(drawing)}`);
}

function showFacts({ build, scrapes, started, now, window_seconds: seconds }) {
  const version = build.version ? build.version + (build.revision ? ` (${build.revision})` : "") : "not set";
  const last = scrapes.last === null ? "none yet" : `${formatCount(scrapes.count)}, the last ${formatAge(now - scrapes.last)} ago`;
  showFigures(byId("facts"), [
    ["build", version],
    ["up for", formatAge(now - started)],
    ["scrapes", last],
    ["rates and quantiles of", seconds === null ? "–" : `the last ${formatAge(seconds)}`],
    ["figures are grey from an age of", formatAge(staleAfter())],
  ]);
}

/** Shows that the bot does not answer, and for how long. */
function watch() {
  setLost(isSilent());
  if (!state.isLost) return;
  const silentFor = silenceSeconds();
  const since = `since ${formatTime(Date.now() / 1000 - silentFor)}, for ${formatAge(silentFor)}`;
  showHeadline("lost", `the bot does not answer ${since}`, "");
  setText(byId("verdict-since"), "");
  setText(byId("consequences"), "");
  const hint = state.trouble ?? "It may have ended, or the connection to it is broken.";
  const last = state.status ? ` Everything below is its last known state, of ${formatMoment(state.status.now, Date.now() / 1000)}.` : "";
  setText(byId("verdict-facts"), hint + last);
  showList(byId("reasons"), [], String, () => make("li"), setText);
}

function setLost(isLost) {
  if (state.isLost === isLost) return;
  state.isLost = isLost;
  document.body.classList.toggle("lost", isLost);
}

resolveLinks();
showLegend();
makeSeverityFilter();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawCharts);
setInterval(watch, WATCH_EVERY);
ask();
