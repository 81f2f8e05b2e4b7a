// What every page needs: dialogs, the rail on a phone, notices, the palette, keys and selections.
import "./dialogs.js";
import "./keyboard.js";
import "./lists.js";
import "./palette.js";
import "./selection.js";

document.addEventListener("click", (event) => {
  const dismiss = event.target.closest("[data-dismiss]");
  if (dismiss) dismiss.closest(".notice").remove();
  const toggle = event.target.closest("[data-toggles]");
  if (toggle) {
    const open = document.getElementById(toggle.dataset.toggles).classList.toggle("is-open");
    toggle.setAttribute("aria-expanded", String(open));
  } else closeMenu(event.target);
  const back = event.target.closest("[data-back]");
  if (back && history.length > 1) {
    event.preventDefault();
    history.back();
  }
  if (event.target.closest("[data-print]")) window.print();
});

// The menu closes by a click beside it, and by Esc.
function closeMenu(target) {
  const rail = document.querySelector(".rail.is-open");
  if (!rail || target?.closest(".rail, dialog")) return;
  rail.classList.remove("is-open");
  rail.querySelector("[data-toggles]").setAttribute("aria-expanded", "false");
  rail.querySelector("[data-toggles]").focus();
}
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !document.querySelector("dialog[open]")) closeMenu();
});

// A form that opens its result at once, such as a filter: sent when a field changes.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-auto]");
  if (form) form.requestSubmit();
});

// What the network could not carry is said, and nothing is pretended to be done.
document.addEventListener("htmx:error", () => {
  const place = document.getElementById("messages");
  const text = document.body.dataset.offlineText || "No connection: nothing was sent. Try again.";
  if (!place) return;
  const notice = document.createElement("div");
  notice.className = "notice notice-risk";
  notice.setAttribute("role", "alert");
  notice.textContent = text;
  place.replaceChildren(notice);
});

// A refusal at the top of a long page must be seen.
document.addEventListener("htmx:after:swap", () => {
  const alert = document.querySelector("#messages [role=alert]");
  if (alert) alert.scrollIntoView({ block: "nearest" });
});
