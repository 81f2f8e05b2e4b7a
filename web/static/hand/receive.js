// Receiving against an order: each scan counts, too many are said, what is short stays owed, one posting at the end.
import { ask, button, count, finish, lookUp, mark, say, session, sheet, show, signed, start, unitsOf, words, wrong } from "./task.js";

const byId = (id) => document.getElementById(id);
let current = null;

const counted = (line) => session.entries.filter((one) => one.line === line.id).reduce((sum, one) => sum + one.units, 0);
const label = (line) => session.state.labels?.[line.id] || { lot: "", expiry: "" };
const find = (id) => sheet.lines.find((line) => line.id === id);
const missing = () => sheet.lines.reduce((sum, line) => sum + Math.max(0, line.wanted - counted(line)), 0);
const total = () => session.entries.reduce((sum, one) => sum + one.units, 0);

async function scan(text) {
  const fitting = sheet.lines.filter((line) => unitsOf(line.codes, text));
  if (!fitting.length) return unknown(text);
  const room = (line) => line.wanted - counted(line);
  const line = fitting.find((one) => one.id === current?.id && room(one) > 0) || fitting.find((one) => room(one) > 0) || fitting.at(-1);
  current = line;
  if (line.lot && !label(line).lot && !(await askLabel(line))) return draw();
  add(line, unitsOf(line.codes, text));
}

async function unknown(text) {
  const found = await lookUp(text);
  if (found.offline) return wrong(words.unknown, words.offlineScan, { code: text }, figures());
  if (found.address && !session.entries.length && found.kind !== "item") return location.assign(found.address);
  const expected = current ? say("expected", { code: current.sku }) : words.notHere;
  const detail = found.kind === "item" ? `${words.notCounted} ${expected}` : `${words.notCounted} ${found.text || say("isA", { kind: words[found.kind] })}`;
  wrong(found.kind === "item" ? words.wrongItem : words.wrongScan, detail, { ...found, code: found.code || text }, figures());
}

const figures = () => (current ? { have: counted(current), wanted: current.wanted } : {});

function add(line, units) {
  const have = counted(line);
  const facts = { have, wanted: line.wanted, what: line.name, code: line.sku };
  if (have + units > line.most) {
    const detail = say("atMost", { wanted: count(line.wanted), over: count(line.most - line.wanted) });
    return draw({ kind: "over", title: say("tooMany", { number: count(have + units - line.most) }), detail, ...facts });
  }
  session.add({ line: line.id, units, ...label(line) });
  const over = have + units - line.wanted;
  const answer = { ...facts, have: have + units, detail: say("added", { number: signed(units), unit: line.unit }) };
  if (over > 0) draw({ ...answer, kind: "over", title: say("above", { number: count(over) }), detail: words.tolerated });
  else draw({ ...answer, kind: "good", title: have + units === line.wanted ? words.complete : words.right });
}

async function askLabel(line) {
  byId("lot-expiry").hidden = !line.expiry;
  byId("lot-expiry").querySelector("input").required = line.expiry;
  const given = await ask("lot-dialog", label(line));
  if (!given) return false;
  const labels = { ...session.state.labels, [line.id]: { lot: given.lot.trim(), expiry: line.expiry ? given.expiry : "" } };
  session.keep({ labels });
  return true;
}

async function enter() {
  const line = current;
  if (!line || (line.lot && !label(line).lot && !(await askLabel(line)))) return;
  const same = session.entries.filter((one) => one.line === line.id && one.lot === label(line).lot && one.expiry === label(line).expiry);
  const before = same.reduce((sum, one) => sum + one.units, 0);
  const given = await ask("quantity-dialog", { quantity: before || "" });
  if (given && Number(given.quantity) !== before) add(line, Number(given.quantity) - before);
}

function rows() {
  const sums = new Map();
  for (const { line, units, lot, expiry } of session.entries) {
    const key = JSON.stringify([line, lot || "", expiry || ""]);
    sums.set(key, (sums.get(key) || 0) + units);
  }
  return [...sums].filter(([, quantity]) => quantity > 0).map(([key, quantity]) => {
    const [line, lot, expiry] = JSON.parse(key);
    return { line, quantity, ...(lot && { lot }), ...(expiry && { expiry }) };
  });
}

async function post() {
  byId("finish-text").textContent = missing() ? say("shortBy", { number: count(missing()) }) : words.allHere;
  const given = await ask("finish-dialog");
  if (given) finish(byId("task").dataset.post, { counted: JSON.stringify(rows()), delivery_note: given.delivery_note.trim() }, sheet.number);
}

function draw(answer = null) {
  current ??= sheet.lines.find((line) => counted(line) < line.wanted) || sheet.lines[0] || null;
  for (const line of sheet.lines) {
    const state = line === current ? "here" : counted(line) >= line.wanted ? "done" : "open";
    mark(line.id, state, `${count(counted(line))} / ${count(line.wanted)}`);
  }
  if (current) {
    byId("fact-lot").textContent = label(current).lot || "–";
    byId("fact-expiry").textContent = label(current).expiry || "–";
  }
  const last = session.entries.at(-1);
  button("undo", last ? say("undo", { number: signed(last.units) }) : words.undoNothing, { enabled: Boolean(last) });
  button("enter", null, { enabled: Boolean(current) });
  button("lot", null, { shown: Boolean(current?.lot) });
  const text = missing() ? say("finishShort", { number: count(missing()) }) : say("finish", { number: count(total()) });
  button("finish", total() ? text : words.scanFirst, { enabled: total() > 0 });
  if (answer) show(answer);
  else if (session.state.waiting) show({ kind: "idle", title: words.locked, detail: words.lockedDetail });
  else if (current) show({ kind: "idle", title: words.scanNext, ...figures(), what: current.name, code: current.sku }, { silent: true });
}

byId("do-undo").addEventListener("click", () => {
  current = find(session.undo()?.line) || current;
  draw();
});
byId("do-enter").addEventListener("click", enter);
byId("do-lot").addEventListener("click", () => current && askLabel(current).then(() => draw()));
byId("do-finish").addEventListener("click", post);
byId("lines").addEventListener("click", (event) => {
  const id = Number(event.target.closest("[data-line]")?.dataset.line);
  current = find(id) || current;
  draw();
});
start({ scan, draw, known: (entry) => Boolean(find(entry.line)) });
