// Counting blind: the place is scanned, then everything in it. The page does not know what the books say.
import { ask, button, count, finish, lookUp, mark, say, session, sheet, show, start, unitsOf, words, wrong } from "./task.js";

const byId = (id) => document.getElementById(id);
const placeOf = (code) => sheet.lines.filter((line) => line.place.toUpperCase() === code.toUpperCase());
const here = () => session.state.place || "";
const ofPlace = (code) => session.entries.filter((one) => one.place === code);
const isDone = (line) => session.entries.some((one) => one.place === line.place && (!line.sku || one.sku === line.sku || one.empty));
const found = (place, sku, lot) => ofPlace(place).filter((one) => one.sku === sku && one.lot === lot).reduce((sum, one) => sum + one.units, 0);
let current = null; // the item that was scanned last, with its lot

async function scan(text) {
  const places = placeOf(text);
  if (places.length) {
    current = null;
    session.keep({ place: places[0].place });
    return draw({ kind: "good", title: words.rightPlace, detail: words.scanAll, big: places[0].place, what: places.map((one) => one.name).filter(Boolean).join(", ") });
  }
  const item = await itemOf(text);
  if (!item) return;
  if (!here()) return wrong(words.placeFirst, say("expected", { code: sheet.lines.find((line) => !isDone(line))?.place || "–" }), item);
  const asked = placeOf(here());
  if (asked.every((line) => line.sku) && !asked.some((line) => line.sku === item.code)) {
    return wrong(words.notToCount, say("expected", { code: asked.map((line) => line.sku).join(", ") }), item, { big: here() });
  }
  let lot = "";
  if (item.lot) {
    lot = current?.sku === item.code && current.lot ? current.lot : await askLot();
    if (!lot) return draw();
  }
  current = { sku: item.code, name: item.name, unit: item.unit || "", lot };
  add(item.units);
}

async function askLot() {
  const given = await ask("lot-dialog", { lot: "" });
  return given ? given.lot.trim() : "";
}

async function itemOf(text) {
  const line = sheet.lines.find((one) => one.sku && unitsOf(one.codes, text));
  if (line) return { code: line.sku, name: line.name, units: unitsOf(line.codes, text), lot: line.lot };
  const answer = await lookUp(text);
  if (answer.kind === "item") return answer;
  const detail = answer.offline ? words.offlineScan : answer.kind === "location" ? words.notThisPlace : answer.text || "";
  wrong(answer.kind === "location" ? words.wrongPlace : words.wrongScan, detail, { ...answer, code: answer.code || text });
  return null;
}

function add(units) {
  session.add({ place: here(), sku: current.sku, name: current.name, lot: current.lot, units });
  const have = found(here(), current.sku, current.lot);
  draw({ kind: "good", title: words.counted, detail: `${here()}${current.lot ? ` · ${current.lot}` : ""}`, have, what: current.name, code: current.sku });
}

async function enter() {
  if (!current || !here()) return;
  const before = found(here(), current.sku, current.lot);
  const given = await ask("quantity-dialog", { quantity: before || "" });
  if (given && Number(given.quantity) !== before) add(Number(given.quantity) - before);
  else if (given && !before) add(0); // none is there: that is a count, too
}

function empty() {
  if (!here()) return;
  session.add({ place: here(), empty: true, units: 0 });
  draw({ kind: "good", title: words.counted, detail: here(), have: 0 });
}

function rows() {
  const sums = new Map();
  for (const line of sheet.lines) if (line.sku && !line.lot) sums.set(JSON.stringify([line.place, line.sku, ""]), 0);
  for (const { place, sku, lot, units } of session.entries.filter((one) => one.sku)) {
    const key = JSON.stringify([place, sku, lot || ""]);
    sums.set(key, (sums.get(key) || 0) + units);
  }
  return [...sums].map(([key, quantity]) => {
    const [place, sku, lot] = JSON.parse(key);
    return { place, sku, quantity, ...(lot && { lot }) };
  });
}

async function post() {
  const given = await ask("finish-dialog");
  if (given) finish(byId("task").dataset.post, { counted: JSON.stringify(rows()) }, sheet.number);
}

function draw(answer = null) {
  for (const line of sheet.lines) {
    const pieces = session.entries.filter((one) => one.place === line.place && (!line.sku || one.sku === line.sku)).reduce((sum, one) => sum + one.units, 0);
    mark(line.id, isDone(line) ? "done" : line.place === here() ? "here" : "open", isDone(line) ? count(pieces) : "–");
  }
  const open = sheet.lines.filter((line) => !isDone(line)).length;
  const last = session.entries.at(-1);
  button("undo", last ? (last.empty ? words.undoEmpty : say("undo", { number: count(last.units) })) : words.undoNothing, { enabled: Boolean(last) });
  button("enter", null, { enabled: Boolean(current && here()) });
  button("empty", null, { enabled: Boolean(here()) && !ofPlace(here()).length });
  button("finish", open ? say("missing", { number: count(open) }) : words.finish, { enabled: !open });
  if (answer) return show(answer);
  if (session.state.waiting) return show({ kind: "idle", title: words.locked, detail: words.lockedDetail });
  const next = sheet.lines.find((line) => !isDone(line));
  if (!next) return show({ kind: "idle", title: words.allCounted, detail: words.finishNow }, { silent: true });
  show({ kind: "idle", title: here() ? words.scanAll : words.goTo, big: here() || next.place, what: here() ? "" : next.name }, { silent: true });
}

byId("do-undo").addEventListener("click", () => {
  session.undo();
  current = null;
  draw();
});
byId("do-enter").addEventListener("click", enter);
byId("do-empty").addEventListener("click", empty);
byId("do-finish").addEventListener("click", post);
start({ scan, draw, known: (entry) => placeOf(entry.place).length > 0 });
