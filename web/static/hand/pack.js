// The check scan: everything that goes into the carton is scanned once more; only then the order is packed.
import { ask, button, count, finish, lookUp, mark, say, session, sheet, show, signed, start, unitsOf, words, wrong } from "./task.js";

const byId = (id) => document.getElementById(id);
const scanned = (line) => session.entries.filter((one) => one.line === line.id).reduce((sum, one) => sum + one.units, 0);
const missing = () => sheet.lines.reduce((sum, line) => sum + line.wanted - scanned(line), 0);
let current = null;

async function scan(text) {
  const line = sheet.lines.find((one) => unitsOf(one.codes, text));
  if (!line) {
    const found = await lookUp(text);
    if (found.address && !session.entries.length && found.kind !== "item") return location.assign(found.address);
    const left = sheet.lines.filter((one) => scanned(one) < one.wanted).map((one) => one.sku);
    const detail = found.offline ? words.offlineScan : say("expected", { code: left.slice(0, 3).join(", ") || "–" });
    return wrong(found.kind === "item" ? words.wrongItem : words.wrongScan, detail, { ...found, code: found.code || text });
  }
  current = line;
  take(line, unitsOf(line.codes, text));
}

function take(line, units) {
  const have = scanned(line);
  const facts = { wanted: line.wanted, what: line.name, code: line.sku };
  if (have + units > line.wanted) {
    const title = say("tooMany", { number: count(have + units - line.wanted) });
    return draw({ kind: "over", title, detail: words.putBack, have, ...facts });
  }
  session.add({ line: line.id, units });
  const title = missing() ? (have + units === line.wanted ? words.complete : words.right) : words.allChecked;
  draw({ kind: "good", title, detail: say("added", { number: signed(units), unit: line.unit }), have: have + units, ...facts });
}

async function enter() {
  const line = current;
  if (!line) return;
  const given = await ask("quantity-dialog", { quantity: scanned(line) || "" });
  if (given && Number(given.quantity) !== scanned(line)) take(line, Number(given.quantity) - scanned(line));
}

async function post() {
  const given = await ask("finish-dialog");
  if (!given) return;
  const rows = sheet.lines.map((line) => ({ item: line.id, quantity: scanned(line) }));
  finish(byId("task").dataset.post, { scanned: JSON.stringify(rows), cartons: given.cartons }, sheet.number);
}

function draw(answer = null) {
  current ??= sheet.lines.find((line) => scanned(line) < line.wanted) || null;
  for (const line of sheet.lines) {
    const state = scanned(line) >= line.wanted ? "done" : line === current ? "here" : "open";
    mark(line.id, state, `${count(scanned(line))} / ${count(line.wanted)}`);
  }
  const last = session.entries.at(-1);
  button("undo", last ? say("undo", { number: signed(last.units) }) : words.undoNothing, { enabled: Boolean(last) });
  button("enter", null, { enabled: Boolean(current) });
  button("finish", missing() ? say("missing", { number: count(missing()) }) : words.pack, { enabled: !missing() });
  if (answer) return show(answer);
  if (session.state.waiting) return show({ kind: "idle", title: words.locked, detail: words.lockedDetail });
  const all = sheet.lines.reduce((sum, line) => sum + line.wanted, 0);
  show({ kind: "idle", title: missing() ? words.scanNext : words.allChecked, have: all - missing(), wanted: all }, { silent: true });
}

byId("do-undo").addEventListener("click", () => {
  session.undo();
  draw();
});
byId("do-enter").addEventListener("click", enter);
byId("do-finish").addEventListener("click", post);
start({ scan, draw, known: (entry) => sheet.lines.some((line) => line.id === entry.line) });
