// The bot's own metrics, and what was left out of all of them.
"use strict";

function showOwnFamilies(families) {
  const rows = families.flatMap((family) => family.series.map((series) => ({ family, series })));
  const key = ({ family, series }) => JSON.stringify([family.name, series.labels]);
  showList(byId("own-series"), rows, key, makeOwnSeries, updateOwnSeries);
  setHidden(byId("own"), rows.length === 0);
}

function makeOwnSeries({ family, series }) {
  const row = makeRow(["", "", "number", "number", "number", "number", "number"]);
  row.cells[0].title = family.help;
  setCells(row, [family.name, formatLabels(series.labels)]);
  return row;
}

function updateOwnSeries(row, { family, series: { value, count, rate, quantiles } }) {
  const isTimestamp = family.name.endsWith("_timestamp_seconds");
  const isSeconds = family.unit === "seconds";
  const unit = family.unit && !isSeconds ? ` ${formatWord(family.unit)}` : "";
  const measured = (number) =>
    number === null || number === undefined
      ? "–"
      : isTimestamp
        ? `${formatAge(botTime() - numberOf(number))} ago`
        : isSeconds
          ? formatDuration(numberOf(number))
          : formatNumber(number) + unit;
  const total = family.kind === "histogram" ? `${formatCount(count)} observations` : measured(value);
  setText(row.cells[2], total);
  setText(row.cells[3], formatRate(rate));
  ["p50", "p90", "p99"].forEach((name, index) => setText(row.cells[4 + index], measured(quantiles?.[name])));
}

function showNotes(notes) {
  const texts = [
    ...notes.label_overflow.map(({ metric, label, count }) =>
      `${metric}: ${formatCount(count)} recordings with a value of ${label} over the limit are in the series “other” or left out`),
    ...notes.invalid_observations.map(({ metric, count }) =>
      `${metric}: ${formatCount(count)} values were dropped, since they are NaN, infinite or negative`),
    ...Object.entries(notes.foreign_collector_failures).map(([reason, count]) =>
      `a collector of the bot was left out of ${formatCount(count)} scrapes: ${formatWord(reason)}`),
    ...Object.entries(notes.left_out ?? {}).map(([what, count]) =>
      `this page leaves out ${formatCount(count)} more of ${formatWord(what)}; /metrics has them`),
  ];
  if (notes.recordings_lost > 0) texts.push(`${formatCount(notes.recordings_lost)} recordings were lost`);
  if (notes.clock_fallbacks > 0) texts.push("the processor’s clock disagreed with the system’s and was replaced by it");
  showList(byId("notes"), texts, (text) => text.replace(/[\d\u202f]+/g, "#"), () => make("li"), setText);
  setHidden(byId("notes-panel"), texts.length === 0);
}
