// Ctrl-K: the server finds, the arrows choose, Enter opens.
const palette = document.getElementById("palette");
const found = document.getElementById("palette-found");
const field = document.getElementById("palette-text");

const entries = () => [...(found?.querySelectorAll("a") || [])];

function choose(index) {
  const all = entries();
  all.forEach((entry, at) => {
    entry.classList.toggle("is-chosen", at === index);
    entry.setAttribute("aria-selected", String(at === index));
  });
  const entry = all[index];
  if (!entry) return;
  entry.scrollIntoView({ block: "nearest" });
  field.setAttribute("aria-activedescendant", entry.id);
}

palette?.addEventListener("keydown", (event) => {
  const all = entries();
  const at = all.findIndex((entry) => entry.classList.contains("is-chosen"));
  if (event.key === "ArrowDown") choose(Math.min(at + 1, all.length - 1));
  else if (event.key === "ArrowUp") choose(Math.max(at - 1, 0));
  else if (event.key === "Enter" && all.length) all[Math.max(at, 0)].click();
  else return;
  event.preventDefault();
});

found?.addEventListener("htmx:after:swap", () => choose(0));
