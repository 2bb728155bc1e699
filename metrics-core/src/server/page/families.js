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
  ["p50", "p90", "p99"].forEach((name, index) => setText(row.cells[4 + index], formatQuantile(quantiles, name, measured)));
}

const LIST_NAMES = { operations: "exchange operations", own_families: "series of the bot’s own metrics", market_data: "symbols" };

/** The notes, each with what identifies it while its numbers change. */
function notesOf(notes) {
  const lists = (counts) => Object.entries(counts ?? {}).map(([list, count]) => [list, `${formatCount(count)} ${LIST_NAMES[list] ?? formatWord(list)}`]);
  return [
    ...notes.label_overflow.map(({ metric, label, count }) => [`overflow ${metric} ${label}`,
      `${metric}: ${formatCount(count)} recordings with a value of ${label} over the limit are in the series “other” or left out`]),
    ...notes.invalid_observations.map(({ metric, count }) => [`invalid ${metric}`,
      `${metric}: ${formatCount(count)} values were dropped, since they are NaN, infinite or negative`]),
    ...Object.entries(notes.foreign_collector_failures).map(([reason, count]) => [`collector ${reason}`,
      `a collector of the bot was left out of ${formatCount(count)} scrapes: ${formatWord(reason)}`]),
    ...lists(notes.left_out).map(([list, some]) => [`left out ${list}`, `${some} more are not on this page; /metrics has them`]),
    ...lists(notes.without_rate).map(([list, some]) => [`rate ${list}`,
      `${some} have no rate and are not in the verdict, since the bot keeps no more readings; /metrics has their counts`]),
    ...lists(notes.without_steps).map(([list, some]) => [`steps ${list}`, `${some} have no chart, since the bot keeps no more of them`]),
    ...(notes.recordings_lost > 0 ? [["lost", `${formatCount(notes.recordings_lost)} recordings were lost`]] : []),
    ...(notes.clock_fallbacks > 0 ? [["clock", "the processor’s clock disagreed with the system’s and was replaced by it"]] : []),
  ];
}

function showNotes(notes) {
  const shown = notesOf(notes);
  showList(byId("notes"), shown, ([identity]) => identity, () => make("li"), (entry, [, text]) => setText(entry, text));
  setHidden(byId("notes-panel"), shown.length === 0);
}
