// What was finished goes to the server once, with the key it was begun with: now, or when the network is back.
// The server answers a repetition with the first answer, so sending twice posts once.
import { forget, unlock } from "./session.js";

const PLACE = "scm.outbox";
const EVERY = 15_000; // milliseconds between attempts while something waits
let sending = false;

const read = () => JSON.parse(localStorage.getItem(PLACE) || "[]");
const write = (batches) => localStorage.setItem(PLACE, JSON.stringify(batches));
const mine = (batch) => batch.user === document.getElementById("task")?.dataset.user;
const token = () => document.querySelector("[name=csrf_token]")?.value || "";

export const waiting = () => read().filter(mine);

export function put(batch) {
  write([...read().filter((one) => one.fields.key !== batch.fields.key), batch]);
}

// Tries everything that waits, in order; gives what came of each batch it could send.
export async function flush() {
  if (sending) return [];
  sending = true;
  const results = [];
  try {
    for (const batch of waiting()) {
      const result = await send(batch);
      if (result.offline) break;
      write(read().filter((one) => one.fields.key !== batch.fields.key));
      if (result.done) forget(batch.session);
      else unlock(batch.session);
      results.push({ batch, ...result });
    }
  } finally {
    sending = false;
  }
  document.dispatchEvent(new CustomEvent("scm:outbox"));
  return results;
}

async function send(batch) {
  const body = new URLSearchParams({ ...batch.fields, csrf_token: token() });
  let answer;
  try {
    answer = await fetch(batch.url, { method: "POST", body, headers: { "HX-Request": "true" }, redirect: "manual" });
  } catch (error) {
    if (error instanceof TypeError) return { offline: true };
    throw error;
  }
  if (answer.type === "opaqueredirect" || [401, 503].includes(answer.status)) return { offline: true };
  const to = answer.headers.get("HX-Redirect");
  if (to?.startsWith("/login")) return { offline: true }; // signed out: it waits for the same person to come back
  if (answer.ok) return { done: true, to };
  return { refused: await answer.text() };
}

export function keepTrying(told) {
  const attempt = async () => {
    if (waiting().length) (await flush()).forEach(told);
  };
  addEventListener("online", attempt);
  setInterval(attempt, EVERY);
  attempt();
}
