// Four questions of an operator, each answered in a line: is it trading, do its loops run, does the exchange answer, is the
// money safe.
"use strict";

const BAD_STATES = ["hung", "stalled", "failing"];

function showGlance(status) {
  const answers = [
    { title: "Trading", ...tradingAnswer(status) },
    { title: "Loops", ...loopsAnswer(status) },
    { title: "Exchange", ...exchangeAnswer(status) },
    { title: "Money", ...moneyAnswer(status) },
  ];
  showList(byId("glance"), answers, ({ title }) => title, makeAnswer, (element, { level, text, detail }) => {
    const [shape, [, answer, addition]] = [element.firstElementChild, element.lastElementChild.children];
    setAttribute(element, "data-level", level);
    setShape(shape.firstElementChild, LEVEL_SHAPES[level]);
    setText(answer, text);
    setText(addition, detail);
  });
}

function makeAnswer({ title }) {
  const element = make("li", "", makeShape("waiting"), make("div", "", make("span", "title", title), make("strong"), make("small")));
  element.dataset.answer = title;
  return element;
}

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

/** The calls of operations in the window; null before there is one. */
function recentCalls(operations) {
  const known = operations.filter(({ recent_outcomes: recent }) => isKnown(recent));
  if (known.length === 0) return null;
  return {
    all: sum(known.flatMap(({ recent_outcomes: recent }) => Object.values(recent))),
    ok: sum(known.map(({ recent_outcomes: recent }) => recent.ok ?? 0)),
    failed: sum(known.map(({ recent_failed: failed }) => failed ?? 0)),
  };
}

function tradingAnswer({ subsystems, operations, window_seconds: seconds }) {
  const loop = subsystems.find(({ subsystem }) => subsystem === "trading");
  if (BAD_STATES.includes(loop?.state)) return { level: levelOf(loop), text: `loop ${loop.state}`, detail: "" };
  if (loop?.state === "paused") return { level: "ok", text: "paused", detail: loop.paused };
  const placing = operations.filter(({ places_orders: places }) => places);
  if (placing.length === 0) return { level: "unknown", text: "not measured", detail: "no call places orders" };
  const placed = recentCalls(placing)?.ok;
  if (placed === undefined) return { level: "unknown", text: "not known yet", detail: "" };
  const detail = `in the last ${formatAge(seconds)}`;
  if (placed === 0) return { level: "unknown", text: "no order", detail };
  return { level: "ok", text: `${formatNumber(placed / seconds)} orders/s`, detail };
}

function loopsAnswer({ subsystems }) {
  if (subsystems.length === 0) return { level: "unknown", text: "not measured", detail: "" };
  const bad = subsystems.filter(({ state: loop }) => BAD_STATES.includes(loop));
  const fresh = subsystems.filter(({ state: loop }) => loop === "fresh").length;
  if (bad.length === 0) {
    const level = fresh === 0 && !subsystems.some(({ state: loop }) => loop === "paused") ? "waiting" : "ok";
    const others = subsystems.filter(({ state: loop }) => loop !== "fresh").map(nameAndState);
    return { level, text: `${fresh} of ${subsystems.length} fresh`, detail: others.join(", ") };
  }
  const level = bad.some((loop) => levelOf(loop) === "critical") ? "critical" : "warning";
  const counts = BAD_STATES.map((name) => [bad.filter(({ state: loop }) => loop === name).length, name]);
  const text = bad.length === 1 ? nameAndState(bad[0]) : counts.filter(([count]) => count > 0).map((count) => count.join(" ")).join(", ");
  return { level, text, detail: `${fresh} of ${subsystems.length} fresh` };
}

/** As in the verdict: a loop that fails may still have succeeded within its limit. */
function levelOf({ state: loop, alive }) {
  return loop === "failing" && alive ? "warning" : "critical";
}

function nameAndState({ subsystem, state: loop }) {
  return `${subsystem} ${loop}`;
}

function exchangeAnswer({ operations, verdict, window_seconds: seconds }) {
  const calls = recentCalls(operations);
  const isBad = verdict.reasons.some(({ kind }) => ["refused", "calls_fail", "rate_limit"].includes(kind));
  const unknown = isBad ? "warning" : "unknown";
  if (calls === null || seconds === null) return { level: unknown, text: "not known yet", detail: "" };
  if (calls.all === 0) return { level: unknown, text: "no call", detail: `in the last ${formatAge(seconds)}` };
  const text = calls.failed === 0 ? "all calls served" : `${formatPercent((100 * calls.failed) / calls.all)} failed`;
  return { level: isBad ? "warning" : "ok", text, detail: `${formatNumber(calls.all / seconds)} calls/s` };
}

function moneyAnswer({ profiles, verdict }) {
  const count = (kind) => verdict.reasons.filter((reason) => reason.kind === kind).length;
  const [below, over, missing] = ["below_zero", "over_allocated", "missing"].map(count);
  const some = (number) => `${number} ${number === 1 ? "profile" : "profiles"}`;
  const used = profiles.map((profile) => numberOf(profile.utilization_percent)).filter((percent) => percent !== null);
  const detail = used.length === 0 ? "" : `max. ${formatPercent(Math.max(...used))} used`;
  if (count("orders_unknown") > 0) return { level: "critical", text: "orders may be open", detail };
  if (below > 0) return { level: "critical", text: `${some(below)} below zero`, detail };
  if (over > 0) return { level: "warning", text: `${some(over)} over 100 %`, detail };
  if (missing > 0) return { level: "warning", text: "items missing", detail: "see reconciliation" };
  if (used.length === 0) return { level: "unknown", text: "not known yet", detail: "" };
  const newest = Math.min(...profiles.map(({ age_seconds: age }) => age ?? Infinity));
  if (newest !== Infinity && isStale(newest)) return { level: "unknown", text: "not known now", detail: `${formatAge(newest)} old` };
  return { level: "ok", text: "none below zero", detail };
}
