// Numbers as text, each with its unit.
"use strict";

/** A number of the JSON, which writes infinity and NaN as texts. */
function numberOf(value) {
  if (typeof value !== "string") return value;
  return { "+Inf": Infinity, "-Inf": -Infinity }[value] ?? NaN;
}

/** Whether a figure is known; a bot that is older than this page lacks some. */
function isKnown(value) {
  return value !== null && value !== undefined;
}

const integers = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

function formatCount(count) {
  return integers.format(count).replaceAll(",", "\u202f");
}

/** Three significant digits. */
function formatNumber(value) {
  const number = numberOf(value);
  if (number === null || number === undefined) return "–";
  if (!Number.isFinite(number)) return Number.isNaN(number) ? "NaN" : number > 0 ? "∞" : "−∞";
  const size = Math.abs(number);
  if (size !== 0 && (size < 0.001 || size >= 1e15)) return number.toExponential(2);
  if (Number.isInteger(number) || size >= 1000) return formatCount(number);
  const digits = number.toFixed(Math.max(0, 2 - Math.floor(Math.log10(size))));
  return digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
}

const amounts = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** An amount of money, whose currency the bot does not say. Small ones, as of a coin, have significant digits instead. */
function formatAmount(amount) {
  const size = Math.abs(amount);
  const text = size >= 1 || size === 0 ? amounts.format(amount) : formatNumber(amount);
  return text.replaceAll(",", "\u202f").replace("-", "−");
}

/** A duration that was measured, with three significant digits. */
function formatDuration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (!Number.isFinite(seconds)) return formatNumber(seconds);
  if (seconds < 0) return `−${formatDuration(-seconds)}`;
  if (seconds >= 100) return formatAge(seconds);
  if (seconds >= 1) return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
  const milliseconds = seconds * 1000;
  if (milliseconds >= 1 || milliseconds === 0) return `${formatNumber(milliseconds)} ms`;
  return `${formatNumber(milliseconds * 1000)} µs`;
}

/** A quantile: of one in the lowest bucket only the bound of the bucket is measured. */
function formatQuantile(quantiles, name, format = formatDuration) {
  const [value, bound] = [quantiles?.[name], quantiles?.resolution];
  return isKnown(value) && isKnown(bound) && value <= bound ? `≤ ${format(bound)}` : format(value);
}

/** A duration that passes. */
function formatAge(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 9.95) return `${Math.max(0, seconds).toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  const [minutes, hours, days] = [60, 3600, 86400].map((unit) => Math.floor(seconds / unit));
  const two = (number) => String(number).padStart(2, "0");
  if (minutes < 120) return `${minutes} min ${two(Math.floor(seconds % 60))} s`;
  if (hours < 48) return `${hours} h ${two(minutes % 60)} min`;
  return `${days} d ${two(hours % 24)} h`;
}

function formatRate(perSecond) {
  return perSecond === null || perSecond === undefined ? "–" : `${formatNumber(perSecond)}/s`;
}

function formatPercent(percent) {
  const number = numberOf(percent);
  if (number === null || number === undefined) return "–";
  return Number.isFinite(number) ? `${number.toFixed(1)} %` : "∞ %";
}

const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

/** The reader's local time of day. */
function formatTime(unixSeconds) {
  return clock.format(unixSeconds * 1000);
}

const date = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** The time of day, with the date unless that is clear. */
function formatMoment(unixSeconds, now) {
  return now - unixSeconds < 20 * 3600 ? formatTime(unixSeconds) : `${date.format(unixSeconds * 1000)}, ${formatTime(unixSeconds)}`;
}

/** A word of the JSON, such as "rate_limited", as the reader's. */
function formatWord(word) {
  return word.replaceAll("_", " ");
}

/** The counts of outcomes, the most frequent first: "300 ok, 21 rejected". */
function formatOutcomes(outcomes) {
  const counts = Object.entries(outcomes).sort(([, a], [, b]) => b - a);
  return counts.map(([outcome, count]) => `${formatCount(count)} ${formatWord(outcome)}`).join(", ");
}

function formatLabels(labels) {
  return Object.entries(labels).map(([name, value]) => `${name}="${value}"`).join(", ");
}
