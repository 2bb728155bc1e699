// The charts of an exchange operation: its latency, and its calls per second by outcome, on one time axis that all charts
// share. The reader moves along it by the mouse, or by the arrow keys.
"use strict";

/** The kinds of outcomes, from the bottom of a bar to its top: who has to act on them. */
const OUTCOME_KINDS = [
  { kind: "ok", title: "ok", outcomes: ["ok"] },
  { kind: "limited", title: "rate limited, banned", outcomes: ["rate_limited", "banned"] },
  { kind: "refused", title: "rejected, not authorised", outcomes: ["rejected", "auth"] },
  {
    kind: "exchange",
    title: "server error, timeout, transport, decode",
    outcomes: ["server_error", "timeout", "transport", "decode"],
  },
  { kind: "bot", title: "cancelled, panic, other error", outcomes: ["cancelled", "panic", "error"] },
];

const QUANTILES = [
  { name: "p50", width: 2, dash: [] },
  { name: "p90", width: 1.5, dash: [5, 3] },
  { name: "p99", width: 1.5, dash: [1, 3] },
];

const LATENCY_HEIGHT = 92;
const CALLS_HEIGHT = 88;

let colours = new Map();

/** A colour of the style sheet, which depends on the reader's scheme. */
function colour(name) {
  if (!colours.has(name)) {
    colours.set(name, getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
  }
  return colours.get(name);
}

function forgetColours() {
  colours = new Map();
}

/** The seconds of all charts, from the oldest step that is shown to the newest. */
let timeRange = [0, 1];

function setTimeRange(newest) {
  timeRange = [newest - HISTORY_SECONDS, newest];
}

function axis(format, size) {
  return {
    stroke: () => colour("quiet"),
    font: "11px system-ui, sans-serif",
    grid: { stroke: () => colour("line"), width: 1 },
    ticks: { show: false },
    size,
    values: (_, ticks) => ticks.map(format),
  };
}

function chartOptions(width, height, series, timeSize, format) {
  return {
    width,
    height,
    padding: [6, 16, timeSize ? 0 : 4, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { setScale: false, x: false }, sync: { key: "time" } },
    scales: {
      x: { time: true, range: () => timeRange },
      y: { range: (_, lowest, highest) => [0, highest > 0 ? highest * 1.05 : 1] },
    },
    axes: [
      { ...axis((at) => formatTime(at).slice(0, 5), timeSize), space: 64, show: timeSize > 0 },
      { ...axis(format, 52), space: 28 },
    ],
    series: [{}, ...series],
  };
}

/** The rows of a line without neighbours: without a point, nothing of them would be seen. */
function isolatedPoints(chart, index) {
  const values = chart.data[index];
  const isDrawn = (row) => isKnown(values[row]);
  return values.flatMap((_, row) => (isDrawn(row) && !isDrawn(row - 1) && !isDrawn(row + 1) ? [row] : []));
}

function latencyChart(parent, width) {
  const lines = QUANTILES.map(({ name, width: lineWidth, dash }) => ({
    label: name,
    stroke: () => colour("latency"),
    fill: name === "p50" ? () => colour("latency-fill") : undefined,
    width: lineWidth,
    dash,
    points: { show: true, size: 4, fill: () => colour("latency"), filter: isolatedPoints },
  }));
  return new uPlot(chartOptions(width, LATENCY_HEIGHT, lines, 0, formatDuration), [[], [], [], []], parent);
}

/** The highest of the stacked bars is drawn first, and the lower ones over it. */
function callsChart(parent, width) {
  const bars = OUTCOME_KINDS.toReversed().map(({ kind, title }) => ({
    label: title,
    fill: () => colour(`outcome-${kind}`),
    stroke: () => colour(`outcome-${kind}`),
    width: 0,
    paths: uPlot.paths.bars({ size: [0.8, 12], align: -1 }),
    points: { show: false },
  }));
  const options = chartOptions(width, CALLS_HEIGHT, bars, 20, (perSecond) => `${formatNumber(perSecond)}/s`);
  return new uPlot(options, [[], ...bars.map(() => [])], parent);
}

/** The calls per second of each kind of outcome in a row of the history; null in a gap. */
function ratesOf(columns, row, seconds) {
  const calls = columns.get("calls")?.[row];
  if (seconds === null || calls === null || calls === undefined) return null;
  const count = (outcome) => columns.get(`outcome:${outcome}`)?.[row] ?? 0;
  const rates = OUTCOME_KINDS.map(({ outcomes }) => outcomes.reduce((sum, outcome) => sum + count(outcome), 0) / seconds);
  rates[0] = calls / seconds - rates.reduce((sum, rate) => sum + rate, 0);
  return rates;
}

/** The quantiles of a step, with the resolution of a latency. */
function quantilesOf(history, columns, row) {
  const values = QUANTILES.map(({ name }) => [name, columns.get(name)?.[row] ?? null]);
  return { ...Object.fromEntries(values), resolution: history.latencyResolution };
}

function latencyData(history, columns) {
  return [history.at, ...QUANTILES.map(({ name }) => columns.get(name) ?? history.at.map(() => null))];
}

/**
 * Each kind of outcome on top of those before it, the highest first. One that did not occur has no bar, whose edges would
 * show behind the bar below it.
 */
function stackedData(history, columns) {
  const stacks = OUTCOME_KINDS.map(() => []);
  history.at.forEach((_, row) => {
    let sum = 0;
    const rates = ratesOf(columns, row, history.seconds[row]);
    stacks.forEach((stack, index) => {
      sum += rates?.[index] ?? 0;
      stack.push(rates && (rates[index] > 0 || index === 0) ? sum : null);
    });
  });
  return [history.at, ...stacks.toReversed()];
}

/** Both charts of an operation, as one element along whose time axis the reader moves. */
class OperationCharts {
  constructor(name, onMove) {
    this.name = name;
    this.onMove = onMove;
    this.row = null;
    this.element = make("div", "charts");
    this.element.tabIndex = 0;
    for (const [attribute, value] of [["role", "slider"], ["aria-valuemin", "0"]]) this.element.setAttribute(attribute, value);
    setAttribute(this.element, "aria-label", `Latency and calls of ${name} over time`);
    this.element.addEventListener("keydown", (event) => this.moveByKey(event));
    this.element.addEventListener("blur", () => this.moveTo(null));
    this.latency = null;
    this.calls = null;
    this.describe();
    this.resizes = new ResizeObserver(([entry]) => this.resize(Math.floor(entry.contentRect.width)));
    this.resizes.observe(this.element);
  }

  resize(width) {
    if (width < 1) return;
    if (this.latency) {
      this.latency.setSize({ width, height: LATENCY_HEIGHT });
      this.calls.setSize({ width, height: CALLS_HEIGHT });
      return;
    }
    this.latency = latencyChart(this.element, width);
    this.calls = callsChart(this.element, width);
    for (const chart of [this.latency, this.calls]) {
      chart.hooks.setCursor = [() => this.follow(chart.cursor.idx)];
      chart.root.setAttribute("aria-hidden", "true");
    }
    this.draw();
  }

  setData(history, columns) {
    this.data = { history, columns };
    this.draw();
  }

  draw() {
    if (!this.latency || !this.data) return;
    const { history, columns } = this.data;
    this.latency.setData(latencyData(history, columns));
    this.calls.setData(stackedData(history, columns));
    this.follow(this.latency.cursor.idx);
  }

  follow(row) {
    const known = row ?? null;
    if (known === null && this.row === null) return;
    this.row = known;
    this.describe();
    this.onMove();
  }

  /** What is drawn at the reader's place, or at the newest step. */
  reading() {
    const { history, columns } = this.data ?? {};
    const row = this.row ?? (history?.at.length ?? 0) - 1;
    if (row < 0 || history.at[row] === undefined) return null;
    return { at: history.at[row], quantiles: quantilesOf(history, columns, row), rates: ratesOf(columns, row, history.seconds[row]) };
  }

  /** The quantiles of the last step that has any; null if none has. */
  lastQuantiles() {
    const { history, columns } = this.data ?? {};
    const row = columns?.get("p50")?.findLastIndex((p50) => p50 !== null) ?? -1;
    if (row < 0) return null;
    return { at: history.at[row], quantiles: quantilesOf(history, columns, row) };
  }

  /** The reading for a screen reader. */
  describe() {
    const rows = this.data?.history.at.length ?? 0;
    const reading = this.reading();
    setAttribute(this.element, "aria-valuemax", String(Math.max(0, rows - 1)));
    setAttribute(this.element, "aria-valuenow", String(this.row ?? Math.max(0, rows - 1)));
    setAttribute(this.element, "aria-valuetext", reading ? describeReading(reading) : "no data yet");
  }

  moveByKey(event) {
    const rows = this.data?.history.at.length ?? 0;
    const row = this.row ?? rows;
    const to = { ArrowLeft: row - 1, ArrowRight: row + 1, Home: 0, End: rows - 1, PageUp: row - 12, PageDown: row + 12 }[event.key];
    if (event.key === "Escape") this.moveTo(null);
    if (to === undefined || rows === 0) return;
    event.preventDefault();
    this.moveTo(Math.min(rows - 1, Math.max(0, to)));
  }

  moveTo(row) {
    if (!this.latency) return;
    const left = row === null ? -10 : this.latency.valToPos(this.data.history.at[row], "x");
    this.latency.setCursor({ left, top: row === null ? -10 : 10 });
  }

  redraw() {
    this.latency?.redraw(false, true);
    this.calls?.redraw(false, true);
  }

  remove() {
    this.resizes.disconnect();
    this.latency?.destroy();
    this.calls?.destroy();
    this.element.remove();
  }
}

function describeReading({ at, quantiles, rates }) {
  const latency = QUANTILES.map(({ name }) => `${name} ${formatQuantile(quantiles, name)}`).join(", ");
  const calls = rates
    ? OUTCOME_KINDS.map(({ title }, index) => [rates[index], title]).filter(([rate]) => rate > 0)
      .map(([rate, title]) => `${formatRate(rate)} ${title}`).join(", ") || "no calls"
    : "not measured";
  return `${formatTime(at)}: ${latency}; ${calls}`;
}
