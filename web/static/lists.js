// Rows that open in place, and the choice of columns, which the address carries as one value.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-expands]");
  if (!opener) return;
  const detail = document.getElementById(opener.dataset.expands);
  const open = detail.hidden;
  detail.hidden = !open;
  opener.setAttribute("aria-expanded", String(open));
  opener.closest("tr")?.classList.toggle("is-open", open);
});

for (const form of document.querySelectorAll("form[data-columns]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const data = new FormData(form);
    const columns = data.getAll("column").join(",");
    data.delete("column");
    if (columns) data.set("columns", columns);
    location.search = new URLSearchParams(data).toString();
  });
}
