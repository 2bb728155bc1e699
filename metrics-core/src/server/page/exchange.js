// The exchange: how fast and how well it answers, how much of its limits is used, and how old its market data is.
"use strict";

function showLegend() {
  const line = (className, text) => make("li", "", make("span", className), text);
  byId("legend").append(
    ...QUANTILES.map(({ name }) => line(`line ${name}`, name)),
    ...OUTCOME_KINDS.map(({ kind, title }) => line(`swatch outcome-${kind}`, title)),
    line("edge", "edge of a box: calls failed lately (rejects do not count)"),
  );
}

/** Those that change orders come first. */
const CHANGES_ORDERS = /^(place|replace|cancel)/;

function showOperations(operations) {
  const isCalled = ({ calls, in_flight: inFlight }) => calls > 0 || inFlight > 0;
  const called = operations.filter(isCalled);
  const changing = called.filter(({ operation }) => CHANGES_ORDERS.test(operation));
  const others = called.filter(({ operation }) => !CHANGES_ORDERS.test(operation));
  showCards([...changing, ...others]);
  const uncalled = operations.filter((operation) => !isCalled(operation)).map(({ exchange, operation }) => `${operation} (${exchange})`);
  setText(byId("uncalled"), `Never called since start: ${uncalled.join(", ")}`);
  setHidden(byId("uncalled"), uncalled.length === 0);
  setHidden(byId("no-operations"), operations.length > 0);
}

function showCards(operations) {
  const container = byId("operations");
  const shown = new Set(operations.map(operationKey));
  for (const [gone, card] of container.elementsByKey ?? []) {
    if (!shown.has(gone)) card.parts.charts.remove();
  }
  const before = container.childElementCount;
  showList(container, operations, operationKey, makeOperation, updateOperation);
  if (container.childElementCount !== before) showCharts(state.history);
}

function makeOperation({ exchange, operation }) {
  const card = make("article", "operation");
  card.dataset.exchange = exchange;
  card.dataset.operation = operation;
  const charts = new OperationCharts(`${operation} on ${exchange}`, () => showReading(card));
  card.parts = {
    charts,
    when: make("span", "when quiet"),
    figures: make("dl", "figures"),
    outcomes: make("p", "outcomes"),
  };
  const name = make("h3", "", operation, make("small", "", exchange));
  card.append(make("div", "heading", name, card.parts.when), card.parts.figures, charts.element, card.parts.outcomes);
  return card;
}

function updateOperation(card, operation) {
  card.latest = operation;
  const { outcomes, in_flight: inFlight, recent_failed: failed } = operation;
  const waiting = inFlight > 0 ? `${formatCount(inFlight)} in flight; ` : "";
  setText(card.parts.outcomes, `${waiting}${formatOutcomes(outcomes) || "no call has ended"} since start`);
  setAttribute(card, "data-failing", failed > 0 ? "some" : "none");
  showReading(card);
}

/** The figures of the bot’s window for rates, or those at the reader's place on the time axis. */
function showReading(card) {
  const { charts, when, figures } = card.parts;
  const reading = charts.row === null ? null : charts.reading();
  const { rate, quantiles, age } = reading
    ? { rate: reading.rates && reading.rates.reduce((sum, part) => sum + part, 0), quantiles: reading.quantiles }
    : latestReading(card);
  setText(when, reading ? `at ${formatTime(reading.at)}` : (age ?? lastWindow(card.latest)));
  showFigures(figures, [
    ["calls", formatRate(rate)],
    ...QUANTILES.map(({ name }) => [name, formatQuantile(quantiles, name), "", age !== undefined]),
  ]);
}

/** The figures of the window; without a call in it, the quantiles of the last step that had one, with its age. */
function latestReading({ latest, parts }) {
  const { rate, quantiles } = latest;
  const last = quantiles ? null : parts.charts.lastQuantiles();
  if (!last) return { rate, quantiles };
  return { rate, quantiles: last.quantiles, age: `last call ${formatAge(botTime() - last.at)} ago` };
}

function lastWindow({ rate }) {
  const seconds = state.status.window_seconds;
  if (seconds === null) return "";
  return rate === null ? "rate not known" : `last ${formatAge(seconds)}`;
}

function showCharts(history) {
  setTimeRange(history.at.at(-1) ?? 1);
  for (const [key, card] of byId("operations").elementsByKey ?? []) {
    card.parts.charts.setData(history, history.operations.get(key) ?? new Map());
    card.parts.charts.describe();
  }
}

function redrawCharts() {
  forgetColours();
  for (const card of byId("operations").elementsByKey?.values() ?? []) card.parts.charts.redraw();
}

/** The part of a limit from which a reader should know that it is nearly used up. */
const NEARLY_USED = 0.8;

/** The outcomes of calls that an exchange refuses because there were too many. */
const TOO_MANY = ["rate_limited", "banned"];

function showRateLimits(limits, operations) {
  const refused = ({ recent_outcomes: recent }) => TOO_MANY.some((outcome) => recent?.[outcome] > 0);
  const refusing = new Set(operations.filter(refused).map(({ exchange }) => exchange));
  showList(
    byId("rate-limits"),
    limits,
    ({ exchange, limit }) => JSON.stringify([exchange, limit]),
    ({ exchange, limit }) => {
      const meter = make("li", "meter");
      meter.parts = { used: make("span", "bar-fill"), text: make("span", "number") };
      meter.append(make("span", "", `limit of ${exchange}: ${formatWord(limit)}`), make("div", "bar", meter.parts.used), meter.parts.text);
      return meter;
    },
    (meter, { exchange, used_ratio: used, refused_seconds: refused }) => {
      const refusal = refusalOf(refused, refusing.has(exchange));
      meter.parts.used.style.width = `${Math.min(100, 100 * used).toFixed(1)}%`;
      setAttribute(meter, "data-risk", used >= NEARLY_USED || refusal ? "high" : "normal");
      const count = used === null ? "use not known" : `${(100 * used).toFixed(0)} % used, as the exchange counts`;
      setText(meter.parts.text, count + refusal);
    },
  );
}

/** An exchange may refuse calls whatever part of a limit it has counted as used. */
function refusalOf(seconds, hasRefused) {
  if (isKnown(seconds)) return `; it refuses calls until ${formatTime(botTime() + seconds)}, for ${formatAge(seconds)}`;
  return hasRefused ? `; it refused calls in the last ${formatAge(state.status.window_seconds)} nevertheless` : "";
}

/** Stale symbols first. The others keep their places, although their ages overtake each other all the time. */
function showMarketData(symbols) {
  const name = ({ exchange, symbol }) => `${exchange} ${symbol}`;
  const order = new Intl.Collator("en").compare;
  const ordered = [...symbols].sort((one, other) => isStale(other.age_seconds) - isStale(one.age_seconds) || order(name(one), name(other)));
  showList(
    byId("market-data"),
    ordered,
    ({ exchange, symbol }) => JSON.stringify([exchange, symbol]),
    ({ exchange, symbol }) => make("li", "", make("span", "", `${symbol} `, make("small", "", exchange)), make("span", "number")),
    (entry, symbol) => {
      setAttribute(entry, "data-stale", isStale(symbol.age_seconds) ? "yes" : "no");
      setText(entry.lastElementChild, `${formatAge(symbol.age_seconds)} old`);
    },
  );
}
