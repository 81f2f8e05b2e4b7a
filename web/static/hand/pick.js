// Picking along the path: the bin is scanned, then its items; what a bin lacks is short and looked for elsewhere.
import { ask, button, count, finish, lookUp, mark, say, session, sheet, show, signed, start, unitsOf, words, wrong } from "./task.js";

const byId = (id) => document.getElementById(id);
const picked = (line) => session.entries.filter((one) => one.line === line.id).reduce((sum, one) => sum + (one.units || 0), 0);
const isShort = (line) => session.entries.some((one) => one.line === line.id && one.short);
const isDone = (line) => isShort(line) || picked(line) >= line.wanted;
const current = () => sheet.lines.find((line) => !isDone(line)) || null;
const atBin = (line) => session.state.bin === line.bin;

async function scan(text) {
  const line = current();
  if (!line) return draw();
  const same = (bin) => bin.toUpperCase() === text.toUpperCase();
  if (sheet.lines.some((one) => same(one.bin))) {
    if (!same(line.bin)) return wrong(words.wrongPlace, say("expected", { code: line.bin }), { code: text }, { big: line.bin });
    session.keep({ bin: line.bin });
    return draw({ kind: "good", title: words.rightPlace, detail: line.lotText, have: picked(line), wanted: line.wanted, what: line.name, code: line.sku });
  }
  const units = unitsOf(line.codes, text);
  if (!units) {
    const found = await lookUp(text);
    const title = found.kind === "item" ? words.wrongItem : found.kind === "location" ? words.wrongPlace : words.wrongScan;
    const expected = say("expected", { code: atBin(line) ? line.sku : line.bin });
    return wrong(title, found.offline ? words.offlineScan : expected, { ...found, code: found.code || text }, figures(line));
  }
  if (!atBin(line)) return wrong(words.placeFirst, say("expected", { code: line.bin }), { code: line.sku }, { big: line.bin });
  take(line, units);
}

const figures = (line) => (atBin(line) ? { have: picked(line), wanted: line.wanted } : { big: line.bin });

function take(line, units) {
  const have = picked(line);
  const facts = { wanted: line.wanted, what: line.name, code: line.sku };
  if (have + units > line.wanted) {
    const title = say("tooMany", { number: count(have + units - line.wanted) });
    return draw({ kind: "over", title, detail: words.putBack, have, ...facts });
  }
  session.add({ line: line.id, units });
  if (have + units < line.wanted) {
    return draw({ kind: "good", title: words.right, detail: say("added", { number: signed(units), unit: line.unit }), have: have + units, ...facts });
  }
  const next = current();
  const detail = next ? say("nextPlace", { code: next.bin }) : words.allPicked;
  draw({ kind: "good", title: words.complete, detail, have: have + units, ...facts });
}

async function enter() {
  const line = current();
  if (!line || !atBin(line)) return;
  const given = await ask("quantity-dialog", { quantity: picked(line) || "" });
  if (given && Number(given.quantity) !== picked(line)) take(line, Number(given.quantity) - picked(line));
}

async function short() {
  const line = current();
  if (!line) return;
  byId("short-text").textContent = say("shortText", { have: count(picked(line)), wanted: count(line.wanted), place: line.bin });
  if (!(await ask("short-dialog"))) return;
  session.add({ line: line.id, units: 0, short: true });
  draw({ kind: "over", title: words.isShort, detail: words.lookedFor, have: picked(line), wanted: line.wanted, what: line.name, code: line.sku });
}

function post() {
  const rows = sheet.lines.filter(isDone).map((line) => ({ line: line.id, quantity: picked(line) }));
  finish(byId("task").dataset.post, { picked: JSON.stringify(rows) }, sheet.number);
}

function draw(answer = null) {
  const line = current();
  for (const one of sheet.lines) {
    mark(one.id, one === line ? "here" : isDone(one) ? "done" : "open", `${count(picked(one))} / ${count(one.wanted)}`);
  }
  const done = sheet.lines.filter(isDone).length;
  const last = session.entries.at(-1);
  button("undo", last ? (last.short ? words.undoShort : say("undo", { number: signed(last.units) })) : words.undoNothing, { enabled: Boolean(last) });
  button("enter", null, { enabled: Boolean(line && atBin(line)) });
  button("short", line ? say("short", { number: count(line.wanted - picked(line)) }) : null, { enabled: Boolean(line), shown: Boolean(line) });
  button("finish", done ? say("finish", { number: count(done) }) : words.scanFirst, { enabled: done > 0 });
  byId("do-finish").classList.toggle("btn-primary", done > 0);
  if (answer) return show(answer);
  if (session.state.waiting) return show({ kind: "idle", title: words.locked, detail: words.lockedDetail });
  if (!line) return show({ kind: "idle", title: words.allPicked, detail: words.postNow });
  const title = atBin(line) ? words.scanItem : words.goTo;
  const detail = say("forOrder", { order: line.order, number: count(line.wanted), unit: line.unit }) + (line.lotText ? ` · ${line.lotText}` : "");
  show({ kind: "idle", title, detail, ...figures(line), what: line.name, code: line.sku }, { silent: true });
}

byId("do-undo").addEventListener("click", () => {
  session.undo();
  draw();
});
byId("do-enter").addEventListener("click", enter);
byId("do-short").addEventListener("click", short);
byId("do-finish").addEventListener("click", post);
start({ scan, draw, known: (entry) => sheet.lines.some((line) => line.id === entry.line) });
