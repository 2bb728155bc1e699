// Elements of the page. Texts are set as text alone, so that none of the bot's becomes HTML, and only where they have
// changed, so that nothing flickers and a screen reader is not interrupted.
"use strict";

const byId = (id) => document.getElementById(id);

/** An element with this class and these children, which are elements or texts. */
function make(tag, className = "", ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/** A shape of the page's list of shapes. */
function makeShape(name) {
  const [shape, use] = ["svg", "use"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  shape.setAttribute("class", "shape");
  shape.setAttribute("aria-hidden", "true");
  shape.append(use);
  setShape(use, name);
  return shape;
}

function setShape(use, name) {
  setAttribute(use, "href", `#shape-${name}`);
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

function setHidden(element, isHidden) {
  if (element.hidden !== isHidden) element.hidden = isHidden;
}

/**
 * Makes the children of `container` those of `items`, in this order. Each item keeps its element for as long as its key
 * is among them; `create(item)` makes a new one, and `update(element, item)` brings each up to date.
 */
function showList(container, items, key, create, update) {
  const known = (container.elementsByKey ??= new Map());
  const keys = new Set(items.map(key));
  for (const [gone, element] of known) {
    if (keys.has(gone)) continue;
    element.remove();
    known.delete(gone);
  }
  let previous = null;
  for (const item of items) {
    const name = key(item);
    if (!known.has(name)) known.set(name, create(item));
    const element = known.get(name);
    const place = previous ? previous.nextElementSibling : container.firstElementChild;
    if (element !== place) container.insertBefore(element, place);
    update(element, item);
    previous = element;
  }
}

/** A row of a table, whose cells have these classes. */
function makeRow(classes) {
  return make("tr", "", ...classes.map((className) => make("td", className)));
}

function setCells(row, texts) {
  texts.forEach((text, index) => setText(row.cells[index], text));
}

/** Terms and their texts; a figure that is stale has a remark, such as its age. */
function showFigures(list, figures) {
  showList(
    list,
    figures,
    ([term]) => term,
    ([term]) => make("div", "", make("dt", "", term), make("dd", "", make("span"), make("small"))),
    (entry, [, text, remark = "", isStale = remark !== ""]) => {
      const [figure, addition] = entry.lastElementChild.children;
      setAttribute(entry, "data-stale", isStale ? "yes" : "no");
      setText(figure, text);
      setText(addition, remark);
    },
  );
}

/** The path below which the bot's pages are: a bot can mount them below a path of its own server. */
function pathOf(page) {
  const path = location.pathname.replace(/\/catalogue$/, "/");
  return (path.endsWith("/") ? path : `${path}/`) + page;
}

/** Links are written relative to the status page; this page may be below a path without its last slash. */
function resolveLinks() {
  for (const link of document.querySelectorAll("nav a")) {
    link.setAttribute("href", pathOf(link.getAttribute("href").replace("./", "")));
  }
}
