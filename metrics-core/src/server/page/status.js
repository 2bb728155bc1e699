// Asks the bot for its state once a second, and shows it.
"use strict";

const VERSION = 1;
const ASK_EVERY = 1000;
/** An answer takes milliseconds; one that takes longer counts as none. */
const LONGEST_ANSWER = 1500;
/** Two answers in a row are missing. */
const LOST_AFTER = 2200;

const state = { status: null, history: new History(), answeredAt: null, trouble: null, isLost: false, announced: "" };

/** The bot's time in Unix seconds, which goes on between its answers. */
function botTime() {
  const elapsed = state.isLost ? 0 : (performance.now() - state.answeredAt) / 1000;
  return state.status.now + elapsed;
}

async function ask() {
  const began = performance.now();
  const status = await answered();
  try {
    if (status) receive(status);
  } catch (fault) {
    // Old figures must not pass for new ones.
    showHeadline("lost", `this page cannot show what the bot answers: ${fault.message}`);
    reportError(fault);
  }
  setTimeout(ask, Math.max(0, ASK_EVERY - (performance.now() - began)));
}

/** The bot's answer, or nothing if there is none. */
async function answered() {
  const since = state.status ? `?since=${state.status.sequence}` : "";
  try {
    const answer = await fetch(pathOf(`status.json${since}`), { cache: "no-store", signal: AbortSignal.timeout(LONGEST_ANSWER) });
    if (answer.ok) return await answer.json();
    state.trouble = `Its server answers ${answer.status}: ${(await answer.text()).trim()}`;
  } catch {
    state.trouble = null;
  }
  return null;
}

function receive(status) {
  if (status.version !== VERSION) {
    // A newer bot has a newer page.
    location.reload();
    return;
  }
  state.answeredAt = performance.now();
  state.trouble = null;
  setLost(false);
  const isRestarted = state.status && (status.started !== state.status.started || status.since === 0);
  if (isRestarted) {
    state.history = new History();
    forgetEvents();
    state.status = null;
    // It lacks what another run of the bot was asked to leave out.
    if (status.since !== 0) return;
  }
  state.status = status;
  const isLonger = state.history.add(status.history);
  addEvents(status.events);
  show(status, isLonger || isRestarted);
}

function show(status, isHistoryNew) {
  showHeading(status);
  showVerdict(status);
  showSubsystems(status.subsystems, status.now);
  showProfiles(status.profiles, state.history);
  showReconciliation(status.reconciliation);
  showRateLimits(status.rate_limits);
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
  setText(byId("mode"), mode === "live" ? "LIVE money" : "paper trading");
  setText(byId("env"), env);
  setAttribute(byId("mode"), "data-mode", mode);
  setHidden(byId("live-in-development"), !(mode === "live" && env !== "production"));
}

const LEVEL_SHAPES = { ok: "fresh", waiting: "waiting", warning: "failing", critical: "hung", lost: "hung", unknown: "waiting" };
const LEVEL_COLOURS = { ok: "#009e73", waiting: "#7a7a7a", warning: "#e69f00", critical: "#d55e00", lost: "#d55e00" };
const LEVEL_SIGNS = { ok: "✓", waiting: "○", warning: "▲", critical: "✕", lost: "✕" };

function showVerdict({ verdict, recording, started, now }) {
  const text = recording ? verdict.text : "Nothing is measured: the bot is built without the feature “enable” of bot-metrics";
  showHeadline(recording ? verdict.level : "warning", text);
  const reasons = verdict.reasons.filter((reason) => !text.startsWith(reason.text));
  showList(byId("reasons"), reasons, ({ subject, text: reason }) => JSON.stringify([subject, withoutNumbers(reason)]), () => make("li"), (entry, reason) => {
    setAttribute(entry, "data-level", reason.level);
    setText(entry, reason.text);
  });
  setText(byId("verdict-facts"), `as of ${formatTime(now)}, up for ${formatAge(now - started)}`);
}

function showHeadline(level, text) {
  const sentence = text.charAt(0).toUpperCase() + text.slice(1);
  setAttribute(byId("verdict"), "data-level", level);
  setShape(byId("verdict-shape"), LEVEL_SHAPES[level] ?? "waiting");
  setText(byId("verdict-text"), sentence);
  const title = `${LEVEL_SIGNS[level] ?? ""} ${state.status?.app ?? "bot"}: ${text}`;
  if (document.title !== title) document.title = title;
  showIcon(level);
  // Numbers that count on are no news.
  const news = `${level} ${withoutNumbers(text)}`;
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
  ]);
}

/** Shows that the bot does not answer, and for how long. */
function watch() {
  const silence = performance.now() - (state.answeredAt ?? 0);
  setLost(silence > LOST_AFTER);
  if (!state.isLost) return;
  const since = state.status ? ` since ${formatTime(state.status.now)}, ${formatAge(silence / 1000)} ago` : "";
  showHeadline("lost", `the bot does not answer${since}`);
  const hint = state.trouble ?? "It may have ended, or the connection to it is broken.";
  setText(byId("verdict-facts"), state.status ? `${hint} Everything below is its last known state.` : hint);
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
setInterval(watch, 250);
ask();
