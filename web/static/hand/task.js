// What every page with a scanner shares: the sheet and the words of the page, the answer in full colour, undo, entering
// a quantity, and finishing.
import { open as openDialog } from "../dialogs.js";
import * as outbox from "./outbox.js";
import { openSession } from "./session.js";
import { beep, offerMute } from "./sound.js";
import { listen } from "./wedge.js";

const byId = (id) => document.getElementById(id);
const root = byId("task");
export const words = JSON.parse(root.dataset.words);
export const sheet = root.dataset.sheet ? JSON.parse(root.dataset.sheet) : { kind: "none", number: "", lines: [] };
export const session = openSession(`${root.dataset.user}.${sheet.kind}.${sheet.number}`);

const figures = new Intl.NumberFormat(document.documentElement.lang);
export const count = (number) => figures.format(number);
export const signed = (number) => (number < 0 ? `−${count(-number)}` : `+${count(number)}`);

// "{quantity} of {sku}" with its holes filled.
export function say(name, values = {}) {
  return words[name].replace(/\{(\w+)\}/g, (hole, key) => (key in values ? values[key] : hole));
}

// A GTIN is compared with all its fourteen digits; everything else without regard to case.
export function unitsOf(codes, text) {
  const plain = text.toUpperCase();
  if (codes[plain]) return codes[plain];
  return /^\d{8}$|^\d{12,14}$/.test(plain) ? codes[plain.padStart(14, "0")] || 0 : 0;
}

// What the server knows of a text that this page does not: an item, a place, a document with its address.
export async function lookUp(text) {
  try {
    const answer = await fetch(`${root.dataset.lookup}?text=${encodeURIComponent(text)}`, { redirect: "manual" });
    if (answer.ok || answer.status === 404 || answer.status === 400) return await answer.json();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  return { offline: true };
}

const SIGNS = { good: "check", wrong: "cross", over: "watch", idle: "scan" };

// kind: good, wrong, over or idle. have and wanted are the huge figures; big is written in their place.
export function show({ kind, title, detail = "", have = null, wanted = null, big = "", what = "", code = "" }, { silent = false } = {}) {
  const answer = byId("answer");
  answer.className = `answer ${kind}`;
  answer.setAttribute("role", kind === "wrong" || kind === "over" ? "alert" : "status");
  byId("answer-sign").setAttribute("href", `#${SIGNS[kind]}`);
  byId("answer-title").textContent = title;
  byId("answer-detail").textContent = detail;
  const figure = byId("answer-count");
  figure.replaceChildren(big || (have === null ? "" : count(have)));
  if (!big && wanted !== null) {
    const total = document.createElement("span");
    total.textContent = ` / ${count(wanted)}`;
    figure.append(total);
  }
  figure.classList.toggle("long", `${figure.textContent}`.length > 7);
  figure.hidden = !figure.textContent;
  byId("answer-what").textContent = what;
  byId("answer-code").textContent = code;
  if (!silent && kind !== "idle") beep(kind);
}

export function wrong(title, detail, found, rest = {}) {
  const known = found?.name || found?.code || "";
  const what = known ? say("scanned", { name: known }) : "";
  show({ kind: "wrong", title, detail, what, code: found?.name ? found.code : "", ...rest });
}

export function row(id) {
  return document.querySelector(`[data-line="${CSS.escape(String(id))}"]`);
}

// state: open, here or done; text stands at the right.
export function mark(id, state, text) {
  const line = row(id);
  if (!line) return;
  line.classList.toggle("is-picked", state === "here");
  line.querySelector("use").setAttribute("href", { open: "#idle", here: "#right", done: "#good" }[state]);
  line.querySelector("[data-count]").textContent = text;
  const box = line.closest(".hand-lines");
  if (box && state === "here") box.scrollTop = line.offsetTop - box.clientHeight / 3; // only the lines move, never the answer
}

export function button(id, text, { enabled = true, shown = true } = {}) {
  const found = byId(`do-${id}`);
  if (!found) return;
  if (text !== null) found.querySelector("[data-text]").textContent = text;
  found.disabled = !enabled || session.state.waiting;
  found.hidden = !shown;
}

// Asks in a dialog; gives the form's values, or null when it was closed.
export function ask(id, values = {}) {
  const dialog = byId(id);
  const form = dialog.querySelector("form");
  for (const [name, value] of Object.entries(values)) if (form.elements[name]) form.elements[name].value = value ?? "";
  openDialog(id);
  form.querySelector("input:not([type=hidden])")?.select();
  return new Promise((resolve) => {
    const sent = (event) => {
      event.preventDefault();
      const answers = Object.fromEntries(new FormData(form));
      form.removeEventListener("submit", sent);
      dialog.removeEventListener("close", closed);
      dialog.close();
      resolve(answers);
    };
    const closed = () => {
      form.removeEventListener("submit", sent);
      resolve(null);
    };
    form.addEventListener("submit", sent);
    dialog.addEventListener("close", closed, { once: true });
  });
}

export function notice(html, text = "") {
  const place = byId("messages");
  if (html) place.innerHTML = html;
  else {
    const line = document.createElement("div");
    line.className = "notice";
    line.setAttribute("role", "status");
    line.textContent = text;
    place.replaceChildren(line);
  }
  place.scrollIntoView({ block: "nearest" });
}

// Sends the batch, or keeps it until the network is back. The session stays locked until the server has answered.
export async function finish(url, fields, title) {
  session.keep({ waiting: true });
  outbox.put({ user: root.dataset.user, session: session.name, url, title, fields: { ...fields, key: session.state.key } });
  told(await outbox.flush());
}

let redraw = () => {};

function told(results) {
  for (const { batch, done, to, refused } of results) {
    const here = batch.session === session.name;
    if (here && done) return location.assign(to || location.href);
    if (here) session.keep({ waiting: false });
    if (refused) {
      notice(refused);
      beep("wrong");
    } else if (done) notice("", say("sent", { title: batch.title }));
  }
  status();
  redraw();
}

function status() {
  const number = outbox.waiting().length;
  byId("hand-waiting").hidden = !number;
  byId("hand-waiting-text").textContent = say("waiting", { number: count(number) });
  const note = byId("offline-note");
  if (note) note.hidden = navigator.onLine && !number;
}

export function start({ scan, draw, known = () => true }) {
  redraw = draw;
  if (session.state.waiting && !outbox.waiting().some((batch) => batch.session === session.name)) {
    session.keep({ waiting: false }); // it was closed between keeping and sending: nothing has left
  }
  if (session.only(known)) notice("", words.stale);
  offerMute();
  listen((text) => {
    if (session.state.waiting) return wrong(words.locked, words.lockedDetail, null);
    return scan(text);
  });
  document.addEventListener("scm:outbox", status);
  for (const type of ["online", "offline"]) addEventListener(type, status);
  outbox.keepTrying((result) => told([result]));
  status();
  draw();
}
