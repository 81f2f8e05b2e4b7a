// Cells that are changed in place: the open one has the focus, Escape closes it, and only one is open at a time.
document.addEventListener("htmx:after:swap", () => {
  const open = [...document.querySelectorAll("[data-editor]")];
  const fresh = open.find((place) => !place.dataset.seen);
  if (fresh) {
    for (const other of open) if (other !== fresh) other.querySelector("[data-cancel]").click();
    fresh.dataset.seen = "yes";
    const field = fresh.querySelector("[data-first]");
    field.focus();
    if (field.select) field.select();
    last = fresh.id;
  } else if (last && !open.length && document.activeElement === document.body) {
    document.querySelector(`#${CSS.escape(last)} .cell-button`)?.focus();
    last = "";
  }
});
let last = "";

document.addEventListener("keydown", (event) => {
  const place = event.target.closest("[data-editor]");
  if (!place || event.key !== "Escape") return;
  event.preventDefault();
  place.querySelector("[data-cancel]").click();
});
