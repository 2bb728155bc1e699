// The last events, which the reader filters by severity.
"use strict";

const SEVERITIES = ["CRITICAL", "ERROR", "WARNING", "INFO"];
/** Of each severity, so that routine events do not replace severe ones. */
const MOST_EVENTS = 50;

const events = { bySequence: new Map(), shown: new Set(SEVERITIES), counts: new Map() };

function makeSeverityFilter() {
  const buttons = SEVERITIES.map((severity) => {
    const count = make("span", "number", "0");
    events.counts.set(severity, count);
    const button = make("button", "severity", makeShape(SEVERITY_SHAPES[severity]), severity, " ", count);
    button.type = "button";
    button.dataset.severity = severity;
    button.setAttribute("aria-pressed", "true");
    button.addEventListener("click", () => {
      const isShown = events.shown.delete(severity) ? false : Boolean(events.shown.add(severity));
      setAttribute(button, "aria-pressed", String(isShown));
      showEvents();
    });
    return button;
  });
  byId("severities").append(...buttons);
}

const SEVERITY_SHAPES = { CRITICAL: "hung", ERROR: "stalled", WARNING: "failing", INFO: "waiting" };

function forgetEvents() {
  events.bySequence.clear();
}

function addEvents(newer) {
  for (const event of newer) events.bySequence.set(event.sequence, event);
  const counts = new Map();
  for (const [sequence, { severity }] of [...events.bySequence].sort(([one], [other]) => other - one)) {
    counts.set(severity, (counts.get(severity) ?? 0) + 1);
    if (counts.get(severity) > MOST_EVENTS) events.bySequence.delete(sequence);
  }
}

function showEvents() {
  const all = [...events.bySequence.values()].sort((a, b) => b.sequence - a.sequence);
  for (const [severity, count] of events.counts) {
    setText(count, String(all.filter((event) => event.severity === severity).length));
  }
  const shown = all.filter(({ severity }) => events.shown.has(severity) || !SEVERITIES.includes(severity));
  // A restarted bot begins its sequence anew.
  showList(byId("events"), shown, ({ sequence, at }) => `${sequence} at ${at}`, makeEvent, updateEventAge);
  setHidden(byId("no-events"), shown.length > 0);
}

function makeEvent(event) {
  const row = makeRow(["number age", "severity", "", "", "", "wide"]);
  row.dataset.severity = event.severity;
  setCells(row, ["", "", event.type, event.profile, event.symbol, event.text]);
  row.cells[0].title = formatTime(event.at);
  row.cells[1].append(makeShape(SEVERITY_SHAPES[event.severity] ?? "waiting"), event.severity);
  return row;
}

function updateEventAge(row, { at }) {
  setText(row.cells[0], `${formatAge(botTime() - at)} ago`);
}
