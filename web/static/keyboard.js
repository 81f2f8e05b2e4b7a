// Single keys: j and k walk the rows, x selects, Enter opens, a does the main thing, ? lists the keys.
// They rest while somebody types or scans, and for whoever switched them off (WCAG 2.1.4).
import { open } from "./dialogs.js";

const isTyping = (target) => target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
let scanningUntil = 0;
document.addEventListener("scm:scanning", () => (scanningUntil = Date.now() + 600));

const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null);
const current = () => document.querySelector("[data-row].is-cursor");

function walk(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(current());
  const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
  current()?.classList.remove("is-cursor");
  next.classList.add("is-cursor");
  next.scrollIntoView({ block: "nearest" });
  (next.querySelector("[data-open], a, summary") || next).focus({ preventScroll: true });
}

function act(key) {
  const seen = (place) => [...(place?.querySelectorAll(`[data-key="${key}"]`) || [])].find((one) => one.offsetParent);
  const target = seen(current()) || seen(document.querySelector(".bulk:not([hidden])")) || seen(document);
  if (target) target.click();
}

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    open("palette");
    return;
  }
  const off = document.body.dataset.singleKeys === "off" || document.body.dataset.scanning !== undefined;
  if (off || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  if (Date.now() < scanningUntil) return;
  if (event.key === "j") walk(1);
  else if (event.key === "k") walk(-1);
  else if (event.key === "x") current()?.querySelector("input[type=checkbox]")?.click();
  else if (event.key === "Enter" && event.target === document.body) current()?.querySelector("[data-open], summary, a")?.click();
  else if (event.key === "?") open("keys");
  else if (event.key === "a") act("a");
  else return;
  event.preventDefault();
});
