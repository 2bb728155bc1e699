// The annotated functions and the metrics, which the reader searches.
"use strict";

const ASK_EVERY = 5000;
const LONGEST_ANSWER = 3000;

let catalogue = { functions: [], families: [] };

function showCatalogue() {
  const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const isFound = (item) => {
    const text = (item.searched ??= JSON.stringify(item).toLowerCase());
    return words.every((word) => text.includes(word));
  };
  const functions = catalogue.functions.filter((item) => isFound(item) && !(byId("only-uncalled").checked && item.called !== false));
  // The functions that one use of a macro generates have one place.
  const place = ({ file, line, attribute, module, function: name, labels }) =>
    JSON.stringify([file, line, attribute, module, name, labels]);
  showList(byId("functions"), functions, place, makeFunction, updateFunction);
  setHidden(byId("no-functions"), functions.length > 0);
  const uncalled = catalogue.functions.filter((item) => item.called === false).length;
  setText(byId("function-count"), `${functions.length} of ${catalogue.functions.length} shown, ${uncalled} never called`);
  const families = catalogue.families.filter(isFound);
  showList(byId("families"), families, ({ name }) => name, makeFamily, updateFamily);
  setText(byId("family-count"), `${families.length} of ${catalogue.families.length} shown`);
}

function makeFunction(item) {
  const row = makeRow(["", "", "", "", "number", "wide"]);
  const labels = Object.entries(item.labels).map(([name, values]) => `${name}: ${values.join(", ") || "chosen at run time"}`);
  setCells(row, ["", `${item.file}:${item.line}`, item.attribute, labels.join("; "), "", item.families.join(" ")]);
  row.cells[0].append(make("strong", "", item.function), " ", make("small", "", item.module));
  return row;
}

function updateFunction(row, { calls, called, shared_with: shared }) {
  const isUncalled = called === false;
  const count = calls === null ? "not counted" : formatCount(calls);
  const others = shared > 0 ? ` with ${shared} ${shared === 1 ? "other" : "others"}` : "";
  setText(row.cells[4], isUncalled ? "never called since start" : count + others);
  setAttribute(row, "data-called", isUncalled ? "never" : "unknown");
}

function makeFamily(family) {
  const row = makeRow(["", "", "", "number", "wide"]);
  setCells(row, [family.name, family.kind, family.labels.map(({ name }) => name).join(", "), "", family.help]);
  return row;
}

function updateFamily(row, { series }) {
  setText(row.cells[3], formatCount(series));
}

async function ask() {
  const lost = byId("lost");
  try {
    const answer = await fetch(pathOf("catalogue?format=json"), { cache: "no-store", signal: AbortSignal.timeout(LONGEST_ANSWER) });
    if (!answer.ok) throw new Error(`it answers ${answer.status}: ${(await answer.text()).trim()}`);
    catalogue = await answer.json();
    setHidden(lost, true);
    setText(document.querySelector("h1"), `Annotated functions of ${catalogue.app}`);
    showCatalogue();
  } catch (error) {
    setText(lost, `The bot does not answer: ${error.message}. The figures below are its last ones.`);
    setHidden(lost, false);
  }
  setTimeout(ask, ASK_EVERY);
}

resolveLinks();
byId("search").addEventListener("input", showCatalogue);
byId("only-uncalled").addEventListener("change", showCatalogue);
ask();
