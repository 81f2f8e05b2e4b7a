// Putting away: the item is scanned, then the bin it goes to; another bin than the suggested one is taken too.
import { ask, button, count, finish, lookUp, mark, say, session, sheet, show, start, unitsOf, words, wrong } from "./task.js";

const byId = (id) => document.getElementById(id);
const put = (line) => session.entries.filter((one) => one.line === line.id).reduce((sum, one) => sum + one.units, 0);
const left = (line) => line.wanted - put(line);
const find = (id) => sheet.lines.find((line) => line.id === id);
const chosen = () => find(session.state.chosen) || null;

async function scan(text) {
  const fitting = sheet.lines.filter((line) => left(line) > 0 && unitsOf(line.codes, text));
  if (fitting.length) {
    const line = fitting[0];
    session.keep({ chosen: line.id, units: left(line) });
    return draw({ kind: "good", title: words.right, detail: say("putInto", { number: count(left(line)), unit: line.unit }), big: line.bin, what: line.name, code: line.sku });
  }
  const line = chosen();
  if (line && text.toUpperCase() === line.bin.toUpperCase()) return into(line, line.bin, words.rightPlace, "good");
  const found = await lookUp(text);
  if (found.kind === "location" && line) return into(line, found.code, words.otherPlace, "over");
  if (found.kind === "location") return wrong(words.itemFirst, words.scanItem, found);
  const detail = found.offline ? words.offlineScan : line ? say("expected", { code: line.bin }) : words.notAtDock;
  wrong(found.kind === "item" ? words.wrongItem : words.wrongScan, detail, { ...found, code: found.code || text });
}

function into(line, bin, title, kind) {
  const units = Math.min(session.state.units || left(line), left(line));
  session.add({ line: line.id, units, bin });
  session.keep({ chosen: null, units: 0 });
  draw({ kind, title, detail: say("stands", { number: count(units), unit: line.unit, code: bin }), have: put(line), wanted: line.wanted, what: line.name, code: line.sku });
}

async function enter() {
  const line = chosen();
  if (!line) return;
  const given = await ask("quantity-dialog", { quantity: session.state.units });
  if (!given) return;
  const units = Number(given.quantity);
  if (units < 1 || units > left(line)) return wrong(words.notSoMany, say("atMost", { number: count(left(line)) }), { code: line.sku });
  session.keep({ units });
  draw();
}

function post() {
  const rows = session.entries.map((one) => ({ line: one.line, bin: one.bin, quantity: one.units }));
  finish(byId("task").dataset.post, { put: JSON.stringify(rows) }, words.title);
}

function draw(answer = null) {
  const line = chosen();
  for (const one of sheet.lines) {
    mark(one.id, left(one) <= 0 ? "done" : one === line ? "here" : "open", `${count(put(one))} / ${count(one.wanted)}`);
  }
  const last = session.entries.at(-1);
  button("undo", last ? say("undo", { number: count(last.units) }) : words.undoNothing, { enabled: Boolean(last) });
  button("enter", null, { enabled: Boolean(line) });
  button("finish", session.entries.length ? say("finish", { number: count(session.entries.length) }) : words.scanFirst, { enabled: session.entries.length > 0 });
  if (answer) return show(answer);
  if (session.state.waiting) return show({ kind: "idle", title: words.locked, detail: words.lockedDetail });
  if (line) {
    const detail = say("putInto", { number: count(session.state.units || left(line)), unit: line.unit });
    return show({ kind: "idle", title: words.scanPlace, detail, big: line.bin, what: line.name, code: line.sku }, { silent: true });
  }
  const open = sheet.lines.filter((one) => left(one) > 0).length;
  show({ kind: "idle", title: open ? words.scanItem : words.allPut, have: sheet.lines.length - open, wanted: sheet.lines.length }, { silent: true });
}

byId("do-undo").addEventListener("click", () => {
  session.undo();
  draw();
});
byId("do-enter").addEventListener("click", enter);
byId("do-finish").addEventListener("click", post);
byId("lines").addEventListener("click", (event) => {
  const line = find(Number(event.target.closest("[data-line]")?.dataset.line));
  if (line && left(line) > 0) session.keep({ chosen: line.id, units: left(line) });
  draw();
});
start({ scan, draw, known: (entry) => Boolean(find(entry.line)) });
