// A password that was just made up stands in a notice above: the dialog that asked for it makes way.
document.addEventListener("htmx:after:swap", () => {
  if (document.querySelector("[data-shown-once]")) for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
});
