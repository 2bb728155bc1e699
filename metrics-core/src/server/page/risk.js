// Capital and reconciliation.
"use strict";

/** The percentage at the right end of the bars: the 100 % line is inside them, so that an excess is seen. */
const BAR_END = 125;

function showProfiles(profiles, history) {
  showList(byId("profiles"), profiles, ({ profile }) => profile, makeProfile, (element, profile) =>
    updateProfile(element, profile, history));
  setHidden(byId("no-profiles"), profiles.length > 0);
}

function makeProfile({ profile }) {
  const element = make("li", "profile");
  element.dataset.profile = profile;
  const parts = (element.parts = {
    percent: make("span", "percent number"),
    used: make("span", "bar-fill"),
    bar: make("div", "bar with-limit"),
    trend: makeSparkline(),
    below: make("strong", "below-zero", makeShape("hung"), "capital below zero"),
    violations: make("span", "violations"),
    amounts: make("span", "amounts"),
    orders: make("span", "orders"),
    age: make("small"),
  });
  parts.bar.append(parts.used, make("span", "limit-line"));
  parts.bar.setAttribute("role", "img");
  const name = make("h3", "", profile);
  const heading = make("div", "", name, parts.below, parts.amounts, parts.violations, parts.orders);
  const axis = make("div", "axis", make("span", "", "−15 min"), make("span", "", "now"));
  axis.setAttribute("aria-hidden", "true");
  element.append(heading, make("div", "trend", parts.trend, axis), parts.bar, make("div", "used", parts.percent, parts.age));
  return element;
}

function updateProfile(element, profile, history) {
  const { percent, used, bar, trend, below, violations, amounts, orders, age } = element.parts;
  const utilization = numberOf(profile.utilization_percent);
  const isOver = utilization > 100;
  setAttribute(element, "data-risk", profile.below_zero || isOver ? "high" : "normal");
  used.style.width = `${((100 * Math.min(utilization ?? 0, BAR_END)) / BAR_END).toFixed(1)}%`;
  setText(percent, formatPercent(utilization));
  setAttribute(bar, "aria-label", `${formatPercent(utilization)} of the allocated capital is used${isOver ? ", more than all" : ""}`);
  const isOld = isStale(profile.age_seconds);
  setAttribute(element, "data-stale", isOld ? "yes" : "no");
  setText(age, isOld ? `${formatAge(profile.age_seconds)} old` : "");
  const { available, allocated } = profile;
  setText(amounts, isKnown(allocated) ? `available ${formatAmount(available)} of ${formatAmount(allocated)}` : "");
  setText(orders, ordersOf(profile));
  setHidden(below, !profile.below_zero);
  const count = profile.violations;
  setText(violations, count === 0 ? "no violation" : `fell below zero ${count === 1 ? "once" : `${formatCount(count)} times`}`);
  drawSparkline(trend, history.at, history.profiles.get(profile.profile)?.get("utilization_percent") ?? []);
}

/** Whether a profile trades, as far as its events say. */
function ordersOf({ orders_placed: placed, order_age_seconds: age }) {
  if (isKnown(age)) return `last order ${formatAge(age)} ago`;
  return isKnown(placed) ? "time of the last order not known" : "no order recorded";
}

function makeSparkline() {
  const [drawing, limit, line] = ["svg", "path", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  drawing.setAttribute("class", "sparkline");
  drawing.setAttribute("viewBox", "0 0 180 30");
  drawing.setAttribute("preserveAspectRatio", "none");
  drawing.setAttribute("aria-hidden", "true");
  limit.setAttribute("class", "sparkline-limit");
  drawing.append(limit, line);
  return drawing;
}

/** The utilisation of 15 minutes, from 0 to the end of the bars; a gap interrupts the line. */
function drawSparkline(drawing, times, values) {
  const [limit, line] = drawing.children;
  const height = (percent) => (30 - (30 * Math.min(numberOf(percent), BAR_END)) / BAR_END).toFixed(1);
  const newest = times.at(-1);
  let isBroken = true;
  const path = times.map((at, row) => {
    const value = values[row];
    if (value === null || value === undefined) {
      isBroken = true;
      return "";
    }
    const x = 180 - (180 * (newest - at)) / HISTORY_SECONDS;
    const step = `${isBroken ? "M" : "L"}${x.toFixed(1)} ${height(value)}`;
    isBroken = false;
    return step;
  });
  setAttribute(limit, "d", `M0 ${height(100)}H180`);
  setAttribute(line, "d", path.join(""));
}

const SIDES = { db: "missing in the database", exchange: "missing on the exchange" };

function showReconciliation({ is_used: isUsed = true, missing, mismatches, kinds, age_seconds: age }, isEmpty) {
  // A bot that measures nothing yet is told what could be here.
  setHidden(byId("reconciliation-panel"), !isUsed && !isEmpty);
  const list = byId("reconciliation");
  const isAnyKnown = age !== null || mismatches > 0;
  const count = (number) => (number === null || number === undefined ? "–" : formatCount(number));
  const missed = Object.entries(SIDES).map(([source, title]) => [title, count(missing?.[source])]);
  const details = kinds.filter((entry) => entry.count > 0).map(({ kind, source, count: found }) => [
    `${formatWord(kind)}${source ? ` (${source})` : ""}`,
    `${formatCount(found)} since start`,
  ]);
  const remark = isStale(age) ? `${formatAge(age)} old` : "";
  showFigures(list, [
    ...missed.map(([title, number]) => [title, number, remark]),
    ["mismatches since start", formatCount(mismatches)],
    ["last good cycle", age === null ? "–" : `${formatAge(age)} ago`],
    ...details,
  ]);
  setAttribute(list, "data-missing", Object.values(missing ?? {}).some((number) => number > 0) ? "some" : "none");
  setHidden(list, !isAnyKnown);
  setHidden(byId("no-reconciliation"), isAnyKnown);
}
