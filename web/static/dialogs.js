// Dialogs: opened by data-opens="ID", closed by data-closes, Esc, or a click beside them.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) open(opener.dataset.opens);
  if (event.target.closest("[data-closes]")) event.target.closest("dialog")?.close();
  if (event.target instanceof HTMLDialogElement) event.target.close();
});

export function open(id) {
  const dialog = document.getElementById(id);
  if (!dialog || dialog.open) return;
  dialog.showModal();
  const first = dialog.querySelector("[autofocus], input:not([type=hidden]), textarea, select");
  if (first) first.focus();
}
