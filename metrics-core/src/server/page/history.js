// The last 15 minutes: columns of equal length, to which each answer of the bot adds its newer rows.
"use strict";

const HISTORY_SECONDS = 15 * 60;
const HISTORY_ROWS = 180;

class History {
  constructor() {
    this.sequence = [];
    this.at = [];
    this.seconds = [];
    this.latencyResolution = null;
    this.operations = new Map();
    this.profiles = new Map();
  }

  /** Adds the rows that are newer than the last one, and says whether there were any. */
  add(history) {
    const last = this.sequence.at(-1) ?? -1;
    this.latencyResolution = history.latency_resolution ?? null;
    const first = history.sequence.findIndex((sequence) => sequence > last);
    if (first < 0) return false;
    const before = this.sequence.length;
    for (const column of ["sequence", "at", "seconds"]) this[column].push(...history[column].slice(first));
    for (const operation of history.operations) {
      const series = seriesOf(this.operations, operationKey(operation));
      const { calls, p50, p90, p99, outcomes } = operation;
      const failures = Object.entries(outcomes).map(([outcome, counts]) => [`outcome:${outcome}`, counts]);
      addColumns(series, Object.entries({ calls, p50, p90, p99 }).concat(failures), before, first);
    }
    for (const profile of history.profiles) {
      const columns = [["utilization_percent", profile.utilization_percent]];
      addColumns(seriesOf(this.profiles, profile.profile), columns, before, first);
    }
    this.fillAndTrim();
    return true;
  }

  /** Moves all rows in time, after the bot's clock was set. */
  move(seconds) {
    this.at = this.at.map((at) => at + seconds);
  }

  fillAndTrim() {
    const rows = this.sequence.length;
    const surplus = Math.max(0, rows - HISTORY_ROWS);
    for (const column of ["sequence", "at", "seconds"]) this[column].splice(0, surplus);
    for (const group of [this.operations, this.profiles]) {
      for (const [key, columns] of group) {
        for (const column of columns.values()) {
          column.push(...Array(rows - column.length).fill(null));
          column.splice(0, surplus);
        }
        if ([...columns.values()].every((column) => column.every((value) => value === null))) group.delete(key);
      }
    }
  }
}

function operationKey({ exchange, operation }) {
  return JSON.stringify([exchange, operation]);
}

function seriesOf(group, key) {
  if (!group.has(key)) group.set(key, new Map());
  return group.get(key);
}

/** Adds the rows from `first` on to columns that have `before` rows, or fewer if they were missing in the last answers. */
function addColumns(series, columns, before, first) {
  for (const [name, values] of columns) {
    if (!series.has(name)) series.set(name, []);
    const column = series.get(name);
    column.push(...Array(before - column.length).fill(null), ...values.slice(first));
  }
}
